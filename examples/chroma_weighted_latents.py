"""Blend twelve latents by the twelve notes that sound (technique 2)."""

from clavilux import Patch, compose, drift, palette, render, song

piece = compose(seed=1, bars=2, bpm=120)
notes = song.chords.chroma().sharpen(by=2).smooth(seconds=0.2)
patch = Patch(latents=palette(seed=1).weigh(notes), noise=drift(seconds=4))

made = render(piece.audio, "chroma_weighted_latents.mp4", patch=patch, size=(256, 144), fps=12, duration=4)
print(f"{made.path}: {made.frames} frames; every chord has its own colours and shapes")
