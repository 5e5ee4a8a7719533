"""Two generators in one: silk turns into glass, layer group by layer group, with the music.

Both have the same architecture, so their weights can be blended. The bass moves the coarse layers, where
shapes are made, the kick the fine ones, where colours and edges are; latents stay silk's.

    python examples/mixed_models.py [SONG]
"""

import sys

from clavilux import Patch, Project, compose, prepare, song, still
from clavilux.patches.functions import drift, palette, rewrite
from clavilux.project.output import Output

piece = sys.argv[1] if len(sys.argv) > 1 else compose(seed=1, bars=4, bpm=120).audio
look, texture = palette(seed=3).weigh(song.chords.chroma().smooth(seconds=0.3)), drift(seconds=4)
bass, kick = song.bass.rms().smooth(seconds=0.3).normalize(), song.kick.decay(beats=1)

mixed = [
    rewrite.blend(at="coarse", model="glass", amount=bass),
    rewrite.blend(at="fine", model="glass", amount=kick),
]
shown = Project(patch=Patch(look, texture, rewrites=mixed), start=8, duration=3)
job = prepare(piece, shown, Output(size=(256, 256), fps=12))
print(job.render("mixed.mp4", overwrite=True).path)

for name, amount in {"silk": 0, "between": 0.5, "glass": 1}.items():
    patch = Patch(look, texture, rewrites=[rewrite.blend(at="all", model="glass", amount=amount)])
    print(still(piece, f"{name}.png", 8.05, patch=patch, size=(256, 256), overwrite=True))
