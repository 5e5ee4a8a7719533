"""Do the colours follow the harmony, and do the sections of a song look different?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from clavilux.arrays import F64
from clavilux.curves import Curve, Sections
from clavilux.metrics.rhythm import Lift, lift_over
from clavilux.metrics.trace import Trace

__all__ = ["chromatic", "section_contrast"]

STEP_SECONDS = 0.5
"""Time over which colours and harmony are averaged before they are compared."""
MAX_STEPS = 1200
"""A longer video is compared in longer steps, so that the matrices stay small."""
CONTROLS = 20
"""Shifted copies of the song's own harmony, where no other songs are given."""
EDGE_SECONDS = 1.0
"""Left out at both ends of a section, where the image changes from one to the next."""
MIN_HALF_SECONDS = 2.0


@dataclass(frozen=True)
class Halves:
    """A section as it is shown: its label, and the frames of its first and its second half."""

    label: str
    halves: tuple[slice, slice]


def chromatic(trace: Trace, chroma: Curve, start: float, others: Sequence[Curve] = ()) -> Lift:
    """Compare which moments of a video have like colours with which moments of its song have like harmony.

    The correlation between the upper triangles of two self-similarity matrices: of normalised chroma and of
    histograms of red, green and blue.

    Args:
        trace: of the video.
        chroma: of the song, CENS.
        start: where in the song the video begins, s.
        others: chroma of other songs, as controls; shifted copies of the song's own unless given.
    """
    fps = float(trace.fps)
    length = len(trace) / fps
    steps = int(min(length / STEP_SECONDS, MAX_STEPS))
    if steps < 8:
        return lift_over(0.0, [])
    edges = np.linspace(0, length, steps + 1)
    colours = np.add.reduceat(trace.histograms.astype(np.float64), (edges[:-1] * fps).astype(int), axis=0)
    seen = _similarity(colours)
    heard = chroma.mean_between(start + edges).astype(np.float64)
    if others:
        wrong = [each.mean_between(np.minimum(edges, each.duration)).astype(np.float64) for each in others]
    else:
        shifts = np.linspace(0.1, 0.9, CONTROLS) * steps
        wrong = [np.roll(heard, round(shift), axis=0) for shift in shifts]
    controls = [_correlation(_similarity(each), seen) for each in wrong]
    return lift_over(_correlation(_similarity(heard), seen), controls)


def section_contrast(trace: Trace, sections: Sections, start: float) -> float | None:
    """Return how much farther apart in colour and form two sections are than two halves of one.

    Halves of sections are compared: those of sections of different labels, over the halves of one section.
    The distance of colour is between mean histograms, that of form between mean layouts without their mean;
    the ratio is the geometric mean of both.

    Args:
        trace: of the video.
        sections: of the song.
        start: where in the song the video begins, s.

    Returns:
        the ratio; none where the video shows fewer than two different sections.
    """
    halves = _halves(trace, sections, start)
    if len({part.label for part in halves}) < 2:
        return None
    ratios = [_ratio(trace, halves, look) for look in (_mean_colour, _mean_form)]
    return float(np.sqrt(ratios[0] * ratios[1]))


def _ratio(trace: Trace, halves: Sequence[Halves], look: Callable[[Trace, slice], F64]) -> float:
    """Return the mean distance of halves of different sections over that of the halves of one."""
    shown = [(k, part.label, look(trace, half)) for k, part in enumerate(halves) for half in part.halves]
    within, between = [], []
    for (i, first, a), (j, second, b) in combinations(shown, 2):
        if i == j:
            within.append(float(np.linalg.norm(a - b)))
        elif first != second:
            between.append(float(np.linalg.norm(a - b)))
    return float(np.mean(between)) / max(float(np.mean(within)), 1e-9)


def _halves(trace: Trace, sections: Sections, start: float) -> list[Halves]:
    """Return the halves of every section that is shown long enough."""
    fps, found = float(trace.fps), []
    for k, label in enumerate(sections.labels):
        first = max((sections.bounds[k] - start + EDGE_SECONDS) * fps, 0)
        last = min((sections.bounds[k + 1] - start - EDGE_SECONDS) * fps, len(trace))
        if last - first >= 2 * MIN_HALF_SECONDS * fps:
            middle = int((first + last) / 2)
            found.append(Halves(label, (slice(int(first), middle), slice(middle, int(last)))))
    return found


def _mean_colour(trace: Trace, frames: slice) -> F64:
    return np.asarray(trace.histograms[frames].astype(np.float64).mean(axis=0))


def _mean_form(trace: Trace, frames: slice) -> F64:
    layout = trace.layouts[frames].astype(np.float64).mean(axis=0).mean(axis=-1)
    return np.asarray(layout - layout.mean()).ravel()


def _similarity(rows: F64) -> F64:
    """Return the cosines between all pairs of rows, the upper triangle, standardised."""
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    values = (unit @ unit.T)[np.triu_indices(len(rows), 1)]
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-9))


def _correlation(a: F64, b: F64) -> float:
    """Return Pearson's correlation of two standardised arrays."""
    return float(np.mean(a * b))
