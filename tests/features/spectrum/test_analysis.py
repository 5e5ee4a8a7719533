"""The one pass over the song: levels are exact, and do not depend on blocks, offset or size."""

import librosa
import numpy as np
import pytest

from clavilux import catalogue
from clavilux.features.spectrum import analysis as analysis_module
from clavilux.features.spectrum.analysis import PARTS, STEMS, Analysis, analyse
from clavilux.features.spectrum.cqt import pitch_strengths
from clavilux.features.spectrum.stream import SampleStream


def test_a_sine_has_its_level_in_the_right_stems(tone):
    analysis = analyse(tone(110, amplitude=0.5))
    middle = {stem: float(values[40]) for stem, values in analysis.rms.items()}
    assert middle["mix"] == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
    assert middle["harmonic"] == pytest.approx(middle["mix"], rel=0.01)
    assert middle["bass"] == pytest.approx(middle["mix"], rel=0.01)
    assert max(middle["chords"], middle["drums"]) < 0.01 * middle["mix"]


def test_rms_agrees_with_librosa(mono):
    ours = analyse(mono).rms["mix"]
    theirs = librosa.feature.rms(S=librosa.stft(mono, window="hann"), frame_length=2048)[0] / np.sqrt(0.375)
    assert np.abs(ours - theirs).max() < 0.01 * theirs.max()


def test_drums_are_percussive_and_pads_harmonic(composed):
    drums, pads = (
        analyse(np.ascontiguousarray(composed.stems[stem].mean(axis=0)[: 44100 * 12 : 2]))
        for stem in ("drums", "chords")
    )
    assert drums.rms["percussive"].mean() > 3 * drums.rms["chords"].mean()
    assert pads.rms["harmonic"].mean() > 5 * pads.rms["percussive"].mean()


def test_the_result_does_not_depend_on_the_block_size(mono, monkeypatch):
    whole = analyse(mono[:90_000])
    monkeypatch.setattr(analysis_module, "BLOCK_FRAMES", 37)
    pieces = analyse(mono[:90_000])
    for name, values in whole.arrays().items():
        others = pieces.arrays()[name].astype(np.float64)
        # Values stored in half precision may be rounded to either side.
        close = 1e-4 if values.dtype == np.float32 else 6e-4
        assert np.abs(values - others).max() < close * max(float(np.abs(values).max()), 1e-9), name


def test_a_stream_gives_the_same_result_as_an_array(mono):
    samples = mono[:90_001]
    whole, streamed = analyse(samples), analyse(SampleStream(np.array_split(samples, 7), len(samples)))
    assert all(np.array_equal(values, streamed.arrays()[name]) for name, values in whole.arrays().items())


def test_the_pitches_are_those_of_the_harmonic_part(tone):
    clicks = tone(440)
    clicks[::5000] = 1
    strengths = analyse(clicks).pitches[30:60].astype(np.float32)
    assert strengths[:, 135] == pytest.approx(np.ones(len(strengths)), abs=0.1)
    assert 5 * strengths[:, 200:].max() < pitch_strengths(clicks)[30:60, 200:].max()


def test_there_is_a_specification_of_every_stem_in_the_catalogue():
    assert tuple(STEMS) == catalogue.STEMS
    assert {spec.part for spec in STEMS.values()} == set(PARTS)


def test_values_too_large_for_half_precision_are_clipped():
    assert analyse(np.full(3000, 1e9, np.float32)).mel["mix"].max() == np.finfo(np.float16).max


@pytest.mark.parametrize("samples", [0, 1, 2, 700, 1102, 2049])
@pytest.mark.parametrize("value", [0.0, 1.0, -1e6])
def test_any_length_and_size_is_finite(samples, value):
    signal = np.full(samples, value, np.float32)
    signal[::3] *= -1
    analysis = analyse(signal)
    frames = 1 + samples // 512
    for values in analysis.arrays().values():
        assert len(values) == frames
        assert np.isfinite(values).all()
    assert set(analysis.rms) == set(STEMS)


def test_an_analysis_is_restored_from_its_arrays(mono):
    analysis = analyse(mono[:30000])
    again = Analysis.of(analysis.arrays())
    assert np.array_equal(again.pitches, analysis.pitches)
    assert all(np.array_equal(again.rms[stem], analysis.rms[stem]) for stem in STEMS)
    assert all(np.array_equal(again.mel[part], analysis.mel[part]) for part in analysis.mel)
