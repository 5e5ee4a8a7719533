"""Latents and noise per frame: the promises of techniques 2, 3, 5 and 6, and bit-equality in every window."""

import pickle
from fractions import Fraction

import numpy as np
import pytest

from clavilux.curves import Curve
from clavilux.errors import FileError, PatchError
from clavilux.frames.bind import bind
from clavilux.frames.bound import Bound, Stage
from clavilux.frames.noise import NoiseSource
from clavilux.generator.program import Program
from clavilux.patches.functions import disc, drift, half, palette
from clavilux.patches.mix import mix
from clavilux.patches.ops.noise import Term, Track
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.patches.patch import Patch
from clavilux.seeds import normal
from clavilux.signals import table
from clavilux.signals.evaluate import Curves, evaluate
from clavilux.signals.expr import apply
from clavilux.signals.sources import song
from clavilux.signals.table import OPS
from clavilux.timeline import Timeline

DIM, LAYERS = 32, 8
GROUPS = {"coarse": range(3), "middle": range(3, 6), "fine": range(6, 8)}
TIMELINE = Timeline(Fraction(30), Fraction(0), 300)
COLOURS, SHAPES = palette(seed=1), palette(seed=2)
CHORDS, ROOTS, SNARE = song.chords.chroma(), song.bass.chroma(), song.snare.decay(beats=0.5)


def latents_of(seed):
    return PaletteLatents(
        normal(seed, "ring", 0, (12, DIM)), normal(seed, "rest", 0, (DIM,)), normal(seed, "accent", 0, (DIM,))
    )


PALETTES = {COLOURS: latents_of(1), SHAPES: latents_of(2)}
W_AVG = normal(0, "avg", 0, (DIM,))


SIZES = {"b4.conv1": (4, 7), "b32.conv0": (32, 56), "b64.conv1": (64, 112)}
NOISE_GROUPS = {
    "coarse": frozenset({"b4.conv1"}),
    "middle": frozenset({"b32.conv0"}),
    "fine": frozenset({"b64.conv1"}),
}


def bound(heard, patch, curves=None, sizes=None):
    """Bind a patch with some of its curves given instead of heard."""
    given = {signal: Curve(values) for signal, values in (curves or {}).items()}
    needed = evaluate([signal for signal in patch.signals if signal not in given], heard)
    stage = Stage(LAYERS, GROUPS, sizes or {"b4.conv1": (4, 7)}, NOISE_GROUPS)
    return Bound(patch, Curves({**needed.curves, **given}, heard.grid), PALETTES, W_AVG, stage, seed=5)


class Part:
    """One input of a bound patch."""

    def __init__(self, source, name):
        self.source, self.name = source, name

    def at(self, window):
        inputs = self.source.at(window)
        return (
            inputs[self.name]
            if self.name
            else {k[6:]: v for k, v in inputs.items() if k.startswith("noise/")}
        )


def latents(heard, field, curves=None, psi=1.0):
    return Part(bound(heard, Patch(field, drift(seconds=4), psi), curves), "ws")


def notes(*pitches, level=1.0):
    """A chroma that holds each pitch class for a second."""
    return np.repeat(np.eye(12, dtype=np.float32)[list(pitches)] * level, 100, axis=0)


def test_one_note_shows_its_image_and_a_change_shows_the_other(heard):
    field = latents(heard, COLOURS.weigh(CHORDS), {CHORDS: notes(0, 7)})
    ws = field.at(TIMELINE.window(0, 60))
    np.testing.assert_allclose(ws[5, 0], PALETTES[COLOURS].ring[0], atol=1e-5)
    np.testing.assert_allclose(ws[55, LAYERS - 1], PALETTES[COLOURS].ring[7], atol=1e-5)


def test_silence_shows_the_rest(heard):
    ws = latents(heard, COLOURS.weigh(CHORDS), {CHORDS: notes(0, level=0.0)}).at(TIMELINE.window(0, 4))
    np.testing.assert_allclose(ws, np.broadcast_to(PALETTES[COLOURS].rest, ws.shape), atol=1e-6)


def test_a_blend_keeps_the_spread_of_one_image(heard):
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


def test_a_loop_passes_through_its_images_and_closes_on_its_bar(heard):
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


def noise(heard, field, curves=None):
    return Part(bound(heard, Patch(COLOURS.loop(bars=4), field), curves, SIZES), "")


@pytest.mark.parametrize("speed", [0.0, 0.4, 1.0])
def test_the_spread_of_the_noise_is_the_amount_at_every_speed(heard, speed):
    amount = np.full((2500, 1), 0.8, np.float32)
    kick = song.kick.decay(beats=0.5)
    source = noise(heard, drift(seconds=1).fast(speed, seconds=0.12).scale(kick), {kick: amount})
    large = [
        source.at(Timeline(Fraction(3), Fraction(0), 60).window(0, 60))[layer]
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
    moving = drift(seconds=3).fast(SNARE, seconds=0.12).scale(0.5 + SNARE)
    look, texture = latents(heard, field), noise(heard, moving)
    whole, part = TIMELINE.window(0, 30), TIMELINE.window(10, 7)
    np.testing.assert_array_equal(look.at(part), look.at(whole)[10:17])
    again = noise(heard, moving).at(part)
    for layer, maps in texture.at(whole).items():
        np.testing.assert_array_equal(again[layer], maps[10:17])


WINDOW = TIMELINE.window(0, 12)


def test_psi_is_a_signal(heard):
    amount = np.zeros((300, 1), np.float32)
    amount[100:] = 1
    psi = song.snare.decay(seconds=1)
    ws = latents(heard, COLOURS.weigh(CHORDS), {CHORDS: notes(0, 0, 0), psi: amount}, psi=psi)
    first, last = ws.at(TIMELINE.window(0, 1))[0], ws.at(TIMELINE.window(60, 1))[0]
    np.testing.assert_allclose(first, np.broadcast_to(W_AVG, first.shape), atol=1e-6)
    np.testing.assert_allclose(last[0], PALETTES[COLOURS].ring[0], atol=1e-5)


def test_scales_multiply(heard):
    once, twice = (
        noise(heard, field).at(WINDOW) for field in (drift(seconds=1).scale(0.5).scale(0.5), drift(seconds=1))
    )
    for layer, maps in once.items():
        np.testing.assert_allclose(maps, 0.25 * twice[layer], atol=1e-6)


def test_tracks_have_noise_of_their_own_unless_named_alike(heard):
    slow, other, same = (
        noise(heard, field).at(WINDOW)["b64.conv1"]
        for field in (drift(seconds=4), drift(seconds=5), drift(seconds=4))
    )
    np.testing.assert_array_equal(slow, same)
    assert abs(np.corrcoef(slow[0].ravel(), other[0].ravel())[0, 1]) < 0.05
    a, b = (noise(heard, drift(seconds=s, name="x")).at(WINDOW)["b64.conv1"][0] for s in (4, 5))
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.99


def test_a_loop_has_noise_of_its_own(heard):
    fields = (drift(bars=1), drift(bars=1).loop(bars=8), drift(bars=1).loop(bars=16))
    maps = [noise(heard, field).at(WINDOW)["b64.conv1"][0].ravel() for field in fields]
    assert np.abs(np.corrcoef(maps) - np.eye(3)).max() < 0.05


def test_a_mix_of_two_noises_keeps_the_standard_deviation(heard):
    maps = noise(heard, mix(drift(seconds=1), drift(seconds=2), 0.5)).at(WINDOW)["b64.conv1"]
    assert maps.std() == pytest.approx(1, rel=0.03)
    whole = noise(heard, drift(seconds=1) + drift(seconds=2)).at(WINDOW)["b64.conv1"]
    assert whole.std() == pytest.approx(2**0.5, rel=0.03)


def test_outside_a_mask_nothing_changes_with_its_amount(heard):
    def field(amount):
        return drift(seconds=4) + drift(seconds=1).scale(amount).mask(half(side="left", soft=0))

    quiet, loud = (noise(heard, field(amount)).at(WINDOW)["b64.conv1"] for amount in (0.0, 3.0))
    np.testing.assert_array_equal(quiet[..., 56:], loud[..., 56:])
    assert np.abs(quiet[..., :56] - loud[..., :56]).mean() > 1
    spot = noise(heard, drift(seconds=1).mask(disc(radius=0.2, soft=0.1))).at(WINDOW)["b64.conv1"]
    assert spot[..., 0, 0].any() == 0
    assert spot[..., 32, 56].all()


@pytest.mark.parametrize("amount", [0.0, 0.3, 0.5, 1.0])
def test_a_mix_of_a_noise_with_itself_is_that_noise(heard, amount):
    slow = drift(seconds=3)
    mixed = mix(slow.scale(2), slow.fast(0.4, seconds=0.2).scale(2), amount)
    assert noise(heard, mixed).at(WINDOW)["b64.conv1"].std() == pytest.approx(2, rel=0.03)
    same, alone = (noise(heard, field).at(WINDOW) for field in (mix(slow, slow, amount), slow))
    for layer, maps in same.items():
        np.testing.assert_allclose(maps, alone[layer], atol=1e-5)


def test_noise_on_some_layers_leaves_the_others_bit_equal(heard):
    base, other = drift(seconds=4), drift(seconds=1)
    plain, both, fine = (
        noise(heard, field).at(WINDOW)
        for field in (base, base.on("b32.conv0", other), base.on("fine", other))
    )
    alone = noise(heard, other).at(WINDOW)
    for layer, maps in both.items():
        np.testing.assert_array_equal(maps, (alone if layer == "b32.conv0" else plain)[layer])
    np.testing.assert_array_equal(fine["b4.conv1"], plain["b4.conv1"])
    with pytest.raises(PatchError, match=r"did you mean 'b32\.conv0'"):
        noise(heard, base.on("b32.conv", other)).at(WINDOW)


@pytest.mark.parametrize("field", [drift(seconds=0.7).loop(seconds=4), drift(seconds=30).loop(seconds=4)])
def test_a_loop_of_noise_repeats_exactly(heard, field):
    timeline = Timeline(Fraction(8), Fraction(0), 80)
    maps = noise(heard, field).at(timeline.window(0, 64))["b32.conv0"]
    np.testing.assert_allclose(maps[:32], maps[32:], atol=1e-5)
    assert maps[:32].std() == pytest.approx(1, rel=0.05)
    assert np.abs(maps[0] - maps[16]).mean() > 0.3


def test_a_loop_of_noise_is_locked_to_the_bars(heard):
    field = drift(bars=0.5).loop(bars=2)
    bars = heard.grid.bar_at(np.arange(2400) / 100)
    start, again = (int(np.argmin(np.abs(bars - bar))) for bar in (1, 3))
    timeline = Timeline(Fraction(100), Fraction(0), 2400)
    maps = [
        noise(heard, field).at(timeline.window(frame, 1))["b64.conv1"].ravel() for frame in (start, again)
    ]
    assert np.corrcoef(*maps)[0, 1] > 0.98


def test_a_bound_patch_is_saved_and_sent_without_song_or_model(heard, tmp_path):
    field = mix(COLOURS.loop(bars=8), COLOURS.weigh(CHORDS.smooth(seconds=0.2)), 0.3 + 0.5 * song.mix.rms())
    moving = drift(seconds=3).fast(SNARE, seconds=0.12).mask(disc()).scale(0.5 + SNARE)
    source = bound(heard, Patch(field.on("coarse", SHAPES.weigh(ROOTS)), moving, psi=0.7), sizes=SIZES)
    source.save(str(tmp_path / "bound.npz"))
    again = Bound.load(str(tmp_path / "bound.npz"))
    assert again.digest == source.digest
    assert (again, hash(again)) == (source, hash(source))
    first, second = source.at(WINDOW), again.at(WINDOW)
    assert list(first) == list(second) == ["ws", *(f"noise/{layer}" for layer in SIZES), "frame"]
    for name, values in first.items():
        np.testing.assert_array_equal(second[name], values)
    sent = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(sent.at(WINDOW)["ws"], first["ws"])
    assert bound(heard, Patch(field, moving, psi=0.7000001)) != bound(heard, Patch(field, moving, psi=0.7))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04"])
def test_a_damaged_file_of_a_bound_patch_is_named(tmp_path, content):
    (tmp_path / "bound.npz").write_bytes(content)
    with pytest.raises(FileError, match="bound patch"):
        Bound.load(tmp_path / "bound.npz")


def test_bends_bring_their_signals_as_inputs(heard):
    @table.op("bend", "signal", style="function", params={"at": table.text("b8.conv0")})
    def wobble(amount, *, at):
        """Do something to a layer."""

    bend = apply(OPS["signal.wobble"], (0.5 * SNARE,), {})
    patch = Patch(COLOURS.loop(bars=4), drift(seconds=1), bends=(bend,))
    inputs = bound(heard, patch).at(WINDOW)
    assert inputs["bend/0/amount"].shape == (12,)
    del OPS["signal.wobble"]


def test_a_network_without_noise_is_given_none(heard):
    source = NoiseSource({}, seed=1)
    assert source.at([Term(Track(1.0, "seconds", ""))], np.zeros(3), heard.grid) == {}


def test_a_preview_leaves_out_the_noise_of_layers_that_it_does_not_draw(small_model, heard):
    patch = Patch(palette().loop(bars=8), drift(seconds=1).on("b16.conv1", drift(seconds=9)))
    program = Program(small_model, size=(32, 32), cells=(4, 4), stop=8)
    assert "noise/b16.conv1" not in program.inputs
    first, plain = (
        bind(each, evaluate(each.signals, heard), small_model, program).at(TIMELINE.window(0, 2))
        for each in (patch, Patch(patch.latents, drift(seconds=1)))
    )
    for name in first:
        np.testing.assert_array_equal(first[name], plain[name])
