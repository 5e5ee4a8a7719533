"""A MIDI file in sync with the song when both begin together.

Every beat has its own tempo, so bars and beats of the file are those of the song however the tempo varies. A
pickup is a bar of its own. Drums are on channel 10 with the note numbers of General MIDI. Times are seconds.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mido
import numpy as np

from clavilux.arrays import F64
from clavilux.curves import Events
from clavilux.features.harmony.notes import Note
from clavilux.features.rhythm.bar_numbers import BarNumbers

__all__ = ["midi_file"]

_Event = tuple[int, "mido.Message | mido.MetaMessage"]

TICKS_PER_BEAT = 960
"""Half a millisecond at 120 bpm."""
MAX_NUMERATOR = 255
"""Of a time signature."""
DRUM_CHANNEL = 9
"""Channel 10, counted from 0."""
DRUM_NOTES = {"kick": 36, "snare": 38, "hat": 42}
PROGRAMS = {"melody": 80, "bass": 33}
"""Instruments of General MIDI, from 0: a lead synthesizer, a bass guitar."""
HIT_TICKS = TICKS_PER_BEAT // 8


@dataclass(frozen=True)
class TempoMapModel:
    """How beats become tempi of the file. The longest beat is MIDI's; the other values were set by hand.

    Attributes:
        max_late_beats: the first beat may be this late and still be moved to the start.
        default_beat_seconds: length of a beat where there are less than two.
        max_beat_seconds: a tempo is written in 24 bits of microseconds a beat: at most 16.78 s.
        max_drift_microseconds: the tempo is written again where the next beat would be further off.
    """

    max_late_beats: float = 0.1
    default_beat_seconds: float = 0.5
    max_beat_seconds: float = 16.0
    max_drift_microseconds: int = 100


TEMPO_MAP = TempoMapModel()


@dataclass(frozen=True, eq=False)
class _Clock:
    """Seconds to ticks: beat n is at ``times[n]`` s and at tick 960 n.

    Attributes:
        times: float64 (N,) s from 0 on, N >= 2.
        bars: the beats that begin a bar, one at least.
    """

    times: F64
    bars: tuple[int, ...]

    @classmethod
    def of(cls, beats: BarNumbers) -> "_Clock":
        times = beats.times if len(beats) else np.zeros(1)
        step = float(np.median(np.diff(times))) if len(times) > 1 else TEMPO_MAP.default_beat_seconds
        early = times[0] > TEMPO_MAP.max_late_beats * step  # the time before the first beat becomes a beat
        times = np.concatenate(([0.0], times[0 if early else 1 :], [times[-1] + step]))
        bars = np.flatnonzero(beats.beats == 1) + int(early)
        # MIDI holds no slower tempo: a beat that lasts longer, over a pause, becomes several
        parts = np.maximum(np.ceil(np.diff(times) / TEMPO_MAP.max_beat_seconds), 1).astype(int)
        places = np.concatenate(([0], np.cumsum(parts)))
        whole = np.interp(np.arange(places[-1] + 1), places, times)
        return cls(whole, tuple(places[bars].tolist()) or (0,))

    def ticks(self, time: float) -> int:
        """Convert a time in seconds to ticks; after the last beat its tempo continues."""
        last, step = self.times[-1], self.times[-1] - self.times[-2]
        beat = np.interp(time, self.times, np.arange(len(self.times))) + max(0.0, time - last) / step
        return round(float(beat) * TICKS_PER_BEAT)


def midi_file(
    beats: BarNumbers,
    markers: Sequence[tuple[float, str]],
    drums: Mapping[str, Events],
    voices: Mapping[str, Sequence[Note]],
    *,
    metre: int,
) -> bytes:
    """Write a MIDI file of type 1: a track of tempo and markers, one of drums, and one for each voice.

    Args:
        beats: the beats within the song.
        markers: time and name, such as sections.
        drums: hits by the name of the drum: kick, snare, hat.
        voices: notes by the name of the voice.
        metre: beats per bar.

    >>> silence = BarNumbers(np.zeros(0), np.zeros(0, int), np.zeros(0, int))
    >>> midi_file(silence, [], {}, {}, metre=4)[:4]
    b'MThd'
    """
    clock = _Clock.of(beats)
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    file.tracks.append(_timing(clock, markers, metre))
    if drums:
        file.tracks.append(_drums(clock, drums))
    for channel, (name, notes) in enumerate(voices.items()):
        file.tracks.append(_voice(clock, name, notes, channel))
    written = io.BytesIO()
    file.save(file=written)
    return written.getvalue()


def _timing(clock: _Clock, markers: Sequence[tuple[float, str]], metre: int) -> mido.MidiTrack:
    events = [(clock.ticks(time), mido.MetaMessage("marker", text=label)) for time, label in markers]
    lengths = np.diff([0, *clock.bars, clock.bars[-1] + metre]).tolist()
    bars = zip([0, *clock.bars], lengths, [0, *lengths], strict=False)
    for beat, length, before in bars:
        if length not in {0, before} and length <= MAX_NUMERATOR:
            events.append((beat * TICKS_PER_BEAT, mido.MetaMessage("time_signature", numerator=length)))
    now, step = 0, 0
    for beat, end in enumerate(np.round(clock.times[1:] * 1e6).astype(int).tolist()):
        if abs(now + step - end) > TEMPO_MAP.max_drift_microseconds:
            step = end - now
            events.append((beat * TICKS_PER_BEAT, mido.MetaMessage("set_tempo", tempo=step)))
        now += step
    return _track("song", events)


def _drums(clock: _Clock, drums: Mapping[str, Events]) -> mido.MidiTrack:
    events: list[_Event] = []
    for name, hits in drums.items():
        begins = [clock.ticks(time) for time in hits.times.tolist()]
        for begin, following, strength in zip(
            begins, [*begins[1:], np.inf], hits.strengths.tolist(), strict=False
        ):
            events += _note(
                (begin, min(begin + HIT_TICKS, following)), DRUM_NOTES[name], strength, DRUM_CHANNEL
            )
    return _track("drums", events)


def _voice(clock: _Clock, name: str, notes: Sequence[Note], channel: int) -> mido.MidiTrack:
    events: list[_Event] = [(0, mido.Message("program_change", program=PROGRAMS[name], channel=channel))]
    for note in notes:
        events += _note((clock.ticks(note.start), clock.ticks(note.end)), note.pitch, note.strength, channel)
    return _track(name, events)


def _note(ticks: tuple[int, float], pitch: int, strength: float, channel: int) -> list[_Event]:
    """Return the two messages of a note, or none if it has no length."""
    begin, end = int(ticks[0]), int(ticks[1])
    velocity = round(1 + 126 * strength)
    return (
        [
            (begin, mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)),
            (end, mido.Message("note_off", note=pitch, channel=channel)),
        ]
        if end > begin
        else []
    )


def _track(name: str, events: Sequence[_Event]) -> mido.MidiTrack:
    """Sort messages, with ends of notes before beginnings, and store the ticks between them."""
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    now = 0
    for tick, message in sorted(events, key=lambda event: (event[0], event[1].type == "note_on")):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track
