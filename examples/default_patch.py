"""The default patch, and what it is made of (technique 7).

`pulse` plays harmony and drums together over a slow drift. It is an ordinary patch: print it, change it.
"""

from dataclasses import replace

from clavilux import compose, pulse, render

piece = compose(seed=1, bars=2, bpm=120)
patch = pulse(seed=4)
print(patch)

calmer = replace(patch, noise=patch.noise.scale(0.6), psi=0.6)
made = render(piece.audio, "calmer.mp4", patch=calmer, size=(256, 144), fps=12, start=4, duration=2)
print(f"{made.path}: {made.frames} frames")
