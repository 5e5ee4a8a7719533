"""What a reader finds in a file, and how that is checked: names, shapes, types and finite numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from clavilux.arrays import F32, AnyArray
from clavilux.generator.checkpoints.mapped import MappedFile
from clavilux.generator.checkpoints.refusal import Refusal
from clavilux.generator.fastgan_config import FastGANConfig
from clavilux.generator.r3gan_config import R3GANConfig
from clavilux.generator.stylegan1_config import StyleGAN1Config
from clavilux.generator.stylegan2_config import StyleGAN2Config
from clavilux.generator.stylegan3_config import StyleGAN3Config

__all__ = ["MAX_WIDTH", "Config", "Found", "check_shapes", "to_floats"]

Config = StyleGAN1Config | StyleGAN2Config | StyleGAN3Config | FastGANConfig | R3GANConfig
"""The sizes of a network of any architecture."""

MAX_WIDTH = 8192
"""Most channels, latent numbers, samples or pixels along a side that a network may claim."""
MAX_DEPTH = 200


@dataclass(frozen=True, eq=False)
class Found:
    """A network in a file of any format.

    Attributes:
        config: its sizes.
        arrays: by canonical name, of any type of number; views of the file.
        card: what else is known of the weights.
    """

    config: Config
    arrays: Mapping[str, AnyArray]
    card: Mapping[str, str] = field(default_factory=dict)


def check_shapes(config: Config, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check a network's sizes, and every array against them.

    Raises:
        Refusal: a size is impossible, or an array is missing, unknown or misshapen.
    """
    depths = (config.mapping_layers, len(config.layers))
    if not 1 <= min(config.sizes) <= max(config.sizes) <= MAX_WIDTH or max(depths) > MAX_DEPTH:
        raise Refusal(f"has impossible sizes: {str(config)[:300]}")
    if not isinstance(config, StyleGAN1Config | StyleGAN2Config) and (problem := config.problem()):
        raise Refusal(f"has impossible sizes: {problem}")
    wanted = config.shapes()
    missing = sorted(wanted.keys() - shapes.keys())
    if missing:
        raise Refusal(f"lacks {len(missing)} of its arrays, among them {missing[0]}")
    unknown = sorted(shapes.keys() - wanted.keys())
    if unknown:
        raise Refusal(f"has arrays no {config.architecture} network has, among them {unknown[0][:200]}")
    for name, shape in wanted.items():
        if shapes[name] != shape:
            raise Refusal(f"has {name} of shape {shapes[name]} where {shape} is needed")


def to_floats(arrays: Mapping[str, AnyArray], file: MappedFile) -> dict[str, F32]:
    """Return arrays as float32; those that already are stay views of their file.

    Raises:
        Refusal: one has another type, or numbers that are not finite.
    """
    floats = {}
    for name, array in arrays.items():
        if array.dtype not in (np.float16, np.float32, np.float64):
            raise Refusal(f"has {name} as {array.dtype}", "weights must be float16, 32 or 64")
        floats[name] = np.asarray(array, np.float32)
        if not np.isfinite(floats[name]).all():
            raise Refusal(f"has numbers in {name} that are not finite", "its training failed")
        file.release()
    return floats
