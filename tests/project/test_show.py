"""The project file: what is written is read, every mistake has its line, and no text is too strange."""

import time
import tomllib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clavilux.errors import FileError, ProjectError
from clavilux.features.corrections import Corrections
from clavilux.patches import presets
from clavilux.patches.functions import drift, from_image, palette
from clavilux.patches.patch import Patch
from clavilux.patches.presets.preset import Preset
from clavilux.patches.presets.pulse import pulse
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.project.recipe import Recipe
from clavilux.project.show import Show, check_show, edited, parse_show, read_show, show_text

SENTENCES = """
[look]
latents = "palette().loop(bars=4)"
noise = "drift(seconds=4)"
"""


def read(text, folder=Path(), **given):
    show, errors = parse_show(text, folder, **given)
    assert not errors, [str(error) for error in errors]
    return show


PROJECTS = st.builds(
    Project,
    start=st.fractions(0, 100, max_denominator=1001),
    duration=st.none() | st.fractions(Fraction(1, 10), 100, max_denominator=48000),
    seed=st.integers(-(2**63), 2**63 - 2),
    model=st.text(min_size=1, max_size=9).filter(lambda name: "\0" not in name),
    psi=st.none() | st.floats(0, 2),
    loop=st.booleans(),
    track=st.none() | st.integers(1, 1000),
    knobs=st.fixed_dictionaries({}, optional={"punch": st.floats(0, 2), "colours": st.just("warm")}),
    corrections=st.none() | st.builds(Corrections, bpm=st.floats(20, 400), beats_per_bar=st.integers(2, 7)),
)
OUTPUTS = st.builds(
    Output,
    fps=st.sampled_from([Fraction(30), Fraction(30000, 1001), Fraction(2997, 100), Fraction(1, 3)]),
    size=st.sampled_from([(64, 36), (1920, 1080)]),
    cells=st.sampled_from([None, (4, 7)]),
    crf=st.none() | st.integers(1, 51).map(float),
)


@settings(max_examples=60)
@given(PROJECTS, OUTPUTS, st.booleans())
def test_what_is_written_is_read(project, output, comments):
    show = Show(Path("song.mp3"), project, output)
    again = read(show_text(show, comments=comments))
    assert again == show
    out = read(show_text(show, written_out=True, comments=comments))
    assert out.project.patch == project.shown
    assert out == replace(show, project=replace(project, patch=project.shown, knobs=None, psi=None))
    assert show_text(again) == show_text(show)


def test_every_setting_has_its_comment():
    text = show_text(Show(Path("a.mp3"), Project(), Output()))
    assert "# Another number, other images." in text
    assert "# punch, 0 to 2: how much the kick adds to the texture." in text
    lines = text.splitlines()
    assert all(
        lines[k - 1].startswith("#") for k, line in enumerate(lines) if line.startswith(("seed", "size"))
    )


def test_a_python_patch_made_of_table_operations_travels():
    colours = palette(mood="warm", seed=3)
    patch = Patch(colours.loop(bars=8).toward(colours.accent, 0.123456789), drift(seconds=3), psi=0.7)
    show = Show(Path("song.mp3"), Project(patch=patch), Output())
    assert read(show_text(show)).project.patch == patch


def test_a_recipe_has_the_sentences_of_its_preset_and_survives_a_changed_default(monkeypatch):
    project = Project(seed=4, knobs={"punch": 1.5}, psi=0.8, corrections=Corrections())
    recipe = Recipe("0.2.0", project, Output(), "fp32", ("torch",), {"song": "x", "crf": None}, "abc")
    text = recipe.to_text()
    assert "preset" not in tomllib.loads(text)["look"]

    def changed(song, seed):
        return Patch(palette(seed=99).loop(bars=1), drift(seconds=9))

    before = project.shown
    monkeypatch.setitem(presets.PRESETS, "pulse", Preset("pulse", changed, pulse.knobs and {}))
    again = Recipe.from_text(text)
    assert again.project.shown == before
    assert (again.project.seed, again.output, again.engines, again.pixels) == (4, Output(), ("torch",), "abc")
    assert again.to_text() == text


def test_files_are_named_from_the_project_files_folder(tmp_path, monkeypatch):
    inside = tmp_path / "inside"
    (inside / "stems").mkdir(parents=True)
    for name in ("model.safetensors", "cues.csv", "cover.png"):
        (inside / name).write_text("time\n0\n")
    text = """song = "song.mp3"
model = "model.safetensors"
stems = "stems"
[look]
latents = "from_image('cover.png').loop(bars=4)"
noise = "drift(seconds=4)"
"""
    (inside / "show.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "silk").write_text("not the built-in model")
    show = read_show(Path("inside/show.toml"))
    assert show.song == Path("inside/song.mp3")
    assert (show.project.model, show.project.stems) == ("inside/model.safetensors", "inside/stems")
    assert show.project.shown.files == [Path("inside/cover.png")]
    assert show.project.patch.latents == from_image("inside/cover.png").loop(bars=4)
    (inside / "mix.toml").write_text('song = "mix.mp3"\ncues = "cues.csv"\n')
    assert read_show(Path("inside/mix.toml")).project.cues == "inside/cues.csv"
    (inside / "plain.toml").write_text('song = "/elsewhere/mix.mp3"\nmodel = "silk"\n')
    plain = read_show(Path("inside/plain.toml"))
    assert (plain.song, plain.project.model) == (Path("/elsewhere/mix.mp3"), "silk")


WRONG = """sed = 4
fps = 30

[signals]
hits = "kick.decay(beats=0.5).smoth()"  # here
"odd name" = "mix.rms()"

[look]
latents = "palette().lop(bars=4)"
noise = "drift(seconds=4).scale(hits)"
bends = [
  "zoom()",
]

[output]
size = "1921x1080"
[corrections]
bpm = 5000
"""


def test_check_finds_every_mistake_in_one_go_in_the_order_of_the_lines(tmp_path):
    path = tmp_path / "show.toml"
    path.write_text(WRONG)
    found = check_show(path)
    said = [str(error) for error in found]
    lines = [int(text.split()[1].rstrip(":")) for text in said]
    assert lines == [1, 2, 5, 6, 9, 11, 16, 17]
    assert "line 1: sed: there is no such setting; did you mean 'seed'?" in said
    assert any("signals.hits, column 23: There is no operation 'smoth'" in text for text in said)
    assert any("look.latents, column 11" in text and "did you mean 'loop'" in text for text in said)
    assert any("output.size" in text and "even" in text for text in said)
    assert all(error.hint for error in found)
    with pytest.raises(FileError, match=r"show\.toml, sed: .* \(and 7 more\)"):
        read_show(path)


def test_the_line_of_a_scene_is_its_own(tmp_path):
    path = tmp_path / "show.toml"
    path.write_text(
        '[looks.calm]\npreset = "pulse"\npunch = 7\n[[scenes]]\nlook = "calm"\nuntil = "bar 2"\n'
        '[[scenes]]\nlook = "kalm"\n'
    )
    assert [str(error).split(":")[0] for error in check_show(path)] == ["line 3", "line 7"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed = 1\nseed = 2\n", "line 2"),
        ("\0", "not TOML"),
        ("seed = " + "9" * 5000, "a number has thousands of digits"),
        ("seed = 0x" + "f" * 5000, "64 bits"),
        ("[output]\nfps = 0x" + "f" * 5000, "64 bits"),
        ("schema = 0x" + "f" * 5000, "64 bits"),
        ("schema = 99", "schema"),
        ("a = " + "[" * 100_000, "not TOML"),
        (".".join(["a"] * 200_000) + " = 1", "more than 50 parts"),
        (".".join(['"a"'] * 200_000) + " = 1", "more than 50 parts"),
        ("[" + " . ".join(["a"] * 200_000) + "]", "more than 50 parts"),
        ("x = { " + ".".join(["a"] * 200_000) + " = 1 }", "more than 50 parts"),
        ('song = "\\ud800"', "not TOML"),
        ("song = 5", "song: it is the name of a file"),
        ("made = 5", "made: it is no table"),
        ("output = 5", "output: it is no table"),
        ("psi = nan", "psi"),
        ("corrections = 5", "corrections"),
        ("[corrections]\nbpm = 'fast'", "corrections"),
        ("[corrections.tracks]\nbounds = [1, 0]\nlabels = ['a']", "corrections"),
        ("start = true\nloop = 1", "start"),
        ("[output]\nfps = '1/0'", "output.fps"),
        ("[output]\nsize = 2020-01-01", "output.size"),
        ("look = 5", "look: it is no table"),
        ("signals = [1]" + SENTENCES, "signals"),
        ("[look]\npsi = 0x" + "f" * 5000, "64 bits"),
        ("".join(f"k{k} = 1\n" for k in range(30_000)), "k0"),
        ("[output]\n" + "".join(f"k{k} = 1\n" for k in range(30_000)), "30000 settings"),
        ("[signals]\n" + "".join(f'k{k} = "mix.rms()"\n' for k in range(30_000)) + SENTENCES, "signals"),
        ('[signals]\na = "' + "(" * 90_000 + '"' + SENTENCES, "signals.a"),
        ('[signals]\na = "' + "1+" * 90_000 + '1"' + SENTENCES, "signals.a"),
        ('[signals]\na = "' + "9" * 5000 + '"' + SENTENCES, "signals.a"),
        ('[signals]\na = "kick.decay(beats=1)\\u0000"' + SENTENCES, "signals.a"),
        ('[signals]\na = "' + "x" * 300_000 + '"' + SENTENCES, "signals.a"),
    ],
    ids=lambda text: text[:20],
)
def test_a_hostile_text_is_an_error_in_bounded_time(text, words, tmp_path):
    path, began = tmp_path / "show.toml", time.monotonic()
    path.write_text(text)
    found = check_show(path)
    assert time.monotonic() - began < 20
    assert any(words in str(error) for error in found), [str(error) for error in found][:3]
    assert len(found) < 300
    assert max(len(str(error)) for error in found) < 1100
    with pytest.raises(FileError):
        read_show(path)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"song = '\xff'", b"x" * 5_000_000])
def test_a_file_that_is_no_text_is_refused(content, tmp_path):
    (tmp_path / "show.toml").write_bytes(content)
    with pytest.raises(FileError, match=r"UTF-8|too large"):
        read_show(tmp_path / "show.toml")


@pytest.mark.parametrize("name", ["model", "stems", "cues"])
@pytest.mark.parametrize("value", ["x" * 300, "a\\u0000b", "", ".", "/"])
def test_any_name_of_a_file_is_read(name, value):
    show, errors = parse_show(f'{name} = "{value}"\n', Path("/tmp"))
    assert (show is None) == bool(errors)


COMMENTED = """# My song
schema = 3
seed = 1  # mine

song = "a.mp3"   # the good mix
# how it looks
[look]   # look
preset = "pulse" # for now
  punch = 0.5  # soft
[knobs]
turn = { value = 8, min = 1, max = 32 }  # bars
[[scenes]]
look = "calm"  # first
# the end
"""


def test_an_edit_changes_its_value_and_nothing_else():
    after = edited(
        COMMENTED,
        {"seed": 2, "look.punch": 1.5, "output.size": "64x36", "knobs.turn": 4, "scenes.0.look": "x"},
    )
    expected = (
        COMMENTED.replace("seed = 1", "seed = 2")
        .replace("punch = 0.5", "punch = 1.5")
        .replace("value = 8", "value = 4")
        .replace('"calm"', '"x"')
    )
    assert after.startswith(expected)
    assert tomllib.loads(after)["output"] == {"size": "64x36"}
    assert edited(COMMENTED, {}) == COMMENTED
    windows = COMMENTED.replace("\n", "\r\n")
    changed = edited(windows, {"seed": 2, "output.fps": 24})  # one is there, one is new
    assert changed.startswith(windows.replace("seed = 1", "seed = 2"))
    assert changed.count("\n") == changed.count("\r\n") == windows.count("\n") + 3


def test_a_new_setting_at_the_top_does_not_land_in_a_table():
    after = edited('[look]\npreset = "pulse"  # x\n', {"seed": 7})
    assert tomllib.loads(after) == {"seed": 7, "look": {"preset": "pulse"}}


@settings(max_examples=60)
@given(
    st.sampled_from(["seed", "look.punch", "output.size", "song", "new.table.deep", "look", "knobs.turn"]),
    st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(), st.booleans(), st.text(max_size=20)),
)
def test_comments_survive_every_edit(place, value):
    try:
        after = edited(COMMENTED, {place: value})
    except ProjectError:
        return
    for comment in ("# My song", "# mine", "# the good mix", "# how it looks", "# the end", "# first"):
        assert comment in after
    found = tomllib.loads(after)
    for word in place.split("."):
        found = found[word]
    expected = (
        {**tomllib.loads(COMMENTED)["knobs"]["turn"], "value": value} if place == "knobs.turn" else value
    )
    assert str(found) == str(expected) or place == "look"


@pytest.mark.parametrize(
    "place", ["", ".", "a..b", "seed.x", "scenes.9.look", "scenes.x.look", "song.a.b", "a." * 2000]
)
def test_an_edit_of_no_place_is_one_sentence(place):
    try:
        after = edited(COMMENTED, {place: 1})
    except ProjectError as error:
        after = str(error)
    assert "# mine" in after or "cannot be edited" in after


VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        st.text(max_size=8),
        st.dates(),
        st.sampled_from(["1/3", "0:99"]),
    ),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                *(f for f in Project.__dataclass_fields__ if f != "patch"),
                "song",
                "output",
                "made",
                "look",
                "schema",
            ]
        ),
        VALUES,
        min_size=1,
        max_size=3,
    )
)
def test_any_values_are_read_or_refused(values):
    from clavilux.project.show import parse_tables

    show, errors = parse_tables(values, Path("/nowhere"))
    assert (show is None) == bool(errors)
    assert all(len(str(error)) < 1100 for error in errors)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"start": "1/2", "output": {"fps": "30000/1001"}}, None),
        ({"mute": "0/1"}, "0/1"),
        ({"model": "0/0"}, None),  # a file's name, as good as any
        ({"start": "0/0"}, "start"),
        ({"output": {"fps": "30/0"}}, "fps"),
    ],
)
def test_fractions_are_read_where_numbers_are_wanted(values, said):
    from clavilux.project.show import parse_tables

    show, errors = parse_tables({"song": "song.wav", **values}, Path("/nowhere"))
    assert (show is None) == bool(said)
    assert all(said in str(error) for error in errors)
