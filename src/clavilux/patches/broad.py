"""Import of network-bending configurations as Broad et al. 2020 publish them, YAML lists of transforms.

Layers are numbered from 0 at 4 px: odd ones upsample. Where our bend differs, ours is used: inversion is
about the channel's mean rather than 1 - x, thresholds are in standard deviations, affine borders mirror
rather than go black, and random shares are those of a seed. What no bend can do is refused: negative factors,
numbers beyond a bend's range, and clusters, as their numbers mean nothing without the dictionary of channels
that they come from.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clavilux.errors import FileError, PatchError, suggest
from clavilux.patches.bend import Bend
from clavilux.signals.expr import apply
from clavilux.signals.table import OPS, Param

__all__ = ["parse_broad", "read_broad"]

LINE = re.compile(r"^\s*(-?)\s*([\w-]+)\s*:\s*(.*?)\s*(?:#.*)?$")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
ITEM = re.compile(r"^\s*-\s*([-+.\d][-+.\de]*)\s*(?:#.*)?$", re.IGNORECASE)
"""A number in a list that is written line by line."""
TRANSFORMS = {
    "ablate": (),
    "invert": (),
    "scalar-multiply": ("p",),
    "binary-thresh": ("t",),
    "translate": ("x", "y"),
    "scale": ("k",),
    "rotate": ("degrees",),
    "flip-h": (),
    "flip-v": (),
    "erode": ("r",),
    "dilate": ("r",),
}
"""Names of the transforms, and of their numbers."""


def read_broad(path: Path, *, seed: int = 0) -> list[Bend]:
    """Read a configuration from a file.

    Raises:
        FileError: it cannot be read, or says what no bend can do.
    """
    try:
        return parse_broad(path.read_text(encoding="utf-8"), seed=seed)
    except (OSError, UnicodeDecodeError, PatchError) as error:
        raise FileError(f"The bends of {path} cannot be read ({error})", where=str(path)) from error


def parse_broad(text: str, *, seed: int = 0) -> list[Bend]:
    """Read a configuration's text; `seed` chooses its random shares of channels.

    Raises:
        PatchError: it says what no bend can do.

    >>> lines = ["- layer: 3", "  transform: rotate", "  params: [45]", "  features: all"]
    >>> bend = parse_broad(chr(10).join(lines))[0]
    >>> bend.op, str(bend.inputs[0]), dict(bend.params)["at"]
    ('rotate', '45', 'b16.conv0')
    """
    entries: list[dict[str, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.strip().startswith("#") or line.strip() in {"transforms:", "---"}:
            continue
        item = ITEM.match(line)
        if item and entries and list(entries[-1])[-1] == "params":
            entries[-1]["params"] += f" {item[1]}"
            continue
        found = LINE.match(line)
        if found is None or not (entries or found[1]):
            raise PatchError(
                f"Line {number} of the bends cannot be read", value=line, hint="write '- layer: 3' and so on"
            )
        if found[1]:
            entries.append({})
        entries[-1][found[2]] = found[3].strip("'\"")
    return [_bend(entry, seed) for entry in entries]


def _bend(entry: Mapping[str, str], seed: int) -> Bend:
    name = entry.get("transform", "").replace("binary-tresh", "binary-thresh")
    if name not in TRANSFORMS:
        hint = suggest(name, TRANSFORMS, otherwise="there are {}")
        raise PatchError(f"There is no transform '{name}'", where="transform", value=name, hint=hint)
    numbers = [float(each) for each in NUMBER.findall(entry.get("params", ""))]
    wanted = TRANSFORMS[name]
    if len(numbers) != len(wanted):
        what = f"'{name}' takes {len(wanted)} numbers, not {len(numbers)}"
        raise PatchError(what, where="params", value=entry.get("params"), hint=f"give {', '.join(wanted)}")
    op, params = _translated(name, numbers)
    for param, value in params.items():
        accepted = OPS[op].optional.get(param)
        if isinstance(accepted, Param) and not accepted.low <= value <= accepted.high:
            what = f"'{name}' with {entry['params']} is beyond what '{op}' can do"
            hint = f"{param} is {accepted.range}"
            raise PatchError(what, where="params", value=entry["params"], hint=hint)
    site = {"at": _layer(entry.get("layer", "")), "channels": _channels(entry), "seed": seed}
    made: Bend = apply(OPS[op], (), {**params, **site})
    return made


def _translated(name: str, numbers: list[float]) -> tuple[str, dict[str, Any]]:
    """Return our bend and its parameters."""
    first = numbers[0] if numbers else 0.0
    if name == "scalar-multiply":
        if first < 0:
            raise PatchError("A negative gain cannot be imported", where="params", value=first, hint="invert")
        return ("gain", {"db": 20 * math.log10(first)}) if first else ("ablate", {})
    simple: dict[str, tuple[str, dict[str, Any]]] = {
        "ablate": ("ablate", {}),
        "invert": ("invert", {}),
        "binary-thresh": ("threshold", {"level": first}),
        "translate": ("translate", dict(zip("xy", numbers, strict=False))),
        "scale": ("zoom", {"by": first}),
        "rotate": ("rotate", {"by": first}),
        "flip-h": ("flip", {"axis": "x"}),
        "flip-v": ("flip", {"axis": "y"}),
        "erode": ("erode", {"radius": first}),
        "dilate": ("dilate", {"radius": first}),
    }
    return simple[name]


def _layer(number: str) -> str:
    if not number.isdigit():
        raise PatchError(f"There is no layer '{number}'", where="layer", value=number, hint="give a number")
    k = int(number)
    if k == 0:
        return "b4.conv1"
    return f"b{1 << 3 + (k - 1) // 2}.conv{1 - k % 2}"  # 8 px from layer 1, odd ones upsample


def _channels(entry: Mapping[str, str]) -> str:
    kind, number = entry.get("features", "all") or "all", entry.get("feature-param", "")
    if kind == "all":
        return "all"
    if kind == "random" and re.fullmatch(NUMBER, number) and 0 <= float(number) <= 1:
        return f"{float(number):.6%}"
    if kind == "cluster":
        hint = "write channels='cluster 0' of those that `clavilux models profile` lists"
        what = f"The cluster {number} of a dictionary of channels cannot be imported"
        raise PatchError(what, where="features", value=number, hint=hint)
    hint = "write all, or random with a share"
    raise PatchError(f"The features '{kind}' cannot be read", where="features", value=kind, hint=hint)
