"""A wide picture from a square generator: its constant made wider, and bent.

StyleGAN2 grows every image from a small learned constant, 4 x 4 cells; a wide video grows from 4 x 7. The
cells that are added mirror the constant, with a little fixed noise, and bends act on them as on any layer:
the whole is turned or scrolled. Each is an image of 1920 x 1080, in its full detail.

    python examples/wide_constant.py [SONG]
"""

import sys

from clavilux import Patch, compose, song, still
from clavilux.patches.functions import drift, palette, phase, rotate, translate

SIZE = (1920, 1080)

piece = sys.argv[1] if len(sys.argv) > 1 else compose(seed=1, bars=4, bpm=120).audio
look, texture = palette(seed=3).weigh(song.chords.chroma().smooth(seconds=0.3)), drift(seconds=4)
bends = {
    "wide": [],
    "turned": [rotate(at="const", by=360 * phase(bars=16))],
    "scrolled": [translate(at="const", x=2 * phase(bars=16))],
}
for name, chosen in bends.items():
    patch = Patch(look, texture, bends=chosen)
    print(still(piece, f"{name}.png", 10.05, patch=patch, size=SIZE, overwrite=True))
