"""`pulse`, the preset that suits any song: harmony moves it, drums strike it, it never stands still."""

from clavilux.patches.functions import drift
from clavilux.patches.mix import mix
from clavilux.patches.patch import Patch
from clavilux.patches.presets.hearing import palette_of
from clavilux.patches.presets.preset import Hit, knob, patch
from clavilux.signals.sources import SongSource

__all__ = ["HIT", "pulse"]

HIT = Hit("flash", accent=1.0)
"""A full snare moves the image towards its palette's accent."""


@patch
def pulse(  # noqa: PLR0913, PLR0917  # the song, a seed, and its knobs
    song: SongSource,
    seed: int,
    punch: float = knob(1.0, 0, 2),
    flash: float = knob(0.7, 0, 1),
    drift_bars: float = knob(32, 1, 1024, unit="bars"),
    smooth: float = knob(1.2, 0.05, 4, unit="seconds"),
    colours: str = knob(""),
) -> Patch:
    """Play harmony and drums together over a slow drift locked to the bars (techniques 1 to 7).

    Chords choose colours and details, the bass the shape; the kick makes the texture stronger and faster; the
    snare flashes towards an accent. Where nothing sounds, the drift goes on.

    Args:
        song: the song.
        seed: another seed chooses other palettes.
        punch: how much the kick adds to the texture.
        flash: how far the snare moves towards the accent.
        drift_bars: bars in which the slow drift comes round.
        smooth: how slowly one bass note's shape becomes the next; shapes that change fast flash.
        colours: a mood (warm, cool, calm or wild) or the name of a saved palette; empty is any.
    """
    chords = song.chords.chroma().smooth(seconds=0.2).focus(notes=2.5, per="track").turn(bars=48)
    roots = song.bass.chroma().smooth(seconds=smooth).focus(notes=2, per="track").turn(bars=32)
    sounding = song.mix.rms().smooth(seconds=1).clip_peaks(percentile=10, per="track")
    kick = (
        song.drums.flux(low_hz=30, high_hz=150)
        .clip_peaks(percentile=80, per="track")
        .sharpen(by=1.5)
        .release(beats=0.75)
    )
    snare = (
        song.drums.flux(low_hz=200, high_hz=5000)
        .clip_peaks(percentile=90, per="track")
        .sharpen(by=2)
        .release(beats=0.75)
    )
    hats = (
        song.drums.flux(low_hz=6000, high_hz=11000).clip_peaks(percentile=90, per="track").release(beats=0.25)
    )

    shades, shapes = palette_of(colours, seed), palette_of(colours, seed + 1)
    harmony = mix(shades.loop(bars=drift_bars), shades.weigh(chords), sounding)
    form = mix(shapes.loop(bars=drift_bars), shapes.weigh(roots), sounding)
    look = harmony.on("coarse", form).toward(shades.accent, flash * snare)
    slow = drift(seconds=3, name="slow")
    texture = slow.fast(kick, seconds=0.12, name="fast").scale(0.5 + 1.2 * punch * kick + 0.3 * hats)
    return Patch(look, texture)
