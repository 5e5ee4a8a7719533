"""The same moment upright, wide and very wide (technique 12).

The generator's learned 4 x 4 constant is extended to as many cells as the image's shape wants, so the
network draws the whole width itself; more cells give more native detail.
"""

from clavilux import compose, still

piece = compose(seed=1, bars=2, bpm=120)
for name, size in {"upright": (216, 384), "wide": (640, 360), "very_wide": (840, 360)}.items():
    print(still(piece.audio, f"{name}.png", 6, size=size))
still(piece.audio, "finer.png", 6, size=(640, 360), cells=(12, 21))
