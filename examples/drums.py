"""Kick into the texture, snare towards another image (techniques 4, 5 and 6).

The kick's onset strength makes the noise stronger and faster; each snare moves the image towards the
palette's accent and back.
"""

from clavilux import Patch, compose, drift, palette, render, song

piece = compose(seed=1, bars=2, bpm=120)
kick = song.drums.flux(low_hz=30, high_hz=150).clip_peaks(percentile=80).release(beats=0.5)
snare = song.snare.decay(beats=0.5)

colours = palette(seed=3)
patch = Patch(
    latents=colours.loop(bars=8).toward(colours.accent, 0.7 * snare),
    noise=drift(seconds=3).fast(kick, seconds=0.12).scale(0.5 + 1.2 * kick),
)

made = render(piece.audio, "drums.mp4", patch=patch, size=(256, 144), fps=24, start=4, duration=2)
print(f"{made.path}: {made.frames} frames")
