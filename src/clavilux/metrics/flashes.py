"""Flashes of a video, by WCAG 2.3.1 and ITU-R BT.1702.

A flash is a pair of opposing changes of relative luminance of 10 % of the maximum or more, where the darker
image is below 0.80; a red flash is a pair of opposing changes of a saturated red. More than three within a
second, on more than a quarter of any third-by-third of the screen (WCAG's field of 10 degrees), are too many;
BT.1702 counts a quarter of the whole screen. Everything is counted in each cell of a coarse grid, because the
mean of a whole frame hides what is local, and halves that flash in opposite phase.

This helps to reduce a risk. It is measured against published criteria, and is no certificate.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F32, F64, I64, Bools
from clavilux.colour import LUMA

__all__ = ["LIMITS", "FlashLimits", "FlashMeter", "Flashes"]


@dataclass(frozen=True)
class FlashLimits:
    """The criteria, from WCAG 2.2, success criterion 2.3.1, and the notes to its definition of a flash.

    Attributes:
        step: least change of relative luminance.
        bright: where the darker image is at least as bright, no change counts.
        red_step: least change of max(0, R - G - B), 20 / 320 in WCAG 2.0.
        red_share: R / (R + G + B) of a saturated red, at least.
        per_second: flashes within a second that may be.
        area: share of a field from which flashes count.
        field: share of the screen's width and height that a field of 10 degrees takes.
        together_seconds: changes within this time belong to one flash of a field.
    """

    step: float = 0.1
    bright: float = 0.8
    red_step: float = 20 / 320
    red_share: float = 0.8
    per_second: int = 3
    area: float = 0.25
    field: float = 1 / 3
    together_seconds: float = 0.05


LIMITS = FlashLimits()


@dataclass(frozen=True, eq=False)
class Flashes:
    """What was counted.

    Attributes:
        severity: share of the worst field that flashes too often or too red, for every frame, (T,).
        screen: the same share of the whole screen, (T,).
        rate: flashes within the worst second, seen by a quarter of a field.
        red_rate: red flashes, likewise.
        at: end of the worst second, s from the first frame.
        area_limit: the share from which a video fails.
    """

    severity: F32
    screen: F32
    rate: float
    red_rate: float
    at: float
    area_limit: float = LIMITS.area

    @property
    def area(self) -> float:
        """Share of the worst field that flashes too often."""
        return float(self.severity.max(initial=0))

    @property
    def screen_area(self) -> float:
        """Share of the screen that flashes too often."""
        return float(self.screen.max(initial=0))

    @property
    def passes_wcag(self) -> bool:
        """Whether no field flashes too often on a quarter of it."""
        return self.area < self.area_limit

    @property
    def passes_itu(self) -> bool:
        """Whether no quarter of the screen flashes too often."""
        return self.screen_area < self.area_limit

    @property
    def passes(self) -> bool:
        """Whether neither limit is exceeded."""
        return self.passes_wcag and self.passes_itu


class FlashMeter:
    """Count the flashes of frames as they come; it remembers one second of them.

    Args:
        fps: frames per second.
        limits: the criteria.

    >>> meter = FlashMeter(Fraction(20))
    >>> strobe = np.zeros((40, 9, 16, 3), np.float32)
    >>> strobe[np.arange(40) // 2 % 2 == 1] = 0.5   # five flashes a second
    >>> hazards = meter.add(strobe)
    >>> meter.found.passes_wcag, meter.found.rate
    (False, 5.0)
    """

    def __init__(self, fps: Fraction, limits: FlashLimits = LIMITS) -> None:
        self._fps, self._limits = fps, limits
        self._lanes: tuple[_Lane, ...] = ()
        self._severity: list[float] = []
        self._screen: list[float] = []
        self._worst = [(0.0, 0.0), (0.0, 0.0)]  # rate and share of luminance and of red
        self._at = 0

    def add(self, cells: NDArray[np.floating]) -> Bools:
        """Count the next frames, linear RGB in [0, 1], (N, gh, gw, 3).

        Returns:
            which cells flash too often at which frame, (N, gh, gw).
        """
        cells = np.asarray(cells, np.float32)
        hazards = np.zeros(cells.shape[:3], bool)
        luminance, red = cells @ np.array(LUMA, np.float32), saturated_red(cells, self._limits.red_share)
        for n in range(len(cells)):
            if not self._lanes:
                limits = self._limits
                self._lanes = (
                    _Lane(luminance[0], self._fps, limits, limits.step, limits.bright),
                    _Lane(red[0], self._fps, limits, limits.red_step, np.inf),
                )
            shares, screens = [0.0], [0.0]
            for k, (lane, values) in enumerate(zip(self._lanes, (luminance[n], red[n]), strict=True)):
                lane.add(values)
                hazards[n] |= lane.hazards
                shares.append(lane.share)
                screens.append(float(lane.hazards.mean()))
                if (lane.rate, lane.share) > self._worst[k]:
                    self._worst[k] = (lane.rate, lane.share)
                    self._at = len(self._severity) if k == 0 else self._at
            self._severity.append(max(shares))
            self._screen.append(max(screens))
        return hazards

    @property
    def found(self) -> Flashes:
        """What was counted so far."""
        (rate, _), (red_rate, _) = self._worst
        severity, screen = (np.array(each, np.float32) for each in (self._severity, self._screen))
        at = float((self._at + 1) / self._fps) if self._severity else 0.0
        return Flashes(severity, screen, rate, red_rate, at, self._limits.area)


def saturated_red(cells: F32, least_share: float) -> F32:
    """Return max(0, R - G - B) where a colour is a saturated red, else 0; of linear RGB (..., 3)."""
    red, others = cells[..., 0], cells[..., 1] + cells[..., 2]
    saturated = red >= least_share * np.maximum(red + others, 1e-6)
    return np.where(saturated, np.maximum(red - others, 0), 0).astype(np.float32)


class _Lane:
    """Opposing changes of one quantity in every cell and field, over the last second."""

    def __init__(self, first: F32, fps: Fraction, limits: FlashLimits, step: float, bright: float) -> None:
        self._step, self._bright, self._limits = step, bright, limits
        self._low, self._high = first.copy(), first.copy()
        self._last = np.zeros(first.shape, np.int8)  # direction of each cell's last change
        second = max(1, round(fps))
        self._cells = _Trailing(second, first.shape)
        fields = _Fields(first.shape, limits.field)
        self._fields, shape = fields, fields.mean(np.zeros(first.shape, np.float32)).shape
        together = max(1, round(limits.together_seconds * fps) + 1)
        self._near = [_Trailing(together, first.shape) for _ in range(2)]
        self._inside = [np.zeros(shape, bool) for _ in range(2)]
        self._moving = [_Trailing(second, shape) for _ in range(2)]
        self.hazards = np.zeros(first.shape, bool)
        self.share = self.rate = 0.0

    def add(self, values: F32) -> None:
        """Take the next frame's values, (gh, gw)."""
        np.minimum(self._low, values, out=self._low)
        np.maximum(self._high, values, out=self._high)
        up = (self._last != 1) & (values - self._low >= self._step) & (self._low < self._bright)
        down = (self._last != -1) & (self._high - values >= self._step) & (values < self._bright) & ~up
        self._last[up], self._last[down] = 1, -1
        changed = up | down
        self._low[changed] = self._high[changed] = values[changed]
        counts = self._cells.add(changed)
        most = 2 * self._limits.per_second  # a flash is a pair of changes
        self.hazards = counts > most
        flashing = self._fields.mean(self.hazards.astype(np.float32))
        pairs = self._moving_pairs(up, down)
        # Flashes that move: each cell flashes seldom enough, but a quarter of the field flashes too often
        moving = np.where(pairs > self._limits.per_second, self._limits.area, 0)
        self.share = float(np.maximum(flashing, moving).max())
        self.rate = max(self._rate(counts), float(pairs.max()))

    def _moving_pairs(self, up: Bools, down: Bools) -> I64:
        """Return how often a quarter of each field rose and fell together within the last second."""
        pairs = []
        for k, changed in enumerate((up, down)):
            together = self._fields.mean((self._near[k].add(changed) > 0).astype(np.float32))
            inside = together >= self._limits.area
            pairs.append(self._moving[k].add(inside & ~self._inside[k]))
            self._inside[k] = inside
        return np.minimum(*pairs)

    def _rate(self, counts: I64) -> float:
        """Return the changes, in pairs, that a quarter of some field has seen within the last second."""
        rate = 0
        for changes in range(1, int(counts.max()) + 1):
            if self._fields.mean((counts >= changes).astype(np.float32)).max() < self._limits.area:
                break
            rate = changes
        return rate / 2


class _Trailing:
    """Counts of what happened in each place within the last frames."""

    def __init__(self, frames: int, shape: tuple[int, ...]) -> None:
        self._ring = np.zeros((frames, *shape), bool)
        self._counts = np.zeros(shape, np.int64)
        self._next = 0

    def add(self, happened: Bools) -> I64:
        self._counts += happened
        self._counts -= self._ring[self._next]
        self._ring[self._next] = happened
        self._next = (self._next + 1) % len(self._ring)
        return self._counts


class _Fields:
    """Means over every field of a share of the grid's sides, by an integral image (Crow 1984)."""

    def __init__(self, shape: tuple[int, ...], share: float) -> None:
        self._height, self._width = (max(1, round(side * share)) for side in shape)

    def mean(self, values: F32) -> F64:
        summed = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
        np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1, out=summed[1:, 1:])
        high, wide = self._height, self._width
        sums = summed[high:, wide:] - summed[:-high, wide:] - summed[high:, :-wide] + summed[:-high, :-wide]
        return np.asarray(sums / (high * wide))
