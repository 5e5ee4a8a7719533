"""A song as a picture of its sound: time across, pitch upwards, 24 rows to the octave.

What sustains is drawn by its pitch, as sharp as it was heard; what strikes by the mel bands, which also reach
above the highest pitch.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.cqt import LOWEST_HZ, pitch_frequencies
from clavilux.features.spectrum.spectra import Half, mel_centres

__all__ = ["ROWS_PER_OCTAVE", "draw_spectrogram", "row_frequencies"]

Array = NDArray[np.float32]

ROWS_PER_OCTAVE = 24
OCTAVES = 8.25
"""From C1 to 10 kHz."""
EVENED = 0.7
"""Share of the difference between the rows' usual levels that is taken away: all pitches are seen."""
MOST_LIFTED_DB = 40.0
RANGE_DB = (20.0, 60.0)
"""From the darkest to the brightest: less in dense music than in sparse."""
USUAL = 0.5
"""Brightness of what usually sounds."""
BRIGHTEST = 99.7
"""Percentile of the picture that is as bright as can be."""
QUIET_DB = -50.0
"""Level of a column's loudest row, against the song's, below which it is a pause."""
FAINTEST = 1e-5
GROUP = 64
"""Columns that are worked on at a time."""


def row_frequencies() -> NDArray[np.float64]:
    """Return the frequency of each row, Hz, (198,).

    >>> row_frequencies()[[0, 24]].round(2).tolist()
    [32.7, 65.41]
    """
    return np.asarray(LOWEST_HZ * 2 ** (np.arange(round(OCTAVES * ROWS_PER_OCTAVE)) / ROWS_PER_OCTAVE))


def draw_spectrogram(analysis: Analysis, columns: int) -> Array:
    """Draw what was heard in a song, float32 (C, 198) from 0, dark, to 1; C is at most ``columns``.

    Silence is dark. Levels are logarithmic, over 20 to 60 dB.

    >>> from clavilux.features.spectrum.analysis import analyse
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> picture = draw_spectrogram(analyse(tone), 10)
    >>> picture.shape, round(float(row_frequencies()[picture[5].argmax()]))
    ((10, 198), 440)
    """
    octaves = np.log2(row_frequencies())
    mel, pitches = (np.log2(centres) for centres in (mel_centres(), pitch_frequencies()))
    pairs = zip(_columns(analysis.mel["mix"], columns), _columns(analysis.pitches, columns), strict=True)
    picture = np.stack(
        [
            np.maximum(np.interp(octaves, mel, bands), np.interp(octaves, pitches, notes, right=0.0))
            for bands, notes in pairs
        ]
    )
    loudest = float(picture.max())
    if loudest == 0:
        return np.zeros(picture.shape, np.float32)
    level = 20 * np.log10(np.maximum(picture / loudest, FAINTEST))
    sounding = level.max(axis=1) > QUIET_DB
    usual = np.median(level[sounding], axis=0)
    level += EVENED * np.minimum(usual.max() - usual, MOST_LIFTED_DB)
    top = float(np.percentile(level[sounding], BRIGHTEST))
    reach = float(np.clip((top - np.median(level[sounding])) / (1 - USUAL), *RANGE_DB))
    return np.clip(1 + (level - top) / reach, 0, 1).astype(np.float32)


def _columns(values: Half, columns: int) -> Iterator[Array]:
    """Yield the mean of the rows of (T, F) that fall into each column, (F,)."""
    edges = np.linspace(0, len(values), min(columns, len(values)) + 1).astype(int)
    for first, last in pairwise([*range(0, len(edges) - 1, GROUP), len(edges) - 1]):
        rows = values[edges[first] : edges[last]].astype(np.float32)
        sums = np.add.reduceat(rows, edges[first:last] - edges[first], axis=0)
        yield from sums / np.diff(edges[first : last + 1])[:, None]
