"""The meter of flashes against patterns whose flashes are known; they stay arrays."""

from fractions import Fraction

import numpy as np
import pytest

from clavilux.metrics.flashes import FlashMeter

FPS = 30
GRID = (36, 64)


EVERYWHERE = (slice(None), slice(None))


def pattern(hz: float, low: float, high: float, where: tuple[slice, slice] = EVERYWHERE) -> np.ndarray:
    """Three seconds of square waves between two luminances in some cells, `low` elsewhere: (T, 36, 64, 3)."""
    times = (np.arange(3 * FPS) + 0.5) / FPS
    cells = np.full((len(times), *GRID, 3), low, np.float32)
    cells[:, *where] = np.where(times * hz % 1 >= 0.5, high, low)[:, None, None, None]
    return cells


def found(cells, fps=FPS):
    meter = FlashMeter(Fraction(fps))
    meter.add(cells)
    return meter.found


LEFT, RIGHT = (slice(None), slice(0, 32)), (slice(None), slice(32, 64))


def test_three_flashes_a_second_pass_and_five_fail() -> None:
    assert found(pattern(3, 0.0, 0.5)).passes_wcag
    five = found(pattern(5, 0.0, 0.5))
    assert not five.passes_wcag
    assert not five.passes_itu
    assert five.rate == 5
    assert five.area == 1


@pytest.mark.parametrize(
    ("low", "high", "passes"),
    [(0.0, 0.105, False), (0.0, 0.095, True), (0.85, 1.0, True), (0.75, 0.9, False), (0.5, 0.55, True)],
)
def test_contrast(low: float, high: float, passes: bool) -> None:
    assert found(pattern(5, low, high)).passes_wcag == passes


def test_small_areas_pass_and_a_third_fails_by_wcag_alone() -> None:
    corner = (slice(0, 5), slice(0, 9))  # 2 % of the screen, 18 % of a field
    assert found(pattern(5, 0.0, 0.5, corner)).passes_wcag
    field = (slice(0, 12), slice(0, 21))  # a tenth of the screen, a whole field
    shown = found(pattern(5, 0.0, 0.5, field))
    assert not shown.passes_wcag
    assert shown.passes_itu


def test_halves_in_opposite_phase_fail() -> None:
    cells = pattern(5, 0.0, 0.5, LEFT)
    cells[:, :, 32:] = 0.5 - cells[:, :, :32]
    assert np.ptp(cells.mean(axis=(1, 2, 3))) < 1e-6  # the mean of the frame does not move
    assert not found(cells).passes_wcag


def test_flashes_that_move_fail() -> None:
    cells = np.zeros((90, *GRID, 3), np.float32)
    for n in range(90):  # six flashes a second, three in each of two places of every field
        if n % 5 < 2:
            cells[n, :, (n // 5 % 2) :: 2] = 0.5
    each = found(cells)
    assert not each.passes_wcag
    assert each.screen_area == 0  # no cell flashes too often


@pytest.mark.parametrize("fps", [15, 30, 60])
@pytest.mark.parametrize("places", [2, 3])
def test_flashes_that_move_fast_are_all_counted(fps: int, places: int) -> None:
    cells = np.zeros((3 * fps, *GRID, 3), np.float32)
    for n in range(len(cells)):  # seven flashes a second, at another place each
        time = (n + 0.5) / fps * 7
        if time % 1 < 0.5:
            cells[n, :, int(time) % places :: places] = 0.5
    each = found(cells, fps)
    assert not each.passes_wcag
    assert each.rate == 7


@pytest.mark.parametrize("bars", [4, 8, 12])
@pytest.mark.parametrize(("hz", "passes"), [(2, True), (2.5, True), (4, False)])
def test_bars_that_drift_flash_as_often_as_they_pass_a_place(hz: float, passes: bool, bars: int) -> None:
    times, across = np.arange(90) / FPS, np.arange(256) / 256
    on = (bars * across + hz * times[:, None]) % 1 < 0.5
    light = on.reshape(90, 64, 4).mean(axis=2) / 2  # (T, columns)
    each = found(np.broadcast_to(light[:, None, :, None], (90, *GRID, 3)))
    assert each.passes_wcag == passes
    assert abs(each.rate - hz) <= 0.5


def test_a_saturated_red_counts_apart() -> None:
    cells = pattern(5, 0.0, 0.3)
    red = cells * np.array([1, 0, 0], np.float32)  # luminance changes by 0.064, less than a flash
    assert not found(red).passes_wcag
    assert found(red).rate == 0
    assert found(red).red_rate == 5
    assert found(cells * np.array([0, 0, 1], np.float32)).passes_wcag


def test_slow_ramps_count_as_one_change() -> None:
    times = np.arange(90) / FPS
    cells = np.broadcast_to(((1 - np.cos(2 * np.pi * 2 * times)) / 4)[:, None, None, None], (90, *GRID, 3))
    assert found(cells).rate == 2


def test_texture_cancels_in_its_cell_and_silence_is_fine() -> None:
    assert found(np.zeros((40, *GRID, 3))).passes_wcag
    assert found(np.zeros((0, *GRID, 3))).passes_wcag
    assert found(np.ones((1, 1, 1, 3))).passes_wcag


def test_pieces_give_what_the_whole_gives() -> None:
    cells = np.random.default_rng(0).random((80, 9, 16, 3)).astype(np.float32)
    whole, meter = found(cells), FlashMeter(Fraction(FPS))
    for first in range(0, 80, 7):
        meter.add(cells[first : first + 7])
    assert np.array_equal(meter.found.severity, whole.severity)
    assert not whole.passes_wcag
