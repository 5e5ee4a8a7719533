"""Events thinned out, moved and joined, and the envelopes they are given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavilux.curves import Events, Grid
from clavilux.errors import PatchError
from clavilux.signals import expr
from clavilux.signals.evaluate import evaluate
from clavilux.signals.ops import envelopes, events
from clavilux.signals.sources import song
from clavilux.signals.table import OPS
from clavilux.signals.text import parse

HITS = st.lists(st.tuples(st.floats(0, 7.9), st.floats(0.01, 1)), max_size=30).map(
    lambda pairs: Events([time for time, _ in sorted(pairs)], [strength for _, strength in sorted(pairs)])
)
LENGTHS = st.sampled_from(["seconds", "beats", "bars"]).flatmap(
    lambda unit: st.floats(0, 4).map(
        lambda number: dict.fromkeys(("seconds", "beats", "bars")) | {unit: number}
    )
)


@pytest.fixture(scope="session")
def events_of():
    """Events of an expression in a song, (times, strengths)."""

    def found(node, song):
        op = OPS[node.op]
        inputs = [found(each, song) for each in node.inputs]
        return op.function(*([song] if op.needs else []), *inputs, **dict(node.params))

    return found


def test_every_other_event_is_kept(steady, events_of):
    assert events_of(song.kick.every(2), steady).times.tolist() == [0.5, 1.5, 2.25]
    assert events_of(song.kick.every(2, offset=1), steady).strengths.tolist() == [0.2, 0.4, 1]
    assert len(events_of(song.kick.every(1), steady)) == 6
    assert len(events_of(song.kick.every(3, offset=9), steady)) == 0


def test_the_strongest_are_kept_in_order(steady, events_of):
    assert events_of(song.kick.strongest(percent=50), steady).times.tolist() == [0.5, 1.5, 4.0]
    assert events_of(song.kick.strongest(percent=17), steady).times.tolist() == [0.5, 4.0]
    assert events_of(song.kick.strongest(percent=10), steady).times.tolist() == [0.5]
    assert len(events_of(song.kick.strongest(percent=0), steady)) == 0
    assert len(events_of(song.kick.strongest(percent=100), steady)) == 6


def test_events_between_two_moments_include_the_first_alone(steady, events_of):
    assert events_of(song.kick.between("1", "2"), steady).times.tolist() == [1.0, 1.5]
    assert events_of(song.kick.between("bar 1", "B.1"), steady).times.tolist() == [0.5, 1.0, 1.5]
    assert events_of(song.kick.between("2.25"), steady).times.tolist() == [2.25, 4.0]


def test_events_are_delayed_in_every_unit(steady, rubato, events_of):
    for signal in (song.kick.delay(seconds=1), song.kick.delay(beats=2), song.kick.delay(bars=0.5)):
        np.testing.assert_allclose(events_of(signal, steady).times, np.array([0.5, 1, 1.5, 2, 2.25, 4]) + 1)
    assert len(events_of(song.kick.delay(seconds=5), steady)) == 5
    assert events_of(song.kick.delay(beats=2), rubato).times.tolist() == [1, 2, 5]


def test_events_move_to_the_nearest_of_the_grid(steady, rubato, make_song, events_of):
    early = make_song(
        8.0, np.arange(20) / 2, first_downbeat=1, kick=[0.45, 0.6, 1.9, 7.9], strengths=[0.2, 0.9, 1, 1]
    )
    found = events_of(song.kick.quantize(beats=1), early)
    np.testing.assert_allclose(found.times, [0.5, 2.0])  # 8.0 is the end of the song
    assert found.strengths.tolist() == [0.9, 1]
    np.testing.assert_allclose(
        events_of(song.kick.quantize(beats=0.25), early).times, [0.5, 0.625, 1.875, 7.875]
    )
    np.testing.assert_allclose(events_of(song.kick.quantize(beats=4), steady).times, [0.5, 2.5, 4.5])
    assert events_of(song.kick.quantize(beats=4), rubato).times.tolist() == [0, 2]


@given(HITS, st.floats(0.05, 8))
def test_moving_to_the_grid_again_moves_nothing(hits, beats):
    heard = _song(Grid(np.cumsum(np.linspace(0.3, 0.7, 30)), first_downbeat=2))
    once = events.quantize(heard, hits, beats=beats)
    again = events.quantize(heard, once, beats=beats)
    np.testing.assert_allclose(again.times, once.times, atol=1e-9)
    np.testing.assert_array_equal(again.strengths, once.strengths)


def test_close_events_are_skipped(steady, events_of):
    assert events_of(song.kick.skip_close(seconds=0.5), steady).times.tolist() == [0.5, 1.0, 1.5, 2.0, 4.0]
    assert events_of(song.kick.skip_close(beats=1.5), steady).times.tolist() == [0.5, 1.5, 2.25, 4.0]
    assert len(events_of(song.kick.skip_close(seconds=0), steady)) == 6


@given(HITS, LENGTHS)
def test_what_is_kept_is_never_close_and_what_is_dropped_is(hits, length):
    heard = _song(Grid(np.cumsum(np.linspace(0.3, 0.7, 30))))
    kept = events.skip_close(heard, hits, **length)
    ends = events.delay(_song(heard.grid, 1e9), kept, **length).times
    assert np.all(kept.times[1:] >= ends[:-1] - 1e-6)
    for time in np.setdiff1d(hits.times, kept.times):
        assert np.any((kept.times <= time) & (time < ends))


def test_events_are_joined_by_a_plus(steady, events_of):
    both = song.kick.every(3) + song.snare
    assert isinstance(both, expr.Events)
    found = events_of(both, steady)
    assert found.times.tolist() == [0.5, 0.75, 2.0, 2.0]
    assert found.strengths.tolist() == [1, 0.5, 0.4, 0.25]
    assert (
        str(both) == "(kick.every(count=3, offset=0) + snare)"
        or str(both) == "(kick.every(3, offset=0) + snare)"
    )
    assert parse("(kick + snare).every(2)") == (song.kick + song.snare).every(2)
    for wrong in (lambda: song.kick + 1, lambda: song.kick + song.mix.rms(), lambda: parse("kick + 1")):
        with pytest.raises(PatchError, match="takes events"):
            wrong()
    with pytest.raises(PatchError, match="no arithmetic with the events"):
        parse("kick * 2")


def test_a_pulse_holds_the_strength_for_its_length(steady, rubato, values_of):
    for signal in (song.kick.pulse(seconds=0.2), song.kick.pulse(beats=0.4), song.kick.pulse(bars=0.1)):
        values = values_of(signal, steady)
        np.testing.assert_allclose(values[[49, 50, 69, 70, 99, 100, 119, 120]], [0, 1, 1, 0, 0, 0.2, 0.2, 0])
    assert (values_of(song.kick.pulse(seconds=0), steady) > 0).sum() == 6
    values = values_of(song.kick.pulse(beats=2), rubato)
    assert np.flatnonzero(np.diff(values)).tolist() == [199, 299, 499]


def test_the_stronger_of_two_pulses_wins(steady, values_of):
    values = values_of(song.kick.pulse(seconds=1), steady)
    np.testing.assert_allclose(
        values[[60, 110, 149, 150, 249, 250, 310, 325]], [1, 1, 1, 0.8, 0.8, 0.6, 0.6, 0]
    )


def test_an_adsr_passes_its_stages_on_straight_lines(make_song, values_of):
    heard = make_song(8.0, np.arange(20) / 2, kick=[1], strengths=[0.5])
    signal = song.kick.adsr(attack=0.2, decay=0.4, sustain=0.5, hold=1, release=2)
    values = values_of(signal, heard)
    at = [99, 100, 110, 120, 140, 160, 200, 260, 360, 460, 500]
    np.testing.assert_allclose(
        values[at], np.array([0, 0, 0.5, 1, 0.75, 0.5, 0.5, 0.5, 0.25, 0, 0]) / 2, atol=1e-6
    )
    at_once = values_of(song.kick.adsr(attack=0, decay=0.1), heard)
    assert at_once[99:101].tolist() == [0, 0.5]


@given(HITS, st.floats(0, 2), st.floats(0, 2), st.floats(0, 1), st.floats(0, 3))
def test_the_highest_of_all_envelopes_wins(hits, attack, decay, sustain, hold):
    heard, how = _song(), {"attack": attack, "decay": decay, "sustain": sustain, "hold": hold, "release": 1.0}
    alone = [
        envelopes.adsr(heard, Events([time], [strength]), **how)
        for time, strength in zip(hits.times, hits.strengths, strict=True)
    ]
    together = np.max(alone, axis=0) if alone else np.zeros((800, 1))
    np.testing.assert_allclose(envelopes.adsr(heard, hits, **how), together, atol=1e-12)


def test_counting_goes_up_a_staircase_and_wraps(steady, values_of):
    values = values_of(song.kick.count(4), steady)
    at = [0, 49, 50, 100, 150, 199, 200, 225, 400]
    np.testing.assert_allclose(values[at], [0, 0, 0.25, 0.5, 0.75, 0.75, 0, 0.25, 0.5])
    assert values_of(song.kick.count(1), steady).max() == 0


def test_a_toggle_switches_at_every_event(steady, values_of):
    values = values_of(song.kick.toggle(), steady)
    assert (np.flatnonzero(np.diff(values)) + 1).tolist() == [50, 100, 150, 200, 225, 400]
    assert values[0] == 0


def test_a_decay_may_be_given_in_bars(steady, values_of):
    np.testing.assert_allclose(
        values_of(song.kick.decay(bars=0.5), steady), values_of(song.kick.decay(beats=2), steady), rtol=1e-5
    )


@pytest.mark.parametrize("fps", [12, 24, 59.94])
def test_every_frame_sees_the_peak_of_an_envelope(steady, fps):
    for signal in (song.kick.pulse(seconds=0.01), song.kick.adsr(attack=0.01, decay=0.02)):
        edges = np.arange(0, int(8 * fps)) / fps
        frames = evaluate(signal, steady).at(signal, edges)[:, 0]
        for time, strength in zip(steady.kick.times, steady.kick.strengths, strict=True):
            assert max(frames[(edges[1:] > time) & (edges[:-1] < time + 0.02)]) >= strength - 1e-6


CHAINS = [
    song.kick.every(2).decay(beats=1),
    song.kick.strongest().pulse(beats=1),
    song.kick.between("0").toggle(),
    song.kick.delay(bars=1).count(3),
    song.kick.quantize(beats=0.5).adsr(),
    song.kick.skip_close(beats=1).decay(bars=1),
    (song.kick + song.beats).pulse(seconds=0),
]


@pytest.mark.parametrize("signal", CHAINS, ids=str)
def test_no_events_and_the_shortest_song_give_finite_values(signal, silence, instant, make_song, values_of):
    nothing = make_song(1.0, np.arange(4))
    nothing.beats = nothing.kick
    assert np.abs(values_of(signal, nothing)).max() == 0
    for quiet in (silence, instant):
        values = values_of(signal, quiet)
        assert 0 <= values.min() <= values.max() <= 1


@pytest.mark.parametrize("signal", CHAINS, ids=str)
def test_frames_are_the_same_in_every_window(signal, heard):
    curves, edges = evaluate(signal, heard), np.arange(0, 301) / 30
    np.testing.assert_array_equal(curves.at(signal, edges[100:121]), curves.at(signal, edges)[100:120])


class _song:  # noqa: N801  # all that ops on events need of one
    def __init__(self, grid=None, duration=8.0):
        self.grid, self.duration = grid or Grid(np.arange(20) / 2), duration
