"""Everything that was detected in a song as one JSON file, for programs of any language.

docs/analysis.md describes every field. Times are seconds from the first sample; curves have 100 values a
second. Numbers are rounded to what can be heard, see ``DECIMALS``.
"""

import json
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np

from clavilux.arrays import AnyArray
from clavilux.curves import CONTROL_RATE, Curve, Events, Sections
from clavilux.features.harmony.melody import PitchTrack
from clavilux.features.harmony.notes import chord_changes, find_notes
from clavilux.features.rhythm.bar_numbers import number_detected_beats
from clavilux.features.song import Song
from clavilux.report.summary import summary

__all__ = ["SCHEMA", "song_fields", "song_json"]

SCHEMA = 1
"""Raised whenever a field is renamed, removed or changes its meaning; new fields do not raise it."""
CHROMA_STEMS = ("harmonic", "bass", "chords")
DECIMALS = {
    "time": 4,
    "strength": 4,
    "energy": 4,
    "confidence": 3,
    "chroma": 4,
    "chord_change": 4,
    "onset_strength": 4,
    "rms": 5,
    "loudness": 2,
    "pitch": 2,
}
"""Digits after the point: 0.1 ms, a hundredth of a semitone or of a decibel, -100 dB of level."""
UNITS = {
    "time": "s",
    "rate": "values per second",
    "strength": "0 to 1",
    "energy": "0 to 1",
    "confidence": "0 to 1",
    "chroma": "share of the loud level, 1 for all classes together",
    "chord_change": "0 to 1",
    "onset_strength": "about 1 for a clear hit",
    "rms": "linear amplitude, 1 for full scale",
    "loudness": "LUFS",
    "pitch": "MIDI number, 69 for A4",
}


def song_json(song: Song, *, detail: int | None = None) -> bytes:
    """Write a song as JSON in UTF-8, each field on a line.

    >>> from clavilux.audio.sound import Audio
    >>> text = song_json(Song(Audio.from_samples(np.zeros(800), 8000)))
    >>> json.loads(text)["schema"]
    1
    """
    return "".join([*_encode(song_fields(song, detail=detail)), "\n"]).encode()


def song_fields(song: Song, *, detail: int | None = None) -> dict[str, object]:
    """Return the fields of the file: dicts, lists, text and numbers, and arrays (N,) as their lists.

    Args:
        song: any song, silence included.
        detail: level of detail of ``sections``, 2 to 10.
    """
    voices = {"melody": song.melody, "bass": song.bass_line}
    beats = number_detected_beats(song.grid, song.duration)
    events = {"kick": song.kick, "snare": song.snare, "hat": song.hat}
    events["chords"] = chord_changes(song.chord_change())
    return {
        "schema": SCHEMA,
        "clavilux": version("clavilux"),
        "digest": song.digest,
        "units": UNITS,
        **summary(song, detail=detail).to_dict(),
        "beats": {"times": _rounded(beats.times, "time"), "bars": beats.bars, "numbers": beats.beats},
        "downbeats": _rounded(beats.downbeats.times, "time"),
        "events": {kind: _events(found) for kind, found in events.items()},
        "notes": {voice: _notes(track) for voice, track in voices.items()},
        "levels": [_sections(level) for level in song.levels],
        "curves": _curves(song, voices),
    }


def _curves(song: Song, voices: dict[str, PitchTrack]) -> dict[str, object]:
    stems = [stem for stem in song.stem_names if stem != "percussive"]  # which is another name of drums
    levels = dict.fromkeys((*stems, "melody"))
    chroma = {stem: song.chroma(stem) for stem in CHROMA_STEMS}
    return {
        "rate": CONTROL_RATE,
        "length": len(song.rms().values),
        "rms": {stem: _curve(song.rms(stem), "rms") for stem in levels},
        "loudness": _curve(song.loudness(), "loudness"),
        "onset_strength": {stem: _curve(song.flux(stem), "onset_strength") for stem in stems},
        "chroma": {stem: _columns(curve, "chroma") for stem, curve in chroma.items()},
        "chord_change": _curve(song.chord_change(), "chord_change"),
        "pitch": {voice: _curve(track.pitch, "pitch") for voice, track in voices.items()},
        "pitch_confidence": {
            voice: _curve(track.confidence, "confidence") for voice, track in voices.items()
        },
    }


def _curve(curve: Curve, unit: str) -> AnyArray:
    return _rounded(curve.values[:, 0], unit)


def _columns(curve: Curve, unit: str) -> dict[str, AnyArray]:
    """Return the channels of a curve by their labels."""
    return {label: _rounded(values, unit) for label, values in zip(curve.labels, curve.values.T, strict=True)}


def _events(events: Events) -> dict[str, AnyArray]:
    return {
        "times": _rounded(events.times, "time"),
        "strengths": _rounded(events.strengths, "strength"),
    }


def _notes(track: PitchTrack) -> list[dict[str, object]]:
    return [
        {
            "start": round(note.start, DECIMALS["time"]),
            "end": round(note.end, DECIMALS["time"]),
            "pitch": note.pitch,
            "name": note.name,
            "strength": round(note.strength, DECIMALS["strength"]),
        }
        for note in find_notes(track)
    ]


def _sections(sections: Sections) -> list[dict[str, object]]:
    bounds = _rounded(sections.bounds, "time").tolist()
    energies = _rounded(sections.energies, "energy").tolist()
    return [
        {"start": start, "end": end, "label": label, "energy": energy}
        for start, end, label, energy in zip(bounds, bounds[1:], sections.labels, energies, strict=False)
    ]


def _rounded(values: AnyArray, unit: str) -> AnyArray:
    return np.round(values.astype(np.float64), DECIMALS[unit]) + 0.0  # + 0.0 turns -0.0 into 0.0


def _encode(value: object, depth: int = 0) -> Iterator[str]:
    """Yield the JSON of a value, each field of a dict on a line of its own."""
    if not isinstance(value, dict):
        plain = value.tolist() if isinstance(value, np.ndarray) else value
        yield json.dumps(plain, ensure_ascii=False, allow_nan=False)
        return
    margin = "  " * depth
    before = "{\n"
    for key, inner in value.items():
        yield f"{before}{margin}  {json.dumps(key, ensure_ascii=False)}: "
        yield from _encode(inner, depth + 1)
        before = ",\n"
    yield f"\n{margin}}}"
