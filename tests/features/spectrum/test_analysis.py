"""The one pass over the song: levels are true, and blocks, offset and size leave no trace."""

import librosa
import numpy as np
import pytest

from clavilux.features.spectrum import analysis as analysis_module
from clavilux.features.spectrum.analysis import STEMS, Analysis, analyse
from clavilux.features.spectrum.stream import SampleStream


def test_a_sine_has_its_level_in_the_right_stems(tone):
    heard = analyse(tone(110, amplitude=0.5))
    middle = {stem: float(values[40]) for stem, values in heard.rms.items()}
    assert middle["mix"] == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
    assert middle["harmonic"] == pytest.approx(middle["mix"], rel=0.01)
    assert middle["bass"] == pytest.approx(middle["mix"], rel=0.01)
    assert max(middle["chords"], middle["drums"]) < 0.01 * middle["mix"]


def test_level_is_librosas(mono):
    ours = analyse(mono).rms["mix"]
    theirs = librosa.feature.rms(S=librosa.stft(mono, window="hann"), frame_length=2048)[0] / np.sqrt(0.375)
    assert np.abs(ours - theirs).max() < 0.01 * theirs.max()


def test_drums_strike_and_pads_sustain(composed):
    drums, pads = (
        analyse(np.ascontiguousarray(composed.stems[stem].mean(axis=0)[: 44100 * 12 : 2]))
        for stem in ("drums", "chords")
    )
    assert drums.rms["percussive"].mean() > 3 * drums.rms["chords"].mean()
    assert pads.rms["harmonic"].mean() > 5 * pads.rms["percussive"].mean()


def test_blocks_leave_no_trace(mono, monkeypatch):
    whole = analyse(mono[:90_000])
    monkeypatch.setattr(analysis_module, "BLOCK", 37)
    pieces = analyse(mono[:90_000])
    for name, values in whole.arrays().items():
        others = pieces.arrays()[name].astype(np.float64)
        # What is kept in half precision may be rounded to either side.
        close = 1e-4 if values.dtype == np.float32 else 6e-4
        assert np.abs(values - others).max() < close * max(float(np.abs(values).max()), 1e-9), name


def test_a_tape_leaves_no_trace(mono):
    whole, parts = analyse(mono[:90_001]), analyse(SampleStream(np.array_split(mono[:90_001], 7), 90_001))
    assert all(np.array_equal(values, parts.arrays()[name]) for name, values in whole.arrays().items())


def test_what_is_too_large_to_keep_is_cut():
    assert analyse(np.full(3000, 1e9, np.float32)).mel["mix"].max() == np.finfo(np.float16).max


@pytest.mark.parametrize("samples", [0, 1, 2, 700, 1102, 2049])
@pytest.mark.parametrize("value", [0.0, 1.0, -1e6])
def test_any_length_and_size_is_finite(samples, value):
    sound = np.full(samples, value, np.float32)
    sound[::3] *= -1
    heard = analyse(sound)
    frames = 1 + samples // 512
    for values in heard.arrays().values():
        assert len(values) == frames
        assert np.isfinite(values).all()
    assert set(heard.rms) == set(STEMS)


def test_an_analysis_survives_its_arrays(mono):
    heard = analyse(mono[:30000])
    again = Analysis.of(heard.arrays())
    assert np.array_equal(again.pitches, heard.pitches)
    assert all(np.array_equal(again.rms[stem], heard.rms[stem]) for stem in STEMS)
    assert all(np.array_equal(again.mel[part], heard.mel[part]) for part in heard.mel)
