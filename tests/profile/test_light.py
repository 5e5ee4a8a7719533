"""The light that a push moves is measured on the survey, and is what drawing would show."""

import numpy as np
import pytest

from clavilux.profile.light import light_moved, light_toward, luminance
from clavilux.profile.palettes import choose_palette, palette_images
from clavilux.profile.similarity import distances_of
from clavilux.profile.survey import Survey, survey
from clavilux.store import Store


def pool_of(lightness):
    lab = np.zeros((*np.shape(lightness), 3), np.float32)
    lab[..., 0] = lightness
    return Survey(np.zeros((len(lab), 2), np.float32), lab, np.zeros(len(lab), np.float32))


def test_luminance_is_linear_light():
    grey = np.array([[0, 0, 0], [50, 20, -20], [100, 0, 0]], np.float32)
    np.testing.assert_allclose(luminance(grey), [0, 0.1842, 1], atol=1e-3)  # L* = 50 is 18 % grey


def test_a_zoom_of_a_ramp_moves_light_by_its_slope_times_the_way():
    wide = np.broadcast_to(np.linspace(0.2, 0.8, 16), (16, 16))  # luminance, 0.04 a cell
    pool = pool_of(116 * np.cbrt(wide)[None] - 16)
    moved = light_moved(pool, 0.1)[0]
    # most at the edge, 7.5 cells from the centre: there a cell shows what was 0.1 / 1.1 of that way within
    edge = 0.04 * np.array([7.5, 6.5, 5.5, 4.5, 3.5]) * (0.1 / 1.1)
    assert moved == pytest.approx(edge[1], rel=0.05)  # the upper quarter of a field five cells wide
    assert light_moved(pool, 0.2)[0] == pytest.approx(moved * (0.2 / 1.2) / (0.1 / 1.1), rel=0.05)


def test_a_shift_of_a_ramp_moves_light_by_its_slope_times_the_way_and_mirrors_its_beginning():
    wide = np.broadcast_to(np.linspace(0.2, 0.8, 16), (16, 16))
    pool = pool_of(116 * np.cbrt(wide)[None] - 16)
    assert light_moved(pool, shift=1 / 8)[0] == pytest.approx(2 * 0.04, rel=0.01)  # two cells
    step = np.zeros((16, 16))
    step[:, :8] = 100
    assert light_moved(pool_of(step[None]), shift=1 / 8)[0] == 1  # the dark half lies open for two cells
    assert light_moved(pool_of(step[None, :, ::-1]), shift=1 / 8)[0] == 1
    even = np.full((1, 16, 16), 60.0)
    assert light_moved(pool_of(even), 0.1, 0.1)[0] == pytest.approx(0)


def test_on_the_way_to_an_image_light_moves_by_the_difference_where_it_is_most():
    dark, bright, local = np.zeros((3, 16, 16))
    bright[:] = 100
    local[:5, :3] = 100
    assert light_toward(pool_of(np.stack([dark, bright, local])), 0).tolist() == [0, 1, 1]


def test_what_is_even_or_dark_does_not_flash():
    stripes = np.zeros((16, 16))
    stripes[:, ::4] = 100
    bright, dark, even = light_moved(pool_of(np.stack([stripes, stripes / 10, stripes * 0 + 60])), 0.065)
    assert bright > 0.1
    assert dark < 0.01
    assert even < 1e-9


def test_the_images_of_a_palette_are_those_that_it_has(silk):
    pool = survey(silk, Store())
    distances = distances_of(pool)
    for mood, seed in ((None, 0), ("warm", 3), ("wild", 1)):
        images = palette_images(pool, distances, seed=seed, mood=mood)
        ring = choose_palette(pool, seed=seed, mood=mood).ring
        assert {w.tobytes() for w in pool.ws[images]} == {w.tobytes() for w in ring}
