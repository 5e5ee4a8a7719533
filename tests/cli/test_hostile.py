"""Whatever is given: the right answer, or one sentence and exit code 2; never a traceback or a replaced file.

Every property runs the command line itself, on a short song and a small model, a bounded number of times.
"""

import json
import os
import struct
import tomllib
import wave
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import av
import numpy as np
import pytest
import tomlkit
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tomlkit.exceptions import TOMLKitError

from clavilux.cli import main
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.project.recipe import KEY, Recipe
from clavilux.project.setting import settings_of

RATE = 8000
FEW = settings(
    max_examples=int(os.environ.get("HOSTILE_EXAMPLES", "30")), suppress_health_check=list(HealthCheck)
)
NUMBERS = (
    "1e1000000000",
    "9" * 400,
    "9" * 5000,
    "-1",
    "nan",
    "inf",
    "1e-400",
    "0x10",
    "1/0",
    "²",
    "",
    "0:99:99",
)
WORDS = st.one_of(
    st.sampled_from(NUMBERS), st.text(max_size=20), st.integers().map(str), st.floats().map(repr)
).filter(lambda word: not word.startswith("-"))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of its own, in which the tests of this file run, with a song."""
    folder = tmp_path_factory.mktemp("hostile")
    song(folder / "song.wav")
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def song(path, seconds=0.5):
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, round(seconds * RATE))
    with path.open("wb") as file, wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(RATE)
        audio.writeframes((noise * 32767).astype("<i2").tobytes())
    return path


def contents(folder):
    return sorted(path.name for path in folder.iterdir())


def attempt(*arguments):
    """Run the command line; return its exit code and its output once all promises were kept."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    code, said = ended.value.code, err.getvalue()
    assert code in {0, 2}, said
    assert "Traceback" not in said
    errors = [line for line in said.split("\n") if line.startswith("Error: ")]
    assert len(errors) == (code == 2), said
    assert code == 0 or said.endswith(errors[0] + "\n"), said
    assert all(letter.isprintable() or letter in "\n\u200c\u200d\u00a0\u3000" for letter in said), ascii(said)
    return code, out.getvalue() + said


NAMES = st.one_of(
    st.text(min_size=1, max_size=60), st.binary(min_size=1, max_size=60).map(os.fsdecode)
).filter(lambda name: not set(name) & {"/", "\0"} and len(os.fsencode(name)) <= 240 and name.strip("."))


def encodes(name):
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


@FEW
@given(NAMES.filter(encodes))
@example("a\nb")
@example("x" * 251)
def test_any_name_is_a_song(place, name):
    path = song(place / f"{name}.wav") if encodes(name) else None
    try:
        code, _ = attempt("analyse", f"./{path.name}", "--json", "--export", "csv", "-o", place, "--force")
        assert code == 0
    finally:
        for made in place.iterdir():
            if made.name != "song.wav" and made.is_file():
                made.unlink()


OPTIONS = [
    f"--{name.replace('_', '-')}"
    for group in (Project, Output)
    for name, setting in settings_of(group).items()
    if setting.placeholder and name not in {"stems", "model"}
]


@FEW
@given(st.dictionaries(st.sampled_from(OPTIONS), WORDS, min_size=1, max_size=3))
@example({"--fps": "1e1000000000"})
@example({"--start": "9" * 5000})
@example({"--seed": "9" * 4000})
@example({"--size": "16x8192"})
def test_any_value_of_an_option(place, small_file, given_options):
    words = [word for option, value in given_options.items() for word in (option, value)]
    before = contents(place)
    small = ["--model", small_file, "--size", "64x36", "--cells", "4x7"]
    usual = [
        word
        for pair in zip(small[::2], small[1::2], strict=True)
        if pair[0] not in given_options
        for word in pair
    ]
    attempt("render", "song.wav", "--dry-run", *usual, *words)
    assert contents(place) == before


@FEW
@given(
    st.sampled_from(["--bpm", "--tempo", "--first-downbeat", "--beats-per-bar", "--detail", "--track"]), WORDS
)
@example("--bpm", "9" * 400)
def test_any_correction(place, option, value):
    attempt("analyse", "song.wav", option, value)


TIMES = st.one_of(st.floats(0, 100).map(lambda t: f"{t:.3f}"), st.sampled_from(NUMBERS), st.text(max_size=6))
ROWS = st.lists(
    st.tuples(TIMES, st.one_of(TIMES, st.integers(0, 9).map(str)), st.text(max_size=8)), max_size=12
)


@FEW
@given(ROWS, st.sampled_from("\t,; "), st.booleans())
def test_any_table_of_labels(place, rows, delimiter, short):
    text = "\n".join(delimiter.join(row[: 2 if short else 3]) for row in rows)
    (place / "labels.txt").write_text(text, encoding="utf-8", errors="replace", newline="")
    attempt("analyse", "song.wav", "--labels", "labels.txt", "--export", "midi", "-o", place, "--force")


FORMATS = {
    "wav": ("wav", "pcm_s16le"),
    "flac": ("flac", "flac"),
    "mp3": ("mp3", "libmp3lame"),
    "ogg": ("ogg", "libopus"),
    "webm": ("webm", "libopus"),
    "m4a": ("ipod", "aac"),
    "mkv": ("matroska", "aac"),
    "aiff": ("aiff", "pcm_s16be"),
}


@pytest.fixture(scope="module")
def sounds(place):
    """The bytes of a short sound in every format."""
    found = {}
    for suffix, (container, codec) in FORMATS.items():
        path = place / f"sound.{suffix}"
        with av.open(str(path), "w", format=container) as made, av.open("song.wav") as source:
            stream = made.add_stream(codec, rate=48000)
            for frame in source.decode(audio=0):
                made.mux(stream.encode(frame))
            made.mux(stream.encode(None))
        found[suffix] = path.read_bytes()
        path.unlink()
    return found


@FEW
@given(
    st.sampled_from(sorted(FORMATS)),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=40),
    st.integers(0, 2**16),
)
def test_any_damage_to_a_sound_file(place, sounds, suffix, changes, cut):
    content = bytearray(sounds[suffix])
    for position, value in changes:
        content[position % len(content)] = value
    path = place / f"damaged.{suffix}"
    path.write_bytes(content[: len(content) - cut % len(content) if cut % 3 == 0 else None])
    before = path.read_bytes()
    attempt("analyse", path)
    assert path.read_bytes() == before


@FEW
@given(st.binary(max_size=300))
@example(b"\xff\xfe1\0\t\0")
@example(b"[" * 100_000)
def test_any_bytes_as_labels_or_sidecar(place, content):
    (place / "labels.txt").write_bytes(content)
    attempt("analyse", "song.wav", "--labels", "labels.txt")
    (place / "song.clavilux.toml").write_bytes(content)
    try:
        attempt("analyse", "song.wav", "--save", "--bpm", "120")
    finally:
        (place / "song.clavilux.toml").unlink(missing_ok=True)


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10), st.sampled_from(NUMBERS)
)


def tables(inside):
    return st.one_of(st.lists(inside, max_size=3), st.dictionaries(st.text(max_size=5), inside, max_size=3))


VALUES = st.recursive(LEAVES, tables, max_leaves=6)
KEYS = st.sampled_from(["bpm", "tempo", "first_downbeat", "beats_per_bar", "sections", "labels", "bmp"])


def toml(value):
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value).replace("e+", "e")
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case _:
            return json.dumps("" if value is None else str(value))


@FEW
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=3))
@example({"bpm": 10**400})
@example({"first_downbeat": 1e308})
def test_any_sidecar(place, values):
    path = place / "song.clavilux.toml"
    path.write_text("".join(f"{key} = {toml(value)}\n" for key, value in values.items()))
    before = path.read_bytes()
    try:
        attempt("analyse", "song.wav")
        assert path.read_bytes() == before
    finally:
        path.unlink()


def test_a_hexadecimal_number_of_any_length_is_bounded(place):
    path = place / "song.clavilux.toml"
    path.write_text(f"bpm = 0x{'f' * 6000}\n")
    try:
        assert "bpm must be a number from 20 to 400" in attempt("analyse", "song.wav")[1]
    finally:
        path.unlink()


STEMS = st.sampled_from(
    ["drums", "no_drums", "Kick In", "Bass Drum", "Vox", "(Instrumental)", "mix", "._drums", "Keys", "song"]
)


@FEW
@given(st.dictionaries(STEMS, st.sampled_from([0.0, 0.1, 0.5, 0.6, 20.0]), max_size=4))
def test_any_folder_of_stems(place, tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("stems")
    for name, seconds in files.items():
        song(folder / f"{name}.wav", seconds)
    attempt("analyse", "song.wav", "--stems", folder)


@pytest.fixture(scope="module")
def recipe(place, small_file):
    """The recipe of a video, as plain values, and a function that puts another one in its place."""
    attempt(
        "render", "song.wav", "-o", "made.mp4", "--model", small_file, "--size", "64x36", "--fps", "8", "-q"
    )
    with av.open("made.mp4") as video:
        return tomllib.loads(video.metadata[KEY])


def tampered(whole, path, value):
    """Return a copy of nested tables with the value at a path, taken modulo what is there, replaced."""
    if not path or not isinstance(whole, dict) or not whole:
        return value
    key = sorted(whole)[path[0] % len(whole)]
    return whole | {key: tampered(whole[key], path[1:], value)}


def with_recipe(text):
    """Write a copy of the video with another recipe in it, frames and all."""
    options = {"movflags": "use_metadata_tags"}
    with av.open("made.mp4") as source, av.open("other.mp4", "w", options=options) as made:
        made.metadata[KEY] = text
        streams = {stream.index: made.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@FEW
@given(st.lists(st.integers(0, 30), min_size=1, max_size=3), VALUES)
@example([0], deep(100))
def test_any_recipe_is_read_or_refused(place, recipe, path, value):
    try:
        text = tomlkit.dumps(tampered(recipe, path, value))
    except (TOMLKitError, AttributeError, TypeError, ValueError):  # TOML has no such value
        return
    with_recipe(text)
    before = contents(place)
    attempt("recreate", "other.mp4", "song.wav", "-o", "again.mp4", "-q")
    (place / "again.mp4").unlink(missing_ok=True)
    assert contents(place) == before


def test_the_video_with_its_own_recipe_is_made_again(place, recipe):
    with_recipe(tomlkit.dumps(recipe))
    assert attempt("recreate", "other.mp4", "song.wav", "-o", "again.mp4")[0] == 0
    Path("again.mp4").unlink()


BAD_TEXTS = [
    "",
    "null",
    "[]",
    "{}",
    '{"schema": 2}',
    '{"schema": 1, "settings": {}, "plan": {}}',
    '{"schema": 1, "settings": 5, "plan": 6}',
    '{"schema": 1' + "0" * 5000 + "}",
    "[" * 10_000,
    "1e1000000000",
    '"\\ud800"',
    "schema = 3",
    "schema = 3\n[made]\nversion = 5",
    "seed = 1" + "0" * 5000,
    "a = " + "[" * 10_000,
    'schema = 3\n[look]\nlatents = "__import__(\'os\')"\nnoise = "drift(seconds=4)"\n[made]',
]


@pytest.mark.parametrize("text", BAD_TEXTS, ids=range(len(BAD_TEXTS)))
def test_a_text_that_is_no_recipe_has_one_kind_of_error(text):
    from clavilux.errors import ClaviluxError

    with pytest.raises((ValueError, KeyError, TypeError, RecursionError, ClaviluxError)):
        Recipe.from_text(text)


@FEW
@given(st.lists(st.integers(0, 200), min_size=1, max_size=4), VALUES, st.binary(max_size=8))
def test_any_model_header(place, small_file, path, value, tail):
    content = small_file.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    try:
        changed = json.dumps(tampered(header, path, value)).encode()
    except ValueError:
        return
    model = place / "model.safetensors"
    model.write_bytes(content)
    assert attempt("models", "show", model)[0] == 0
    model.write_bytes(struct.pack("<Q", len(changed)) + changed + content[8 + length :] + tail)
    attempt("models", "show", model)
    model.write_bytes(content[: 8 + length // 2] + bytes(tail) + content[8 + length // 2 :])
    attempt("models", "show", model)
    attempt("render", "song.wav", "--model", model, "--dry-run", "-q")
