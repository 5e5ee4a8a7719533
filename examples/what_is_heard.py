"""What is heard in a song: bars, sections, melody, drums, and a picture of it all (techniques 11, 13 and 14).

Everything a patch may use is a property of `Song`. Curves are on a clock of 100 values per second, events
and bounds are times in seconds.
"""

import numpy as np

from clavilux import Song, compose
from clavilux.report.plot import plot

piece = compose(seed=2, bars=8)
heard = Song(piece.audio)

grid = heard.grid
print(
    f"{grid.tempo:.1f} bpm, {grid.beats_per_bar} beats a bar, sure to {grid.confidence:.0%}; {heard.key.name}"
)
print(f"{len(heard.kick)} kicks, {len(heard.snare)} snares, {len(heard.hat)} hats; {heard.lufs:.1f} LUFS")

for label, start, energy in zip(
    heard.sections.labels, heard.sections.bounds, heard.sections.energies, strict=False
):
    print(f"{start:6.2f} s  {label}  energy {energy:.2f}")
print(f"It repeats after {heard.loop_bars} bars; {heard.sections.loudest} is its loudest part.")
print("More finely:", " ".join(heard.structure(detail=6).labels))
print("By level alone:", " ".join(heard.rms_sections.labels))

sung = heard.melody.confidence.values[:, 0] > 0.5
print(f"The melody sounds {np.mean(sung):.0%} of the time and begins {len(heard.melody.onsets)} notes.")
print(plot(heard, "what_is_heard.png"))
