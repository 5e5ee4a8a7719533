"""The limiter: what flashes too much passes afterwards, and what does not is left alone."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from clavilux.metrics import limit
from clavilux.metrics.flashes import FlashMeter
from clavilux.metrics.limit import FORESEEN, STRICTER, blend, blending, steady_cells
from clavilux.metrics.trace import cells_of
from clavilux.pixel_formats import frame_format
from clavilux.video.relight import relight
from clavilux.video.small import shrink

FPS = Fraction(30)


class Held:
    def __init__(self, cells: np.ndarray) -> None:
        self.cells = cells

    def read(self, first: int, last: int) -> np.ndarray:
        return self.cells[first:last]


def strobe(seconds: float, hz: float, high: float = 0.6, kind: str = "all") -> np.ndarray:
    times = (np.arange(round(seconds * 30)) + 0.5) / 30
    on = np.where(times * hz % 1 >= 0.5, high, 0.05).astype(np.float32)
    cells = np.broadcast_to(on[:, None, None, None], (len(on), 18, 32, 3)).copy()
    if kind == "phases":
        cells[:, :, 16:] = high + 0.05 - cells[:, :, 16:]
    if kind == "red":
        cells[..., 1:] = 0
    if kind == "random":
        cells = np.random.default_rng(0).random(cells.shape).astype(np.float32)
    return cells


def flashing(low: float, high: float, *, red: bool = False, rows: int = 18, columns: int = 32) -> np.ndarray:
    """Four seconds of five flashes a second between two values, in the first of 18 x 32 cells."""
    on = np.arange(120) // 3 % 2 == 1
    cells = np.zeros((len(on), 18, 32, 3), np.float32)
    cells[:, :rows, :columns, : 1 if red else 3] = np.where(on, high, low)[:, None, None, None]
    return cells


# What the small image shows, and what the frame shows that is drawn from it; a field is 6 x 11 cells
FORESEEN_CASES = {
    "step": (flashing(0.1, 0.182), flashing(0.1, 0.208)),
    "bright": (flashing(0.82, 0.97), flashing(0.79, 0.97)),
    "red_step": (flashing(0.1, 0.152, red=True), flashing(0.1, 0.165, red=True)),
    "area": (flashing(0.1, 0.4, rows=2, columns=7), flashing(0.1, 0.4, rows=3, columns=7)),
}


def limited(cells: np.ndarray) -> np.ndarray:
    amounts = blending(Held(cells), len(cells), FPS)
    return blend(*steady_cells(Held(cells), 0, len(cells), len(cells), FPS), amounts)


def passes(cells: np.ndarray) -> bool:
    meter = FlashMeter(FPS)
    meter.add(cells)
    return meter.found.passes_wcag


@pytest.mark.parametrize("kind", ["all", "phases", "red", "random"])
@pytest.mark.parametrize("hz", [4, 5, 10])
def test_what_flashes_too_much_passes_afterwards(hz: float, kind: str) -> None:
    cells = strobe(4, hz, kind=kind)
    assert not passes(cells)
    assert passes(limited(cells))


def test_what_is_allowed_stays_exactly_as_it_is() -> None:
    cells = strobe(4, 2)
    assert not blending(Held(cells), len(cells), FPS).any()
    assert np.array_equal(limited(cells), cells)


@pytest.mark.parametrize("amount", FORESEEN_CASES)
def test_what_small_images_hardly_show_is_limited_by_what_they_foresee(amount: str) -> None:
    small, drawn = FORESEEN_CASES[amount]
    assert not passes(drawn)
    assert passes(small)
    amounts = blending(Held(small), len(small), FPS, FORESEEN)
    assert passes(blend(*steady_cells(Held(drawn), 0, len(drawn), len(drawn), FPS), amounts))
    looser = replace(FORESEEN, **{amount: getattr(STRICTER, amount)})
    assert not blending(Held(small), len(small), FPS, looser).any()  # this amount alone foresees it


def test_only_the_part_that_flashes_is_blended_and_amounts_rise_and_fall_smoothly() -> None:
    calm = np.full((300, 18, 32, 3), 0.3, np.float32)
    cells = np.concatenate([calm, strobe(2, 6), calm])
    amounts = blending(Held(cells), len(cells), FPS)
    assert not amounts[:250].any()
    assert not amounts[-250:].any()
    assert amounts.max() >= 0.5
    assert np.abs(np.diff(amounts)).max() < 0.15


def test_amounts_are_hardly_larger_than_needed() -> None:
    cells = strobe(4, 5, high=0.24)
    amounts = blending(Held(cells), len(cells), FPS)
    drawn, steady = steady_cells(Held(cells), 0, len(cells), len(cells), FPS)
    assert passes(blend(drawn, steady, amounts))
    assert not passes(blend(drawn, steady, np.full_like(amounts, amounts.max() - 0.2)))


def test_amounts_do_not_depend_on_how_many_frames_are_looked_at_at_once(monkeypatch) -> None:
    cells = np.concatenate([strobe(3, 2), strobe(3, 6), strobe(3, 1)])
    whole = limited(cells)
    monkeypatch.setattr(limit, "SPEC", limit.BlendSpec(chunk=90))
    assert passes(limited(cells))
    assert passes(whole)


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10", "yuv444p", "yuv444p10"])
def test_frames_get_the_light_of_their_cells(pixels: str) -> None:
    rng = np.random.default_rng(1)
    shape, dtype = frame_format((128, 72), pixels)
    scale = 4 if pixels.endswith("10") else 1
    frames = (rng.integers(100, 140, (2, *shape)) * scale).astype(dtype)
    before = cells_of(shrink(frames, pixels))
    assert np.abs(relight(frames, pixels, before, before).astype(int) - frames).max() <= 2
    after = before * np.linspace(0.5, 1.5, before.shape[2], dtype=np.float32)[:, None]
    made = cells_of(shrink(relight(frames, pixels, before, after), pixels))
    assert np.abs(made - after).mean() < 0.01
