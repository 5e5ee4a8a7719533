"""What every checkpoint becomes, whatever its format: sizes, named arrays and a card.

Arrays carry the names of the architecture's config; a card is what is known of the weights, in single lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, cast, get_args

from msgspec import Meta

from clavilux.arrays import F32
from clavilux.errors import FileError, ModelError, suggest
from clavilux.generator.network import Extension
from clavilux.generator.plain_config import PlainConfig
from clavilux.schemas import Name, converted

if TYPE_CHECKING:
    from clavilux.generator.checkpoints.found import Config

__all__ = ["Card", "Checkpoint"]

Line = Annotated[str, Meta(max_length=100_000)]


@dataclass(frozen=True)
class Card:
    """What is known of a generator's weights.

    Attributes:
        title: a name for people.
        description: what it draws.
        licence: under which its images may be used, an SPDX identifier where there is one.
        source: whose it is, and from where.
        resolution: side of its images, px; 0 where unknown.
        extend: how its constant is continued beyond its edge.
        extra: all other lines of the file.

    >>> Card.read({"licence": "CC0-1.0", "kimg": "150"}).extra
    {'kimg': '150'}
    """

    title: str = ""
    description: str = ""
    licence: str = ""
    source: str = ""
    resolution: int = 0
    extend: Extension = "mirror"
    extra: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, metadata: Mapping[str, str], *, resolution: int = 0, name: str = "") -> Card:
        """Read a card from a file's metadata.

        Args:
            metadata: lines of text by name.
            resolution: side of the images, which the arrays settle.
            name: the file, for errors.

        Raises:
            ModelError: its constant is extended in no known way.
        """
        try:
            metadata = converted(dict(metadata), dict[Name, Line])
        except FileError as error:
            raise ModelError(f"The card of {name} cannot be read: {error.what}", where=name) from None
        extend = metadata.get("extend", cls.extend)
        if extend not in get_args(Extension):
            hint = suggest(extend, get_args(Extension), otherwise="it is {}")
            what = f"The card of {name} extends its constant by '{extend}'"
            raise ModelError(what, where=name, value=extend, hint=hint)
        texts = {
            name: metadata[name] for name in ("title", "description", "licence", "source") if name in metadata
        }
        known = {*texts, "resolution", "extend"}
        extra = {name: text for name, text in metadata.items() if name not in known}
        return cls(**texts, resolution=resolution, extend=cast("Extension", extend), extra=extra)

    def to_dict(self) -> dict[str, str]:
        """Return everything that is known as lines of text.

        >>> Card(licence="CC0-1.0", extra={"kimg": "150"}).to_dict()
        {'licence': 'CC0-1.0', 'extend': 'mirror', 'kimg': '150'}
        """
        known = {name: str(value) for name, value in asdict(self).items() if name != "extra" and value}
        return known | dict(self.extra)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A generator's weights, read from a file of any format.

    Attributes:
        architecture: such as 'stylegan2-skip'.
        config: the network's sizes.
        tensors: every array by its canonical name, float32.
        card: what is known of the weights.
        digest: hash of the weights.
    """

    architecture: str
    config: Config
    tensors: Mapping[str, F32]
    card: Card
    digest: str

    @property
    def w_avg(self) -> F32:
        """The mean latent, (D,), a copy."""
        if isinstance(self.config, PlainConfig):
            return self.config.mean_latent(self.tensors.get("embed.weight"))
        return self.tensors["mapping.w_avg"].copy()
