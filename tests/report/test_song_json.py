"""The JSON export: the song's own values, in fields that the page describes one by one."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.features.harmony.key import PITCH_CLASSES
from clavilux.features.harmony.notes import chord_changes, find_notes
from clavilux.features.rhythm.bar_numbers import number_detected_beats
from clavilux.features.song import Song
from clavilux.report.exports import export
from clavilux.report.song_json import DECIMALS, SCHEMA, UNITS, song_fields
from clavilux.report.summary import summary

PAGE = Path(__file__).parents[2] / "docs" / "analysis.md"
PLACEHOLDERS = (
    (r"^events\.(kick|snare|hat)\.", "events.DRUM."),
    (r"^notes\.\w+\[\]", "notes.VOICE[]"),
    (r"^(curves\.(?:rms|onset_strength|chroma))\.\w+", r"\1.STEM"),
    (r"^(curves\.chroma\.STEM)\..+", r"\1.CLASS"),
    (r"^(curves\.(?:pitch|pitch_confidence))\.\w+", r"\1.VOICE"),
    (r"^units\..*", "units"),
)


def read(song, **options):
    files = export(song, "json", "a.wav", **options)
    assert list(files) == [".analysis.json"]
    return json.loads(files[".analysis.json"])


@pytest.fixture(scope="module")
def file(song):
    return read(song)


def test_it_holds_the_whole_summary(song, file):
    whole = summary(song).to_dict()
    assert {name: file[name] for name in whole} == whole
    assert (file["schema"], file["digest"]) == (SCHEMA, song.digest) == (1, song.digest)


def test_beats_hits_and_chords_are_those_of_the_song(song, file):
    beats = number_detected_beats(song.grid, song.duration)
    assert file["beats"]["times"] == pytest.approx(beats.times, abs=5.1e-5)
    assert file["beats"]["bars"] == beats.bars.tolist()
    assert file["beats"]["numbers"] == beats.beats.tolist()
    assert file["downbeats"] == pytest.approx(beats.downbeats.times, abs=5.1e-5)
    assert set(file["downbeats"]) <= set(file["beats"]["times"])
    found = {"kick": song.kick, "snare": song.snare, "hat": song.hat}
    found["chords"] = chord_changes(song.chord_change())
    assert list(file["events"]) == list(found)
    for kind, events in found.items():
        assert len(events) > 0, kind
        assert file["events"][kind]["times"] == pytest.approx(events.times, abs=5.1e-5)
        assert file["events"][kind]["strengths"] == pytest.approx(events.strengths, abs=5.1e-5)


def test_notes_are_those_of_the_song(song, file):
    for voice, track in (("melody", song.melody), ("bass", song.bass_line)):
        notes = find_notes(track)
        assert len(notes) == file[voice]["notes"] > 0
        for written, note in zip(file["notes"][voice], notes, strict=True):
            assert (written["pitch"], written["name"]) == (note.pitch, note.name)
            expected = (note.start, note.end, note.strength)
            assert [written[name] for name in ("start", "end", "strength")] == pytest.approx(
                expected, abs=5.1e-5
            )


def test_every_level_of_sections_covers_the_song(song, file):
    assert len(file["levels"]) == len(song.levels) == 9
    for written, level in zip(file["levels"], song.levels, strict=True):
        assert [section["label"] for section in written] == list(level.labels)
        bounds = [section["start"] for section in written] + [written[-1]["end"]]
        assert bounds == pytest.approx(level.bounds, abs=5.1e-5)
        assert [section["energy"] for section in written] == pytest.approx(level.energies, abs=5.1e-5)


def test_curves_are_those_of_the_song(song, file):
    curves = file["curves"]
    rows = len(song.rms().values)
    assert (curves["rate"], curves["length"]) == (100, rows)
    assert list(curves["rms"]) == ["mix", "harmonic", "drums", "bass", "chords", "melody"]
    for stem, values in curves["rms"].items():
        assert values == pytest.approx(song.rms(stem).values[:, 0], abs=5.1e-6), stem
    for stem, values in curves["onset_strength"].items():
        assert values == pytest.approx(song.flux(stem).values[:, 0], abs=5.1e-5), stem
    for stem, classes in curves["chroma"].items():
        assert tuple(classes) == PITCH_CLASSES
        for values, label in zip(song.chroma(stem).values.T, PITCH_CLASSES, strict=True):
            assert classes[label] == pytest.approx(values, abs=5.1e-5)
    assert list(curves["chroma"]) == ["harmonic", "bass", "chords"]
    assert curves["loudness"] == pytest.approx(song.loudness().values[:, 0], abs=5.1e-3)
    assert curves["chord_change"] == pytest.approx(song.chord_change().values[:, 0], abs=5.1e-5)
    for voice, track in (("melody", song.melody), ("bass", song.bass_line)):
        assert curves["pitch"][voice] == pytest.approx(track.pitch.values[:, 0], abs=5.1e-3)
        confidence = track.confidence.values[:, 0]
        assert curves["pitch_confidence"][voice] == pytest.approx(confidence, abs=5.1e-4)
    lists = [*curves["rms"].values(), *curves["pitch"].values(), curves["loudness"]]
    assert {len(values) for values in lists} == {rows}


def test_own_stems_have_curves(composed):
    vocals = Audio.from_samples(composed.stems["melody"], 44100)
    curves = read(Song(composed.audio, stems={"vocals": vocals}))["curves"]
    assert max(curves["rms"]["vocals"]) > 0.01
    assert max(curves["onset_strength"]["vocals"]) > 0.1


def test_detail_chooses_the_sections(song):
    fields = song_fields(song, detail=4)
    assert len(fields["sections"]) == len(song.structure(4))


@pytest.mark.parametrize("samples", [1, 2400, 22050 * 9])
def test_silence_has_all_fields(samples, file):
    silence = read(Song(Audio.from_samples(np.zeros(samples), 22050)))
    assert {path for path in paths(file) if not path.startswith("notes.")} <= set(paths(silence))
    assert silence["beats"] == {"times": [], "bars": [], "numbers": []}
    assert silence["notes"] == {"melody": [], "bass": []}
    assert set(silence) == set(file)


def test_every_number_has_a_unit_and_a_precision():
    assert set(DECIMALS) <= set(UNITS)


def paths(value, path=""):
    """Yield the path of every leaf, as the page writes it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict | list):
        for inner in value:
            yield from paths(inner, f"{path}[]")
    else:
        for pattern, name in PLACEHOLDERS:
            path = re.sub(pattern, name, path)
        yield path


def test_the_page_describes_every_field_and_nothing_else(song, file):
    page = PAGE.read_text(encoding="utf-8")
    (table,) = re.findall(r"\n## The JSON file\n.*?\n(\| field .*?)\n\n", page, re.DOTALL)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    ours = {name: value for name, value in file.items() if name not in summary(song).to_dict()}
    assert [row[0].strip("`") for row in rows] == list(dict.fromkeys(paths(ours)))
    for row in rows:
        assert row[2] or not row[1].endswith(("number", "list of number")) or row[0] == "`schema`", row[0]
