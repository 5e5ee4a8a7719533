"""`tide`: ambient. Slow as breath; loudness opens it, harmony tints it, nothing strikes."""

from clavilux.patches.functions import drift
from clavilux.patches.mix import mix
from clavilux.patches.patch import Patch
from clavilux.patches.presets.hearing import chord_notes, palette_of
from clavilux.patches.presets.preset import knob, patch
from clavilux.signals.sources import SongSource

__all__ = ["tide"]


@patch
def tide(
    song: SongSource,
    seed: int,
    depth: float = knob(1.0, 0, 2),
    drift_bars: float = knob(64, 4, 1024, unit="bars"),
    colours: str = knob("calm"),
) -> Patch:
    """Breathe: a slow loop that opens with the loudness and takes the harmony's tint within seconds.

    Args:
        song: the song.
        seed: another seed chooses another palette.
        depth: how far loudness and harmony go.
        drift_bars: bars in which the slow loop comes round.
        colours: a mood (warm, cool, calm or wild) or the name of a saved palette; empty is any.
    """
    level = song.mix.rms().smooth(seconds=2).normalize(per="track")
    shades = palette_of(colours, seed)
    harmony = shades.weigh(chord_notes(song, seconds=2.5))
    look = mix(shades.loop(bars=drift_bars), harmony, (0.35 * depth * level).clip())
    return Patch(look, drift(seconds=10).scale(0.5 + 0.4 * depth * level), psi=0.7 + 0.15 * depth * level)
