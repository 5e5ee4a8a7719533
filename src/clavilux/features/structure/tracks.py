"""The tracks of a long mix: where one ends and the next begins.

The half minute before a bar is compared with the half minute after it, in chroma, spectrum and tempo. Within
a track mostly one of them changes for so long; from track to track two or three do. Times are seconds.
"""

from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F64, I64

__all__ = ["find_tracks"]


@dataclass(frozen=True)
class TrackModel:
    """When a change is a change of track. Values were set by hand.

    Attributes:
        min_mix_seconds: of a song that may be a mix of several tracks.
        min_track_seconds: of a track.
        window_seconds: on either side of a bar that are compared to find a change ...
        close_window_seconds: ... and to place it.
        full_chroma_change: 1 - cosine of chroma that counts as a full change.
        full_spectrum_change: mean difference in decibels that does.
        full_tempo_change: octaves that do.
        min_change: sum of the three, each at most 1, from which there is another track.
        placing_seconds: around the greatest change within which its place is sought: tracks are blended.
    """

    min_mix_seconds: float = 480.0
    min_track_seconds: float = 75.0
    window_seconds: float = 32.0
    close_window_seconds: float = 6.0
    full_chroma_change: float = 0.15
    full_spectrum_change: float = 8.0
    full_tempo_change: float = 0.06
    min_change: float = 1.5
    placing_seconds: float = 24.0


TRACK = TrackModel()


def find_tracks(chroma: F64, spectrum: F64, edges: F64) -> I64:
    """Find the first bar of each track, and the number of bars, (K + 1,).

    Args:
        chroma: how strong each pitch class is in each bar, (N, 12).
        spectrum: mean spectrum of each bar, decibels (N, bands).
        edges: the bars, (N + 1,) s.

    >>> find_tracks(np.ones((10, 12)), np.zeros((10, 4)), np.arange(11.0)).tolist()
    [0, 10]
    """
    count, starts = len(edges) - 1, edges[:-1]
    if edges[-1] <= TRACK.min_mix_seconds:
        return np.array([0, count])
    seconds = np.diff(edges)
    usual = float(np.median(seconds))
    octaves = np.log2(np.clip(seconds, usual / 2, usual * 2))[:, None]
    reach, close = (
        max(1, round(window / usual)) for window in (TRACK.window_seconds, TRACK.close_window_seconds)
    )
    change = _change(chroma, spectrum, octaves, reach)
    sharp = change + _change(chroma, spectrum, octaves, close)
    found: list[int] = []
    free = (starts >= TRACK.min_track_seconds) & (starts <= edges[-1] - TRACK.min_track_seconds)
    while free.any():
        greatest = int(np.where(free, change, 0).argmax())
        if greatest == 0 or change[greatest] < TRACK.min_change:
            break
        near = free & (np.abs(starts - starts[greatest]) <= TRACK.placing_seconds)
        placed = int(np.where(near, sharp, -1).argmax())
        found.append(placed)
        free &= np.abs(starts - starts[placed]) >= TRACK.min_track_seconds
    return np.array([0, *sorted(found), count])


def _change(chroma: F64, spectrum: F64, octaves: F64, reach: int) -> F64:
    """Return how much changes at the beginning of each bar, (N,), 0 to 3; 0 at the song's beginning."""
    chroma, spectrum, octaves = (_means_around(rows, reach) for rows in (chroma, spectrum, octaves))
    lengths = np.linalg.norm(chroma, axis=2)
    cosine = (chroma[0] * chroma[1]).sum(axis=1) / np.maximum(lengths[0] * lengths[1], 1e-9)
    decibels = np.abs(spectrum[1] - spectrum[0]).mean(axis=1)
    # modulo an octave, -0.5 to 0.5: a whole octave is an error of the beat tracker
    tempo = np.abs((octaves[1, :, 0] - octaves[0, :, 0] + 0.5) % 1 - 0.5)
    parts = (
        (1 - cosine) / TRACK.full_chroma_change,
        decibels / TRACK.full_spectrum_change,
        tempo / TRACK.full_tempo_change,
    )
    change = np.sum([np.minimum(part, 1) for part in parts], axis=0)
    change[0] = 0
    return np.asarray(change)


def _means_around(rows: F64, reach: int) -> F64:
    """Average the ``reach`` bars before each bar, and those from it on, (2, N, C)."""
    count = len(rows)
    sums = np.concatenate((np.zeros((1, rows.shape[1])), rows.cumsum(axis=0)))  # (N + 1, C)
    here = np.arange(count)
    first, last = np.maximum(here - reach, 0), np.minimum(here + reach, count)
    before = (sums[here] - sums[first]) / np.maximum(here - first, 1)[:, None]
    return np.stack([before, (sums[last] - sums[here]) / (last - here)[:, None]])
