"""The demo song agrees with its ground truth, to the sample."""

import numpy as np
import pytest

from clavilux.demo.composer import Composition, compose
from clavilux.demo.composition import BAR, SCALES, write_score
from clavilux.errors import SettingError

RATE = 22050


@pytest.fixture(scope="module", params=[0, 1, 5])
def song(request: pytest.FixtureRequest) -> Composition:
    return compose(request.param, bars=4, rate=RATE)


def samples(song: Composition) -> np.ndarray:
    return song.audio.read(0, song.audio.samples)


def level_db(signal: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(signal, dtype=np.float64))) + 1e-12))


def below(signal: np.ndarray, limit_hz: float) -> np.ndarray:
    spectrum = np.fft.rfft(signal)
    spectrum[..., np.fft.rfftfreq(signal.shape[-1], 1 / RATE) > limit_hz] = 0
    return np.fft.irfft(spectrum, n=signal.shape[-1])


def section(song: Composition, index: int) -> slice:
    first, last = np.rint(song.bounds[index : index + 2] * song.audio.rate).astype(int)
    return slice(first, last)


def onset_profile(drums: np.ndarray, times: np.ndarray, reach: int = 40) -> np.ndarray:
    """Return the mean size of the causal second difference around ``times``: 0 before the hit."""
    difference = np.abs(np.convolve(drums[0], [1, -2, 1]))
    return difference[np.rint(times * RATE).astype(int)[:, None] + np.arange(-reach, reach)].mean(axis=0)


def alone(times: np.ndarray, *others: np.ndarray) -> np.ndarray:
    return np.setdiff1d(times[times > 0.1], np.concatenate(others))


def test_a_seed_gives_one_song() -> None:
    first, again, other = (compose(seed, bars=1, rate=16000) for seed in (3, 3, 4))
    assert first.audio.digest == again.audio.digest
    assert first.chords == again.chords
    assert first.audio.digest != other.audio.digest


def test_hits_begin_on_their_exact_sample(song: Composition) -> None:
    for times in (song.kick, song.snare):
        before, after = np.split(onset_profile(song.stems["drums"], times), 2)
        assert before.max() < 0.2 * after[:8].max()
        assert after[0] > 2 * before.max()


def test_hats_of_the_intro_begin_out_of_exact_silence(song: Composition) -> None:
    intro = song.stems["drums"][:, section(song, 0)].any(axis=0)
    starts = np.flatnonzero(np.diff(intro.astype(int), prepend=0) == 1)
    hats = np.rint(song.hat[song.hat < song.bounds[1]] * RATE).astype(int)
    assert len(hats) == 4
    assert starts.tolist() == hats.tolist()


def test_low_drums_are_at_the_kicks_and_nowhere_else(song: Composition) -> None:
    low = np.abs(below(song.stems["drums"][0], 110))
    loud = 0.1 * low.max()
    starts = np.rint(song.kick * RATE).astype(int)
    assert all(low[start : start + RATE // 25].max() > loud for start in starts)
    covered = np.zeros(low.size, bool)
    for start in starts:
        covered[start - RATE // 50 : start + int(0.55 * RATE)] = True
    assert low[~covered].max() < loud


def test_snares_are_where_bright_energy_lasts(song: Composition) -> None:
    bright = song.stems["drums"][0] - below(song.stems["drums"][0], 1000)
    starts = np.rint(song.snare * RATE).astype(int)
    lasting = [level_db(bright[start + 660 : start + 2200]) for start in starts]
    elsewhere = alone(song.kick, song.snare, song.snare + 15 / song.bpm, song.bounds)
    other = [level_db(bright[s + 660 : s + 2200]) for s in np.rint(elsewhere * RATE).astype(int)]
    assert min(lasting) > max(other)


def test_intro_and_outro_have_no_bass(song: Composition) -> None:
    assert not song.stems["bass"][:, section(song, 0)].any()
    assert not song.stems["bass"][:, section(song, 4)].any()
    mix = samples(song)
    assert level_db(below(mix[:, section(song, 0)], 120)) < -50
    for main in (1, 2, 3):
        assert level_db(below(mix[:, section(song, main)], 120)) > -22
    assert song.kick.min() == pytest.approx(song.bounds[1], abs=1e-9)
    assert song.kick.max() < song.bounds[4]


def test_melody_enters_halfway(song: Composition) -> None:
    enters = round(song.melody_enters * RATE)
    assert not song.stems["melody"][:, :enters].any()
    assert level_db(song.stems["melody"][:, enters : enters + RATE // 10]) > -35
    beat = 60 / song.bpm
    assert abs(song.melody_enters - (song.beats[-1] + beat) / 2) < 2 * beat


def test_chords_hold_exactly_their_pitch_classes(song: Composition) -> None:
    for chord in song.chords[1:-1]:
        first, last = round((chord.start + 0.5) * RATE), round(chord.end * RATE)
        sound = np.hanning(last - first) * song.stems["chords"][:, first:last].sum(axis=0)
        power = np.abs(np.fft.rfft(sound, n=2**18)) ** 2
        hz = np.fft.rfftfreq(2**18, 1 / RATE)
        fundamentals = 440 * 2 ** ((np.arange(54, 66) - 69) / 12)
        near = [np.abs(1200 * np.log2(np.maximum(hz, 1) / f)) < 40 for f in fundamentals]
        strongest = np.argsort([power[band].sum() for band in near])[-len(chord.pitches) :]
        assert {(54 + int(i)) % 12 for i in strongest} == set(chord.pitches)
        for i in strongest:
            centre = np.average(hz[near[i]], weights=power[near[i]])
            assert abs(1200 * np.log2(centre / fundamentals[i])) < 8


def test_grid_form_and_chords_agree(song: Composition) -> None:
    beat = 60 / song.bpm
    assert np.abs(song.beats - np.arange(len(song.beats)) * beat).max() <= 0.5 / RATE + 1e-9
    assert np.array_equal(song.downbeats, song.beats[::4])
    assert song.labels == ("intro", "A", "B", "A", "outro")
    assert np.isin(song.bounds[:-1], song.downbeats).all()
    assert song.bounds[-1] == float(song.audio.duration)
    assert [chord.start for chord in song.chords] == song.downbeats.tolist()
    names = [chord.name for chord in song.chords]
    assert names[1:5] == names[9:13] != names[5:9]


def test_master_peaks_at_minus_one_and_fades(song: Composition) -> None:
    mix = samples(song)
    assert song.audio.peak == pytest.approx(10 ** (-1 / 20), rel=1e-3)
    assert np.abs(np.sum(list(song.stems.values()), axis=0) - mix).max() < 1e-6
    assert level_db(mix[:, -RATE // 10 :]) < -60
    assert np.abs(mix.mean(axis=1)).max() < 1e-3
    assert -18 < level_db(mix) < -9
    left, right = mix
    assert 0.5 < np.corrcoef(left, right)[0, 1] < 0.995


def test_the_ground_truth_does_not_depend_on_the_sample_rate() -> None:
    low, high = compose(2, bars=1, rate=16000), compose(2, bars=1, rate=32000)
    for name in ("beats", "kick", "snare", "hat"):
        assert np.abs(getattr(low, name) - getattr(high, name)).max() < 1 / 16000
    assert (low.key, low.bpm, low.labels) == (high.key, high.bpm, high.labels)


def test_every_seed_writes_in_its_key() -> None:
    keys, tempi = set(), set()
    for seed in range(200):
        score = write_score(seed, 8)
        scale = {(score.tonic + step) % 12 for step in SCALES[score.key.split()[1]]}
        keys.add(score.key)
        tempi.add(score.bpm)
        assert all(set(chord.pitches) <= scale for chord in score.chords)
        assert {note.pitch % 12 for note in score.melody + score.bass} <= scale
        assert score.chords[-1].pitches[0] == score.tonic == score.chords[score.parts[1].first].pitches[0]
        assert all(28 <= note.pitch <= 57 for note in score.bass)
        assert all(60 <= note.pitch <= 92 for note in score.melody)
        assert all(note.step + note.steps <= score.steps for note in score.melody + score.bass)
        for hits in (score.kick, score.snare, score.hat):
            steps = [hit.step for hit in hits]
            assert steps == sorted(set(steps))
    assert len(keys) == 24
    assert min(tempi) >= 108
    assert max(tempi) <= 126


@pytest.mark.parametrize("bars", [1, 2, 3, 5, 16])
def test_a_form_of_any_length_is_complete(bars: int) -> None:
    score = write_score(0, bars)
    assert score.steps == sum(part.bars for part in score.parts) * BAR == len(score.chords) * BAR
    assert score.melody
    assert score.parts[2].first * BAR <= score.melody[0].step < score.parts[3].first * BAR


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"bars": 0}, "bars"),
        ({"bars": 33}, "bars"),
        ({"bpm": 0.0}, "tempo"),
        ({"bpm": float("nan")}, "tempo"),
        ({"rate": 8000}, "sample rate"),
        ({"rate": 192000}, "sample rate"),
    ],
)
def test_settings_out_of_range_are_explained(settings: dict[str, float], word: str) -> None:
    with pytest.raises(
        SettingError, match=rf"The .*{word} of a composition cannot be .*; it is \d+ to \d+"
    ) as caught:
        compose(0, **settings)
    assert [caught.value.value] == list(settings.values())
    assert word in caught.value.where
