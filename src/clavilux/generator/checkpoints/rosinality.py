"""Checkpoints of the widespread PyTorch port of StyleGAN2: `g_ema` by name, and `latent_avg`.

Its weights have a leading 1, its colours' biases (1, 3, 1, 1), and its layers are numbered rather than named
after their size. Files of inference have `g_ema` and perhaps `latent_avg`; those of training much more.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from clavilux import seeds
from clavilux.arrays import AnyArray
from clavilux.generator.checkpoints.arrays import array_of, check_shared, is_array
from clavilux.generator.checkpoints.found import Found
from clavilux.generator.checkpoints.nvidia import check_filter
from clavilux.generator.checkpoints.refusal import FETCH_AGAIN, Refusal
from clavilux.generator.stylegan2_config import StyleGAN2Config

__all__ = ["find_rosinality", "is_rosinality"]


LAYERS_WITHOUT_NOISE = 19
"""Most convolutions, up to 2048 px, for which noise is drawn where a file has none."""


def is_rosinality(content: Any) -> bool:
    """Return whether a dictionary of torch is such a checkpoint, or its `g_ema` alone."""
    return isinstance(content, dict) and "input.input" in content.get("g_ema", content)


def find_rosinality(content: Mapping[str, Any]) -> Found:
    """Find the generator in a dictionary of torch.

    Raises:
        Refusal: it is incomplete, or of another layout.
    """
    stored = content.get("g_ema", content)
    values = {name.removeprefix("module."): array_of(value) for name, value in stored.items()}
    check_shared(values.values())
    for name, array in values.items():
        if name.endswith(".kernel"):
            check_filter(array)
    arrays = dict(_arrays(values))
    average = content.get("latent_avg", values.get("latent_avg"))
    if average is not None and is_array(average):
        arrays["mapping.w_avg"] = array_of(average).reshape(-1)
    config = StyleGAN2Config.of_shapes({name: array.shape for name, array in arrays.items()})
    if config is None:
        raise Refusal("is damaged: its mapping or its 4 px block is missing", FETCH_AGAIN)
    return Found(config, arrays)


def _arrays(values: Mapping[str, AnyArray]) -> Iterator[tuple[str, AnyArray]]:
    """Translate every name; those of filters have been checked."""
    for name, array in values.items():
        if name.endswith(".kernel") or name == "latent_avg":
            continue
        if name == "input.input":
            yield "synthesis.b4.const", array[0]
        elif found := re.fullmatch(r"style\.(\d{1,3})\.(weight|bias)", name):  # style.0 normalises
            yield f"mapping.fc{int(found[1]) - 1}.{found[2]}", array
        elif found := re.fullmatch(r"noises\.noise_(\d{1,2})", name):
            yield f"synthesis.{_conv(int(found[1]))}.noise_const", array[0, 0]
        elif found := re.fullmatch(r"(conv1|convs\.(\d{1,2}))\.(.+)", name):
            yield from _part(_conv(int(found[2]) + 1 if found[2] else 0), found[3], array)
        elif found := re.fullmatch(r"(to_rgb1|to_rgbs\.(\d{1,2}))\.(.+)", name):
            side = 8 << int(found[2]) if found[2] else 4
            yield from _part(f"b{side}.torgb", found[3], array)
        else:
            raise Refusal(f"has {name[:80]}, which no StyleGAN2 of this layout has")
    if "noises.noise_0" not in values:  # older files leave these to chance
        count = sum(
            re.fullmatch(r"(conv1|convs\.\d{1,2})\.noise\.weight", name) is not None for name in values
        )
        for k in range(min(count, LAYERS_WITHOUT_NOISE)):
            conv = _conv(k)
            side = int(conv[1:].partition(".")[0])
            constant = seeds.normal(0, f"generator/noise_const/{conv}", 0, (side, side))
            yield f"synthesis.{conv}.noise_const", constant


def _conv(index: int) -> str:
    """Name a convolution by its place: two in each block, one in the first."""
    return f"b{4 << (index + 1) // 2}.conv{(index + 1) % 2}"


def _part(layer: str, part: str, array: AnyArray) -> Iterator[tuple[str, AnyArray]]:
    if part == "conv.weight":
        yield f"synthesis.{layer}.weight", array[0]
    elif part in {"conv.modulation.weight", "conv.modulation.bias"}:
        yield f"synthesis.{layer}.affine.{part.rpartition('.')[2]}", array
    elif part == "noise.weight":
        yield f"synthesis.{layer}.noise_strength", array.reshape(())
    elif part in {"activate.bias", "bias"}:
        yield f"synthesis.{layer}.bias", array.reshape(-1)
    else:
        raise Refusal(f"has {part[:80]} in {layer}, which no StyleGAN2 of this layout has")
