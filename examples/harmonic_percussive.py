"""Separate a song into harmonic and percussive parts (technique 1).

A vertical line in a spectrogram is a hit, a horizontal one a tone; two median filters tell them apart. Chords
are clearest in the harmonic part, drums in the percussive one.
"""

import numpy as np

from clavilux import Song, compose

piece = compose(seed=1, bars=2, bpm=120)
song = Song(piece.audio)

harmonic, percussive = song.rms("harmonic").values, song.rms("percussive").values
for name, level in {"harmonic": harmonic, "percussive": percussive}.items():
    print(f"{name} part: {20 * np.log10(level.mean()):.1f} dB")

strength = song.flux("drums", 30, 150)
at_kicks = strength.max_between(np.stack([piece.kick - 0.05, piece.kick + 0.05], axis=1).ravel())[::2]
ratio = at_kicks.mean() / strength.values.mean()
print(f"at the {len(piece.kick)} kicks the onset strength is {ratio:.0f} times its average")
