"""The network bent by the drums, with the melody in the noise (techniques 8 and 9).

The snare moves the features of 16 px sideways by up to an eighth of the width, the kick enlarges those of
32 px, and half-way through the melody begins to shake the texture. The second video is the same without
bends. Two more are a kaleidoscope that turns once in two bars, and an endless scroll: two widths in two bars,
mirrored, and back where it began. The stills show a cluster of channels, and a mask.

    python examples/network_bending.py [SONG]
"""

import sys

from clavilux import Patch, Project, compose, prepare, song, still
from clavilux.patches.functions import (
    disc,
    drift,
    gain,
    kaleidoscope,
    palette,
    phase,
    ramp,
    translate,
    zoom,
)
from clavilux.project.output import Output

piece = sys.argv[1] if len(sys.argv) > 1 else compose(seed=1, bars=4, bpm=120).audio
kick, snare = song.kick.decay(beats=0.5), song.snare.decay(beats=0.5)
look = palette(seed=3).weigh(song.chords.chroma().smooth(seconds=0.3))
halfway = ramp("0:10", "0:11")
texture = drift(seconds=4).fast(song.melody.pitch().smooth(seconds=0.1) * halfway, seconds=0.2)

bends = [translate(at="b16.conv0", x=snare / 8, along="all"), zoom(at="b32.conv0", by=1 + 0.5 * kick)]
for name, chosen in {"bent": bends, "plain": []}.items():
    shown = Project(patch=Patch(look, texture, bends=chosen), start=8, duration=4)
    job = prepare(piece, shown, Output(size=(256, 256), fps=12))
    print(job.render(f"{name}.mp4", overwrite=True).path)

moving = {
    "kaleidoscope": kaleidoscope(at="b16.conv1", by=360 * phase(bars=2)),
    "scroll": translate(at="b8.conv1", x=2 * phase(bars=2), along="all"),
}
for name, bend in moving.items():
    shown = Project(patch=Patch(look, drift(seconds=4), bends=[bend]), start=8, duration=2)
    job = prepare(piece, shown, Output(size=(256, 256), fps=12))
    print(job.render(f"{name}.mp4", overwrite=True).path)

further = {
    "cluster": gain(at="b32.conv0", db=12 * kick, channels="cluster 0", guard=0.5),
    "centre": zoom(at="b32.conv0", by=1 + kick, where=disc(radius=0.3, soft=0.2)),
}
for name, bend in further.items():
    shown = Patch(look, texture, bends=[bend])
    print(still(piece, f"{name}.png", 8.05, patch=shown, size=(256, 256), overwrite=True))
