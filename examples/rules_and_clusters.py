"""A semantic rule and a cluster bend driven by a song, each beside the same without.

The kick swaps what one context of 16 and 32 px is drawn with for another's: where the bright rims appear,
mist is drawn, and the rest stays. Then the bass turns a cluster of the 16 to 64 px channels upside down, as
far as a mean CIELAB change of 24.
Which contexts and clusters a model has: `clavilux models profile silk --page silk.png`.

    python examples/rules_and_clusters.py [SONG]
"""

import sys

from side_by_side import join

from clavilux import Patch, Project, compose, prepare, song
from clavilux.patches.functions import drift, invert, palette, rewrite
from clavilux.project.output import Output

piece = sys.argv[1] if len(sys.argv) > 1 else compose(seed=1, bars=4, bpm=120).audio
look, texture = palette(seed=3).weigh(song.chords.chroma().smooth(seconds=0.3)), drift(seconds=4)
kick, bass = song.kick.decay(beats=0.75), song.bass.rms().smooth(seconds=0.2).normalize()

swapped = rewrite.swap(at="16-32 px", context="cluster 0", to="cluster 1", amount=kick)
inverted = invert(at="16-64 px", channels="cluster 0", reach="strong", amount=bass)
patches = {
    "plain": Patch(look, texture),
    "rule": Patch(look, texture, rewrites=[swapped]),
    "cluster": Patch(look, texture, bends=[inverted]),
}
for name, patch in patches.items():
    shown = Project(patch=patch, start=8, duration=2)
    job = prepare(piece, shown, Output(size=(256, 256), fps=12))
    print(job.render(f"{name}.mp4", overwrite=True).path)
for name in ("rule", "cluster"):
    print(join("plain.mp4", f"{name}.mp4", f"{name}-beside.mp4"))
