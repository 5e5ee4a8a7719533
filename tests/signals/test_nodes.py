"""Expressions: values, not objects; every mistake named."""

import copy
import pickle
import re
from pathlib import Path

import pytest

from clavilux.errors import PatchError
from clavilux.patches.functions import drift, gate, palette
from clavilux.patches.mix import mix
from clavilux.signals import sources
from clavilux.signals.expr import MAX_DEPTH, Signal, as_signal
from clavilux.signals.sources import PARTS, song
from clavilux.signals.table import OPS, number, op


def test_equal_sentences_are_equal_nodes_and_hash_alike():
    first = 0.6 + 2 * song.kick.decay(beats=0.25)
    second = 0.6 + 2 * song.kick.decay(beats=0.25)
    assert first == second
    assert hash(first) == hash(second)
    assert first != 0.6 + 2 * song.kick.decay(beats=0.5)


def test_a_default_and_the_same_value_written_are_the_same_node():
    assert song.mix.rms().smooth() == song.mix.rms().smooth(seconds=0.2)


def test_numbers_that_differ_in_the_last_digit_are_different_nodes():
    assert song.mix.rms().smooth(seconds=0.7) != song.mix.rms().smooth(seconds=0.7000001)


def test_a_node_never_changes_and_survives_copies():
    node = song.kick.decay(beats=0.25) * song.mix.rms()
    with pytest.raises(AttributeError):
        node.op = "other"
    assert pickle.loads(pickle.dumps(node)) == copy.deepcopy(node) == node


def test_shared_parts_cost_nothing_to_compare_hash_and_write():
    node, same = song.mix.rms(), song.mix.rms()
    for _ in range(100):
        node, same = node + node, same + same
    assert node == same
    assert len(str(node)) < 3000
    assert node.depth == 102


def test_a_chain_without_end_is_refused():
    node = song.mix.rms()
    while node.depth < MAX_DEPTH:
        node = node.smooth(seconds=1)
    with pytest.raises(PatchError, match="in a row"):
        node.smooth(seconds=1)


def test_what_the_song_offers_is_typed_and_real():
    stub = Path(sources.__file__).with_suffix(".pyi").read_text()
    assert set(re.findall(r"^    (\w+): ", stub, re.MULTILINE)) == set(vars(song))
    assert {"drums", "melody"} < set(PARTS)
    assert not hasattr(song, "drumz")
    assert not hasattr(song.kick, "smooth")


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda: song.mix.rms().smoth(seconds=1), "did you mean 'smooth'"),
        (lambda: song.drumz, "did you mean 'drums'"),
        (lambda: song.kick.smooth(seconds=1), "no operation 'smooth' on the events 'kick'"),
        (lambda: song.mix.smooth(seconds=1), "no operation 'smooth' on the stem 'mix'"),
        (lambda: song.mix.rms().smooth(second=1), "no parameter 'second'; did you mean 'seconds'"),
        (lambda: song.mix.rms().smooth(seconds=-1), "out of range; it goes from 0 to 600 seconds"),
        (lambda: song.mix.rms().smooth(seconds=float("nan")), "out of range"),
        (lambda: song.mix.rms().smooth(seconds=True), "out of range"),
        (song.kick.decay, "exactly one of seconds, beats"),
        (lambda: song.kick.decay(seconds=1, beats=1), "exactly one of seconds, beats"),
        (lambda: song.mix.rms() + song.kick, "are events, not a curve"),
        (lambda: song.mix.rms().mix(0.5), "cannot take these arguments; it takes second, amount"),
        (lambda: as_signal(float("inf")), "neither a number nor a signal"),
        (lambda: song.mix.rms() * "loud", "neither a number nor a signal"),
        (lambda: gate("bar x"), "start of 'gate'"),
        (lambda: palette(mood="wram"), "did you mean 'warm'"),
        (lambda: palette(seed=1.5), "a whole number"),
        (lambda: palette().loop(bars=0), "it goes from 0.001 to 1024 bars"),
        (lambda: palette().loop(), "needs exactly one of seconds, beats, bars"),
        (lambda: mix(palette(), palette(), 0.5), "cannot be mixed"),
        (lambda: mix(palette().loop(bars=4), song.mix.rms(), 0.5), "takes latents, not the signal"),
        (lambda: palette().loop(bars=4).on("midle", palette().loop(bars=2)), "did you mean 'middle'"),
    ],
)
def test_mistakes_are_named_with_their_fix(write, words):
    with pytest.raises(PatchError) as caught:
        write()
    assert words in str(caught.value)


def test_mixing_signals_is_a_signal():
    assert isinstance(mix(song.mix.rms(), 1.0, 0.5), Signal)


def test_every_op_has_a_description_and_defaults_in_range():
    assert OPS
    for each in OPS.values():
        assert each.function.__doc__, each.name
        for name, param in each.params.items():
            if param.default not in (None, ...):
                assert param.check(name, param.default, each.key) == param.default


def test_a_declaration_that_contradicts_its_function_is_refused():
    with pytest.raises(TypeError, match="do not match"):

        @op("signal", "signal", params={"other": number(1, 0, 2)})
        def broken(curve, *, by):
            """Do nothing."""


def test_arithmetic_keeps_the_order_of_its_sides():
    assert (1 - song.mix.rms()).inputs[0] == as_signal(1)
    assert isinstance(song.mix.rms() - 1, Signal)
    assert str(-song.mix.loudness() / 70) == "((0 - mix.loudness()) / 70)"


LEVEL, WARM = song.mix.rms(), palette()


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda: LEVEL**2, r"sharpen\(by=2\)"),
        (lambda: 2**LEVEL, "sharpen"),
        (lambda: LEVEL % 1, "fold"),
        (lambda: LEVEL // 2, "quantize"),
        (lambda: LEVEL > 0.5, r"threshold\(level=0.5\)"),
        (lambda: max(LEVEL, song.kick.decay(beats=1)), r"\.max\(other\)"),
        (lambda: LEVEL & LEVEL, "min"),
        (lambda: LEVEL and 1, "mix"),
        (lambda: abs(LEVEL), "max"),
        (lambda: LEVEL[0], "delay"),
        (lambda: song.kick * 2, "envelope"),
        (lambda: 2 + song.kick, "envelope"),
        (lambda: -song.kick, "envelope"),
        (lambda: song.drums * 2, r"rms\(\)"),
        (lambda: WARM + WARM, "mix"),
        (lambda: WARM.loop(bars=4) * 2, "mix"),
        (lambda: drift(seconds=1) * 2, r"scale"),
        (lambda: LEVEL * 10**5000, "too large"),
        (lambda: song.kick.decay(beats=10**5000), "out of range"),
    ],
)
def test_an_operator_that_does_not_exist_names_the_operation(write, words):
    with pytest.raises(PatchError, match=words) as caught:
        write()
    assert len(str(caught.value)) < 300


def test_operators_that_do_not_exist_are_type_errors_too():
    with pytest.raises(TypeError):
        _ = LEVEL**2


def test_a_stem_that_one_would_guess_is_named():
    with pytest.raises(PatchError, match=r"stem\(name='vocals'\)"):
        _ = song.vocals
