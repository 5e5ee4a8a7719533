"""Frames and the clock: equal to librosa's frames, and everything at its time."""

import librosa
import numpy as np
import pytest

from clavilux.features.spectrum.spectra import (
    FRAME,
    HOP,
    RATE,
    excerpt,
    frame_count,
    mel_bank,
    mel_centres,
    on_clock,
    overlap_add,
    stft,
)


def _frames(samples, first, last):
    return stft(excerpt(samples, first * HOP - FRAME // 2, (last - 1) * HOP + FRAME // 2))


def test_equals_librosa_in_any_window(mono):
    theirs = librosa.stft(mono[:60000]).T
    for first, last in ((0, len(theirs)), (0, 1), (50, 70), (len(theirs) - 3, len(theirs))):
        ours = _frames(mono[:60000], first, last)
        assert np.abs(ours - theirs[first:last]).max() < 1e-3 * np.abs(theirs).max()


@pytest.mark.parametrize("samples", [0, 1, 511, 512, 100_000])
def test_the_frame_count_is_librosas(samples):
    assert frame_count(samples) == 1 + samples // 512
    frames = frame_count(samples)
    assert _frames(np.ones(samples, np.float32), 0, frames).shape == (frames, 1025)


def test_overlap_add_inverts_the_transform(mono):
    piece = mono[:40000]
    samples = overlap_add(_frames(piece, 0, frame_count(len(piece))))[1024:]
    assert np.abs(samples[2048:36000] - piece[2048:36000]).max() < 1e-4


def test_a_frame_is_at_the_time_of_its_centre():
    frames = np.zeros((100, 1), np.float32)
    frames[43] = 1
    clock = on_clock(frames, 2.0)[:, 0]
    assert clock.shape == (200,)
    assert np.average(np.arange(200) / 100, weights=clock) == pytest.approx(43 * HOP / RATE, abs=0.002)
    assert np.average(np.arange(200) / 100, weights=on_clock(frames, 2.0, delay=0.1)[:, 0]) == pytest.approx(
        43 * HOP / RATE - 0.1, abs=0.002
    )


def test_the_clock_keeps_a_straight_line_straight():
    ramp = (np.arange(200) * HOP / RATE).astype(np.float32)[:, None]
    assert np.allclose(on_clock(ramp, 4.0)[:, 0], np.arange(400) / 100, atol=1e-5)


@pytest.mark.parametrize(
    ("frames", "duration", "rows"), [(1, 1e-5, 1), (1, 0.05, 5), (3, 0.05 + 1e-9, 5), (2, 0.051, 6)]
)
def test_the_clock_covers_any_song(frames, duration, rows):
    assert on_clock(np.ones((frames, 2), np.float32), duration).tolist() == [[1.0, 1.0]] * rows


def test_every_mel_band_is_strongest_at_its_centre():
    bank, centres = mel_bank(), mel_centres()
    assert np.all(np.diff(centres) > 0)
    heaviest = bank.argmax(axis=0) * RATE / 2048
    assert np.abs(heaviest - centres).max() <= 0.51 * RATE / 2048
