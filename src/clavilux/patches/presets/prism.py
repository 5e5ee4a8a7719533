"""`prism`: bending. The snare shoves the features aside, the kick enlarges them, as in the seed's video."""

from clavilux.catalogue import GROUPS
from clavilux.patches.functions import drift, translate, zoom
from clavilux.patches.mix import mix
from clavilux.patches.patch import Patch
from clavilux.patches.presets.hearing import (
    chord_notes,
    drum_hits,
    kick_hits,
    palette_of,
    snare_hits,
    sounding,
    travel,
)
from clavilux.patches.presets.layers import split_layers
from clavilux.patches.presets.preset import Hit, knob, patch
from clavilux.signals.sources import SongSource

__all__ = ["HIT", "prism"]

HIT = Hit(zoom=0.15, shift=0.125, least=0.6)
"""A full kick enlarges the image, and a full snare shifts it."""


@patch
def prism(
    song: SongSource,
    seed: int,
    punch: float = knob(1.0, 0, 2),
    drift_bars: float = knob(32, 1, 1024, unit="bars"),
    colours: str = knob(""),
    split: str = knob("coarse", choices=GROUPS),
) -> Patch:
    """Bend the network: snares translate by an eighth, kicks zoom a little, the melody is in the noise (9).

    Args:
        song: the song.
        seed: another seed chooses other palettes.
        punch: how far the bends go.
        drift_bars: bars in which the slow drift comes round.
        colours: a mood (warm, cool, calm or wild) or the name of a saved palette; empty is any.
        split: the coarsest layers that follow the harmony: fine for colour and texture, coarse for form too.
    """
    kick, snare = kick_hits(song, beats=0.5), snare_hits(song, beats=0.5)
    melody = song.melody.rms().smooth(seconds=0.1).normalize(per="track")
    shades = palette_of(colours, seed)
    still = shades.loop(bars=drift_bars)
    chords = mix(still, shades.weigh(chord_notes(song, seconds=1)), 0.5 * sounding(song))
    bends = (
        translate(at="16 px", x=HIT.shift * punch * snare + 2 * travel(drum_hits(song), by=0.5 * punch)),
        zoom(at="32 px", by=1 + HIT.zoom * punch * kick),
    )
    return Patch(split_layers(still, chords, split), drift(seconds=6).scale(0.4 + 0.4 * melody), bends=bends)
