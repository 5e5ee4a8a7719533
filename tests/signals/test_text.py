"""Text is exact: what is written is read back as the same nodes, and nothing else is understood."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import signals_of

from clavilux.errors import PatchError
from clavilux.moments import Moment
from clavilux.patches.functions import disc, drift, gate, gradient, half, palette, ramp, ring
from clavilux.patches.mix import mix
from clavilux.patches.patch import Patch
from clavilux.patches.presets.pulse import pulse
from clavilux.signals.expr import apply, as_signal
from clavilux.signals.sources import song
from clavilux.signals.table import OPS
from clavilux.signals.text import parse, to_text

NUMBERS = st.floats(-1e6, 1e6)
LEAVES = st.one_of(
    st.sampled_from([song.mix.rms(), song.kick.decay(beats=0.5), song.stem("lead 'vox'").rms()]),
    NUMBERS.map(as_signal),
)
SIGNALS = signals_of(LEAVES, max_leaves=12)


@settings(max_examples=200)
@given(SIGNALS)
def test_reading_what_was_written_gives_the_same_signal(signal):
    assert parse(to_text(signal)) == signal


@given(SIGNALS, st.integers(-(2**63), 2**63 - 1), st.floats(0.01, 3600))
def test_reading_what_was_written_gives_the_same_patch(signal, seed, seconds):
    colours = palette(mood="warm", seed=seed)
    noise = drift(seconds=seconds).fast(signal, bars=0.25, name="f").mask(ring().invert())
    noise = (noise + drift(bars=2).loop(bars=8)).scale(signal).on("b32.conv0", drift(seconds=1).mask(disc()))
    look = colours.weigh(song.mix.chroma()).toward(colours.accent, signal)
    patch = Patch(mix(look, colours.loop(bars=seconds / 10), signal), noise, psi=signal)
    assert Patch.parse(str(patch)) == patch


def test_the_presets_are_read_back():
    for seed in (0, 7, -1):
        assert Patch.parse(str(pulse(seed))) == pulse(seed)
    assert str(pulse(1)) != str(pulse(1, punch=1.0000001))


def test_text_names_every_parameter_in_order():
    signal = song.drums.flux(high_hz=150).clip_peaks().release(beats=0.5)
    peaks = "clip_peaks(percentile=90, per='song')"
    assert str(signal) == f"drums.flux(low_hz=30, high_hz=150).{peaks}.release(beats=0.5)"
    assert str(1 - song.mix.chroma(kind="cens")) == "(1 - mix.chroma(kind='cens'))"
    mixed = song.mix.rms().mix(song.mix.change(), 0.5)
    assert str(mixed) == "mix(mix.rms(low_hz=0, high_hz=11025), mix.change(), 0.5)"
    assert str(song.melody.notes().decay(beats=1)) == "melody.notes().decay(beats=1)"
    assert parse("gate(start='1:04.5')") == gate("64.5") == gate(Moment("seconds", 64.5))
    assert str(half()) == "half(side='left', soft=0.1)"
    assert str(gradient(degrees=90)) == "gradient(degrees=90)"


def test_numbers_keep_all_their_digits():
    assert "0.30000000000000004" in str(song.mix.rms().smooth(seconds=0.1 + 0.2))
    tiny = math.nextafter(0.7, 1)
    assert str(as_signal(0.7)) != str(as_signal(tiny))
    assert parse(str(as_signal(tiny) * 1)) == as_signal(tiny) * 1


def test_a_shared_part_is_named_once():
    kick = song.kick.decay(beats=0.5)
    assert str(kick * kick) == "s1 = kick.decay(beats=0.5)\n(s1 * s1)"


def test_a_long_chain_is_written_in_pieces_and_read_back():
    signal = song.mix.rms()
    for k in range(200):
        signal = signal.smooth(seconds=k / 100)
    assert max(map(len, str(signal).splitlines())) < 2000
    assert parse(str(signal)) == signal


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no expression"),
        ("kick.decay(beats=1", "cannot be read"),
        ("kick.decay(beats=1).smoth()", "did you mean 'smooth'"),
        ("kik.decay(beats=1)", "did you mean 'kick'"),
        ("kick.decay(beats=9999)", "out of range"),
        ("kick.decay(bats=1)", "no parameter 'bats'"),
        ("__import__('os').system('true')", "There is no operation '__import__'"),
        ("kick.__class__", "There is no operation '__class__'"),
        ("(lambda: 1)()", "only operations can be called"),
        ("[x for x in kick]", "not part of the patch language"),
        ("open('/etc/passwd')", "There is no operation 'open'"),
        ("import os", "not an expression"),
        ("kick.decay(**{'beats': 1})", "not part of the patch language"),
        ("True", "not part of the patch language"),
        ("lfo(bars=1) ** 2", "column 1: .*a power is written .sharpen"),
        ("palette()['C']", "written .entry"),
        ("kick.decay(beats=1) > 0.5", "written .threshold"),
        ("kick if snare else hat", "written switch"),
        ("kick and snare", "written switch"),
        ("lfo(bars=1) % 2", "not part of the patch language.*fold"),
        ("b'x'", "not part of the patch language"),
        ("1" * 300_000, "cannot be read"),
        ("9" * 300, "out of range"),
        ("(" * 5000 + "1" + ")" * 5000, "cannot be read|too deeply"),
        ("vocals.rms()", r"column 1: .*; it is one of your own stems: stem\(name='vocals'\)"),
        ("gituar.rms()", r"stem\(name='guitar'\)"),
        ("kick * " + "9" * 10_000, "line 1, column 8: a number of 10000 digits; 300 are the most"),
        ("0x" + "f" * 400, "column 1: a number of 402 digits"),
        ("-" * 5000 + "kick.decay(beats=1)", "cannot be read|too deeply|in a row"),
        ("kick.decay(beats=" + "9" * 5000 + ")", "a number of 5000 digits"),
    ],
    ids=lambda text: text[:24],
)
def test_what_is_not_the_language_is_refused_in_one_sentence(text, words):
    with pytest.raises(PatchError, match=words) as caught:
        parse(text)
    assert len(str(caught.value)) < 1000


def test_numbers_are_moments_where_an_operation_takes_moments():
    assert parse("ramp(20, 30)") == ramp(20, 30)
    assert parse("gate(20, 30)") == gate(20, 30)
    assert parse("mix(0.5, kick.decay(beats=1), 0.25)") == mix(0.5, song.kick.decay(beats=1), 0.25)


def test_a_mistake_is_placed_by_line_and_column():
    with pytest.raises(PatchError) as caught:
        parse("kick = 1\nkick * snare.decay(beats=9999)")
    assert caught.value.where == "line 2, column 14"


def test_a_patch_without_a_part_is_named():
    with pytest.raises(PatchError, match="no line 'noise = "):
        Patch.parse("latents = palette(seed=1).loop(bars=8)\npsi = 1")
    with pytest.raises(PatchError, match="noise of a patch cannot be"):
        Patch(palette().loop(bars=4), song.mix.rms())


@pytest.mark.parametrize("name", ["kick", "snare", "hat", "beats", "drums", "vocals"])
def test_a_stem_called_like_an_event_is_read_back_as_the_stem(name):
    level = song.stem(name).rms()
    assert parse(to_text(level)) == level


BASES = {
    "stem": [song.drums, song.stem("lead 'vox'")],
    "events": [song.kick, song.beats],
    "signal": [song.mix.rms(), song.kick.decay(beats=0.5), as_signal(-0.25)],
}
MADE_OF_SIGNALS = [
    op
    for op in OPS.values()
    if op.style != "literal" and {op.gives, *op.takes} <= {"stem", "events", "signal"}
]


def _values(param):
    if param.type is Moment:
        return st.sampled_from(["0:01.5", "bar 3", "B.2", "end"])
    if param.choices:
        return st.sampled_from(param.choices)
    if param.type is str:
        return st.text(max_size=8)
    low, high = max(param.low, -1e9), min(param.high, 1e9)
    return st.integers(int(low), int(high)) if param.type is int else st.floats(low, high)


@st.composite
def _written_with(draw, op, inputs):
    """Apply an op to nodes with any values of its parameters; some are left to their defaults."""
    unit = draw(st.sampled_from(op.alternatives)) if op.alternatives else ""
    given = {}
    for name, param in op.params.items():
        if name == unit or (name not in op.alternatives and (param.default is ... or draw(st.booleans()))):
            given[name] = draw(_values(param))
    nodes = dict(zip(op.inputs, inputs, strict=True))
    return apply(
        op,
        tuple((nodes | given)[name] for name in op.positional if name in nodes | given),
        {name: value for name, value in given.items() if name not in op.positional},
    )


@pytest.mark.parametrize("op", MADE_OF_SIGNALS, ids=lambda op: op.key)
@given(data=st.data())
@settings(max_examples=20)
def test_every_op_on_signals_is_read_back(op, data):
    inputs = [data.draw(st.sampled_from(BASES[kind])) for kind in op.takes]
    node = data.draw(_written_with(op, inputs))
    assert parse(to_text(node)) == node
    assert to_text(parse(to_text(node))) == to_text(node)


def test_the_new_ops_are_among_those_read_back():
    assert {"phase", "events.add", "events.quantize", "signal.quantize", "signal.smooth", "midi"} < {
        op.key for op in MADE_OF_SIGNALS
    }
    assert len(MADE_OF_SIGNALS) > 50
