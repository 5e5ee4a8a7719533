"""Latents and noise per frame: the promises of techniques 2, 3, 5 and 6, and bit-equality in every window."""

from fractions import Fraction

import numpy as np
import pytest

from clavilux.curves import Curve
from clavilux.frames.inputs import BoundLatents, BoundNoise
from clavilux.patch.latents import Palette, mix
from clavilux.patch.noise import drift
from clavilux.profile.palettes import PaletteLatents
from clavilux.seeds import normal
from clavilux.signals.evaluate import Evaluation
from clavilux.signals.sources import song
from clavilux.timeline import Timeline

DIM, LAYERS = 32, 8
GROUPS = {"coarse": range(3), "middle": range(3, 6), "fine": range(6, 8)}
TIMELINE = Timeline(Fraction(30), Fraction(0), 300)
COLOURS, SHAPES = Palette(seed=1), Palette(seed=2)
CHORDS, ROOTS, SNARE = song.chords.chroma(), song.bass.chroma(), song.snare.decay(beats=0.5)


def palette(seed):
    return PaletteLatents(
        normal(seed, "ring", 0, (12, DIM)), normal(seed, "rest", 0, (DIM,)), normal(seed, "accent", 0, (DIM,))
    )


PALETTES = {COLOURS: palette(1), SHAPES: palette(2)}
W_AVG = normal(0, "avg", 0, (DIM,))


def latents(heard, field, curves=None, psi=1.0):
    evaluation = Evaluation(heard)
    evaluation._curves.update({signal: Curve(values) for signal, values in (curves or {}).items()})
    return BoundLatents(field, evaluation, PALETTES, GROUPS, LAYERS, W_AVG, psi)


def notes(*pitches, level=1.0):
    """A chroma that holds each pitch class for a second."""
    return np.repeat(np.eye(12, dtype=np.float32)[list(pitches)] * level, 100, axis=0)


def test_one_note_shows_its_picture_and_a_change_shows_the_other(heard):
    field = latents(heard, COLOURS.weigh(CHORDS), {CHORDS: notes(0, 7)})
    ws = field.at(TIMELINE.window(0, 60))
    np.testing.assert_allclose(ws[5, 0], PALETTES[COLOURS].ring[0], atol=1e-5)
    np.testing.assert_allclose(ws[55, LAYERS - 1], PALETTES[COLOURS].ring[7], atol=1e-5)


def test_silence_shows_the_rest(heard):
    ws = latents(heard, COLOURS.weigh(CHORDS), {CHORDS: notes(0, level=0.0)}).at(TIMELINE.window(0, 4))
    np.testing.assert_allclose(ws, np.broadcast_to(PALETTES[COLOURS].rest, ws.shape), atol=1e-6)


def test_a_blend_keeps_the_spread_of_one_picture(heard):
    chord = notes(0) + notes(4) + notes(7)
    ws = latents(heard, COLOURS.weigh(CHORDS), {CHORDS: chord}).at(TIMELINE.window(0, 4))
    centre = PALETTES[COLOURS].ring.mean(axis=0)
    ratio = np.linalg.norm(ws[0, 0] - centre) / np.linalg.norm(PALETTES[COLOURS].ring - centre, axis=1).mean()
    assert 0.75 < ratio < 1.25


def test_the_bass_moves_the_coarse_layers_alone(heard):
    field = COLOURS.weigh(CHORDS).on("coarse", SHAPES.weigh(ROOTS))
    first, second = (
        latents(heard, field, {CHORDS: notes(0), ROOTS: notes(pitch)}).at(TIMELINE.window(0, 8))
        for pitch in (2, 9)
    )
    np.testing.assert_array_equal(first[:, 3:], second[:, 3:])
    assert np.abs(first[:, :3] - second[:, :3]).max() > 0.5


def test_the_snare_pulls_to_the_accent_and_nothing_is_bit_equal_to_no_op(heard):
    plain = COLOURS.weigh(CHORDS)
    amount = np.zeros((300, 1), np.float32)
    amount[100:] = 1
    curves = {CHORDS: notes(0, 0, 0), SNARE: amount}
    pulled = latents(heard, plain.toward(COLOURS.accent, SNARE), curves).at(TIMELINE.window(0, 60))
    alone = latents(heard, plain, curves).at(TIMELINE.window(0, 60))
    np.testing.assert_array_equal(pulled[:29], alone[:29])
    np.testing.assert_allclose(pulled[-1, 0], PALETTES[COLOURS].accent, atol=1e-6)


def test_a_loop_passes_through_its_pictures_and_closes_on_its_bar(heard):
    grid = heard.grid
    field = latents(heard, COLOURS.loop(bars=4))
    timeline = Timeline(Fraction(100), Fraction(0), 2000)
    ws = field.at(timeline.window(0, 2000))[:, 0]
    for bar in range(4):
        place = np.argmin(np.abs(grid.bar_at(np.arange(2000) / 100) - bar))
        ring = PALETTES[COLOURS].ring[7 * (3 * bar) % 12]
        assert np.linalg.norm(ws[place] - ring) < 0.15 * np.linalg.norm(ring)
    bars = grid.bar_at(np.arange(2000) / 100)
    early, late = np.argmin(np.abs(bars - 1)), np.argmin(np.abs(bars - 5))
    assert np.linalg.norm(ws[early] - ws[late]) < 0.1 * np.linalg.norm(ws[early])
    steps = np.linalg.norm(np.diff(ws, axis=0), axis=1)
    assert steps.max() < 4 * np.median(steps)


def test_truncation_pulls_to_the_average_once(heard):
    field = COLOURS.weigh(CHORDS)
    full = latents(heard, field, {CHORDS: notes(0)}).at(TIMELINE.window(0, 4))
    half = latents(heard, field, {CHORDS: notes(0)}, psi=0.5).at(TIMELINE.window(0, 4))
    np.testing.assert_allclose(half, W_AVG + 0.5 * (full - W_AVG), atol=1e-5)


def test_mixing_is_linear_and_its_ends_are_its_fields(heard):
    first, second = COLOURS.loop(bars=8), COLOURS.weigh(CHORDS)
    curves = {CHORDS: notes(3)}
    window = TIMELINE.window(0, 4)
    ends = [latents(heard, field, curves).at(window) for field in (first, second)]
    middle = latents(heard, mix(first, second, 0.25), curves).at(window)
    np.testing.assert_allclose(middle, 0.75 * ends[0] + 0.25 * ends[1], atol=1e-5)


SHAPES_OF_NOISE = {"b4.conv1": (4, 7), "b32.conv0": (32, 56), "b64.conv1": (64, 112)}


def noise(heard, field, curves=None):
    evaluation = Evaluation(heard)
    evaluation._curves.update({signal: Curve(values) for signal, values in (curves or {}).items()})
    return BoundNoise(field, evaluation, SHAPES_OF_NOISE, seed=5)


@pytest.mark.parametrize("haste", [0.0, 0.4, 1.0])
def test_the_spread_of_the_noise_is_the_amount_at_every_speed(heard, haste):
    amount = np.full((2500, 1), 0.8, np.float32)
    kick = song.kick.decay(beats=0.5)
    bound = noise(heard, drift(seconds=1).hurry(0.12, haste).scale(kick), {kick: amount})
    large = [
        bound.at(Timeline(Fraction(3), Fraction(0), 60).window(0, 60))[layer]
        for layer in ("b32.conv0", "b64.conv1")
    ]
    for maps in large:
        assert maps.shape[:2] == (60, 1)
        assert maps.std() == pytest.approx(0.8, rel=0.02)
        assert abs(maps.mean()) < 0.02


@pytest.mark.parametrize("seconds", [0.12, 3.0])
def test_noise_has_half_changed_after_its_time(heard, seconds):
    fps = Fraction(20) / Fraction(seconds).limit_denominator(100)
    maps = noise(heard, drift(seconds=seconds)).at(Timeline(fps, Fraction(0), 100).window(0, 100))[
        "b64.conv1"
    ]
    flat = maps.reshape(100, -1)
    correlation = [
        np.mean([np.corrcoef(flat[i], flat[i + lag])[0, 1] for i in range(0, 20, 2)]) for lag in (1, 20, 80)
    ]
    assert correlation[0] > 0.99
    assert correlation[1] == pytest.approx(0.5, abs=0.06)
    assert abs(correlation[2]) < 0.05


def test_inputs_are_bit_equal_in_every_window(heard):
    field = mix(COLOURS.loop(bars=8), COLOURS.weigh(CHORDS.smooth(seconds=0.2)), 0.3 + 0.5 * song.mix.rms())
    field = field.on("coarse", SHAPES.weigh(ROOTS)).toward(COLOURS.accent, SNARE)
    moving = drift(seconds=3).hurry(0.12, SNARE).scale(0.5 + SNARE)
    bound, texture = latents(heard, field), noise(heard, moving)
    whole, part = TIMELINE.window(0, 30), TIMELINE.window(10, 7)
    np.testing.assert_array_equal(bound.at(part), bound.at(whole)[10:17])
    again = noise(heard, moving).at(part)
    for layer, maps in texture.at(whole).items():
        np.testing.assert_array_equal(again[layer], maps[10:17])
