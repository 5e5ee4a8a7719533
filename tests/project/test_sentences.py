"""Patches as tables of sentences: exactly what Python writes, every mistake named, whatever is in them."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import signals_of

from clavilux.errors import PatchError
from clavilux.patches import functions
from clavilux.patches.functions import disc, drift, palette, ring
from clavilux.patches.mix import mix
from clavilux.patches.patch import MAX_NODES, Patch
from clavilux.patches.presets.preset import knob, patch
from clavilux.patches.presets.pulse import pulse
from clavilux.patches.score import bars, by_section, scene, score
from clavilux.project.sentences import read_looks, write_patch
from clavilux.signals.expr import as_signal
from clavilux.signals.sources import song

LOOK = {"latents": "palette().loop(bars=4)", "noise": "drift(seconds=4)"}

HITS = st.sampled_from([song.kick, song.kick + song.snare, song.beats, (song.hat + song.kick).every(count=2)])
LEAVES = st.one_of(
    st.sampled_from([song.mix.rms(), song.stem("lead 'vox'").rms()]),
    HITS.map(lambda hits: hits.decay(beats=0.5)),
    HITS.map(lambda hits: hits.decay(seconds=0.1) * hits.decay(beats=2)),
    st.floats(-1e6, 1e6).map(as_signal),
)
SIGNALS = signals_of(LEAVES, max_leaves=10)


@st.composite
def patches(draw):
    """Patches of any signals, with parts of every kind shared."""
    first, second, psi = draw(SIGNALS), draw(SIGNALS), draw(SIGNALS)
    colours = palette(mood=draw(st.sampled_from([None, "warm"])), seed=draw(st.integers(-(2**63), 2**63 - 1)))
    other = colours.variant(seed=draw(st.integers(0, 9)))
    flashed = colours.weigh(song.mix.chroma()).toward(other.entry(draw(st.text(max_size=5))), first)
    place = disc(radius=0.2)
    noise = drift(seconds=draw(st.floats(0.01, 3600))).scale(first).mask(place)
    noise = (noise + drift(bars=2, name=draw(st.text(max_size=5))).mask(place)).fast(second, bars=1)
    return Patch(mix(flashed, other.loop(bars=8).toward(other.accent, second), first), noise, psi)


@settings(max_examples=150)
@given(patches())
def test_what_is_written_as_tables_is_read_back_exactly(made):
    tables = write_patch(made)
    found = read_looks(tables)
    assert not found.errors
    assert found.patch == made
    assert write_patch(found.patch) == tables


@settings(max_examples=15)
@given(st.lists(patches(), min_size=2, max_size=5), st.sampled_from([bars(2), bars(0)]))
def test_a_score_is_written_and_read_back(several, fade):
    joined = score(*(scene(each, until=f"bar {4 * k + 4}", fade=fade) for k, each in enumerate(several)))
    assert read_looks(write_patch(joined)).patch == joined
    labelled = by_section(fade=fade, **dict(zip("ABCDE", several, strict=False)))
    assert read_looks(write_patch(labelled)).patch == labelled


@patch
def garden(song, punch=knob(1.0, 0, 2), drift=knob(8, 1, 32, unit="bars")):  # noqa: B008  # as patches do
    """Grow."""
    kick = song.kick.decay(beats=1 / 4)
    chords = song.harmonic.chroma().smooth(seconds=0.2)
    energy = song.bass.rms().smooth(seconds=2).normalize()
    warm, cool = palette(mood="warm", seed=1), palette(mood="cool", seed=2)
    look = mix(cool.loop(bars=drift * 2), warm.weigh(chords), energy)
    look = look.toward(warm.accent, punch / 2 * kick)
    return Patch(look, functions.drift(seconds=4).scale(0.6 + punch * kick - -punch), psi=1 - 0.25 * punch)


GARDEN = {
    "palettes": {"warm": "palette(mood='warm', seed=1)", "cool": "palette(mood='cool', seed=2)"},
    "knobs": {
        "punch": {"value": 1.0, "min": 0, "max": 2},
        "drift": {"value": 8, "min": 1, "max": 32, "unit": "bars"},
    },
    "signals": {
        "kick": "kick.decay(beats=1/4)",
        "chords": "harmonic.chroma().smooth(seconds=0.2)",
        "energy": "bass.rms().smooth(seconds=2).normalize()",
    },
    "look": {
        "latents": "mix(cool.loop(bars=drift * 2), warm.weigh(chords), energy)"
        ".toward(warm.accent, punch / 2 * kick)",
        "noise": "drift(seconds=4).scale(0.6 + punch * kick - -punch)",
        "psi": "1 - 0.25 * punch",
    },
}


@pytest.mark.parametrize("given", [{}, {"punch": 1.7}, {"punch": 0.3, "drift": 3}])
def test_a_python_patch_is_the_same_sentences(given):
    found = read_looks(GARDEN, knobs=given)
    assert not found.errors
    assert found.patch == garden(**given)


def test_a_line_may_be_named_like_what_it_is_made_of():
    tables = {"signals": {"kick": "kick.decay(beats=1)", "energy": "mix.rms()", "mix": "kick * energy"}}
    assert (
        read_looks({"look": LOOK | {"psi": "mix"}} | tables).patch.psi
        == song.kick.decay(beats=1) * song.mix.rms()
    )
    (error,) = read_looks({"look": LOOK | {"psi": "kick.decay(beats=1)"}} | tables).errors
    assert "look.psi, column 6: There is no operation 'decay' on the signal" in str(error)


def test_arithmetic_on_numbers_alone_stays_as_it_is_written():
    made = as_signal(0.1) + as_signal(0.2)
    assert read_looks({"look": LOOK | {"psi": str(made)}}).patch.psi == made


def errors_of(**tables):
    found = read_looks({"look": LOOK} | tables)
    assert found.errors or found.patch is not None
    return [str(error) for error in found.errors]


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        (
            {"signals": {"k": "kick.decay(beats=1).smoth()"}},
            "signals.k, column 21: There is no operation 'smoth'.*did you mean 'smooth'",
        ),
        (
            {"look": LOOK | {"noise": "drift(seconds=99999)"}},
            "look.noise, column 1: seconds=99999.*0.01 to 3600",
        ),
        ({"look": LOOK | {"noise": "palette()"}}, "look.noise: it gives .*, not noise"),
        ({"look": LOOK | {"psi": "'wide'"}}, "look.psi: it gives 'wide', not signal"),
        ({"look": LOOK | {"psi": "None"}}, "look.psi: "),
        ({"look": LOOK | {"psi": float("nan")}}, "look.psi, column 1: There is no 'nan'"),
        ({"look": LOOK | {"bends": ["kick.decay(beats=1)"]}}, r"look.bends\[0\]: it gives"),
        ({"look": LOOK | {"nois": "x"}}, "look.nois: .*did you mean 'noise'"),
        ({"look": {"noise": "drift(seconds=1)"}}, "look: it has no latents"),
        ({"look": {"preset": "pulze"}}, "look.preset: There is no preset 'pulze'; did you mean 'pulse'"),
        ({"look": {"preset": "pulse", "punsh": 1}}, "look.punsh: .*did you mean 'punch'"),
        ({"look": {"preset": "pulse", "punch": 3}}, "look.punch: punch=3 .*0 to 2"),
        ({"look": {"preset": ["pulse"]}}, "look.preset: There is no preset"),
        ({"signals": {"x": "[kick]"}}, "signals.x: it gives .*, not a part of a patch"),
        ({"signals": {"x": "kick.decay(beats=[1])"}}, "signals.x, column"),
        ({"signals": {"x": "kick.decay(beats=1/0)"}}, "signals.x, column 6: beats=.* out of range"),
        ({"signals": {"x": ["kick"]}}, "signals.x: it is not a sentence"),
        (
            {"palettes": {"x": "palette()"}, "signals": {"x": "mix.rms()"}},
            "signals.x: another table has this name",
        ),
        ({"signals": {"None": "mix.rms()"}}, "signals.None: this name is not one word"),
        ({"signals": {"my kick": "mix.rms()"}}, "signals.my kick: this name is not one word"),
        ({"signals": {"": "mix.rms()"}}, "signals.: this name is not one word"),
        ({"signals": 5}, "signals: it is no table"),
        ({"knobs": {"punch": {"value": 3, "max": 2}}}, "knobs.punch: punch=3 .*out of range"),
        ({"knobs": {"punch": {"valu": 3}}}, "knobs.punch: there is no 'valu'; did you mean 'value'"),
        ({"knobs": {"punch": "loud"}}, "knobs.punch: value is not a number"),
        ({"knobs": {"punch": {"value": True, "unit": [1]}}}, "knobs.punch: value is not a number"),
        ({"scenes": [{"look": "a"}]}, "more than one of look, scenes and by_section"),
        ({"looks": {"a": LOOK}}, "looks: nothing says when each is shown"),
    ],
    ids=str,
)
def test_a_mistake_is_placed_by_table_sentence_and_column(tables, words):
    (said,) = errors_of(**tables)
    assert re.search(words, said), said
    assert len(said) < 400


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"look": "calm", "until": "somewhere 5!"}, "scenes.0.: 'somewhere 5!' is not a moment"),
        ({"look": "calm", "until": "end"}, "scenes: Only the last scene"),
        ({"look": "kalm", "until": "bar 2"}, "scenes.0.: there is no look 'kalm'; did you mean 'calm'"),
        ({"look": "calm", "until": "bar 2", "fade": "2"}, "scenes.0.: '2' is not a length"),
        ({"look": "calm", "untl": "bar 2"}, "scenes.0.: a scene has look, until and fade"),
        ({"until": "bar 2"}, "scenes.0.: a scene has"),
        (5, "scenes.0.: a scene has"),
    ],
    ids=str,
)
def test_a_mistake_in_a_scene_is_placed(row, words):
    found = read_looks({"looks": {"calm": LOOK}, "scenes": [row, {"look": "calm"}]})
    assert found.patch is None
    (error,) = found.errors
    assert re.search(words, str(error)), str(error)


def test_a_mistake_is_said_once_where_it_is_and_not_where_it_is_called():
    said = errors_of(
        signals={"a": "kik.decay(beats=1)", "b": "a * a", "c": "b + a", "d": "snar.decay(beats=1)"},
        look=LOOK | {"psi": "c"},
    )
    assert [text.partition(",")[0] for text in said] == ["signals.a", "signals.d"]


def test_names_that_call_each_other_in_a_circle_are_refused():
    said = errors_of(signals={"a": "b + 1", "b": "a + 1"})
    assert "signals.a, column 1: There is no 'b' here" in said[0]
    assert errors_of(signals={"a": "a"})


@pytest.mark.parametrize("label", ["make", "place", "self", "arguments", "params", "name"])
def test_a_section_may_have_any_label(label):
    found = read_looks({"looks": {"calm": LOOK}, "by_section": {label: "calm", "fade": "1 bar"}})
    assert found.errors == []
    assert isinstance(found.patch, Patch)


def test_scenes_and_sections_are_those_of_python():
    tables = {"looks": {"calm": {"preset": "pulse", "punch": 0.3}, "wild": {"preset": "pulse", "punch": 2}}}
    calm, wild = pulse(5, punch=0.3), pulse(5, punch=2)
    rows = [
        {"look": "calm", "until": "B.2"},
        {"look": "wild", "until": 64.5, "fade": "2 beats"},
        {"look": "calm"},
    ]
    found = read_looks(tables | {"scenes": rows}, seed=5)
    from clavilux.patches.score import beats

    assert found.patch == score(
        scene(calm, until="B.2"), scene(wild, until="1:04.5", fade=beats(2)), scene(calm)
    )
    sections = {"A": "calm", "loudest": "wild", "otherwise": "calm", "fade": "1 bar"}
    found = read_looks(tables | {"by_section": sections}, seed=5)
    assert found.patch == by_section(A=calm, loudest=wild, otherwise=calm, fade=bars(1))


def test_a_knob_of_the_command_line_replaces_the_files_and_is_checked():
    assert read_looks(GARDEN, knobs={"punch": 0.5}).patch == garden(punch=0.5)
    (error,) = read_looks(GARDEN, knobs={"punsh": 0.5}).errors
    assert "no knob 'punsh'; did you mean 'punch'" in str(error)
    (error,) = read_looks(GARDEN, knobs={"punch": 5}).errors
    assert "knobs.punch: punch=5" in str(error)
    found = read_looks({"look": {"preset": "pulse", "punch": 0.2}}, knobs={"punch": 0.9})
    assert (found.patch, found.knobs) == ("pulse", {"punch": 0.9})


def test_sharing_costs_nothing_and_depth_is_bounded():
    began = time.monotonic()
    doubled = {"a0": "kick.decay(beats=1)"} | {f"a{k + 1}": f"a{k} + a{k}" for k in range(200)}
    found = read_looks({"signals": doubled, "look": LOOK | {"psi": "a200"}})
    assert not found.errors
    assert read_looks(write_patch(found.patch)).patch == found.patch
    deep = {"a0": "kick.decay(beats=1)"} | {f"a{k + 1}": f"a{k} + a{k}" for k in range(400)}
    said = errors_of(signals=deep, look=LOOK | {"psi": "a400"})
    assert "More than 256 operations in a row" in said[0]
    assert len(said) == 1
    assert time.monotonic() - began < 30


def test_the_words_of_all_sentences_together_are_bounded(monkeypatch):
    monkeypatch.setattr("clavilux.project.sentences.MAX_WORDS", 1000)
    wide = "+".join(["(1+2)"] * 100)
    (said,) = errors_of(signals={f"a{k}": wide for k in range(10)})
    assert "signals.a2: the sentences have more than 1000 words" in said


@pytest.mark.parametrize(
    "tables",
    [
        {"signals": {f"a{k}": "mix.rms()" for k in range(100_000)}},
        {"looks": {f"a{k}": {"preset": "pulse"} for k in range(5000)}, "scenes": [{"look": "a1"}]},
        {"looks": {"a": LOOK}, "scenes": [{"look": "a", "until": "1:00"}] * 5000},
        {"looks": {"a": LOOK}, "by_section": {f"A{k}": "a" for k in range(5000)}},
        {"look": LOOK | {"bends": ["x"] * 100_000}},
    ],
    ids=["sentences", "looks", "scenes", "labels", "bends"],
)
def test_a_table_of_too_many_lines_is_refused_unread(tables):
    found = read_looks(tables)
    assert len(found.errors) == 1
    assert "it is no" in str(found.errors[0])


def test_a_table_of_nonsense_alone_has_a_bounded_number_of_errors():
    strange = {f"x{k}": 1 for k in range(50_000)}
    assert len(read_looks({"look": LOOK | strange}).errors) <= 100
    assert len(read_looks({"look": {"preset": "pulse"} | strange}).errors) <= 100


def test_a_patch_has_a_bounded_number_of_operations(monkeypatch):
    monkeypatch.setattr("clavilux.patches.patch.MAX_NODES", 60)
    with pytest.raises(PatchError, match="more than 60 operations"):
        score(*(scene(pulse(k), until=str(k + 1)) for k in range(20)))
    assert MAX_NODES >= 10_000


def test_masks_of_one_kind_are_shared_as_parts():
    place = ring()
    noise = drift(seconds=1).mask(place) + drift(seconds=2).mask(place)
    tables = write_patch(Patch(palette().loop(bars=4), noise))
    assert list(tables["parts"].values()) == ["ring(x=0.5, y=0.5, radius=0.35, width=0.1, soft=0.1)"]


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["calm", "kick", "a"]),
    ),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["a", "calm", "latents", "noise", "psi", "bends", "preset", "value", "look", "until"]
            ),
            inside,
            max_size=3,
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(["palettes", "knobs", "signals", "parts", "look", "looks", "scenes", "by_section"]),
        VALUES,
        max_size=4,
    )
)
def test_any_tables_give_a_patch_or_errors(tables):
    found = read_looks(tables)
    assert (found.patch is None) <= bool(found.errors)
    assert all(error.what for error in found.errors)


def test_a_look_needs_no_noise():
    found = read_looks({"look": {"latents": LOOK["latents"]}})
    assert not found.errors
    assert found.patch == Patch(palette().loop(bars=4), drift(seconds=3).scale(0))
    assert read_looks(write_patch(found.patch)).patch == found.patch
