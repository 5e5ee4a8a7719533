"""`strike`: drums first. Kicks leap at you, snares draw back and turn, hats sparkle."""

from clavilux.catalogue import GROUPS
from clavilux.patches.functions import drift, rotate, translate, zoom
from clavilux.patches.mix import mix
from clavilux.patches.patch import Patch
from clavilux.patches.presets.hearing import (
    chord_notes,
    drum_swing,
    hat_hits,
    kick_hits,
    palette_of,
    sounding,
)
from clavilux.patches.presets.layers import split_layers
from clavilux.patches.presets.preset import Hit, knob, patch
from clavilux.signals.sources import SongSource

__all__ = ["HIT", "strike"]

HIT = Hit(zoom=0.065)
"""A full kick enlarges the image, and a full snare reduces it."""
FORM_SECONDS = 4
"""Over which chords are averaged for the form: one that follows every chord moves more than the drums."""


@patch
def strike(
    song: SongSource,
    seed: int,
    punch: float = knob(1.0, 0, 2),
    drift_bars: float = knob(32, 1, 1024, unit="bars"),
    colours: str = knob(""),
    split: str = knob("fine", choices=GROUPS),
) -> Patch:
    """Strike with every drum: kicks enlarge and lift, snares reduce and turn; chords tint it.

    Args:
        song: the song.
        seed: another seed chooses another palette.
        punch: how far the drums go.
        drift_bars: bars in which the slow drift comes round.
        colours: a mood (warm, cool, calm or wild) or the name of a saved palette; empty is any.
        split: the coarsest layers that follow the harmony: fine for colour and texture, coarse for form too.
    """
    kick, hats = kick_hits(song), hat_hits(song)
    shades = palette_of(colours, seed)
    still = shades.loop(bars=drift_bars)
    tint, form = (
        mix(still, shades.weigh(chord_notes(song, seconds=seconds)), 0.7 * sounding(song))
        for seconds in (1, FORM_SECONDS)
    )
    slow = drift(seconds=12, name="slow")
    bends = (
        zoom(at="16 px", by=1 + HIT.zoom * punch * drum_swing(song)),
        translate(at="8 px", y=0.01 * punch * kick),
        rotate(at="8 px", by=3 * punch * song.snare.decay(beats=0.5)),
    )
    sparkle = slow.on("fine", slow.scale(0.7 + 0.25 * punch * hats))
    return Patch(split_layers(still, tint, split, form=form), sparkle, bends=bends)
