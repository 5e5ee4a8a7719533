"""A MIDI file keeps in step with its song."""

import io

import mido
import numpy as np

from clavilux.curves import Events
from clavilux.features.rhythm.bar_numbers import BarNumbers
from clavilux.report.midi import midi_file


def test_a_pause_of_half_a_minute_keeps_the_file_in_step():
    times = np.concatenate([np.arange(40) * 0.5, 50 + np.arange(40) * 0.5])
    numbers = BarNumbers(times, np.arange(80) // 4 + 1, np.arange(80) % 4 + 1)
    hits = Events([0.0, 50.0, 60.0])
    written = mido.MidiFile(
        file=io.BytesIO(midi_file(numbers, [(50.0, "after")], {"kick": hits}, {}, metre=4))
    )
    now, kicks = 0.0, []
    for message in written:
        now += message.time
        if message.type == "note_on" and message.velocity:
            kicks.append(now)
    np.testing.assert_allclose(kicks, [0.0, 50.0, 60.0], atol=0.002)
