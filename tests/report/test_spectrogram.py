"""The spectrogram: a tone is bright at its pitch, and silence is dark."""

import numpy as np
import pytest

from clavilux.features.spectrum.analysis import analyse
from clavilux.report.spectrogram import draw_spectrogram, row_frequencies


@pytest.mark.parametrize("hz", [110.0, 440.0, 1760.0])
def test_a_tone_is_brightest_at_its_pitch(tone, hz):
    image = draw_spectrogram(analyse(tone(hz)), 20)
    brightest = row_frequencies()[image[5:15].argmax(axis=1)]
    assert np.abs(np.log2(brightest / hz)).max() <= 1.01 / 24


def test_it_is_as_wide_as_asked_or_as_there_are_frames(tone):
    heard = analyse(tone(440, 1.0))
    assert draw_spectrogram(heard, 20).shape == (20, 198)
    assert len(draw_spectrogram(heard, 10_000)) == len(heard.pitches)


def test_loudness_of_the_master_does_not_matter(tone):
    loud, soft = (draw_spectrogram(analyse(tone(440, 1.0, amplitude)), 20) for amplitude in (1.0, 0.125))
    assert np.abs(loud - soft).max() < 0.1


@pytest.mark.parametrize("samples", [1, 100, 30_000])
def test_silence_is_dark(samples):
    image = draw_spectrogram(analyse(np.zeros(samples, np.float32)), 50)
    assert image.max() == 0


def test_a_pause_is_dark_in_a_song(tone):
    image = draw_spectrogram(analyse(np.concatenate([tone(440), np.zeros(44100, np.float32)])), 40)
    assert image[:18].max() == 1
    assert image[24:].max() == 0
