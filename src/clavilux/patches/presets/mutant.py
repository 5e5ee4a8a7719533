"""`mutant`: rewriting. The network itself is another one in the loud parts, and every kick stirs it."""

from clavilux.patches.functions import drift, energy, rewrite, translate
from clavilux.patches.mix import mix
from clavilux.patches.patch import Patch
from clavilux.patches.presets.hearing import (
    bass_notes,
    chord_notes,
    drum_hits,
    kick_hits,
    palette_of,
    sounding,
    travel,
)
from clavilux.patches.presets.preset import knob, patch
from clavilux.signals.sources import SongSource

__all__ = ["mutant"]


@patch
def mutant(
    song: SongSource,
    seed: int,
    punch: float = knob(1.0, 0, 2),
    change: float = knob(0.3, 0, 1),
    drift_bars: float = knob(32, 1, 1024, unit="bars"),
    colours: str = knob(""),
) -> Patch:
    """Rewrite the model: weights at 128 px turn with the kick, further where the song is loud (technique 10).

    Args:
        song: the song.
        seed: another seed chooses other palettes.
        punch: how far the kick goes.
        change: how far the weights are from the model's own in the loudest part.
        drift_bars: bars in which the slow drift comes round.
        colours: a mood (warm, cool, calm or wild) or the name of a saved palette; empty is any.
    """
    kick, part = kick_hits(song), energy()
    shades, shapes = palette_of(colours, seed), palette_of(colours, seed + 1)
    look = mix(shades.loop(bars=drift_bars), shades.weigh(chord_notes(song)), 0.4 * sounding(song))
    form = mix(shapes.loop(bars=drift_bars), shapes.weigh(bass_notes(song)), 0.3 * sounding(song))
    turned = rewrite.scale(at="128 px", amount=change * part, turn=travel(kick, by=0.15 * punch))
    bends = (translate(at="8 px", y=2 * travel(drum_hits(song), by=0.6 * punch)),)
    return Patch(look.on("coarse", form), drift(seconds=8).scale(0.6), bends=bends, rewrites=(turned,))
