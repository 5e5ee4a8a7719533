"""Expressions: values, not objects; every mistake named."""

import pytest

from clavilux.errors import PatchError
from clavilux.signals.expr import Signal, as_signal
from clavilux.signals.sources import song
from clavilux.signals.table import OPS


def test_equal_sentences_are_equal_nodes_and_hash_alike():
    first = 0.6 + 2 * song.kick.decay(beats=0.25)
    second = 0.6 + 2 * song.kick.decay(beats=0.25)
    assert first == second
    assert hash(first) == hash(second)
    assert first != 0.6 + 2 * song.kick.decay(beats=0.5)


def test_a_default_and_the_same_value_said_are_the_same_node():
    assert song.mix.rms().smooth() == song.mix.rms().smooth(seconds=0.2)


def test_text_says_every_parameter_in_order():
    signal = song.drums.flux(high_hz=150).clip_peaks().release(beats=0.5)
    assert str(signal) == "drums.flux(low_hz=30, high_hz=150).clip_peaks(percentile=90).release(beats=0.5)"
    assert str(1 - song.mix.chroma()) == "(1 - mix.chroma())"
    assert str(song.mix.chroma().mix(song.bass.chroma(), 0.5)) == "mix.chroma().mix(bass.chroma(), 0.5)"
    assert str(song.melody.notes().decay(beats=1)) == "melody.notes().decay(beats=1)"


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda: song.mix.rms().smoth(seconds=1), "did you mean 'smooth'"),
        (lambda: song.drumz, "did you mean 'drums'"),
        (lambda: song.kick.smooth(seconds=1), "no operation 'smooth' on the hits 'kick'"),
        (lambda: song.mix.smooth(seconds=1), "no operation 'smooth' on the stem 'mix'"),
        (lambda: song.mix.rms().smooth(second=1), "no parameter 'second'; it knows seconds"),
        (lambda: song.mix.rms().smooth(seconds=-1), "out of range; it goes from 0 to 600 seconds"),
        (lambda: song.mix.rms().smooth(seconds=float("nan")), "out of range"),
        (song.kick.decay, "exactly one of seconds, beats"),
        (lambda: song.kick.decay(seconds=1, beats=1), "exactly one of seconds, beats"),
        (lambda: song.mix.rms() + song.kick, "are hits, not a curve"),
        (lambda: song.mix.rms().mix(0.5), "works on 3 signal"),
        (lambda: as_signal(float("inf")), "neither a number nor a signal"),
        (lambda: song.mix.rms() * "loud", "neither a number nor a signal"),
    ],
)
def test_mistakes_are_named_with_their_fix(write, says):
    with pytest.raises(PatchError) as caught:
        write()
    assert says in str(caught.value)


def test_every_op_states_what_it_does_and_its_defaults_are_in_range():
    assert OPS
    for op in OPS.values():
        assert op.function.__doc__, op.name
        for name, limits in op.params.items():
            assert limits.low < limits.high, name
            assert limits.default is None or limits.low <= limits.default <= limits.high


def test_arithmetic_keeps_the_order_of_its_sides():
    assert (1 - song.mix.rms()).inputs[0] == as_signal(1)
    assert isinstance(song.mix.rms() - 1, Signal)
