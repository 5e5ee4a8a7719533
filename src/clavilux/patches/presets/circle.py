"""`circle`: loops. Picture and texture come round exactly with the bars, for VJs and electronic music."""

from clavilux.patches.functions import drift, rotate, zoom
from clavilux.patches.patch import Patch
from clavilux.patches.presets.hearing import drum_hits, hat_hits, kick_hits, palette_of, travel
from clavilux.patches.presets.preset import knob, patch
from clavilux.signals.sources import SongSource

__all__ = ["circle"]


@patch
def circle(
    song: SongSource,
    seed: int,
    punch: float = knob(1.0, 0, 2),
    drift_bars: float = knob(8, 1, 64, unit="bars"),
    colours: str = knob(""),
) -> Patch:
    """Go round: latents and noise repeat exactly after some bars (technique 14), drums pulse over them.

    Args:
        song: the song.
        seed: another seed chooses another palette.
        punch: how far the drums go.
        drift_bars: bars after which everything comes round.
        colours: a mood (warm, cool, calm or wild) or the name of a saved palette; empty is any.
    """
    kick, hats = kick_hits(song), hat_hits(song)
    shades = palette_of(colours, seed)
    look = shades.loop(bars=4 * drift_bars).on("fine", shades.loop(bars=drift_bars, path="slerp"))
    texture = drift(bars=2).loop(bars=drift_bars).scale(0.6 + 0.4 * punch * hats)
    bends = (
        rotate(at="8 px", by=360 * travel(drum_hits(song), by=0.4 * punch)),
        zoom(at="16 px", by=1 + travel(kick, by=0.3 * punch)),
    )
    return Patch(look, texture, bends=bends)
