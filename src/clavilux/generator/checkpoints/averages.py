"""The mean latent of networks whose file has none, estimated from random codes."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from clavilux import seeds
from clavilux.arrays import F32, AnyArray
from clavilux.generator.checkpoints.found import Found, check_shapes
from clavilux.generator.mapping_config import MappingConfig
from clavilux.generator.plain_config import PlainConfig

__all__ = ["with_mean_latent"]

MEAN = "mapping.w_avg"
CODES, CODES_AT_ONCE = 10_000, 1000
EPSILON = 1e-8


def with_mean_latent(found: Found) -> Found:
    """Return a network with a mean latent: its own, or else one of random codes, as its card says.

    Raises:
        Refusal: it has none, and its other arrays do not belong together.
    """
    if MEAN in found.arrays or isinstance(found.config, PlainConfig):
        return found
    shapes = {name: array.shape for name, array in found.arrays.items()}
    check_shapes(found.config, {**shapes, MEAN: (found.config.w_dim,)})  # a mapping of any size would be run
    card = {**found.card, "w_avg": f"estimated from {CODES} random codes, as the file has none"}
    return replace(found, arrays={**found.arrays, MEAN: _estimate(found.config, found.arrays)}, card=card)


def _estimate(config: MappingConfig, arrays: Mapping[str, AnyArray]) -> F32:
    """Return the mean of the latents of random codes (Karras et al. 2019, appendix B); classes take turns."""

    def array(name: str) -> F32:
        return np.asarray(arrays[f"mapping.{name}"], np.float32)

    together = config.label == "concat"
    classes = np.empty((1, 0), np.float32)  # what joins a code, (c_dim, E)
    if config.c_dim:
        classes = array("embed.weight").T
        if not together:
            classes = _normalized(classes * np.float32(config.c_dim**-0.5) + array("embed.bias"))
    dense = [(array(f"fc{k}.weight"), array(f"fc{k}.bias")) for k in range(config.mapping_layers)]
    total = np.zeros(config.w_dim)
    for k in range(CODES // CODES_AT_ONCE):
        z = seeds.normal(0, "generator/w_avg", k, (CODES_AT_ONCE, config.z_dim))
        label = classes[(k * CODES_AT_ONCE + np.arange(CODES_AT_ONCE)) % len(classes)]
        x = _normalized(np.hstack((z, label))) if together else np.hstack((_normalized(z), label))
        for weight, bias in dense:
            gain = config.lr_multiplier * weight.shape[1] ** -0.5
            x = x @ weight.T * gain + bias * config.lr_multiplier
            x = np.where(x < 0, 0.2 * x, x) * np.float32(2**0.5)
        total += x.sum(axis=0, dtype=np.float64)
    return np.asarray(total / CODES, np.float32)


def _normalized(x: F32) -> F32:
    return np.asarray(x / np.sqrt((x**2).mean(axis=1, keepdims=True) + EPSILON), np.float32)
