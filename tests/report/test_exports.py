"""Files for other programs: exact, in their own grammar, and possible for any song."""

import csv
import io
import re

import mido
import numpy as np
import pytest

from clavilux.annotations.labels import parse_labels
from clavilux.audio.sound import Audio
from clavilux.curves import Grid, Sections
from clavilux.errors import SettingError
from clavilux.features.corrections import Corrections
from clavilux.features.harmony.notes import find_notes
from clavilux.features.rhythm.bar_numbers import number_beats, number_detected_beats
from clavilux.features.song import Song
from clavilux.report.exports import EXPORTS, SUFFIXES, export


def messages(data):
    """Read a MIDI file with its own clock: name of the track -> (seconds, message) of each."""
    file = mido.MidiFile(file=io.BytesIO(data))
    tempi, heard = [(0, 0.0, 500_000)], {}
    for index, track in enumerate(file.tracks):
        tick, found = 0, []
        for message in track:
            tick += message.time
            begun, second, tempo = [row for row in tempi if row[0] <= tick][-1]
            now = second + mido.tick2second(tick - begun, file.ticks_per_beat, tempo)
            found.append((now, message))
            if message.type == "set_tempo" and index == 0:
                tempi.append((tick, now, message.tempo))
        heard[track.name] = found
    return heard


@pytest.fixture(scope="module")
def midi(song):
    return messages(export(song, "midi", "a.wav")[".mid"])


@pytest.mark.parametrize("kind", EXPORTS)
@pytest.mark.parametrize("samples", [np.zeros(1), np.zeros(2400), np.sin(np.arange(6600) * 0.1)])
def test_every_export_exists_for_any_song(kind, samples):
    files = export(Song(Audio.from_samples(samples, 22050)), kind, "a.wav")
    assert tuple(files) == SUFFIXES[kind]
    if kind == "midi":
        assert mido.MidiFile(file=io.BytesIO(files[".mid"])).tracks


@pytest.mark.parametrize("kind", ["csv", "audacity"])
def test_beats_and_sections_are_read_back_exactly(song, kind):
    files = [data.decode() for data in export(song, kind, "a.wav").values()]
    texts = files[:1] if kind == "csv" else files
    read = [parse_labels(text, "a") for text in texts]
    both = Corrections.from_dict({name: value for one in read for name, value in one.to_dict().items()})
    sections = both.apply_to_sections(Sections(np.array([0, 1.0]), ("A",)), song.duration)
    assert sections.bounds.tolist() == song.sections.bounds.tolist()
    assert sections.labels == song.sections.labels
    again = number_beats(both.apply_to_grid(Grid(np.arange(2.0)), song.duration), song.duration)
    heard = number_detected_beats(song.grid, song.duration)
    assert again.times.tolist() == heard.times.tolist()
    assert again.names == heard.names


def test_the_table_holds_everything_in_order(song):
    table = list(csv.DictReader(io.StringIO(export(song, "csv", "a.wav")[".events.csv"].decode())))
    times = [float(row["time"]) for row in table]
    assert times == sorted(times)
    kinds = {kind: [row for row in table if row["kind"] == kind] for kind in {row["kind"] for row in table}}
    assert [float(row["time"]) for row in kinds["kick"]] == song.kick.times.tolist()
    assert len(kinds["beat"]) + len(kinds["downbeat"]) == len(number_detected_beats(song.grid, song.duration))
    assert [row["label"] for row in kinds["melody"]] == [note.name for note in find_notes(song.melody)]
    assert {"track", "section", "snare", "hat", "chords", "bass"} <= set(kinds)


def test_the_curves_are_those_of_the_song(song):
    text = export(song, "csv", "a.wav")[".curves.csv"].decode()
    table = np.genfromtxt(io.StringIO(text), delimiter=",", names=True)
    assert table["time"].tolist() == pytest.approx(np.arange(len(song.rms().values)) / 100)
    assert table["level_mix"] == pytest.approx(song.rms().values[:, 0], rel=1e-3)
    assert table["chroma_Csharp"] == pytest.approx(song.chroma().values[:, 1], rel=1e-3, abs=1e-6)
    assert table["melody_pitch"] == pytest.approx(song.melody.pitch.values[:, 0], rel=1e-3)


def test_a_midi_file_is_in_sync_with_the_song(song, midi):
    markers = [(time, message.text) for time, message in midi["song"] if message.type == "marker"]
    assert [label for _, label in markers] == list(song.sections.labels)
    assert [time for time, _ in markers] == pytest.approx(song.sections.bounds[:-1], abs=2e-3)
    kicks = [time for time, message in midi["drums"] if message.type == "note_on" and message.note == 36]
    assert kicks == pytest.approx(song.kick.times, abs=2e-3)
    melody = [(time, message.note) for time, message in midi["melody"] if message.type == "note_on"]
    notes = find_notes(song.melody)
    assert [note for _, note in melody] == [note.pitch for note in notes]
    assert [time for time, _ in melody] == pytest.approx([note.start for note in notes], abs=2e-3)


def test_bars_of_the_midi_file_are_those_of_the_song(song):
    file = mido.MidiFile(file=io.BytesIO(export(song, "midi", "a.wav")[".mid"]))
    tick, bar, length, second, tempo, starts = 0, 0, 4, 0.0, 500_000, {}
    for message in file.tracks[0]:
        second += mido.tick2second(message.time, file.ticks_per_beat, tempo)
        tick += message.time
        tempo = message.tempo if message.type == "set_tempo" else tempo
        if tick % file.ticks_per_beat == 0:
            starts.setdefault(tick // file.ticks_per_beat, second)
        if message.type == "time_signature":
            bar, length = tick // file.ticks_per_beat, message.numerator
    downbeats = number_beats(song.grid, song.duration).downbeats.times
    lines = [second for beat, second in starts.items() if beat >= bar and (beat - bar) % length == 0]
    later = [second for second in lines if 0.1 < second <= downbeats[-1]]  # the first may be moved to 0 s
    assert len(later) > 3
    assert [np.abs(downbeats - second).min() for second in later] == pytest.approx([0] * len(later), abs=2e-3)


def test_every_note_of_a_midi_file_ends(midi):
    for name in ("drums", "melody", "bass"):
        sounding = set()
        for _, message in midi[name]:
            if message.type == "note_on":
                assert message.note not in sounding
                sounding.add(message.note)
            elif message.type == "note_off":
                sounding.remove(message.note)
        assert not sounding


def test_a_pickup_is_a_bar_of_its_own():
    audio = Audio.from_samples(np.zeros(8000 * 10), 8000)
    song = Song(audio, corrections=Corrections(bpm=60, first_downbeat=2.5))
    track = messages(export(song, "midi", "a.wav")[".mid"])["song"]
    signatures = [(time, message.numerator) for time, message in track if message.type == "time_signature"]
    assert signatures == [(0, 3), (pytest.approx(2.5, abs=1e-3), 4)]


def test_a_cue_sheet_in_its_grammar(song):
    text = export(song, "cue", 'my "tune".mp3')[".cue"].decode()
    assert "FILE \"my 'tune'.mp3\" MP3" in text.splitlines()
    indices = re.findall(r"    INDEX 01 (\d\d):(\d\d):(\d\d)\n", text)
    seconds = [int(m) * 60 + int(s) + int(f) / 75 for m, s, f in indices]
    assert seconds == pytest.approx(song.sections.bounds[:-1], abs=0.5 / 75 + 1e-9)
    assert re.findall(r"TRACK (\d\d) AUDIO", text) == [f"{n + 1:02d}" for n in range(len(song.sections))]


def test_a_cue_sheet_never_holds_more_than_99_tracks():
    many = Sections(np.arange(151) / 100, tuple(f"part {n}" for n in range(150)))
    song = Song(Audio.from_samples(np.zeros(8000 * 2), 8000), corrections=Corrections(sections=many))
    text = export(song, "cue", "a.flac")[".cue"].decode()
    assert text.count("TRACK") == 99
    times = re.findall(r"INDEX 01 (\S+)", text)
    assert times == sorted(set(times))
    assert 'FILE "a.flac" WAVE' in text


def test_no_beats_are_written_where_there_is_no_beat():
    noise = Song(Audio.from_samples(np.zeros(22050 * 5), 22050))
    files = export(noise, "audacity", "a.wav") | export(noise, "csv", "a.wav")
    assert files[".beats.txt"] == b""
    assert b"beat" not in files[".events.csv"]


def test_an_unknown_export_is_an_error(song):
    with pytest.raises(SettingError, match="csv, audacity, cue, midi, json"):
        export(song, "xml", "a.wav")
