"""What a plugin is made with: operations and presets under its own name.

    from clavilux.patches.plugin import Plugin
    from clavilux.signals.table import number

    acme = Plugin("acme")

    @acme.op("signal", "signal", sampling="pointwise", params={"by": number(2, 1, 10)})
    def squared(curve, *, by):
        '''Raise to a power.'''
        return curve**by

    @acme.patch
    def garden(song, seed, punch=knob(1.0, 0, 2)): ...

The package's metadata names the module, `[project.entry-points."clavilux.plugins"] acme = "clavilux_acme"`.
An operation that gives a bend or a rewrite returns the torch module that does it, see
`generator.change.Change`.
"""

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clavilux.catalogue import EVENTS, PARTS
from clavilux.patches.patch import Patch
from clavilux.patches.presets import PRESETS
from clavilux.patches.presets.preset import Preset, patch
from clavilux.signals.table import OPS, Kind, op

__all__ = ["Plugin"]


@dataclass(frozen=True)
class Plugin:
    """A package of operations and presets.

    Attributes:
        name: by which patches call them: one lower-case word.

    Raises:
        ValueError: it is no such word, or the name of a part of the song or of an operation.
    """

    name: str

    def __post_init__(self) -> None:
        taken = {*PARTS, *EVENTS, "song", "rewrite", *(each.name for each in OPS.values())}
        is_word = re.fullmatch(r"[a-z][a-z0-9_]{1,30}", self.name) and not keyword.iskeyword(self.name)
        if not is_word or self.name in taken:
            raise ValueError(f"'{self.name}' cannot be the name of a plugin")

    def op(
        self, gives: Kind, *takes: Kind, **columns: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare the decorated function as an operation of the plugin; see `clavilux.signals.table.op`."""
        return op(gives, *takes, namespace=self.name, **columns)

    def patch(self, function: Callable[..., Patch]) -> Preset:
        """Turn a function that makes a patch into a preset of the plugin, called NAME.FUNCTION."""
        made = patch(function)
        named = Preset(f"{self.name}.{made.name}", made.build, made.knobs)
        PRESETS[named.name] = named
        return named
