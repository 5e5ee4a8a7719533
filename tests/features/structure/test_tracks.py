import numpy as np

from clavilux.features.structure.tracks import find_tracks

MINUTE = 30


def track(seed, bars, seconds=2.0):
    """Bars of a track with a breakdown in its middle: chroma, spectrum, lengths."""
    dice = np.random.default_rng(seed)
    chroma = dice.random(12) ** 3 + 0.1 * dice.random((bars, 12))
    spectrum = dice.normal(-30, 8, 48) + dice.normal(0, 2, (bars, 48))
    spectrum[bars // 2 : bars // 2 + 16] -= 12.0
    return chroma, spectrum, np.full(bars, seconds)


def joined(*tracks):
    chroma, spectrum, seconds = (np.concatenate(each) for each in zip(*tracks, strict=True))
    return find_tracks(chroma, spectrum, np.concatenate(([0.0], np.cumsum(seconds)))).tolist()


def test_tracks_of_a_mix():
    assert joined(track(1, 4 * MINUTE), track(2, 3 * MINUTE), track(3, 5 * MINUTE)) == [0, 120, 210, 360]


def test_a_breakdown_is_no_change_of_track():
    assert joined(track(1, 20 * MINUTE)) == [0, 600]


def test_a_song_has_one_track():
    assert joined(track(1, 100), track(2, 100)) == [0, 200]


def test_a_change_of_tempo_counts_but_not_by_an_octave():
    first, second = track(1, 8 * MINUTE), track(1, 8 * MINUTE)
    changed = joined(first, (np.roll(second[0], 1, axis=1), second[1], second[2] * 1.1))
    octave = joined(first, (second[0], second[1], second[2] * 2.0))
    assert changed == [0, 240, 480]
    assert octave == [0, 480]


def test_no_track_is_shorter_than_75_s():
    cuts = joined(*(track(seed, 20) for seed in range(30)))
    assert min(np.diff(cuts)) * 2.0 >= 74.0
