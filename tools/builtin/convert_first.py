"""Put published-layout weights into the native format, with their card.

    python tools/builtin/convert_first.py WEIGHTS.safetensors TARGET.safetensors

The weights' own metadata (sizes, training, licence) stays in the card.
"""

import sys
from pathlib import Path

from safetensors import safe_open

from clavilux.generator.checkpoints.native import write_native

CARD = {
    "title": "silk",
    "description": "luminous sheets and lightning with fine dust that the noise moves",
    "licence": "CC0-1.0",
    "source": "trained from scratch by this project on pictures it generates (procedural silk teacher)",
    "extend": "mirror",
}
KEPT = ("mapping_lr_multiplier", "kimg")


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    with safe_open(source, framework="numpy") as file:
        told = file.metadata() or {}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    write_native(target, arrays, {name: told[name] for name in KEPT} | CARD)


if __name__ == "__main__":
    main()
