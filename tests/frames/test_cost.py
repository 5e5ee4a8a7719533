"""What a stranger's sentence costs is bounded: in memory, and in time by the length of the song."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from clavilux.curves import Events, Grid
from clavilux.errors import PatchError
from clavilux.features.song import Song
from clavilux.frames.noise import NoiseSource
from clavilux.patches.functions import disc, drift, gain, palette
from clavilux.patches.ops.noise import Term, Track
from clavilux.patches.patch import MAX_CHANGES, MAX_MASKS, MAX_NOISE_TERMS, Patch
from clavilux.project.sentences import read_looks
from clavilux.signals import evaluate as evaluation
from clavilux.signals.evaluate import evaluate
from clavilux.signals.ops.envelopes import adsr, pulse
from clavilux.signals.ops.shapes import average
from clavilux.signals.sources import song

LOOK = palette().loop(bars=8)


def test_noise_that_doubles_with_every_line_is_refused():
    parts = {"n0": "drift(seconds=1)"} | {f"n{k}": f"n{k - 1} + n{k - 1}" for k in range(1, 60)}
    look = {"latents": "palette().loop(bars=8)", "noise": "n59"}
    (error,) = read_looks({"parts": parts, "look": look}).errors
    assert f"more than {MAX_NOISE_TERMS} terms of noise" in str(error)
    assert "look: " in str(error)


def test_as_many_noises_masks_and_changes_as_a_patch_needs_are_fine_and_more_are_refused():
    def noise(count):
        return sum((drift(seconds=1).mask(disc(radius=k / 100)) for k in range(1, count)), drift(seconds=1))

    Patch(LOOK, noise(MAX_MASKS))
    with pytest.raises(PatchError, match=f"more than {MAX_MASKS} masks"):
        Patch(LOOK, noise(MAX_MASKS + 2))
    bends = [gain(at="b4.conv1", db=k / 100) for k in range(MAX_CHANGES + 1)]
    Patch(LOOK, drift(seconds=1), bends=tuple(bends[1:]))
    with pytest.raises(PatchError, match=f"more than {MAX_CHANGES} bends and rewrites"):
        Patch(LOOK, drift(seconds=1), bends=tuple(bends))


def test_knots_of_many_tracks_do_not_fill_the_memory(monkeypatch):
    most = 40 * 16 * 4
    monkeypatch.setattr("clavilux.frames.noise.MAX_KNOT_BYTES", most)
    terms = [Term(Track(1.0, "seconds", f"{k}")) for k in range(50)]
    source = NoiseSource({"b4.conv1": (4, 4)}, 0)
    first = source.at(terms, np.array([0.5, 9.5]), Grid([0.0, 1.0]))
    assert 0 < source._bytes() <= most
    again = NoiseSource({"b4.conv1": (4, 4)}, 0).at(terms, np.array([9.5]), Grid([0.0, 1.0]))
    np.testing.assert_array_equal(first["b4.conv1"][1], again["b4.conv1"][0])


def test_signals_that_do_not_fit_into_memory_are_refused(monkeypatch, heard: Song):
    one = song.mix.rms()
    monkeypatch.setattr(evaluation, "MAX_CURVE_BYTES", 40 * len(heard.rms("mix").values))
    evaluate([one.smooth(seconds=k / 10) for k in range(5)], heard)
    with pytest.raises(PatchError, match=r"signals of this patch need more than .* MB"):
        evaluate([one.smooth(seconds=k / 10) for k in range(30)], heard)


@pytest.mark.parametrize("sigma", [0.5, 30.0, 700.0, 17_000.0])
def test_a_wide_average_is_a_gaussian_whatever_computes_it(sigma):
    values = np.random.default_rng(0).random((3000, 2)) * 5
    expected = gaussian_filter1d(values, sigma, axis=0, mode="nearest")
    np.testing.assert_allclose(average(values, sigma), expected, rtol=1e-9)


def test_a_million_events_of_one_moment_cost_no_more_than_one(heard):
    often = Events(np.repeat([1.0, 2.0], 100_000), np.tile(np.linspace(0, 1, 100_000), 2))
    once = Events(np.array([1.0, 2.0]), [1.0, 1.0])
    stages = {"attack": 0.02, "decay": 0.1, "sustain": 0.5, "hold": 0.2, "release": 0.4}
    np.testing.assert_array_equal(adsr(heard, often, **stages), adsr(heard, once, **stages))
    length = {"seconds": 0.5, "beats": None, "bars": None}
    np.testing.assert_array_equal(pulse(heard, often, **length), pulse(heard, once, **length))


@pytest.mark.parametrize("length", ["seconds=1e9", "beats=1e9", "bars=1e9"])
@pytest.mark.parametrize("op", ["smooth", "hold", "delay", "lag", "release", "sample_hold"])
def test_lengths_beyond_any_song_are_refused(op, length):
    look = {"latents": "palette().loop(bars=8)", "noise": f"drift(seconds=1).scale(mix.rms().{op}({length}))"}
    (error,) = read_looks({"look": look}).errors
    assert "out of range; it goes from 0" in str(error)
