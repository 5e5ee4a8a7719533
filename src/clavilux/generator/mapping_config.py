"""The sizes of a mapping network and the shapes of its arrays, known without torch."""

from collections.abc import Iterator
from typing import Protocol

__all__ = ["MappingConfig", "mapping_shapes"]


class MappingConfig(Protocol):
    """The sizes that fix a mapping network."""

    @property
    def z_dim(self) -> int:
        """Length of the random code."""

    @property
    def w_dim(self) -> int:
        """Length of a latent."""

    @property
    def mapping_layers(self) -> int:
        """Depth."""

    @property
    def lr_multiplier(self) -> float:
        """Part of the effective weights."""

    @property
    def c_dim(self) -> int:
        """Number of classes."""

    @property
    def embed_dim(self) -> int:
        """Length of an embedded class."""

    @property
    def label(self) -> str:
        """How a class joins the code: 'embed' or 'concat'."""

    @property
    def hidden_dim(self) -> int:
        """Width of the inner layers; 0 where it is that of a latent."""


def mapping_shapes(config: MappingConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name every array of a mapping network and its shape."""
    yield "mapping.w_avg", (config.w_dim,)
    if config.c_dim:
        yield "mapping.embed.weight", (config.embed_dim, config.c_dim)
        if config.label == "embed":
            yield "mapping.embed.bias", (config.embed_dim,)
    into = config.z_dim + config.embed_dim
    for k in range(config.mapping_layers):
        inner = config.hidden_dim and k < config.mapping_layers - 1
        out = config.hidden_dim if inner else config.w_dim
        yield f"mapping.fc{k}.weight", (out, into)
        yield f"mapping.fc{k}.bias", (out,)
        into = out
