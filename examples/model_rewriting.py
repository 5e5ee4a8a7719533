"""The weights rewritten while the song plays (technique 10).

As the energy of the section rises, every weight of the 8 to 64 px convolutions is scaled by random factors
about -1, which turns slowly; at full amount the network paints in negative. The second video is the same
without. The stills show weaker scaling and two rules of one rank.

    python examples/model_rewriting.py [SONG]
"""

import sys

from clavilux import Patch, Project, compose, prepare, song, still
from clavilux.patches.functions import drift, energy, lfo, palette, phase, ramp, rewrite
from clavilux.project.output import Output

piece = sys.argv[1] if len(sys.argv) > 1 else compose(seed=1, bars=4, bpm=120).audio
look, texture = palette(seed=3).weigh(song.chords.chroma().smooth(seconds=0.3)), drift(seconds=4)

rising = energy() * ramp("0:08", "0:12")
negative = [rewrite.scale(at="8-64 px", amount=rising, turn=phase(bars=8))]
for name, chosen in {"rewritten": negative, "original": []}.items():
    shown = Project(patch=Patch(look, texture, rewrites=chosen), start=8, duration=4)
    job = prepare(piece, shown, Output(size=(256, 256), fps=12))
    print(job.render(f"{name}.mp4", overwrite=True).path)

further = {
    "rough": rewrite.scale(at="8-64 px", amount=0.1, turn=phase(bars=8)),
    "swapped": rewrite.swap(
        at="16-32 px", context="cluster 1", to="cluster 3", amount=lfo(bars=2, phase=0.5)
    ),
    "boosted": rewrite.boost(at="b32.conv1", context="cluster 0", gain=2, amount=0.5 + 0.5 * energy()),
}
for name, change in further.items():
    shown = Patch(look, texture, rewrites=[change])
    print(still(piece, f"{name}.png", 10.05, patch=shown, size=(256, 256), overwrite=True))
