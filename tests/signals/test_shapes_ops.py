"""Shapes of signals: exact on small examples, locked to the grid, causal where they say so."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clavilux.curves import Grid, Sections
from clavilux.errors import PatchError
from clavilux.patches.functions import phase, ramp
from clavilux.signals.evaluate import evaluate
from clavilux.signals.ops import levels, motion, shapes
from clavilux.signals.sources import song
from clavilux.signals.table import OPS
from clavilux.signals.text import parse

CURVES = arrays(np.float64, st.tuples(st.integers(1, 300), st.integers(1, 3)), elements=st.floats(-10, 10))
NONE = {"seconds": None, "beats": None, "bars": None}
LENGTHS = st.sampled_from(["seconds", "beats", "bars"]).flatmap(
    lambda unit: st.floats(0, 2).map(lambda number: NONE | {unit: number})
)
UNEVEN = SimpleNamespace(
    duration=3.0, grid=Grid(np.cumsum([-0.3, 0.5, 0.4, 0.9, 0.3, 0.6, 0.8, 0.5]), first_downbeat=1)
)
LEVEL = song.mix.rms()
X = np.array([[-0.5], [0.0], [0.25], [0.5], [0.75], [1.0], [1.5]])


def _step(length=400, at=200, channels=1):
    curve = np.zeros((length, channels))
    curve[at:] = 1
    return curve


# --- smooth, in every unit


def test_smoothing_is_written_as_before_and_in_other_units():
    assert LEVEL.smooth() == LEVEL.smooth(seconds=0.2) == parse("mix.rms().smooth()")
    assert str(LEVEL.smooth()).endswith(".smooth(seconds=0.2)")
    assert str(LEVEL.smooth(beats=2)).endswith(".smooth(beats=2)")
    assert parse(str(LEVEL.smooth(bars=1))) == LEVEL.smooth(bars=1) != LEVEL.smooth()
    with pytest.raises(PatchError, match="exactly one of seconds, beats, bars"):
        LEVEL.smooth(seconds=1, beats=1)


def test_beats_of_a_steady_song_smooth_as_their_seconds(steady, values_of):
    for in_seconds, others in (
        (ramp("2", "3").smooth(seconds=1), [ramp("2", "3").smooth(beats=2), ramp("2", "3").smooth(bars=0.5)]),
        (ramp("2", "3").lag(seconds=1), [ramp("2", "3").lag(beats=2), ramp("2", "3").lag(bars=0.5)]),
        (ramp("2", "3").delay(seconds=1), [ramp("2", "3").delay(beats=2), ramp("2", "3").delay(bars=0.5)]),
        (phase(beats=3).hold(seconds=1), [phase(beats=3).hold(beats=2), phase(beats=3).hold(bars=0.5)]),
    ):
        for other in others:
            np.testing.assert_allclose(values_of(other, steady), values_of(in_seconds, steady), atol=1e-5)


def test_a_beat_smooths_wider_where_the_music_is_slower(rubato):
    impulses = np.zeros((1200, 1))
    impulses[[100, 700]] = 1
    smoothed = shapes.smooth(rubato, impulses, **NONE | {"beats": 1})[:, 0]
    assert smoothed[100] / smoothed[700] == pytest.approx(2, rel=0.1)
    np.testing.assert_allclose([smoothed[:250].sum(), smoothed[500:900].sum()], 1, rtol=0.05)


@given(CURVES, LENGTHS)
def test_smoothing_stays_within_the_curve(curve, length):
    smoothed = shapes.smooth(UNEVEN, curve, **length)
    assert smoothed.shape == curve.shape
    assert curve.min() - 1e-9 <= smoothed.min() <= smoothed.max() <= curve.max() + 1e-9


# --- motion


def test_a_lag_covers_nine_tenths_in_its_time(steady):
    lagged = motion.lag(steady, _step(), **NONE | {"seconds": 1})[:, 0]
    assert lagged[:200].max() == 0
    assert lagged[[299, 399]].tolist() == pytest.approx([0.9, 0.99])
    assert motion.lag(steady, _step() + 3, **NONE | {"seconds": 1})[0, 0] == pytest.approx(3)
    np.testing.assert_array_equal(motion.lag(steady, _step(), **NONE | {"seconds": 0}), _step())


def test_a_follower_rises_and_falls_at_its_own_paces():
    curve = np.zeros((1000, 1))
    curve[100:300] = 1
    followed = motion.follow(curve, attack=0.5, release=2)[:, 0]
    assert followed[149] == pytest.approx(0.9)
    assert followed[299] == pytest.approx(1, abs=1e-3)
    assert 0.1 < followed[500] < 0.15  # the attack is a lag on top
    at_once = motion.follow(curve - 70, attack=0, release=2)[:, 0] + 70
    np.testing.assert_allclose(at_once[[99, 100, 299, 499]], [0, 1, 1, 0.1], atol=1e-9)


@given(CURVES, st.floats(0, 3), st.floats(0, 3))
def test_a_follower_stays_within_the_curve(curve, attack, release):
    followed = motion.follow(curve, attack=attack, release=release)
    assert followed.shape == curve.shape
    assert curve.min() - 1e-6 <= followed.min() <= followed.max() <= curve.max() + 1e-6


@given(CURVES, LENGTHS)
def test_a_hold_is_the_highest_value_since_then(curve, length):
    held = motion.hold(UNEVEN, curve, **length)
    begin = motion.Length(**length).after(UNEVEN.grid, np.arange(len(curve)) / 100, -1)
    expected = [
        curve[min(row, max(0, int(np.ceil(begin[row] * 100 - 1e-6)))) : row + 1].max(axis=0)
        for row in range(len(curve))
    ]
    np.testing.assert_array_equal(held, expected)


def test_a_peak_is_held_for_its_length(steady):
    curve = np.zeros((400, 1))
    curve[100], curve[120] = 1, 0.5
    held = motion.hold(steady, curve, **NONE | {"beats": 1})[:, 0]
    assert np.flatnonzero(held == 1).tolist() == list(range(100, 151))
    assert np.flatnonzero(held == 0.5).tolist() == list(range(151, 171))


def test_a_delayed_curve_begins_with_its_first_value(steady, rubato, values_of):
    late = values_of(ramp("2", "3").delay(seconds=0.5), steady)
    np.testing.assert_allclose(late[50:], values_of(ramp("2", "3"), steady)[:-50], atol=1e-6)
    assert values_of((1 - ramp("0", "1")).delay(bars=1), steady)[:200].min() == 1
    np.testing.assert_allclose(
        values_of(ramp("0", "12").delay(beats=2), rubato)[[200, 500]], [1 / 12, 3 / 12]
    )


def test_samples_are_held_from_beat_to_beat(steady, rubato, values_of):
    way = ramp("0", "end")
    held = values_of(way.sample_hold(), steady) * 8
    np.testing.assert_allclose(held[[0, 49, 50, 99, 100, 460]], [0, 0, 0.5, 0.5, 1, 4.5], atol=1e-5)
    np.testing.assert_allclose(
        values_of(way.sample_hold(bars=1), steady)[[49, 50, 249, 250]] * 8, [0, 0.5, 0.5, 2.5]
    )
    np.testing.assert_allclose(
        values_of(way.sample_hold(bars=1), rubato)[[199, 200, 599, 600]] * 12, [0, 2, 2, 6]
    )
    held = values_of(way.sample_hold(seconds=3), steady) * 8
    np.testing.assert_allclose(held[[299, 300, 599, 600]], [0, 3, 3, 6], atol=1e-5)


@given(CURVES, LENGTHS, st.integers(1, 299))
def test_motion_looks_back_alone(curve, length, cut):
    cut = min(cut, len(curve))
    length = length | {"bars": None, "beats": None, "seconds": length["seconds"] or 0.5}
    for op in (motion.lag, motion.hold):
        np.testing.assert_allclose(
            op(UNEVEN, curve, **length)[:cut], op(UNEVEN, curve[:cut], **length), atol=1e-9
        )


def test_what_is_accumulated_is_the_integral(steady, values_of):
    np.testing.assert_allclose(values_of(parse("(2).accumulate()"), steady), np.arange(800) / 50, rtol=1e-5)
    way = values_of(ramp("0", "4").accumulate(), steady)
    np.testing.assert_allclose(way[[0, 200, 400, 600]], [0, 0.5, 2, 4], atol=1e-4)


# --- levels


def _values(op, **how):
    return op(X, **how)[:, 0].tolist()


def test_clipping_limits():
    assert _values(levels.clip, low=0.25, high=1) == [0.25, 0.25, 0.25, 0.5, 0.75, 1, 1]


def test_a_compressor_weakens_what_is_above_its_threshold():
    assert _values(levels.compress, threshold=0.5, ratio=4) == [-0.5, 0, 0.25, 0.5, 0.5625, 0.625, 0.75]
    assert _values(levels.compress, threshold=0.5, ratio=1) == X[:, 0].tolist()


def test_an_expander_weakens_what_is_below_its_threshold():
    assert _values(levels.expand, threshold=0.75, ratio=2) == [-0.5, 0, 0, 0.25, 0.75, 1, 1.5]
    assert _values(levels.expand, threshold=0.75, ratio=1) == X[:, 0].tolist()


def test_a_threshold_is_hard_or_soft():
    assert _values(levels.threshold, level=0.5, soft=0) == [0, 0, 0, 1, 1, 1, 1]
    assert _values(levels.threshold, level=0.5, soft=1) == [0, 0, 0.15625, 0.5, 0.84375, 1, 1]


def test_values_are_rounded_to_steps():
    assert _values(levels.quantize, steps=2) == [-0.5, 0, 0.5, 0.5, 1, 1, 1.5]
    assert _values(levels.quantize, steps=1) == [0, 0, 0, 1, 1, 1, 2]


def test_a_range_is_mapped_onto_another():
    assert _values(levels.map_range, low=0, high=1, to_low=10, to_high=20) == [10, 10, 12.5, 15, 17.5, 20, 20]
    assert _values(levels.map_range, low=0, high=1, to_low=1, to_high=0) == [1, 1, 0.75, 0.5, 0.25, 0, 0]
    assert _values(levels.map_range, low=1, high=0, to_low=0, to_high=1) == [1, 1, 0.75, 0.5, 0.25, 0, 0]
    assert _values(levels.map_range, low=0.5, high=0.5, to_low=2, to_high=3) == [2, 2, 2, 3, 3, 3, 3]


def test_easing_is_slow_where_it_says():
    assert _values(levels.ease, shape="in", by=2) == [0, 0, 0.0625, 0.25, 0.5625, 1, 1]
    assert _values(levels.ease, shape="out", by=2) == [0, 0, 0.4375, 0.75, 0.9375, 1, 1]
    assert _values(levels.ease, shape="in_out", by=2) == [0, 0, 0.125, 0.5, 0.875, 1, 1]
    for shape in ("in", "out", "in_out"):
        assert _values(levels.ease, shape=shape, by=1) == np.clip(X[:, 0], 0, 1).tolist()


def test_the_lower_and_the_higher_of_two(steady, values_of):
    rise = ramp("0", "end")
    both = values_of(rise.min(1 - rise), steady) + values_of(rise.max(1 - rise), steady)
    np.testing.assert_allclose(both, 1, atol=1e-6)
    assert values_of(rise.min(0.25), steady).max() == 0.25
    assert values_of(rise.max(0.25), steady).min() == 0.25
    assert str(rise.min(0.25)) == "ramp('0:00', 'end').min(0.25)"
    assert parse("(0.25).min(kick.decay(beats=1))") == parse("(0.25).min(kick.decay(beats=1.0))")


# --- per track


@pytest.fixture(scope="module")
def two_tracks(make_song):
    """A quiet track of 20 s, and a loud one."""
    return make_song(40.0, np.arange(90) / 2, tracks=Sections([0, 20, 40], ("1", "2")))


def _waves(channels=1):
    time = np.arange(4000) / 100
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * time)[:, None] * np.ones(channels)
    return np.where(time[:, None] < 20, 0.1, 1.0) * wave


def test_each_track_has_its_own_peaks(two_tracks):
    for op, how in ((shapes.clip_peaks, {}), (shapes.normalize, {"low": 0})):
        together = op(two_tracks, _waves(), percentile=90, per="song", **how)
        apart = op(two_tracks, _waves(), percentile=90, per="track", **how)
        assert together[:1500].max() == pytest.approx(0.1, abs=0.01)
        assert apart[:1500].max() == pytest.approx(1)
        assert apart[2500:].max() == pytest.approx(1)
        np.testing.assert_allclose(apart[200], apart[3200], atol=1e-9)


def test_the_gain_changes_smoothly_where_tracks_meet(two_tracks):
    gain = shapes.per_track(two_tracks, _waves(), lambda track: 1 / track.max())[:, 0]
    assert gain[1899] == pytest.approx(10, rel=1e-6)
    assert gain[2000] == pytest.approx(5.5, rel=1e-6)
    assert gain[2100] == pytest.approx(1, rel=1e-6)
    assert np.abs(np.diff(gain)).max() < 9 * 1.5 / 200 + 1e-6


def test_of_one_track_and_of_the_song_are_the_same(steady, make_song):
    alone = make_song(40.0, np.arange(90) / 2)
    chroma = np.random.default_rng(1).random((4000, 12)) ** 2
    for op, curve, how in (
        (shapes.clip_peaks, _waves(), {"percentile": 90}),
        (shapes.normalize, _waves(), {"low": 10, "percentile": 97.5}),
        (shapes.focus, chroma, {"notes": 2.5}),
    ):
        np.testing.assert_allclose(
            op(alone, curve, per="track", **how), op(alone, curve, per="song", **how), atol=1e-12
        )


def test_each_track_is_focused_by_itself(two_tracks):
    chroma = np.random.default_rng(1).random((4000, 12)) ** 2
    chroma[:2000] = chroma[:2000] ** 0.5
    focused = shapes.focus(two_tracks, chroma, notes=2.5, per="track")
    shares = focused / focused.sum(axis=1, keepdims=True)
    notes = 1 / (shares**2).sum(axis=1)
    assert np.median(notes[:1800]) == pytest.approx(2.5, abs=0.1)
    assert np.median(notes[2200:]) == pytest.approx(2.5, abs=0.1)
    np.testing.assert_allclose(focused.sum(axis=1), chroma.sum(axis=1), rtol=1e-9)


# --- all of them

SHAPES = [
    "smooth(beats=1)",
    "smooth(bars=2)",
    "lag(seconds=1)",
    "lag(beats=1)",
    "follow()",
    "clip()",
    "compress()",
    "expand()",
    "threshold(soft=0.2)",
    "hold(beats=2)",
    "hold(bars=1)",
    "delay(bars=1)",
    "quantize(5)",
    "sample_hold()",
    "map_range(low=1, high=0)",
    "ease()",
    "accumulate()",
    "min(0.5)",
    "max(0.5)",
    "clip_peaks(per='track')",
    "normalize(per='track')",
    "focus(per='track')",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_silence_a_constant_and_the_shortest_song_give_finite_values(shape, silence, instant, values_of):
    for quiet in (silence, instant):
        for source in ("mix.rms()", "(0.5)", "(-3)", "harmonic.chroma()"):
            assert np.isfinite(values_of(parse(f"{source}.{shape}"), quiet)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_frames_are_the_same_in_every_window(shape, heard):
    signal = parse(f"mix.rms().{shape}")
    curves, edges = evaluate(signal, heard), np.arange(0, 301) / 30
    np.testing.assert_array_equal(curves.at(signal, edges[100:121]), curves.at(signal, edges)[100:120])


@pytest.mark.parametrize(
    "shape", ["smooth(beats=1)", "lag(beats=1)", "follow()", "accumulate()", "normalize(per='track')"]
)
def test_curves_do_not_depend_on_the_frame_rate(shape, heard):
    signal = parse(f"mix.rms().{shape}")
    curves = evaluate(signal, heard)
    slow, fast = (curves.at(signal, np.arange(0, 24 * fps + 1) / fps) for fps in (10, 60))
    np.testing.assert_allclose(fast.reshape(-1, 6, 1).mean(axis=1), slow, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_curve_is_never_written_to(shape, heard):
    signal = parse(f"mix.rms().{shape}")
    known = OPS[signal.op]
    curve = np.random.default_rng(0).random((len(heard.rms().values), 1))
    curve.setflags(write=False)
    others = [np.full((1, 1), 0.5)] * (len(known.inputs) - 1)
    known.function(*([heard] if known.needs else []), curve, *others, **dict(signal.params))
