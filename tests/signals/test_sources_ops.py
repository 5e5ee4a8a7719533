"""Curves that begin an expression: locked to the grid, exact between moments, one gate for every section."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavilux.audio.sound import Audio
from clavilux.curves import Grid, Sections
from clavilux.errors import SongError
from clavilux.features.song import Song
from clavilux.patches.functions import energy, fade, in_section, lfo, phase, ramp, wander
from clavilux.signals.evaluate import evaluate
from clavilux.signals.lengths import Length
from clavilux.signals.ops.sections import gates
from clavilux.signals.sources import song

UNITS = ("seconds", "beats", "bars")
GRIDS = st.lists(st.floats(0.1, 3), min_size=3, max_size=12).map(
    lambda steps: Grid(np.cumsum([-1.0, *steps]), first_downbeat=1, beats_per_bar=3)
)


@given(GRIDS, st.sampled_from(UNITS), st.floats(0.05, 20), st.floats(-2, 40))
def test_a_length_after_a_time_is_one_further_in_its_own_unit(grid, unit, number, time):
    length, times = Length(**{unit: number}), np.array([time])
    after = length.after(grid, times)
    assert length.position(grid, after)[0] == pytest.approx(length.position(grid, times)[0] + 1)
    assert length.time_of(grid, length.position(grid, times))[0] == pytest.approx(time, abs=1e-6)


def test_a_phase_is_0_on_every_downbeat_and_rises_evenly_to_1(steady, values_of):
    bars = values_of(phase(bars=1), steady)
    np.testing.assert_allclose(bars[[50, 250, 450, 650]], 0, atol=1e-6)  # bar 1 at 0.5 s
    np.testing.assert_allclose(bars[[100, 150, 200]], [0.25, 0.5, 0.75], atol=1e-6)
    np.testing.assert_allclose(values_of(phase(beats=4), steady), bars, atol=1e-6)
    assert bars.max() < 1
    np.testing.assert_allclose(values_of(phase(seconds=0.1), steady)[[0, 5, 30]], [0, 0.5, 0], atol=1e-6)


def test_a_phase_follows_the_tempo(rubato, values_of):
    np.testing.assert_allclose(values_of(phase(bars=1), rubato)[[50, 150, 300, 500]], [0.25, 0.75] * 2)


def test_a_frame_at_the_turn_of_a_phase_shows_no_value_between(steady):
    signal = phase(bars=1)
    frames = evaluate(signal, steady).at(signal, np.arange(0, 193) / 24 + 0.007)[:, 0]
    falls = np.flatnonzero(np.diff(frames) < 0)
    assert len(falls) == 4
    assert frames[falls].min() > 0.98
    assert frames[falls + 1].max() < 0.05


def test_oscillators_have_their_shapes(steady, values_of):
    quarters = [50, 100, 150, 200]
    for shape, values in {
        "sine": [0, 0.5, 1, 0.5],
        "triangle": [0, 0.5, 1, 0.5],
        "square": [1, 1, 0, 0],
        "saw": [0, 0.25, 0.5, 0.75],
    }.items():
        whole = values_of(lfo(shape=shape, bars=1), steady)
        np.testing.assert_allclose(whole[quarters], values, atol=1e-6)
        later = values_of(lfo(shape=shape, bars=1, phase=0.25), steady)
        np.testing.assert_allclose(later[quarters[:3]], values[1:], atol=1e-6)


def test_a_ramp_rises_evenly_between_two_moments(steady, values_of):
    values = values_of(ramp("bar 2", "bar 3"), steady)
    assert values[:251].max() == 0
    assert values[450:].min() == 1
    np.testing.assert_allclose(values[[300, 350, 400]], [0.25, 0.5, 0.75], atol=1e-6)
    assert values_of(ramp("2", "2"), steady).tolist() == [0] * 200 + [1] * 600
    assert values_of(ramp("0", "end"), steady)[400] == pytest.approx(0.5)


def test_a_fade_is_half_way_at_its_moment(steady, rubato, values_of):
    for signal in (fade("bar 2", seconds=2), fade("bar 2", beats=4), fade("bar 2", bars=1)):
        values = values_of(signal, steady)
        np.testing.assert_allclose(values[[150, 200, 250, 300, 350]], [0, 0.15625, 0.5, 0.84375, 1])
        assert np.all(np.diff(values) >= 0)
    unequal = values_of(fade("bar 2", bars=1), rubato)  # half a bar is 1 s before, and 2 s after
    np.testing.assert_allclose(unequal[[100, 200, 400]], [0, 0.5, 1])
    assert values_of(fade("2", seconds=0), steady).tolist() == [0] * 200 + [1] * 600


def test_wandering_is_smooth_and_a_function_of_its_seed(steady, values_of):
    values = values_of(wander(beats=1, seed=3), steady)
    assert 0 <= values.min() < 0.2
    assert 0.8 < values.max() <= 1
    assert np.abs(np.diff(values)).max() < 0.05
    np.testing.assert_array_equal(values, values_of(wander(beats=1, seed=3), steady))
    assert np.abs(values - values_of(wander(beats=1, seed=4), steady)).max() > 0.2
    knots, slopes = values[50::50], np.abs(np.diff(values))
    assert len(set(knots.tolist())) == len(knots)
    assert slopes[49:650:50].max() > 0  # it does not stop at every beat


def test_wandering_does_not_depend_on_the_length_of_the_song(steady, make_song, values_of):
    longer = make_song(16.0, np.arange(36) / 2, first_downbeat=1)
    for signal in (wander(beats=1), wander(seconds=1.5, seed=9)):
        np.testing.assert_allclose(values_of(signal, longer)[:600], values_of(signal, steady)[:600])


def test_a_section_has_1_where_it_plays_and_crossfades_at_its_bounds(steady, values_of):
    inside = values_of(in_section("A", seconds=1), steady)
    assert inside[0] == 1
    np.testing.assert_allclose(inside[[100, 150, 200, 250, 300]], [1, 1, 0.5, 0, 0])
    np.testing.assert_allclose(inside[[400, 500, 600, 700]], [0.5, 1, 0.5, 0])
    assert values_of(in_section("C", seconds=1), steady)[-1] == 1


def test_sections_are_named_by_their_energy(steady, values_of):
    def same(first, second):
        return np.array_equal(values_of(in_section(first), steady), values_of(in_section(second), steady))

    assert same("loudest", "B")
    assert same("quietest", "C")
    assert same("energy 1", "B")
    assert same("energy 2", "A")
    assert same("energy 3", "C")
    assert values_of(in_section("energy 4"), steady).max() == 0
    with pytest.raises(SongError, match="no section 'D'"):
        values_of(in_section("D"), steady)
    with pytest.raises(SongError, match="no section 'energy 0'"):
        values_of(in_section("energy 0"), steady)


@given(
    st.lists(st.floats(0.01, 5), min_size=1, max_size=9),
    GRIDS,
    st.sampled_from(UNITS),
    st.floats(0, 30),
)
def test_the_gates_of_all_sections_sum_to_1(lengths, grid, unit, fade):
    bounds = np.cumsum([0.0, *lengths])
    parts = Sections(bounds, [str(k) for k in range(len(lengths))])
    each = np.stack(
        [gate for _, gate in gates(parts, np.arange(0, bounds[-1], 0.01), grid, Length(**{unit: fade}))]
    )
    np.testing.assert_allclose(each.sum(axis=0), 1)
    assert each.min() >= 0


def test_energy_is_that_of_the_section_that_plays(steady, values_of):
    values = values_of(energy(), steady)
    np.testing.assert_allclose(values[[50, 300, 500, 750]], [0.6, 1, 0.5, 0.2], atol=0.01)
    assert values[200] == pytest.approx(0.8, abs=0.01)
    assert np.abs(np.diff(values)).max() < 0.02


def test_chroma_has_three_kinds(heard, values_of):
    kinds = {
        kind: values_of(song.harmonic.chroma(kind=kind), heard) for kind in ("plain", "repeated", "cens")
    }
    np.testing.assert_array_equal(kinds["plain"], values_of(song.harmonic.chroma(), heard))
    for kind in ("repeated", "cens"):
        np.testing.assert_array_equal(kinds[kind], heard.chroma("harmonic", kind=kind).values)
        assert np.abs(kinds[kind] - kinds["plain"]).max() > 0.1


def _share_found(found, true, tolerance=0.03):
    return np.mean([np.abs(found - time).min() < tolerance for time in true])


def test_onsets_of_a_band_are_its_hits(heard):
    low = heard.onsets("drums", 30, 150)
    assert _share_found(low.times, heard.kick.times) > 0.9
    assert _share_found(heard.kick.times, low.times[low.strengths > 0.7]) > 0.9
    high = heard.onsets("mix", 8000, 11000)
    assert _share_found(high.times, heard.hat.times) > 0.8
    assert 0 < low.strengths.min() <= low.strengths.max() <= 1


def test_onsets_are_as_many_as_the_hits_and_as_strong(values_of):
    times, strengths = np.arange(1, 9) * 0.7, np.tile([1, 0.3], 4)
    samples = np.zeros(7 * 22050, np.float32)
    noise = np.random.default_rng(0).normal(size=2205) * np.exp(-np.arange(2205) / 400) / 5
    for time, strength in zip(times, strengths, strict=True):
        samples[round(time * 22050) :][:2205] += noise * strength
    found = Song(Audio.from_samples(samples, 22050)).onsets("mix")
    np.testing.assert_allclose(found.times, times, atol=0.02)
    assert found.strengths[1::2].max() < found.strengths[::2].min() <= 1


def test_onsets_take_part_as_events(heard, values_of):
    curve = values_of(song.drums.onsets(high_hz=150).decay(seconds=0.1), heard)
    assert curve[np.round(heard.onsets("drums", 30, 150).times * 100).astype(int)].min() > 0.25
    with pytest.raises(SongError, match="melody"):
        values_of(song.melody.onsets().toggle(), heard)


def test_hats_are_brighter_than_basses(heard, values_of):
    bass, mix = (values_of(getattr(song, stem).brightness(), heard) for stem in ("bass", "mix"))
    assert 0 < bass.max() < 0.15 < mix.mean() < mix.max() < 1
    hits = np.round(heard.hat.times[heard.hat.times < 26] * 100).astype(int) + 2
    assert mix[hits].mean() > 1.1 * mix.mean()


EVERY = [
    phase(bars=1),
    phase(seconds=0.01),
    lfo(shape="square", beats=2),
    lfo(seconds=3600),
    ramp("0", "end"),
    fade("end", bars=256),
    wander(bars=4),
    wander(seconds=0.01),
    in_section("loudest"),
    in_section("quietest", beats=0),
    energy(),
    song.harmonic.chroma(kind="repeated"),
    song.harmonic.chroma(kind="cens"),
    song.mix.brightness(),
    song.mix.onsets().decay(beats=1),
]


@pytest.mark.parametrize("signal", EVERY, ids=str)
def test_silence_and_the_shortest_song_give_finite_values(signal, silence, instant, values_of):
    for quiet in (silence, instant):
        values = values_of(signal, quiet)
        assert np.isfinite(values).all()
        assert 0 <= values.min() <= values.max() <= 1
    assert np.abs(values_of(song.mix.brightness(), silence)).max() == 0


@pytest.mark.parametrize("signal", EVERY[:11], ids=str)
def test_frames_are_the_same_in_every_window(signal, heard):
    curves, edges = evaluate(signal, heard), np.arange(0, 301) / 30
    np.testing.assert_array_equal(curves.at(signal, edges[100:121]), curves.at(signal, edges)[100:120])


@pytest.mark.parametrize("signal", [ramp("2", "9"), fade("9", bars=2), wander(beats=2), energy()], ids=str)
def test_curves_do_not_depend_on_the_frame_rate(signal, heard):
    curves = evaluate(signal, heard)
    slow, fast = (curves.at(signal, np.arange(0, 24 * fps + 1) / fps) for fps in (10, 60))
    np.testing.assert_allclose(fast.reshape(-1, 6, 1).mean(axis=1), slow, atol=1e-5)
