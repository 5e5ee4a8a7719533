"""The network bent by the drums, with the melody in the noise (techniques 8 and 9).

The snare moves the features of 16 px sideways by up to an eighth of the width, the kick enlarges those of
32 px, and half-way through the song the melody begins to shake the texture. The second video is the same
without bends; the stills show further bends: a kaleidoscope, an endless scroll, a cluster of channels.
"""

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

piece = compose(seed=1, bars=4, bpm=120)
kick, snare = song.kick.decay(beats=0.5), song.snare.decay(beats=0.5)
colours = palette(seed=3)
look = colours.weigh(song.chords.chroma().smooth(seconds=0.3))
texture = drift(seconds=4).fast(song.melody.pitch().smooth(seconds=0.1) * ramp("bar 8", "bar 9"), seconds=0.2)

bent = Patch(
    look,
    texture,
    bends=[translate(at="b16.conv0", x=snare / 8), zoom(at="b32.conv0", by=1 + 0.5 * kick)],
)
for name, patch in {"bent": bent, "plain": Patch(look, texture)}.items():
    job = prepare(piece.audio, Project(patch=patch, duration=12), Output(size=(256, 256), fps=15))
    print(job.render(f"{name}.mp4", overwrite=True).path)

further = {
    "kaleidoscope": kaleidoscope(at="b16.conv1", by=360 * phase(bars=8)),
    "scroll": translate(at="b8.conv1", x=2 * phase(bars=8)),  # two widths: the mirrored image, and back
    "cluster": gain(at="b32.conv0", db=12 * kick, channels="cluster 0", guard=0.5),
    "centre": zoom(at="b32.conv0", by=1 + kick, where=disc(radius=0.3, soft=0.2)),
}
for name, bend in further.items():
    shown = Patch(look, texture, bends=[bend])
    print(still(piece.audio, f"{name}.png", 6.05, patch=shown, size=(256, 256), overwrite=True))
