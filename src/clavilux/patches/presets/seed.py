"""`seed`: the strict baseline of the post, with its five knobs and nothing else (technique 16)."""

from clavilux.patches.functions import drift
from clavilux.patches.mix import mix
from clavilux.patches.patch import Patch
from clavilux.patches.presets.hearing import palette_of
from clavilux.patches.presets.preset import Hit, knob, patch
from clavilux.signals.sources import SongSource

__all__ = ["HIT", "seed"]

HIT = Hit("strength", accent=0.4, least=0.7)
"""A full onset moves the image towards its palette's accent."""


@patch
def seed(  # noqa: PLR0913, PLR0917  # the song, a seed, and the post's five knobs
    song: SongSource,
    seed: int,
    cutoff_hz: float = knob(150, 20, 11000, unit="Hz"),
    strength: float = knob(1.0, 0, 4),
    weighting: float = knob(0.5, 0, 1),
    noise: float = knob(0.6, 0, 2),
    smooth: float = knob(0.2, 0.02, 4, unit="seconds"),
) -> Patch:
    """Play the post's whole-song baseline: low onsets move the noise, latents loop with the bars.

    Args:
        song: the song.
        seed: another seed chooses another palette.
        cutoff_hz: onsets below move the noise, those above lead to another image.
        strength: how far onsets go.
        weighting: 0 shows loops alone, 1 chords alone.
        noise: standard deviation of the noise between onsets.
        smooth: how slowly onsets fall and chords change.
    """
    low = song.percussive.flux(low_hz=20, high_hz=cutoff_hz).clip_peaks(percentile=90, per="track")
    high = song.percussive.flux(low_hz=cutoff_hz).clip_peaks(percentile=90, per="track")
    low, high = (each.sharpen(by=1.5).release(seconds=2 * smooth) for each in (low, high))
    shades = palette_of("", seed)
    chords = shades.weigh(song.harmonic.chroma().smooth(seconds=smooth))
    look = mix(shades.loop(bars=16), chords, weighting).toward(
        shades.accent, (HIT.accent * strength * high).clip()
    )
    return Patch(look, drift(seconds=3).fast(low, seconds=0.2).scale(noise + 0.8 * strength * low))
