"""What presets hear of drums: each hit pushes one way, snares the other, whatever the rhythm."""

import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.demo import instruments
from clavilux.features.corrections import Corrections
from clavilux.features.song import Song
from clavilux.patches.presets.hearing import drum_swing
from clavilux.signals.evaluate import evaluate
from clavilux.signals.sources import song as the_song

RATE, BEAT, BARS, START = 22050, 0.5, 8, 0.5
SWUNG = 2 / 3
PATTERNS = {
    "straight": ([0, 2, 2.5], [1, 3], [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]),
    "swung": ([0, 2, 2 + SWUNG], [1, 3], [beat + off for beat in range(4) for off in (0, SWUNG)]),
    "alternating": ([0, 1, 2, 3], [0.5, 1.5, 2.5, 3.5], []),
    "kick alone": ([0, 1, 2, 3], [], []),
    "snare alone": ([], [0, 1, 2, 3], []),
}
"""Kick, snare and hats, in beats of a bar."""


def drum_track(hits):
    """Return a song of nothing but drums, hit at known times, and these times: {drum: s}."""
    mix = np.zeros(round((START + 4 * BARS * BEAT + 1) * RATE), np.float32)
    times = {}
    for (drum, gain), beats in zip({"kick": 0.8, "snare": 0.5, "hat": 0.15}.items(), hits, strict=True):
        times[drum] = np.array([START + (4 * bar + beat) * BEAT for bar in range(BARS) for beat in beats])
        sample = gain * getattr(instruments, drum)(RATE)
        for start in np.rint(times[drum] * RATE).astype(int):
            mix[start : start + len(sample)] += sample[: len(mix) - start]
    return Song(Audio.from_samples(np.stack([mix, mix]), RATE)), times


@pytest.mark.parametrize("fps", [15, 50])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_kick_swings_up_and_every_snare_down(pattern, fps):
    track, times = drum_track(PATTERNS[pattern])
    swing = drum_swing(the_song)
    values = evaluate(swing, track).at(swing, np.arange((START + 4 * BARS * BEAT) * fps + 1) / fps)[:, 0]
    assert -1 <= values.min() <= values.max() <= 1
    for drum, sign in (("kick", 1), ("snare", -1)):
        for time in times[drum]:
            near = sign * values[int((time - 0.06) * fps) : int((time + 0.08) * fps) + 1]
            assert near.max() > 0.4, (drum, time)
            assert near.min() > -0.1, (drum, time)  # nor does it begin the other way


def test_hits_fall_as_fast_at_half_the_tempo():
    """Of a song whose tempo is heard at half, hits fell half as fast and dense ones ran into each other."""
    track, times = drum_track(PATTERNS["straight"])
    swing, after = drum_swing(the_song), times["kick"] + 0.12
    half, whole = (
        evaluate(swing, Song(track.audio, corrections=Corrections(bpm=bpm))).at(swing, after)[:, 0]
        for bpm in (60, 120)
    )
    np.testing.assert_allclose(half, whole, atol=1e-6)


def test_a_track_without_hits_does_not_swing():
    still = Song(Audio.from_samples(np.zeros((2, 2 * RATE)), RATE))
    swing = drum_swing(the_song)
    assert not evaluate(swing, still).at(swing, np.arange(101) / 50).any()
