"""Plays a score through a soundfont: one stereo stem per role, 44.1 kHz.

Notes begin on a grid of 64 samples (1.5 ms), the block size of the synthesizer.
"""

from functools import cache
from pathlib import Path

import numpy as np
import tinysoundfont
from numpy.typing import NDArray

from midi import DRUMS, ROLES, Control, Score

__all__ = ["RATE", "play", "play_stems"]

RATE = 44100
STEP = 64
TAIL_SECONDS = 1.5
"""Seconds that ring after the last beat."""

Stereo = NDArray[np.float32]


def play_stems(score: Score, font: Path) -> dict[str, Stereo]:
    """Play each role by itself, (n, 2) each; roles without notes are omitted."""
    return {role: play(score.with_notes(notes), font) for role in ROLES if len(notes := score.role(role))}


def play(score: Score, font: Path) -> Stereo:
    """Play all notes of a score, float32 (n, 2)."""
    synth, number = _synth(font)
    synth.sounds_off()
    for channel in range(16):
        _reset(synth, channel, number)
    samples = int((float(score.tempo.seconds_at(score.beats)) + TAIL_SECONDS) * RATE)
    sound = np.zeros((-(-samples // STEP) * STEP, 2), np.float32)
    at = 0
    for place, action in _events(score):
        if place > at and place <= len(sound):
            _sound(synth, sound[at:place])
            at = place
        _perform(synth, number, action)
    _sound(synth, sound[at:])
    return sound[:samples]


@cache
def _synth(font: Path) -> tuple[tinysoundfont.Synth, int]:
    synth = tinysoundfont.Synth(gain=-6, samplerate=RATE)
    return synth, synth.sfload(str(font), max_voices=256)


def _reset(synth: tinysoundfont.Synth, channel: int, number: int) -> None:
    drums = channel == DRUMS
    synth.program_select(channel, number, 128 if drums else 0, 0, drums)
    for controller, value in ((7, 100), (10, 64), (11, 127), (64, 0)):
        synth.control_change(channel, controller, value)
    synth.pitchbend(channel, 8192)


def _sound(synth: tinysoundfont.Synth, part: Stereo) -> None:
    """Render part of the audio, in blocks that the synthesizer takes at once."""
    for begin in range(0, len(part), 8192):
        block = part[begin : begin + 8192]
        block[:] = np.frombuffer(bytes(synth.generate(len(block))), np.float32).reshape(-1, 2)


Action = tuple[str, int, int, int]


def _events(score: Score) -> list[tuple[int, Action]]:
    """Return all events in order: at one time controls, then ends, then beginnings of notes."""
    notes = score.seconds()
    events: list[tuple[int, int, Action]] = []
    for control in score.controls:
        place = _place(float(score.tempo.seconds_at(control.beat)))
        events.append((place, 0, _action(control)))
    for note in notes:
        key = int(note["channel"]), int(note["pitch"])
        begin, end = _place(float(note["start"])), _place(float(note["end"]))
        events.append((max(end, begin + STEP), 1, ("off", *key, 0)))
        events.append((begin, 2, ("on", *key, int(note["velocity"]))))
    return [(place, action) for place, _, action in sorted(events, key=lambda event: event[:2])]


def _place(seconds: float) -> int:
    return round(seconds * RATE / STEP) * STEP


def _action(control: Control) -> Action:
    return control.kind, control.channel, control.number, control.value


def _perform(synth: tinysoundfont.Synth, font: int, action: Action) -> None:
    kind, channel, number, value = action
    match kind:
        case "on":
            synth.noteon(channel, number, value)
        case "off":
            synth.noteoff(channel, number)
        case "program":
            _select(synth, font, channel, value)
        case "control":
            synth.control_change(channel, number, value)
        case "pitch_bend":
            synth.pitchbend(channel, value)


def _select(synth: tinysoundfont.Synth, font: int, channel: int, program: int) -> None:
    """Select a program; a drum kit that the font lacks is replaced by its standard kit."""
    drums = channel == DRUMS
    bank = 128 if drums else 0
    known = synth.sfpreset_name(font, bank, program) is not None
    synth.program_select(channel, font, bank, program if known else 0, drums)
