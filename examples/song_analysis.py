"""Everything detected in a song: bars, sections, melody, drums, and a plot (techniques 11, 13 and 14).

Everything a patch may use is a property of `Song`. Curves are on a clock of 100 values per second, events
and bounds are times in seconds.
"""

import numpy as np

from clavilux import Song, compose
from clavilux.report.plot import plot

piece = compose(seed=2, bars=8)
song = Song(piece.audio)

grid = song.grid
print(
    f"{grid.tempo:.1f} bpm, {grid.beats_per_bar} beats a bar, sure to {grid.confidence:.0%}; {song.key.name}"
)
print(f"{len(song.kick)} kicks, {len(song.snare)} snares, {len(song.hat)} hats; {song.lufs:.1f} LUFS")

for label, start, energy in zip(
    song.sections.labels, song.sections.bounds, song.sections.energies, strict=False
):
    print(f"{start:6.2f} s  {label}  energy {energy:.2f}")
print(f"It repeats after {song.loop_bars} bars; {song.sections.loudest} is its loudest part.")
print("More finely:", " ".join(song.structure(detail=6).labels))
print("By level alone:", " ".join(song.rms_sections.labels))

sung = song.melody.confidence.values[:, 0] > 0.5
print(f"The melody sounds {np.mean(sung):.0%} of the time and begins {len(song.melody.onsets)} notes.")
print(plot(song, "song_analysis.png"))
