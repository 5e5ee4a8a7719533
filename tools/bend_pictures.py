"""Write docs/bends.md and its pictures: every bend and rewrite at three strengths on silk and glass.

python tools/bend_pictures.py [FOLDER]      keeps what it finds out about the models in FOLDER

Bends act on the features of 16 px and are calibrated, rewrites on 16 and 32 px at amounts of 1/3, 2/3 and 1.
It takes some minutes, so `scripts/docs` does not run it.
"""

import inspect
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clavilux.arrays import F32
from clavilux.catalogue import REACHES
from clavilux.generator.bends import BENDS
from clavilux.generator.generate import seed_latents
from clavilux.generator.model import Model, load_model
from clavilux.generator.program import Program
from clavilux.generator.rewrites import REWRITES
from clavilux.make.changes import changes_of
from clavilux.patches import patch as _patch  # fills the op table
from clavilux.profile.probe import PSI, sample_latents
from clavilux.profile.rules import rules_of
from clavilux.signals.expr import Node, apply
from clavilux.signals.table import OPS
from clavilux.signals.text import parse
from clavilux.store import Store

assert _patch

DOCS = Path(__file__).parents[1] / "docs"
MODELS = ("silk", "glass")
SIDE, GAP, CELLS = 112, 4, (4, 4)
RULED = ("b16.conv1", "b32.conv1")
EDIT = {
    "object": {"seed": 3, "mask": [0.1, 0.1, 0.6, 0.6]},
    "paste": {"seed": 8, "mask": [0.3, 0.3, 0.8, 0.8]},
}
HEAD = """<!-- Written by tools/bend_pictures.py from the code; change it there. -->

# Bends and rewrites, seen

Each picture shows an image of silk, above, and of glass: as it is, then changed at three strengths. Bends act
on the features of 16 px with `reach='subtle'`, `'medium'` and `'strong'`, a mean CIELAB change of 6, 12 and
24 or as far as the bend goes. Rewrites act at `amount` 1/3, 2/3 and 1: `scale` on 16 and 32 px; `mute`,
`boost` and `swap` as the strongest of the rules that `clavilux models profile` lists for 16 and 32 px;
`edit` on b16.conv1, and `blend` on all layers, towards the other model. How each is written is in
[operations](operations.md).
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as temporary:
        store = Store(Path(sys.argv[1] if len(sys.argv) > 1 else temporary))
        models = [load_model(name) for name in MODELS]
        (DOCS / "bends").mkdir(exist_ok=True)
        parts = [HEAD, "## Bends\n"]
        parts += [section(name, models, store) for name in BENDS]
        parts += ["## Rewrites\n"]
        parts += [section(name, models, store) for name in REWRITES]
    (DOCS / "bends.md").write_text("\n".join(parts), encoding="utf-8")
    return 0


def section(name: str, models: list[Model], store: Store) -> str:
    """One operation: its picture is drawn, its words come from the table."""
    rows = [drawn(name, model, store) for model in models]
    step = SIDE + GAP
    sheet = Image.new("RGB", (4 * step - GAP, len(rows) * step - GAP), "white")
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            sheet.paste(Image.fromarray(image).resize((SIDE, SIDE)), (x * step, y * step))
    sheet.save(DOCS / "bends" / f"{name}.webp", quality=80)
    print(name, flush=True)
    words = " ".join(inspect.cleandoc(OPS[name].function.__doc__ or "").split())
    return f"### {name}\n\n{words}\n\n![{name}](bends/{name}.webp)\n"


def nodes_of(name: str, model: Model, store: Store) -> list[tuple[Node, float]]:
    """The operation as a patch writes it, and its amount, from weak to strong."""
    op = OPS[name]
    if name in BENDS:
        return [(apply(op, (), {"at": "b16.conv0", "reach": reach}), 1.0) for reach in REACHES]
    if name == "rewrite.edit":
        file = Path(tempfile.gettempdir()) / "bend-pictures-edit.json"
        file.write_text(json.dumps(EDIT))
        node = apply(op, (), {"at": "b16.conv1", "path": str(file), "rank": 4})
    elif name == "rewrite.blend":
        other = MODELS[1 - MODELS.index(model.name)]
        node = apply(op, (), {"at": "all", "model": other})
    elif name == "rewrite.scale":
        node = apply(op, (), {"at": "16-32 px"})
    else:
        rules = [rule for layer in RULED for rule in rules_of(model, store, layer)]
        node = parse(str(max((r for r in rules if name.endswith(r.op)), key=lambda rule: rule.change)))
    return [(node, amount / 3) for amount in (1, 2, 3)]


def drawn(name: str, model: Model, store: Store) -> list[np.ndarray]:
    """An image of a model as it is, and with each change."""
    w = sample_latents(model, 6, "docs/bends")[5:]
    if name == "rewrite.edit":
        w = model.truncate(seed_latents(model, EDIT["paste"]["seed"]), PSI)
    images = [draw(model, w, [], [], 0)]
    for node, amount in nodes_of(name, model, store):
        made = changes_of([node], model, CELLS, store)
        bends, rewrites = (made, []) if node.kind == "bend" else ([], made)
        images.append(draw(model, w, bends, rewrites, amount))
    return images


def draw(model: Model, w: F32, taps: list, rewrites: list, amount: float) -> np.ndarray:
    from clavilux import seeds

    side = min(model.resolution, 256)
    program = Program(
        model, size=(side, side), cells=CELLS, pixels="rgb24", stop=side, taps=taps, rewrites=rewrites
    )
    arrays = []
    for name, spec in program.inputs.items():
        if name == "ws":
            array = np.repeat(w[:, None], model.num_ws, axis=1)
        elif name.startswith("noise/"):
            array = seeds.normal(0, f"docs/{name}", 0, (1, *spec.shape))
        else:
            array = np.full((1, *spec.shape), amount if name.endswith("/amount") else 0, spec.dtype)
        arrays.append(torch.from_numpy(np.ascontiguousarray(array)))
    with torch.inference_mode():
        return program.module(*arrays)[0].numpy()


if __name__ == "__main__":
    sys.exit(main())
