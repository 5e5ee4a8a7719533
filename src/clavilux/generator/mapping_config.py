"""The sizes of a mapping network and the shapes of its arrays, known without torch."""

import re
from collections.abc import Iterator, Mapping
from typing import Protocol, TypedDict

__all__ = ["MappingConfig", "MappingSizes", "mapping_shapes", "mapping_sizes"]


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


class MappingSizes(TypedDict):
    """Those sizes of a mapping network that the shapes of its arrays show; see `MappingConfig`."""

    z_dim: int
    w_dim: int
    mapping_layers: int
    c_dim: int
    embed_dim: int
    hidden_dim: int


def mapping_sizes(shapes: Mapping[str, tuple[int, ...]]) -> MappingSizes | None:
    """Derive the sizes of a mapping from the shapes of its arrays; None where these are missing or misshapen.

    >>> mapping_sizes({"mapping.fc0.weight": (6, 4), "mapping.fc1.weight": (5, 6)})
    {'z_dim': 4, 'w_dim': 5, 'mapping_layers': 2, 'c_dim': 0, 'embed_dim': 0, 'hidden_dim': 6}
    """
    names = (name for name in shapes if re.fullmatch(r"mapping\.fc\d{1,3}\.weight", name))
    dense = [shapes[name] for name in sorted(names, key=lambda name: int(name[10:-7]))]
    label = shapes.get("mapping.embed.weight", (0, 0))
    if not dense or {len(shape) for shape in (*dense, label)} != {2}:
        return None
    return {
        "z_dim": dense[0][1] - label[0],
        "w_dim": dense[-1][0],
        "mapping_layers": len(dense),
        "c_dim": label[1],
        "embed_dim": label[0],
        "hidden_dim": dense[0][0] if dense[0][0] != dense[-1][0] else 0,
    }


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
