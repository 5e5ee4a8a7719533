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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F32, F64, Bools
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
        self._severity: list[F32] = []
        self._screen: list[F32] = []
        self._frames = 0
        self._worst = [(0.0, 0.0), (0.0, 0.0)]  # rate and share of luminance and of red
        self._at = 0

    def add(self, cells: NDArray[np.floating]) -> Bools:
        """Count the next frames, linear RGB in [0, 1], (N, gh, gw, 3).

        Returns:
            which cells flash too often at which frame, (N, gh, gw).
        """
        cells = np.asarray(cells, np.float32)
        hazards = np.zeros(cells.shape[:3], bool)
        if not len(cells):
            return hazards
        luminance, red = cells @ np.array(LUMA, np.float32), saturated_red(cells, self._limits.red_share)
        if not self._lanes:
            limits = self._limits
            self._lanes = (
                _Lane(luminance[0], self._fps, limits, limits.step, limits.bright),
                _Lane(red[0], self._fps, limits, limits.red_step, np.inf),
            )
        severity = screen = np.zeros(len(cells))
        for k, (lane, values) in enumerate(zip(self._lanes, (luminance, red), strict=True)):
            counted = lane.add(values)
            hazards |= counted.hazards
            severity = np.maximum(severity, counted.share)
            screen = np.maximum(screen, counted.hazards.mean(axis=(1, 2)))
            n = int(np.lexsort((counted.share, counted.rate))[-1])
            worst = float(counted.rate[n]), float(counted.share[n])
            if worst > self._worst[k]:
                self._worst[k] = worst
                same = (counted.rate == worst[0]) & (counted.share == worst[1])
                self._at = self._frames + int(np.argmax(same)) if k == 0 else self._at
        self._severity.append(severity.astype(np.float32))
        self._screen.append(screen.astype(np.float32))
        self._frames += len(cells)
        return hazards

    @property
    def found(self) -> Flashes:
        """What was counted so far."""
        (rate, _), (red_rate, _) = self._worst
        none = [np.zeros(0, np.float32)]
        severity, screen = (np.concatenate(none + each) for each in (self._severity, self._screen))
        at = float((self._at + 1) / self._fps) if self._frames else 0.0
        return Flashes(severity, screen, rate, red_rate, at, self._limits.area)


def saturated_red(cells: F32, least_share: float) -> F32:
    """Return max(0, R - G - B) where a colour is a saturated red, else 0; of linear RGB (..., 3)."""
    red, others = cells[..., 0], cells[..., 1] + cells[..., 2]
    saturated = red >= least_share * np.maximum(red + others, 1e-6)
    return np.where(saturated, np.maximum(red - others, 0), 0).astype(np.float32)


class _Counted(NamedTuple):
    """What a lane counted in some frames.

    Attributes:
        hazards: cells that change too often, (N, gh, gw).
        share: of the worst field that does, (N,).
        rate: changes, in pairs, that a quarter of some field has seen within the last second, (N,).
    """

    hazards: Bools
    share: F64
    rate: F64


class _Lane:
    """Opposing changes of one quantity in every cell and field, over the last second.

    Args:
        first: the first frame's values, (gh, gw).
        fps: frames per second.
        limits: the criteria.
        step: least change.
        bright: where the darker value is at least as large, no change counts.
    """

    def __init__(self, first: F32, fps: Fraction, limits: FlashLimits, step: float, bright: float) -> None:
        self._limits, self._turns = limits, _Turns(first, step, bright)
        second = max(1, round(fps))
        together = max(1, round(limits.together_seconds * fps) + 1)
        self._cells = _Trailing(second, first.shape)
        self._near = [_Trailing(together, first.shape) for _ in range(2)]
        self._fields = _Fields(first.shape, limits.field)
        shape = self._fields.mean(np.zeros((1, *first.shape), bool)).shape[1:]
        self._inside = [np.zeros(shape, bool) for _ in range(2)]
        self._moving = [_Trailing(second, shape) for _ in range(2)]
        self._lit = np.zeros(first.shape, np.int8)  # the sum of each cell's changes, up 1 and down -1
        self._lit_turns = _Turns(np.zeros(shape), limits.area, np.inf)
        self._swings = [_Trailing(second, shape) for _ in range(2)]

    def add(self, values: F32) -> _Counted:
        """Count the next frames' values, (N, gh, gw)."""
        limits = self._limits
        up, down = self._turns.add(values)
        counts = self._cells.add(up | down)
        hazards = counts > 2 * limits.per_second  # a flash is a pair of changes
        pairs = np.maximum(self._moving_pairs(up, down), self._swinging_pairs(up, down))
        # Flashes that move: each cell flashes seldom enough, but a quarter of the field flashes too often
        moving = np.where(pairs > limits.per_second, limits.area, 0)
        share = np.maximum(self._fields.mean(hazards), moving).max(axis=(1, 2))
        rate = np.maximum(self._rates(counts), pairs.max(axis=(1, 2)))
        return _Counted(hazards, share, rate)

    def _moving_pairs(self, up: Bools, down: Bools) -> NDArray[np.int16]:
        """Return how often a quarter of each field rose and fell together within the last second."""
        pairs = []
        for k, changed in enumerate((up, down)):
            shares = self._fields.mean(self._near[k].add(changed) > 0)
            pairs.append(self._moving[k].add(self._begun(self._inside[k], shares)))
        return np.minimum(*pairs)

    def _begun(self, inside: Bools, shares: F64) -> Bools:
        """Return where a quarter begins to change; a share that hovers about a quarter begins once."""
        begun = np.zeros(shares.shape, bool)
        for share, new in zip(shares, begun, strict=True):
            np.logical_and(share >= self._limits.area, ~inside, out=new)
            inside &= share >= self._limits.area / 2
            inside |= new
        return begun

    def _swinging_pairs(self, up: Bools, down: Bools) -> NDArray[np.int16]:
        """Return how often the lit share of each field rose and fell by a quarter within the last second."""
        lit = self._lit + np.cumsum(up.astype(np.int8) - down.astype(np.int8), axis=0, dtype=np.int8)
        self._lit = lit[-1]
        turns = self._lit_turns.add(self._fields.mean(lit))
        return np.minimum(*(swings.add(turn) for swings, turn in zip(self._swings, turns, strict=True)))

    def _rates(self, counts: NDArray[np.int16]) -> F64:
        """Return the changes, in pairs, that a quarter of some field has seen within the last second."""
        rates = np.zeros(len(counts))
        seen = np.arange(len(counts))  # frames of which a quarter of a field has seen as many changes
        for changes in range(1, int(counts.max()) + 1):
            shares = self._fields.mean(counts[seen] >= changes).max(axis=(1, 2))
            seen = seen[shares >= self._limits.area]
            rates[seen] = changes / 2
        return rates


class _Turns:
    """Where values rise and fall by a step since they last turned, in turns.

    Args:
        first: the first frame's values, (h, w).
        step: least change.
        bright: where the lower value is at least as large, no change counts.
    """

    def __init__(self, first: NDArray[np.floating], step: float, bright: float) -> None:
        self._step, self._bright = step, bright
        self._low, self._high = first.copy(), first.copy()
        self._last = np.zeros(first.shape, np.int8)  # direction of each place's last change

    def add(self, values: NDArray[np.floating]) -> tuple[Bools, Bools]:
        """Return where the next frames' values rose, and where they fell, (N, h, w) each."""
        rose, fell = np.zeros(values.shape, bool), np.zeros(values.shape, bool)
        low, high, last = self._low, self._high, self._last
        for now, up, down in zip(values, rose, fell, strict=True):
            np.minimum(low, now, out=low)
            np.maximum(high, now, out=high)
            np.logical_and((last != 1) & (low < self._bright), now - low >= self._step, out=up)
            np.logical_and((last != -1) & (now < self._bright) & ~up, high - now >= self._step, out=down)
            last[up], last[down] = 1, -1
            changed = up | down
            np.copyto(low, now, where=changed)
            np.copyto(high, now, where=changed)
        return rose, fell


class _Trailing:
    """Counts of what happened in each place within the last frames."""

    def __init__(self, frames: int, shape: tuple[int, ...]) -> None:
        self._past = np.zeros((frames, *shape), bool)
        self._counts = np.zeros(shape, np.int16)

    def add(self, happened: Bools) -> NDArray[np.int16]:
        """Return the counts at each of the next frames, (N, ...)."""
        known = np.concatenate([self._past, happened])
        counts = np.empty(happened.shape, np.int16)
        for n, new in enumerate(happened):
            self._counts += new
            self._counts -= known[n]
            counts[n] = self._counts
        self._past = known[len(happened) :]
        return counts


class _Fields:
    """Means over every field of a share of the grid's sides, as sums over windows of rows and of columns."""

    def __init__(self, shape: tuple[int, ...], share: float) -> None:
        rows, columns = (max(1, round(side * share)) for side in shape)
        self._down, self._across = _windows(shape[0], rows), _windows(shape[1], columns).T
        self._size = rows * columns

    def mean(self, cells: NDArray[np.bool_] | NDArray[np.int8]) -> F64:
        """Return the mean of cells (N, gh, gw) in every field, (N, h, w)."""
        counts = self._down @ (cells.astype(np.float32) @ self._across)  # whole numbers, so exact
        return np.asarray(counts.astype(np.float64) / self._size)


def _windows(side: int, width: int) -> F32:
    """Return which of a side's cells each window of a width holds, (side - width + 1, side)."""
    first = np.arange(side - width + 1)[:, None]
    cell = np.arange(side)
    return ((first <= cell) & (cell < first + width)).astype(np.float32)
