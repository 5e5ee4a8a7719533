"""Measures against videos made to follow, or not to follow, curves and events that are known."""

from fractions import Fraction

import numpy as np
import pytest

from clavilux.curves import Curve, Events, Grid, Sections
from clavilux.metrics.colours import chromatic, section_contrast
from clavilux.metrics.rhythm import drum_responses, lift_over, rhythmic, tell_apart
from clavilux.metrics.trace import CHANNELS, Trace, Tracer, cells_of

FPS = 20
SECONDS = 40


def hits(seed: int, count: int = 60) -> np.ndarray:
    """Times of hits at random, at least 0.3 s apart."""
    places = np.random.default_rng(seed).choice(np.arange(2, SECONDS * 3 - 2), count, replace=False)
    return np.sort(places) / 3 + 0.01


def envelope(times: np.ndarray) -> np.ndarray:
    """Decays of a tenth of a second, one value a frame."""
    level = np.zeros(SECONDS * FPS)
    for frame in (times * FPS).astype(int):
        level[frame : frame + 4] = [1, 0.4, 0.16, 0.06]
    return level


def strength(times: np.ndarray) -> Curve:
    values = np.zeros(SECONDS * 100)
    values[(times * 100).astype(int)] = 1
    return Curve(values)


def video(levels: np.ndarray, seed: int = 0) -> Trace:
    """Frames whose pixels move as far as `levels` (T,) says."""
    rng, tracer = np.random.default_rng(seed), Tracer(Fraction(FPS))
    signs = rng.choice([-1, 1], (36, 64, 3))
    position = np.zeros(len(levels))
    for n in range(1, len(levels)):
        position[n] = position[n - 1] + levels[n] * (-1 if position[n - 1] > 0 else 1)
    frames = np.clip(128 + 60 * position[:, None, None, None] * signs, 0, 255).astype(np.uint8)
    tracer.add(frames)
    return tracer.trace


GRID = Grid(np.arange(0, SECONDS, 0.5), confidence=0.0)


def test_motion_at_the_hits_lifts_to_one_and_elsewhere_to_none() -> None:
    times = hits(1)
    follows = rhythmic(video(envelope(times)), strength(times), 0.0, GRID)
    assert follows.lift > 0.8
    assert follows.percentile == 100
    other = rhythmic(video(envelope(hits(2))), strength(times), 0.0, GRID)
    assert abs(other.lift) < 0.3


def test_a_video_that_starts_later_is_compared_with_what_is_heard_then() -> None:
    times = hits(1)
    part = video(envelope(times)[10 * FPS :])
    assert rhythmic(part, strength(times), 10.0, GRID).lift > 0.8
    assert rhythmic(part, strength(times), 0.0, GRID).lift < 0.3


def test_nothing_moves_and_nothing_sounds() -> None:
    still = rhythmic(video(np.zeros(SECONDS * FPS)), strength(hits(1)), 0.0, GRID)
    assert still.value == 0
    assert still.lift <= 0
    assert rhythmic(video(envelope(hits(1))), Curve(np.zeros(100)), 0.0, GRID).value == 0
    assert lift_over(0.5, []).lift == 0


def drums(*, same: bool) -> tuple[Trace, Events, Events]:
    """A kick that brightens the picture and a snare that colours it; or both the same."""
    kick, snare = hits(3, 40), hits(4, 40)
    kick, snare = np.setdiff1d(kick, snare), np.setdiff1d(snare, kick)
    light, colour = envelope(kick), envelope(snare)
    if same:
        light, colour = light + colour, np.zeros_like(colour)
    rng, tracer = np.random.default_rng(0), Tracer(Fraction(FPS))
    frames = np.full((SECONDS * FPS, 36, 64, 3), 90.0) + rng.normal(0, 1, (SECONDS * FPS, 1, 1, 3))
    frames += 60 * light[:, None, None, None]
    frames[..., 0] += 60 * colour[:, None, None]
    frames[..., 2] -= 60 * colour[:, None, None]
    tracer.add(frames.astype(np.uint8))
    return tracer.trace, Events(kick), Events(snare)


def test_two_drums_that_look_different_are_told_apart() -> None:
    trace, kick, snare = drums(same=False)
    found = tell_apart(trace, kick, snare, 0.0)
    assert found is not None
    assert found.accuracy > 0.95
    moves = drum_responses(trace, {"kick": kick, "snare": snare}, 0.0)
    assert set(moves["kick"]) == set(CHANNELS)
    assert moves["kick"]["light"] > 1 > moves["kick"]["colour"]
    assert moves["snare"]["colour"] > 1 > moves["snare"]["light"]


def test_two_drums_that_look_the_same_are_not() -> None:
    trace, kick, snare = drums(same=True)
    found = tell_apart(trace, kick, snare, 0.0)
    assert found is not None
    assert 0.25 < found.accuracy < 0.75
    assert tell_apart(trace, Events(kick.times[:3]), snare, 0.0) is None


@pytest.mark.parametrize("follows", [True, False])
def test_colours_that_follow_the_harmony(follows: bool) -> None:
    rng = np.random.default_rng(5)
    chords = rng.integers(0, 12, SECONDS // 2)
    shown = chords if follows else rng.permutation(chords)
    chroma = np.eye(12)[np.repeat(chords, 200)]
    palette = rng.integers(0, 255, (12, 3))
    tracer = Tracer(Fraction(FPS))
    for chord in np.repeat(shown, 2 * FPS):
        tracer.add(np.broadcast_to(palette[chord].astype(np.uint8), (1, 36, 64, 3)))
    found = chromatic(tracer.trace, Curve(chroma), 0.0)
    assert (found.value > 0.9) == follows
    assert (found.lift > 0.8) == follows


def test_sections_that_look_different() -> None:
    rng, tracer = np.random.default_rng(6), Tracer(Fraction(FPS))
    half = SECONDS * FPS // 2
    frames = rng.integers(100, 110, (2 * half, 36, 64, 3))
    frames[half:, :, :, 0] += 100
    frames[half:, :18] -= 60
    tracer.add(frames.astype(np.uint8))
    bounds = [0.0, SECONDS / 2, float(SECONDS)]
    assert section_contrast(tracer.trace, Sections(bounds, ("A", "B")), 0.0) > 10
    assert section_contrast(tracer.trace, Sections(bounds, ("A", "A")), 0.0) is None
    third = Sections([0.0, SECONDS / 4, SECONDS / 2], ("A", "B"))  # both in the half that stays the same
    assert 0.5 < section_contrast(tracer.trace, third, 0.0) < 1.5


def test_cells_are_means_in_linear_light() -> None:
    frame = np.zeros((1, 144, 256, 3), np.uint8)
    frame[:, :, ::2] = 255
    assert np.allclose(cells_of(frame), 0.5)  # not 0.21, the linear value of the mean code
    assert cells_of(np.zeros((2, 256, 144, 3), np.uint8)).shape == (2, 64, 36, 3)
    assert cells_of(np.zeros((1, 3, 5, 3), np.uint8)).shape == (1, 3, 5, 3)


def test_the_motion_of_the_picture_as_a_whole_is_found() -> None:
    y, x = np.mgrid[:144, :256] / 144
    for k, (name, moved) in enumerate(
        {
            "across": lambda x, y, t: (x - t, y),
            "down": lambda x, y, t: (x, y - t),
            "zoom": lambda x, y, t: (0.89 + (x - 0.89) / (1 + t), 0.5 + (y - 0.5) / (1 + t)),
            "turn": lambda x, y, t: (x + t * (y - 0.5), y - t * (x - 0.89)),
        }.items()
    ):
        tracer = Tracer(Fraction(FPS))
        for n in range(5):
            u, v = moved(x, y, 0.01 * n)
            frame = 128 + 60 * np.sin(9 * u + 4 * v) + 40 * np.cos(7 * v - 3 * u)
            tracer.add(np.repeat(frame[None, :, :, None], 3, axis=3).astype(np.uint8))
        way = tracer.trace.values[-1, -4:]
        assert way[k] == pytest.approx(0.04, rel=0.2), name
        assert np.abs(np.delete(way, k)).max() < 0.012, name
