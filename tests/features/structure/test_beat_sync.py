import numpy as np
import pytest
import scipy.fft

from clavilux.curves import Grid
from clavilux.features.spectrum.spectra import HOP, RATE
from clavilux.features.structure.beat_sync import bar_edges, beat_edges, sync_mel, sync_mfcc, sync_pitches

FRAME = HOP / RATE


@pytest.mark.parametrize("bpm", [47.0, 60.0, 84.0, 120.0, 171.0, 215.0])
def test_a_step_is_about_a_beat_whatever_the_octave(bpm):
    grid = Grid(np.arange(-3, 400) * 60 / bpm, first_downbeat=3)
    steps = beat_edges(grid, 60.0)
    assert 0.35 <= np.median(np.diff(steps)) <= 0.7
    assert np.median(np.diff(bar_edges(grid, 60.0))) <= 2.9
    for edges in (steps, bar_edges(grid, 60.0)):
        assert edges[[0, -1]].tolist() == [0.0, 60.0]
        assert np.diff(edges).min() > np.median(np.diff(edges)) / 4


def test_bars_begin_steps():
    grid = Grid(np.arange(0.1, 70, 60 / 180), first_downbeat=1)
    bars, steps = bar_edges(grid, 60.0), beat_edges(grid, 60.0)
    assert np.abs(bars[1:-1, None] - steps).min(axis=1).max() < 1e-9


def test_mfccs_are_those_of_every_frame_averaged():
    mel = np.random.default_rng(0).random((100, 96)).astype(np.float16) + np.float16(0.01)
    level = 20 * np.log10(mel.astype(np.float64) / float(mel.max()))
    expected = scipy.fft.dct(level, norm="ortho")[:, :13]
    found = sync_mfcc(mel, np.array([0, 30, 100]) * FRAME)
    assert np.allclose(found, [expected[:30].mean(axis=0), expected[30:].mean(axis=0)], atol=1e-3)


def test_pitches_are_the_median_whatever_the_tuning():
    pitches = np.zeros((99, 252), np.float16)
    pitches[:, 3 * 45 + 1] = 0.5  # a third of a semitone above A4
    pitches[:20, 3 * 40] = 1.0  # a click of another note, gone before half the step is over
    row = sync_pitches(pitches, 1 / 3, np.array([0, 99]) * FRAME)[0]
    assert row.argmax() == 45
    assert row[45] > -7
    assert row[40] == -80


def test_rows_do_not_depend_on_gain_or_chunks(monkeypatch):
    mel = np.random.default_rng(0).random((2000, 4)).astype(np.float16)
    edges = np.sort(np.random.default_rng(1).random(50)) * 2000 * FRAME
    whole = sync_mel(mel, edges)
    assert np.allclose(sync_mel(mel / np.float16(4), edges), whole, atol=1e-3)
    monkeypatch.setattr("clavilux.features.structure.beat_sync.CHUNK_FRAMES", 100)
    assert np.allclose(sync_mel(mel, edges), whole, atol=1e-4)


def test_silence_is_the_floor():
    assert np.all(sync_mel(np.zeros((50, 3), np.float16), np.array([0.0, 0.5, 1.0])) == -80)
