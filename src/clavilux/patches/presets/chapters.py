"""`chapters`: sections. Quiet parts have one palette, loud ones another, and speed and noise follow."""

from clavilux.patches.functions import drift, energy, rotate, zoom
from clavilux.patches.mix import mix
from clavilux.patches.patch import Patch
from clavilux.patches.presets.hearing import chord_notes, drum_hits, palette_of, snare_hits, travel
from clavilux.patches.presets.preset import knob, patch
from clavilux.signals.sources import SongSource

__all__ = ["chapters"]


@patch
def chapters(
    song: SongSource,
    seed: int,
    punch: float = knob(1.0, 0, 2),
    drift_bars: float = knob(32, 1, 1024, unit="bars"),
    quiet: str = knob("cool"),
    colours: str = knob("warm"),
) -> Patch:
    """Turn the page: the loudness of each part mixes two palettes, two loop speeds and two textures (11).

    Args:
        song: the song.
        seed: another seed chooses other palettes.
        punch: how far the drums go.
        drift_bars: bars in which the loop of the quiet parts comes round; loud ones are four times as fast.
        quiet: palette of the quiet parts: a mood or the name of a saved palette; empty is any.
        colours: palette of the loud parts.
    """
    part = energy().normalize().map_range(low=0.25, high=0.75)
    calm, full = palette_of(quiet, seed), palette_of(colours, seed + 1)
    chords, hit = chord_notes(song, seconds=0.4), drum_hits(song)
    low = mix(calm.loop(bars=drift_bars), calm.weigh(chords), 0.4)
    high = mix(full.loop(bars=0.5 * drift_bars), full.weigh(chords), 0.4)
    bends = (
        zoom(at="16 px", by=1 + 0.08 * punch * hit * (0.3 + 0.7 * part)),
        rotate(at="16 px", by=180 * travel(snare_hits(song) * part, by=0.3 * punch) - 90),
    )
    return Patch(mix(low, high, part), drift(seconds=8).scale(0.4 + 0.4 * part), bends=bends)
