"""Let the bass choose the shape and the chords the colours (technique 3).

The coarse layers of a StyleGAN draw the shape of the image, the finer ones its colour and detail.
"""

from clavilux import Patch, compose, drift, palette, render, song

piece = compose(seed=1, bars=2, bpm=120)
chords = palette(seed=1).weigh(song.chords.chroma().sharpen(by=2).smooth(seconds=0.2))
bass = palette(seed=2).weigh(song.bass.chroma().sharpen(by=2).smooth(seconds=0.4))
patch = Patch(latents=chords.on("coarse", bass), noise=drift(seconds=4))

made = render(piece.audio, "bass_and_chords.mp4", patch=patch, size=(256, 144), fps=12, start=4, duration=4)
print(f"{made.path}: {made.frames} frames")
