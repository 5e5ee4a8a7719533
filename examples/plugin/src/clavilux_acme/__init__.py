"""A sample plugin: the op `curve.acme.stutter()`, the bend `acme.mirror(amount=kick, ...)`, and a preset."""

from typing import Any

import numpy as np

import clavilux
from clavilux import Patch
from clavilux.patches.functions import drift, palette
from clavilux.patches.plugin import Plugin
from clavilux.patches.presets.preset import knob
from clavilux.signals.table import number, text, whole

__all__ = ["acme", "glitch", "mirror", "stutter"]

acme = Plugin("acme")


@acme.op(
    "signal",
    "signal",
    needs="song",
    params={"beats": number(0.25, 0.0625, 16, "beats"), "steps": whole(4, 2, 64)},
)
def stutter(song: Any, curve: np.ndarray, *, beats: float, steps: int) -> np.ndarray:
    """Repeat the first of every `steps` stretches of so many beats."""
    ticks = np.arange(len(curve)) / 100
    position = song.grid.beat_at(ticks) / beats
    back = (np.floor(position) % steps) * beats * 60 / song.grid.tempo  # s to the stretch that is repeated
    return curve[np.clip(np.round((ticks - back) * 100).astype(int), 0, len(curve) - 1)]


@acme.op("bend", "signal", params={"at": text()})
def mirror(amount: Any, *, at: str) -> Any:  # noqa: ARG001  # the module gets it for every frame
    """Blend a layer's features with their mirror image."""
    from clavilux_acme.bends import Mirror

    return Mirror(at)


@acme.patch
def glitch(song: Any, seed: int, mirrored: float = knob(0.8, 0, 1)) -> Patch:
    """Mirror the image on every snare, over stuttering noise."""
    colours = palette(seed=seed)
    hits = song.snare.decay(beats=0.5)
    kick = song.kick.decay(beats=0.25)
    return Patch(
        colours.weigh(song.chords.chroma().smooth(seconds=0.2)).toward(colours.accent, 0.3 * hits),
        drift(seconds=2).scale(0.6 + kick.acme.stutter(beats=0.5)),
        bends=(clavilux.acme.mirror(amount=mirrored * hits, at="b16.conv0"),),
    )
