"""Curves from sentences: what each op promises, on a song of known truth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clavilux.audio.sound import Audio
from clavilux.curves import Curve
from clavilux.errors import FileError, PatchError, SongError
from clavilux.features.song import Song
from clavilux.patches.functions import gate
from clavilux.signals.evaluate import Curves, evaluate
from clavilux.signals.ops import envelopes, shapes
from clavilux.signals.ops.combine import divide
from clavilux.signals.sources import song
from clavilux.signals.table import OPS


@pytest.fixture(scope="module")
def curve_of(heard):
    return lambda signal: evaluate(signal, heard)[signal]


@pytest.fixture(scope="module")
def frames_of(heard):
    return lambda signal, edges: evaluate(signal, heard).at(signal, edges)


def test_a_decay_starts_at_the_hit_and_falls_to_a_tenth_in_its_time(heard, curve_of):
    curve = curve_of(song.kick.decay(seconds=0.2))
    hit = heard.kick.times[3]
    start, later = curve.at([round(hit, 2), round(hit, 2) + 0.2])[:, 0]
    assert start == pytest.approx(heard.kick.strengths[3], rel=0.01)
    assert later == pytest.approx(start / 10, rel=0.02)


def test_a_decay_in_beats_follows_the_tempo(heard, curve_of):
    in_beats = curve_of(song.kick.decay(beats=0.5)).values
    in_seconds = curve_of(song.kick.decay(seconds=0.5 * 60 / heard.grid.tempo)).values
    np.testing.assert_allclose(in_beats, in_seconds, atol=0.08)
    assert np.corrcoef(in_beats[:, 0], in_seconds[:, 0])[0, 1] > 0.99


@settings(max_examples=30)
@given(st.integers(0, 299), st.integers(0, 299), st.floats(0.05, 1))
def test_the_higher_of_two_overlapping_falls_wins(first, second, strength):
    curve = np.zeros((300, 1))
    curve[second], curve[first] = strength, 1
    ticks = np.arange(300)
    alone = [
        np.where(ticks >= place, curve[place, 0] * 10 ** (-(ticks - place) / 20), 0)
        for place in (first, second)
    ]
    np.testing.assert_allclose(envelopes.fall(curve, ticks / 20)[:, 0], np.maximum(*alone), atol=1e-9)


def test_smoothing_keeps_the_mean_the_place_and_the_ends_apart(heard):
    curve = np.zeros((1000, 1))
    curve[500], curve[-3:] = 1, 1
    smoothed = shapes.smooth(heard, curve, seconds=0.5, beats=None, bars=None)
    assert abs(smoothed[400:600, 0].argmax() - 100) <= 1
    assert smoothed[300:700].sum() == pytest.approx(1, rel=1e-3)
    spread = np.sqrt((smoothed[300:700, 0] * (np.arange(300, 700) - 500) ** 2).sum()) / 100
    assert spread == pytest.approx(0.5 / np.sqrt(12), rel=0.02)
    assert smoothed[0, 0] == 0


def test_smoothing_does_not_depend_on_the_frame_rate(frames_of):
    signal = song.mix.rms().smooth(seconds=0.5)
    slow = frames_of(signal, np.arange(0, 241) / 10)
    fast = frames_of(signal, np.arange(0, 24 * 60 + 1) / 60)
    np.testing.assert_allclose(fast.reshape(-1, 6, 1).mean(axis=1), slow, atol=1e-5)


def test_peaks_set_the_ceiling_not_samples(heard):
    sparse, dense = np.zeros((1000, 1)), np.zeros((1000, 1))
    sparse[::200], dense[::10] = 0.5, 0.5
    for curve in (sparse, dense, dense * 100):
        assert shapes.clip_peaks(heard, curve, percentile=90, per="song").max() == pytest.approx(1)
    assert shapes.clip_peaks(heard, np.zeros((10, 1)), percentile=90, per="song").max() == 0


def test_normalising_spans_zero_to_one_and_flat_becomes_zero(heard):
    wave = 5 + np.sin(np.linspace(0, 50, 2000))[:, None]
    stretched = shapes.normalize(heard, wave, low=10, percentile=97.5, per="song")
    assert stretched.min() == 0
    assert stretched.max() == pytest.approx(1, abs=0.01)
    flat = np.full((50, 1), 3.0)
    assert shapes.normalize(heard, flat, low=10, percentile=97.5, per="song").max() == 0


@pytest.mark.parametrize("density", [0.2, 0.5])
def test_focus_lets_so_many_notes_speak_in_dense_and_in_bare_music(heard, density):
    chroma = np.random.default_rng(1).random((500, 12)) ** 2 + density
    chroma[:50] = 0
    focused = shapes.focus(heard, chroma, notes=2.5, per="song")
    shares = focused[50:] / focused[50:].sum(axis=1, keepdims=True)
    assert np.median(1 / (shares**2).sum(axis=1)) == pytest.approx(2.5, abs=0.05)
    np.testing.assert_allclose(focused.sum(axis=1), chroma.sum(axis=1), rtol=1e-9)
    np.testing.assert_array_equal(focused.argmax(axis=1), chroma.argmax(axis=1))


def test_a_turn_passes_every_note_on_a_fifth_at_a_time_and_comes_round(heard):
    chroma = np.zeros((len(heard.chroma("mix").values), 12))
    chroma[:, 0] = 1
    turned = shapes.turn(heard, chroma, bars=12)
    np.testing.assert_allclose(turned.sum(axis=1), 1)
    bars = heard.grid.bar_at(np.arange(len(chroma)) / 100)
    for bar in range(1, 12):
        assert turned[np.argmin(np.abs(bars - bar))].argmax() == 7 * bar % 12
    assert np.abs(np.diff(turned, axis=0)).max() < 0.02
    with pytest.raises(PatchError, match="12 channels"):
        shapes.turn(heard, chroma[:, :3], bars=12)


def test_a_frame_sees_the_peak_of_an_envelope_even_within_a_formula(heard, frames_of):
    edges = np.arange(0, 25 * 12 + 1) / 12
    envelope = frames_of(song.kick.decay(seconds=0.02), edges)
    formula = frames_of(1 - 0.5 * song.kick.decay(seconds=0.02), edges)
    np.testing.assert_allclose(formula, 1 - 0.5 * envelope, atol=1e-12)
    hits = np.searchsorted(edges, heard.kick.times[heard.kick.times < 24], side="right") - 1
    assert envelope[hits].min() > 0.3 * heard.kick.strengths.min()


def test_frames_are_bit_equal_in_every_window(frames_of):
    signal = 0.3 + song.drums.flux(high_hz=150).clip_peaks().release(beats=0.5) * song.mix.rms().smooth(
        seconds=2
    )
    edges = np.arange(0, 301) / 30
    whole = frames_of(signal, edges)
    np.testing.assert_array_equal(frames_of(signal, edges[100:121]), whole[100:120])


def test_a_part_that_is_shared_is_computed_once(heard, monkeypatch):
    smoothed = []
    smooth = OPS["signal.smooth"]
    counted = replace(
        smooth, function=lambda *given, **how: smoothed.append(1) or smooth.function(*given, **how)
    )
    monkeypatch.setitem(OPS, "signal.smooth", counted)
    shared = song.mix.rms().smooth(seconds=3)
    evaluate([shared * shared + shared, (shared + 1) * shared], heard)
    assert len(smoothed) == 1


def test_curves_are_values_without_a_song(heard):
    signal = song.mix.rms().smooth(seconds=1) * 0.5 + song.kick.decay(beats=0.5)
    curves = evaluate(signal, heard)
    again = Curves({node: Curve(curve.values) for node, curve in curves.curves.items()}, curves.grid)
    edges = np.arange(20) / 30
    np.testing.assert_array_equal(curves.at(signal, edges), again.at(signal, edges))
    assert not any(isinstance(value, Song) for value in vars(curves).values())


def test_curves_are_saved_and_read_and_compared_by_what_they_hold(heard, tmp_path):
    level = song.mix.rms().smooth(seconds=1)
    curves = evaluate([level, song.kick.decay(beats=0.5), level * 2], heard)
    curves.save(str(tmp_path / "curves.npz"))
    again = Curves.load(tmp_path / "curves.npz")
    assert (again, hash(again)) == (curves, hash(curves))
    np.testing.assert_array_equal(again[level].values, curves[level].values)
    np.testing.assert_array_equal(again.grid.bars, curves.grid.bars)
    assert again != evaluate(level, heard)
    assert again != Curves({**curves.curves, level: Curve(curves[level].values + 1)}, curves.grid)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04"])
def test_a_damaged_file_of_curves_is_named(tmp_path, content):
    (tmp_path / "curves.npz").write_bytes(content)
    with pytest.raises(FileError, match=r"curves\.npz"):
        Curves.load(tmp_path / "curves.npz")


def test_a_gate_opens_between_two_moments(heard, curve_of):
    bar = heard.grid.downbeats[heard.grid.downbeats >= 0]
    values = curve_of(gate("bar 3", "bar 5")).values[:, 0]
    assert np.flatnonzero(values)[0] / 100 == pytest.approx(bar[2], abs=0.011)
    assert values.sum() / 100 == pytest.approx(bar[4] - bar[2], abs=0.021)
    assert curve_of(gate("0", "end")).values.all()


def test_dividing_by_nothing_gives_nothing():
    assert divide(np.ones((2, 1)), np.array([[2.0], [0.0]])).tolist() == [[0.5], [0.0]]


def test_a_song_without_the_stem_is_named(heard):
    with pytest.raises(SongError, match="vocals"):
        evaluate(song.stem("vocals").rms(), heard)


def test_silence_gives_zeros_and_no_warning():
    silent = Song(Audio.from_samples(np.zeros((2, 44100)), 44100))
    for signal in (
        song.chords.chroma().sharpen(by=2).smooth(seconds=0.2).focus(),
        song.kick.decay(beats=0.5),
        song.drums.flux().clip_peaks().release(seconds=0.2),
        song.mix.rms().normalize(),
    ):
        assert np.abs(evaluate(signal, silent)[signal].values).max() == 0


def test_melody_bass_and_beats_can_drive(heard, curve_of):
    assert np.allclose(curve_of(song.melody.pitch()).values, heard.melody.pitch.values)
    assert np.allclose(curve_of(song.melody.rms()).values, heard.melody.rms.values)
    assert np.allclose(curve_of(song.mix.loudness()).values, heard.loudness().values)
    assert curve_of(song.harmonic.change()).values.max() > 0.5
    for hits, times in (
        (song.bass.notes(), heard.bass_line.onsets.times),
        (song.downbeats, heard.downbeats.times),
        (song.beats, heard.beats.times),
    ):
        envelope = curve_of(hits.decay(seconds=0.1)).at(np.round(times, 2))
        assert len(times) > 4
        assert envelope.min() > 0.3


def test_a_band_of_a_stem_has_its_own_level(curve_of):
    low = curve_of(song.mix.rms(low_hz=30, high_hz=150)).values
    whole = curve_of(song.mix.rms()).values
    assert 0 < low.max() < whole.max()
