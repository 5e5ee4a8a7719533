"""Track changes in a long mix.

F16 a minute before a bar is compared with half a minute after it: the notes that are in use, the sound, the
tempo. Within a track mostly one of them changes for so long; from track to track two or three do.
"""

from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F64, I64

__all__ = ["MIN_MIX_SECONDS", "find_tracks"]


MIN_MIX_SECONDS = 480.0
"""Seconds beyond which a song may be a mix of several tracks."""
MIN_TRACK_SECONDS = 75.0
"""Seconds that a track lasts at least."""
COMPARED, SHARP = 32.0, 6.0
"""Seconds on either side that are compared to detect a change of track, and to place it."""
NOTES_CHANGE, SOUND_CHANGE, TEMPO_CHANGE = 0.15, 8.0, 0.06
"""What counts as a full change: 1 - cosine of chroma; mean difference in dB; octaves of tempo."""
ENOUGH = 1.5
"""Sum of the three changes, each at most 1, from which the track is another."""
EXACT = 24.0
"""Seconds around the strongest change within which the sharpest is sought: tracks are blended."""


@dataclass(frozen=True, eq=False)
class _Course:
    """A song bar by bar: chroma (N, 12), mean spectrum (N, bands) dB, length of a bar (N,) s."""

    chroma: F64
    spectrum: F64
    seconds: F64

    def change(self, reach: int) -> F64:
        """Tell how much changes at the beginning of each bar, (N,), 0 to 3; 0 at the song's beginning."""
        chroma, spectrum = (_sides(rows, reach) for rows in (self.chroma, self.spectrum))
        octaves = _sides(np.log2(self.seconds)[:, None], reach)[:, :, 0]
        lengths = np.linalg.norm(chroma, axis=2)
        cosine = (chroma[0] * chroma[1]).sum(axis=1) / np.maximum(lengths[0] * lengths[1], 1e-9)
        heard = np.abs(spectrum[1] - spectrum[0]).mean(axis=1)
        faster = (octaves[1] - octaves[0] + 0.5) % 1 - 0.5  # a whole octave is but the beat's mistake
        parts = ((1 - cosine) / NOTES_CHANGE, heard / SOUND_CHANGE, np.abs(faster) / TEMPO_CHANGE)
        change = np.sum([np.minimum(part, 1) for part in parts], axis=0)
        change[0] = 0
        return np.asarray(change)


def _sides(rows: F64, reach: int) -> F64:
    """Average the ``reach`` bars before each bar, and from it on, (2, N, C)."""
    count = len(rows)
    sums = np.concatenate((np.zeros((1, rows.shape[1])), rows.cumsum(axis=0)))
    here = np.arange(count)
    first, last = np.maximum(here - reach, 0), np.minimum(here + reach, count)
    before = (sums[here] - sums[first]) / np.maximum(here - first, 1)[:, None]
    return np.stack([before, (sums[last] - sums[here]) / (last - here)[:, None]])


def find_tracks(chroma: F64, spectrum: F64, edges: F64) -> I64:
    """Find the first bar of each track, and the number of bars, (K + 1,).

    Args:
        chroma: how much each pitch class sounds in each bar, (N, 12).
        spectrum: mean spectrum of each bar, decibels (N, bands).
        edges: the bars, (N + 1,) s.

    >>> find_tracks(np.ones((10, 12)), np.zeros((10, 4)), np.arange(11.0)).tolist()
    [0, 10]
    """
    count = len(edges) - 1
    if edges[-1] <= MIN_MIX_SECONDS:
        return np.array([0, count])
    seconds = np.diff(edges)
    usual = float(np.median(seconds))
    course = _Course(chroma, spectrum, np.clip(seconds, usual / 2, usual * 2))
    change = course.change(max(1, round(COMPARED / usual)))
    sharp = change + course.change(max(1, round(SHARP / usual)))
    found: list[int] = []
    free = (edges[:-1] >= MIN_TRACK_SECONDS) & (edges[:-1] <= edges[-1] - MIN_TRACK_SECONDS)
    while (
        free.any() and (strongest := int(np.where(free, change, 0).argmax())) and change[strongest] >= ENOUGH
    ):
        near = free & (np.abs(edges[:-1] - edges[strongest]) <= EXACT)
        exact = int(np.where(near, sharp, -1).argmax())
        found.append(exact)
        free &= np.abs(edges[:-1] - edges[exact]) >= MIN_TRACK_SECONDS
    return np.array([0, *sorted(found), count])
