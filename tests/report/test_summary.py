"""The summary: one line a musician reads, and numbers for JSON that a page describes."""

import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.features.corrections import Corrections
from clavilux.features.song import Song
from clavilux.report.summary import SectionSummary, Summary, TrackSummary, VoiceSummary, headline, summary

PAGE = Path(__file__).parents[2] / "docs" / "analysis.md"
WRITTEN = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}


def test_a_song_in_one_line(song):
    assert re.fullmatch(r"0:30, 12\d bpm, E major, \d sections, drums strong", headline(song))
    assert str(summary(song)) == headline(song)


def test_the_headline_of_a_corrected_song(composed):
    song = Song(composed.audio, corrections=Corrections(bpm=composed.bpm))
    assert headline(song).endswith(", corrected by hand")


def test_numbers_are_those_of_the_song(composed, song):
    found = summary(song).to_dict()
    assert found == json.loads(json.dumps(found))
    assert found["name"] == composed.audio.name
    assert found["kicks"] == len(song.kick)
    assert found["tempo"] == pytest.approx(composed.bpm, rel=0.01)
    assert found["tempo_low"] <= found["tempo"] <= found["tempo_high"]
    assert found["lufs"] <= found["loudest"] < 0
    assert (found["rate"], found["channels"], found["silent"]) == (44100, 2, False)
    assert [part["label"] for part in found["sections"]] == list(song.sections.labels)
    assert sum(part["bars"] for part in found["sections"]) == pytest.approx(
        song.duration / 4 * composed.bpm / 60, abs=1
    )
    assert max(part["energy"] for part in found["sections"]) == 1
    assert found["melody"]["notes"] > 0
    assert found["corrections"] == []


def test_detail_chooses_the_sections(song):
    for detail in (2, 6):
        assert len(summary(song, detail=detail).sections) == len(song.structure(detail))


def test_corrections_are_in_the_summary():
    given = Corrections(bpm=90, beats_per_bar=3)
    found = summary(Song(Audio.from_samples(np.zeros(8000 * 20), 8000), corrections=given))
    assert found.corrections == ("90 bpm", "3 beats a bar")
    assert (found.tempo, found.beats_per_bar, found.beat_confidence) == (90, 3, 1)
    assert (found.first_downbeat, found.bars) == (0, 11)


def test_the_headline_of_silence_and_noise():
    assert headline(Song(Audio.from_samples(np.zeros(8000 * 65), 8000))) == "1:05, silence"
    noise = np.random.default_rng(0).standard_normal(22050 * 8) * 0.1
    line = headline(Song(Audio.from_samples(noise, 22050)))
    assert re.match("0:08, no steady beat, .*, no drums", line)


@pytest.mark.parametrize("samples", [1, 2400, 22050])
def test_silence_has_a_summary(samples):
    found = summary(Song(Audio.from_samples(np.zeros(samples), 8000)))
    assert found.first_downbeat is None
    assert found.melody == VoiceSummary(None, None, 0, 0.0)
    assert found.lufs == -70
    assert json.dumps(found.to_dict())


def test_a_pad_has_no_drums(composed):
    pad = Song(Audio.from_samples(composed.stems["chords"], 44100))
    assert headline(pad).endswith("no drums")


@pytest.mark.parametrize("kind", [Summary, SectionSummary, TrackSummary, VoiceSummary])
def test_the_page_describes_every_field_and_nothing_else(kind):
    """The page goes stale when a field is added, renamed, removed or changes its type."""
    page = PAGE.read_text(encoding="utf-8")
    (table,) = re.findall(rf"\n## {kind.__name__}\n.*?\n(\| field .*?)\n(?:\n|$)", page, re.DOTALL)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert [row[0].strip("`") for row in rows] == [field.name for field in fields(kind)]
    for row, field in zip(rows, fields(kind), strict=True):
        assert row[1] == words(str(field.type))
        assert row[3].endswith(".")
        assert row[2] or not row[1].startswith("number"), "a number has a unit"


def words(kind):
    """Write a type as the page does: 'list of SectionSummary', 'number or null'."""
    name = re.sub(r"<class '(?:.*\.)?(\w+)'>", r"\1", kind).replace("clavilux.report.summary.", "")
    if match := re.fullmatch(r"tuple\[(\w+), \.\.\.\]", name):
        return f"list of {WRITTEN.get(match[1], match[1])}"
    return " or ".join(WRITTEN.get(part, "null" if part == "None" else part) for part in name.split(" | "))
