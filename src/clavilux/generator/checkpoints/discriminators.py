"""The discriminator beside a generator in a file: that of StyleGAN2, whose features tell images apart.

It is looked for only where it is needed, to project images; rendering never touches it. Files of NVIDIA keep
it as `D`, those of the PyTorch port as `d` while they are trained. Names are NVIDIA's: `b32.fromrgb.weight`,
`b32.conv0.bias`, ...; what comes after the residual blocks is not read.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from clavilux.arrays import AnyArray
from clavilux.generator.checkpoints.arrays import array_of
from clavilux.generator.checkpoints.found import MAX_WIDTH
from clavilux.generator.checkpoints.nvidia import check_filter
from clavilux.generator.checkpoints.persistence import Module, read_module
from clavilux.generator.checkpoints.pickles import Record
from clavilux.generator.checkpoints.refusal import Refusal

__all__ = ["find_discriminator"]

PARTS = re.compile(r"b\d{1,4}\.(fromrgb\.(weight|bias)|conv[01]\.(weight|bias)|skip\.weight)")
"""The arrays that features need; the epilogue at 4 px judges, which is another thing."""


def find_discriminator(content: Any) -> dict[str, AnyArray]:
    """Find the residual blocks of a StyleGAN2 discriminator in a file's value, by name; views of the file.

    Raises:
        Refusal: there is none, or one of another layout.
    """
    content = content if isinstance(content, Mapping) else {}
    if isinstance(content.get("D"), Record):
        arrays = _nvidia(read_module(content["D"]))
    elif isinstance(content.get("d"), Mapping):
        arrays = dict(_rosinality(content["d"]))
    else:
        raise Refusal("has no discriminator")
    _check(arrays)
    return arrays


def _nvidia(network: Module) -> dict[str, AnyArray]:
    for name, block in network.modules.items():
        if not re.fullmatch(r"b\d{1,4}|mapping", name):
            raise Refusal(f"has a discriminator of another layout, a {network.kind[:40]}")
        if block.values.get("architecture", "resnet") != "resnet":
            raise Refusal("has a discriminator that is not residual")
    for name, array in network.named_arrays():
        if name.endswith("resample_filter"):
            check_filter(array)
    return {name: array for name, array in network.named_arrays() if PARTS.fullmatch(name)}


def _rosinality(stored: Mapping[str, Any]) -> Iterator[tuple[str, AnyArray]]:
    """Translate `convs.0.0.weight`, of the colours, and `convs.1.conv1.0.weight`, of the largest block."""
    values = {str(name).removeprefix("module."): array_of(value) for name, value in stored.items()}
    places = [int(found[1]) for name in values if (found := re.match(r"convs\.(\d{1,2})\.", name))]
    side = 4 << max(places, default=0)
    for name, array in values.items():
        if name.endswith(".kernel"):
            check_filter(array)
        elif found := re.fullmatch(r"convs\.0\.(0\.weight|1\.bias)", name):
            yield f"b{side}.fromrgb.{found[1][2:]}", array
        elif found := re.fullmatch(r"convs\.(\d{1,2})\.(conv1|conv2|skip)\.\d\.(weight|bias)", name):
            own = {"conv1": "conv0", "conv2": "conv1", "skip": "skip"}[found[2]]
            yield f"b{side >> (int(found[1]) - 1)}.{own}.{found[3]}", array


def _check(arrays: Mapping[str, AnyArray]) -> None:
    """Check that blocks follow one another down from the largest to 8 px, each with arrays that fit.

    Raises:
        Refusal: they do not.
    """
    sides = sorted({int(name[1:].partition(".")[0]) for name in arrays}, reverse=True)
    colours = arrays.get(f"b{sides[0]}.fromrgb.weight") if sides else None
    if colours is None or colours.ndim != 4 or sides != [sides[0] >> k for k in range(len(sides))]:
        raise Refusal("has a discriminator of another layout")
    if colours.shape[1] != 3:  # red, green and blue
        raise Refusal(f"has a discriminator of images with {colours.shape[1]} channels")
    into = colours.shape[0]
    wanted: dict[str, tuple[int, ...]] = {
        f"b{sides[0]}.fromrgb.weight": (into, 3, 1, 1),
        f"b{sides[0]}.fromrgb.bias": (into,),
    }
    for side in sides:
        last = arrays.get(f"b{side}.conv1.bias")
        out = 0 if last is None else last.size
        wanted |= {
            f"b{side}.conv0.weight": (into, into, 3, 3),
            f"b{side}.conv0.bias": (into,),
            f"b{side}.conv1.weight": (out, into, 3, 3),
            f"b{side}.conv1.bias": (out,),
            f"b{side}.skip.weight": (out, into, 1, 1),
        }
        into = out
    if {name: array.shape for name, array in arrays.items()} != wanted or into > MAX_WIDTH:
        raise Refusal("has a discriminator of another layout")
