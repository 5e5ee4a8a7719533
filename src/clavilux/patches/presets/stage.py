"""`stage`: spatial. Each instrument has its place: kick in the middle, hats at the rim, bass below."""

from clavilux.catalogue import GROUPS
from clavilux.patches.functions import disc, drift, half, ring, rotate, zoom
from clavilux.patches.mix import mix
from clavilux.patches.patch import Patch
from clavilux.patches.presets.hearing import (
    bass_notes,
    chord_notes,
    drum_swing,
    hat_hits,
    kick_hits,
    palette_of,
    sounding,
    travel,
)
from clavilux.patches.presets.layers import split_layers
from clavilux.patches.presets.preset import knob, patch
from clavilux.signals.sources import SongSource

__all__ = ["stage"]


@patch
def stage(
    song: SongSource,
    seed: int,
    punch: float = knob(1.0, 0, 2),
    drift_bars: float = knob(32, 1, 1024, unit="bars"),
    colours: str = knob(""),
    split: str = knob("coarse", choices=GROUPS),
) -> Patch:
    """Give each instrument its place: the kick swells the middle, hats ring it, the bass stirs below (8).

    Args:
        song: the song.
        seed: another seed chooses other palettes.
        punch: how far the drums go.
        drift_bars: bars in which the slow drift comes round.
        colours: a mood (warm, cool, calm or wild) or the name of a saved palette; empty is any.
        split: the coarsest layers that follow the harmony: fine for colour and texture, coarse for form too.
    """
    kick, hats = kick_hits(song), hat_hits(song)
    middle, below = disc(radius=0.32, soft=0.2), half(side="bottom", soft=0.3)
    level = song.bass.rms().smooth(seconds=0.1).normalize(per="track")
    heard = sounding(song)
    shades, shapes = palette_of(colours, seed), palette_of(colours, seed + 1)
    still = shapes.loop(bars=drift_bars)
    chords = mix(shades.loop(bars=drift_bars), shades.weigh(chord_notes(song, seconds=1)), 0.5 * heard)
    roots = mix(still, shapes.weigh(bass_notes(song, seconds=1)), 0.3 * heard)
    texture = (
        drift(seconds=8, name="all").scale(0.4)
        + drift(seconds=2, name="hats").scale(0.5 * punch * hats).mask(ring(radius=0.42, width=0.12))
        + drift(seconds=2, name="bass").scale(0.6 * level).mask(below)
    )
    bends = (
        zoom(at="16 px", by=1 + 0.12 * punch * drum_swing(song), where=middle),
        rotate(at="16 px", by=360 * travel(kick, by=0.1 * punch), where=middle.invert()),
    )
    return Patch(split_layers(still, chords, split, form=roots), texture, bends=bends)
