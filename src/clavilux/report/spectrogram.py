"""A song as a spectrogram image: time across, pitch upwards, 24 rows to the octave.

The harmonic part is drawn by its constant-Q pitches, which are sharp; the percussive part by the mel bands,
which also reach above the highest pitch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from clavilux.arrays import F16, F32, F64
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.cqt import LOWEST_HZ, pitch_frequencies
from clavilux.features.spectrum.spectra import mel_centres

__all__ = ["ROWS_PER_OCTAVE", "draw_spectrogram", "row_frequencies"]

ROWS_PER_OCTAVE = 24
OCTAVES = 8.25
"""From C1 to 10 kHz."""
COLUMNS_AT_ONCE = 64


@dataclass(frozen=True)
class Contrast:
    """How levels become brightness; chosen by eye on composed and recorded songs.

    Attributes:
        equalised: share of the difference between the rows' median levels that is removed, so that all
            pitches are visible.
        max_lift_db: most that a row is raised by it.
        range_db: least and most decibels from the darkest to the brightest: less in dense music.
        median_brightness: of what sounds.
        top_percentile: of the levels; it has full brightness.
        pause_db: level of a column's loudest row, relative to the song's, below which it is a pause.
        min_level: amplitude relative to the loudest, a floor under the logarithm.
    """

    equalised: float = 0.7
    max_lift_db: float = 40.0
    range_db: tuple[float, float] = (20.0, 60.0)
    median_brightness: float = 0.5
    top_percentile: float = 99.7
    pause_db: float = -50.0
    min_level: float = 1e-5


CONTRAST = Contrast()


def row_frequencies() -> F64:
    """Return the frequency of each row, Hz, (198,).

    >>> row_frequencies()[[0, 24]].round(2).tolist()
    [32.7, 65.41]
    """
    return np.asarray(LOWEST_HZ * 2 ** (np.arange(round(OCTAVES * ROWS_PER_OCTAVE)) / ROWS_PER_OCTAVE))


def draw_spectrogram(analysis: Analysis, columns: int) -> F32:
    """Draw the spectrogram of a song, float32 (C, 198) from 0, dark, to 1; C is at most ``columns``.

    Silence is dark. Levels are logarithmic, over 20 to 60 dB.

    >>> from clavilux.features.spectrum.analysis import analyse
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> image = draw_spectrogram(analyse(tone), 10)
    >>> image.shape, round(float(row_frequencies()[image[5].argmax()]))
    ((10, 198), 440)
    """
    octaves = np.log2(row_frequencies())
    mel, pitches = (np.log2(centres) for centres in (mel_centres(), pitch_frequencies()))
    pairs = zip(_columns(analysis.mel["mix"], columns), _columns(analysis.pitches, columns), strict=True)
    amplitude = np.stack(  # (C, 198)
        [
            np.maximum(np.interp(octaves, mel, bands), np.interp(octaves, pitches, notes, right=0.0))
            for bands, notes in pairs
        ]
    )
    loudest = float(amplitude.max())
    if loudest == 0:
        return np.zeros(amplitude.shape, np.float32)
    level = 20 * np.log10(np.maximum(amplitude / loudest, CONTRAST.min_level))  # dB
    sounding = level.max(axis=1) > CONTRAST.pause_db  # (C,)
    # Each row is raised by a share of what its median lies below the strongest row's.
    median = np.median(level[sounding], axis=0)  # (198,)
    level += CONTRAST.equalised * np.minimum(median.max() - median, CONTRAST.max_lift_db)
    # brightness = 1 + (level - top) / range, with the range that puts the median at its brightness
    top = float(np.percentile(level[sounding], CONTRAST.top_percentile))
    spread = (top - np.median(level[sounding])) / (1 - CONTRAST.median_brightness)
    return np.clip(1 + (level - top) / float(np.clip(spread, *CONTRAST.range_db)), 0, 1).astype(np.float32)


def _columns(values: F16, columns: int) -> Iterator[F32]:
    """Yield the mean of the rows of (T, F) that fall into each column, (F,)."""
    edges = np.linspace(0, len(values), min(columns, len(values)) + 1).astype(int)
    for first, last in pairwise([*range(0, len(edges) - 1, COLUMNS_AT_ONCE), len(edges) - 1]):
        rows = values[edges[first] : edges[last]].astype(np.float32)
        sums = np.add.reduceat(rows, edges[first:last] - edges[first], axis=0)
        yield from sums / np.diff(edges[first : last + 1])[:, None]
