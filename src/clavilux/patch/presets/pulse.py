"""`pulse`, the preset that suits any song: harmony moves it, drums strike it, it never stands still."""

from clavilux.patch.latents import Palette, mix
from clavilux.patch.noise import drift
from clavilux.patch.patch import Patch
from clavilux.signals.sources import song

__all__ = ["pulse"]


def pulse(seed: int = 0) -> Patch:
    """Write the default patch: the seed's techniques 1 to 7 together, over a slow drift locked to the bars.

    Chords choose the colours and details, the bass the shape; the kick swells and hurries the texture; the
    snare flashes towards an accent. Where nothing sounds, the drift goes on.

    >>> pulse(seed=3) == pulse(seed=3)
    True
    """
    chords = song.chords.chroma().smooth(seconds=0.2).focus(notes=2.5).turn(bars=48)
    roots = song.bass.chroma().smooth(seconds=0.4).focus(notes=2).turn(bars=32)
    sounding = song.mix.rms().smooth(seconds=1).clip_peaks(percentile=10)
    kick = (
        song.drums.flux(low_hz=30, high_hz=150).clip_peaks(percentile=80).sharpen(by=1.5).release(beats=0.75)
    )
    snare = (
        song.drums.flux(low_hz=200, high_hz=5000).clip_peaks(percentile=90).sharpen(by=2).release(beats=0.75)
    )
    hats = song.drums.flux(low_hz=6000, high_hz=11000).clip_peaks(percentile=90).release(beats=0.25)

    colours, shapes = Palette(seed=seed), Palette(seed=seed + 1)
    harmony = mix(colours.loop(bars=32), colours.weigh(chords), sounding)
    form = mix(shapes.loop(bars=32), shapes.weigh(roots), sounding)
    look = harmony.on("coarse", form).toward(colours.accent, 0.7 * snare)
    texture = drift(seconds=3).hurry(0.12, kick).scale(0.5 + 1.2 * kick + 0.3 * hats)
    return Patch(look, texture)
