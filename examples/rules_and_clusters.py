"""A semantic rule and a cluster bend driven by a song, each with and without.

The kick boosts what the strongest context of 16 px is drawn with, a rule for one kind of thing only: where
it appears it swells, and the rest stays. Then the bass turns a cluster of the 16 and 32 px channels upside
down.
Which contexts and clusters a model has: `clavilux models profile silk --page silk.png`.

    python examples/rules_and_clusters.py [SONG]
"""

import sys

from clavilux import Patch, Project, compose, prepare, song
from clavilux.patches.functions import drift, invert, palette, rewrite
from clavilux.project.output import Output

piece = sys.argv[1] if len(sys.argv) > 1 else compose(seed=1, bars=4, bpm=120).audio
look, texture = palette(seed=3).weigh(song.chords.chroma().smooth(seconds=0.3)), drift(seconds=4)
kick, bass = song.kick.decay(beats=0.75), song.bass.rms().smooth(seconds=0.2).normalize()

boosted = rewrite.boost(at="b16.conv1", context="cluster 0", gain=3, amount=kick)
inverted = invert(at="16-32 px", channels="cluster 0", amount=bass)
patches = {
    "plain": Patch(look, texture),
    "rule": Patch(look, texture, rewrites=[boosted]),
    "cluster": Patch(look, texture, bends=[inverted]),
}
for name, patch in patches.items():
    shown = Project(patch=patch, start=8, duration=2)
    job = prepare(piece, shown, Output(size=(256, 256), fps=12))
    print(job.render(f"{name}.mp4", overwrite=True).path)
