"""The weights rewritten while the song plays (technique 10).

As the energy of the section rises, every weight of the 8 to 64 px convolutions is scaled by random factors
about -1, which turns slowly; at full amount the network paints in negative. A rule of one rank swaps what is
drawn for two contexts with every bar.
"""

from clavilux import Patch, compose, song, still
from clavilux.patches.functions import drift, energy, lfo, palette, phase, rewrite

piece = compose(seed=1, bars=4, bpm=120)
look, texture = palette(seed=3).weigh(song.chords.chroma().smooth(seconds=0.3)), drift(seconds=4)
rewrites = {
    "original": [],
    "rough": [rewrite.scale(at="8-64 px", amount=0.1, turn=phase(bars=8))],
    "negative": [rewrite.scale(at="8-64 px", amount=energy(), turn=phase(bars=8))],
    "swapped": [
        rewrite.swap(at="16-32 px", context="cluster 1", to="cluster 3", amount=lfo(bars=2, phase=0.5))
    ],
    "boosted": [rewrite.boost(at="b32.conv1", context="cluster 0", gain=2, amount=0.5 + 0.5 * energy())],
}
for name, chosen in rewrites.items():
    patch = Patch(look, texture, rewrites=chosen)
    print(still(piece.audio, f"{name}.png", 20.05, patch=patch, size=(256, 256), overwrite=True))
