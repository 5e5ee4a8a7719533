"""`club`: DJ sets. Loops speed up and grow rough with the energy of each part, calm down in the breaks."""

from clavilux.patches.functions import drift, energy, rotate, translate, zoom
from clavilux.patches.mix import mix
from clavilux.patches.patch import Patch
from clavilux.patches.presets.hearing import drum_hits, kick_hits, palette_of, snare_hits, travel
from clavilux.patches.presets.preset import knob, patch
from clavilux.signals.sources import SongSource

__all__ = ["club"]


@patch
def club(
    song: SongSource,
    seed: int,
    punch: float = knob(1.0, 0, 2),
    drift_bars: float = knob(32, 1, 1024, unit="bars"),
    colours: str = knob(""),
) -> Patch:
    """Keep a floor moving: slow loops in breaks, fast loops and strong noise where the energy is (15).

    Args:
        song: the song.
        seed: another seed chooses other palettes.
        punch: how far the drums go.
        drift_bars: bars in which the calm loop comes round; the energetic one is four times as fast.
        colours: a mood (warm, cool, calm or wild) or the name of a saved palette; empty is any.
    """
    part = energy().normalize()
    snare = snare_hits(song)
    shades, shapes = palette_of(colours, seed), palette_of(colours, seed + 1)
    look = mix(shades.loop(bars=drift_bars), shades.loop(bars=0.25 * drift_bars), part)
    texture = drift(seconds=8, name="slow").fast(0.4 * part, seconds=1.5, name="fast")
    bends = (
        zoom(at="16 px", by=1 + 0.08 * punch * drum_hits(song) * (0.2 + 0.8 * part)),
        translate(at="8 px", y=0.5 * travel(kick_hits(song) * part, by=0.4 * punch)),
        rotate(at="8 px", by=4 * punch * part * snare),
    )
    return Patch(
        look.on("coarse", shapes.loop(bars=drift_bars)), texture.scale(0.4 + 0.6 * part), bends=bends
    )
