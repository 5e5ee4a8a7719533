"""The form of songs of known form, of audio that has none, and of mixes."""

from itertools import pairwise

import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.curves import Grid, Sections
from clavilux.demo.composer import compose
from clavilux.features.level.energy import rms_sections
from clavilux.features.song import Song
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.spectra import HOP, RATE
from clavilux.features.structure import bar_sync
from clavilux.features.structure.bar_sync import Bars, label, similarity
from clavilux.features.structure.find import Structure, find_structure
from clavilux.features.structure.loops import find_loop
from clavilux.features.structure.segmentation import find_form, sync_features

BAR = 2.0


def sing(form, *, seed=0, bars=8, loop=4, tonic=0):
    """Make the analysis of a song at 120 bpm: one timbre and scale, and each part's own shade and loop."""
    dice = np.random.default_rng(seed)
    sound = 10 ** dice.normal(-1.5, 0.4, 96)
    shades = {part: sound * 10 ** dice.normal(0, 0.15, 96) for part in sorted(set(form))}
    chords = {part: dice.permutation(12)[:loop] % 5 for part in sorted(set(form))}
    time = np.arange(round(len(form) * bars * BAR * RATE / HOP)) * HOP / RATE
    bar = (time / BAR).astype(int)
    part = np.array(list(form))[np.minimum(bar // bars, len(form) - 1)]
    mel = np.array([shades[each] for each in part]) * np.exp(-3 * (time % 0.5))[:, None]
    mel *= (1 + 0.1 * (bar % loop))[:, None] * (1 + 0.2 * dice.random(mel.shape))
    pitches = 0.003 * dice.random((len(time), 252))
    degree = np.array([chords[each][now] for each, now in zip(part, bar % loop, strict=True)])
    root = 36 + (np.array([0, 2, 4, 7, 9])[degree] + tonic) % 12
    for step in (0, 4, 7):
        pitches[np.arange(len(time)), 3 * (root + step)] = 0.3
    rms = np.sqrt(np.square(mel).mean(axis=1))
    return Analysis(
        {"mix": mel.astype(np.float16)}, {"mix": rms.astype(np.float32)}, pitches.astype(np.float16)
    )


def clock(duration, bpm=120.0, **about):
    return Grid(np.arange(0, duration + 120 / bpm, 60 / bpm), **about)


def length(analysis):
    return len(analysis.rms["mix"]) * HOP / RATE


def found_in(analysis, **about):
    return find_structure(analysis, clock(length(analysis), **about), 0.0, length(analysis))


def everything(structure):
    return (structure.flat, structure.tracks, *structure.levels)


@pytest.fixture(scope="module")
def sung():
    return sing("ABABCB")


@pytest.fixture(scope="module")
def structure(sung):
    return found_in(sung)


def test_parts_of_a_song(structure):
    assert structure.flat.labels == tuple("ABABCB")
    assert structure.flat.bounds[1:-1] == pytest.approx(np.arange(1, 6) * 8 * BAR)
    assert structure.loop_bars == 4
    assert structure.tracks.labels == ("1",)


@pytest.mark.parametrize("form", ["AAA", "AB", "ABCA", "AABB", "ABCDCBA"])
def test_any_form(form):
    flat = found_in(sing(form, seed=5)).flat
    merged = [part for place, part in enumerate(form) if place == 0 or form[place - 1] != part]
    assert flat.labels == tuple(merged)


@pytest.mark.parametrize("bars", [4, 6, 12, 16])
def test_parts_of_other_lengths(bars):
    flat = found_in(sing("ABCB", bars=bars, loop=2, seed=2)).flat
    assert flat.labels == tuple("ABCB")
    assert flat.bounds[1:-1] == pytest.approx(np.arange(1, 4) * bars * BAR)


def test_a_part_of_nine_bars():
    flat = found_in(sing("ABAC", bars=9, loop=3, seed=4)).flat
    assert flat.labels == tuple("ABAC")
    assert flat.bounds[1:-1] == pytest.approx([18.0, 36.0, 54.0])


@pytest.mark.parametrize("loop", [1, 2, 4, 8])
def test_length_of_the_loop(loop):
    assert found_in(sing("AABA", loop=loop, bars=16, seed=1)).loop_bars == loop


def test_nothing_repeats_in_noise():
    noise = np.random.default_rng(0).normal(size=(2, 40, 96)).astype(np.float32)
    assert find_loop(similarity(Bars(noise[0], noise[1])), np.zeros(40, int)) == 4


@pytest.mark.parametrize("bpm", [60.0, 240.0])
def test_the_wrong_octave_of_the_tempo_changes_nothing(sung, structure, bpm):
    flat = found_in(sung, bpm=bpm).flat
    assert flat.labels == structure.flat.labels
    assert flat.bounds == pytest.approx(structure.flat.bounds, abs=1e-6)


def test_levels_go_from_coarse_to_fine(structure):
    assert len(structure.levels) == 9
    for depth, level in enumerate(structure.levels, 2):
        assert len(set(level.labels)) <= depth
        assert np.diff(level.bounds).min() >= 4.0
    assert len(set(structure.levels[-1].labels)) > len(set(structure.levels[0].labels))


def test_bounds_lie_on_downbeats(sung):
    grid = clock(length(sung), first_downbeat=2)
    for sections in everything(find_structure(sung, grid, 0.0, length(sung))):
        distance = np.abs(sections.bounds[1:-1, None] - grid.downbeats).min(axis=1, initial=9)
        assert np.all(distance < 1e-9)


def test_a_quiet_master_has_the_same_parts(sung, structure):
    quiet = Analysis(
        {"mix": sung.mel["mix"] / np.float16(8)}, {"mix": sung.rms["mix"] / 8}, sung.pitches / np.float16(8)
    )
    for soft, loud in zip(everything(found_in(quiet)), everything(structure), strict=True):
        assert soft.labels == loud.labels
        assert np.array_equal(soft.bounds, loud.bounds)
        assert soft.energies == pytest.approx(loud.energies, abs=1e-3)


def test_the_same_twice_and_out_of_the_store(sung, structure):
    for again in (found_in(sung), Structure.of(structure.arrays())):
        assert again.loop_bars == structure.loop_bars
        for one, other in zip(everything(again), everything(structure), strict=True):
            assert one.labels == other.labels
            assert np.array_equal(one.bounds, other.bounds)
            assert np.array_equal(one.energies, other.energies)


@pytest.fixture(scope="module")
def piece():
    return compose(1, bars=8, rate=22050)


@pytest.fixture(scope="module")
def composed_song(piece):
    return Song(piece.audio)


def test_a_composed_song(piece, composed_song):
    heard, tuning, duration = composed_song.analysis, composed_song.tuning, composed_song.duration
    flat = find_structure(heard, Grid(piece.beats), tuning, duration).flat
    middles = (piece.bounds[1:-2] + piece.bounds[2:-1]) / 2
    first, other, again = (flat.labels[index] for index in flat.index_at(middles))
    assert first == again != other
    for bound in piece.bounds[2:-1]:  # the intro lasts two bars, too short for a part
        assert np.abs(flat.bounds - bound).min() < 0.05


def test_an_intro_without_bass_and_kick_is_calm(piece, composed_song):
    found = rms_sections(composed_song.analysis, composed_song.duration)
    assert found.labels[0] == "calm"
    assert found.bounds[1] == pytest.approx(piece.bounds[1], abs=2.0)
    assert found.labels[found.index_at([float(piece.bounds[1:4].mean())]).item()] == "full"


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(22050 * 10),
        0.3 * np.sin(2 * np.pi * 220 * np.arange(22050 * 10) / 22050),
        0.3 * np.sin(2 * np.pi * 220 * np.arange(6615) / 22050),
        0.1 * np.random.default_rng(0).normal(size=22050 * 10),
        np.ones(1),
    ],
    ids=["silence", "one note", "0.3 s", "noise", "one sample"],
)
def test_audio_without_parts_is_one_part(samples):
    song = Song(Audio.from_samples(samples.astype(np.float32), 22050))
    found = find_structure(song.analysis, song.grid, song.tuning, song.duration)
    for sections in (found.flat, *found.levels):
        assert sections.labels == ("A",)
        assert sections.bounds.tolist() == [0.0, song.duration]
    assert found.tracks.labels == ("1",)
    assert found.loop_bars in {1, 2, 4, 8, 16}


def test_without_a_beat_time_is_divided_evenly():
    found = found_in(sing("ABA", seed=3), confidence=0.0)
    assert found.flat.labels == tuple("ABA")


@pytest.mark.parametrize("duration", [8.01, 9.3, 16.001])
def test_short_songs_are_covered(duration):
    analysis = sing("AB", bars=4)
    for bpm in (47.0, 133.0, 211.0):
        for metre in (3, 4):
            grid = Grid(np.arange(-0.2, duration + 3, 60 / bpm), beats_per_bar=metre, first_downbeat=1)
            for sections in everything(find_structure(analysis, grid, 0.1, duration)):
                assert sections.bounds[[0, -1]].tolist() == [0.0, duration]


@pytest.fixture(scope="module")
def mix():
    """Four songs one after the other, each with its own key and timbre: 10 minutes 40 s."""
    songs = [sing("ABABACAABB", seed=10 + key, tonic=5 * key) for key in range(4)]
    return Analysis(
        {"mix": np.concatenate([song.mel["mix"] for song in songs])},
        {"mix": np.concatenate([song.rms["mix"] for song in songs])},
        np.concatenate([song.pitches for song in songs]),
    )


def test_a_mix_is_divided_into_tracks_first(mix):
    found = found_in(mix)
    assert found.tracks.labels == ("1", "2", "3", "4")
    assert found.tracks.bounds == pytest.approx(np.arange(5) * 160.0, abs=2.1)
    for sections in (found.flat, *found.levels):
        middles = (sections.bounds[1:] + sections.bounds[:-1]) / 2
        inside = [found.tracks.labels[index] for index in found.tracks.index_at(middles)]
        assert [label[0] for label in sections.labels] == inside
        assert set(found.tracks.bounds) <= set(sections.bounds)
    assert {"1A", "2A", "3A", "4A"} <= set(found.flat.labels)


def test_many_bars_are_taken_in_pairs(sung, structure, monkeypatch):
    monkeypatch.setattr("clavilux.features.structure.segmentation.MAX_BARS", 40)
    flat = found_in(sung).flat
    assert flat.labels == structure.flat.labels
    assert flat.bounds == pytest.approx(structure.flat.bounds, abs=1e-6)


def test_parts_are_the_best_of_all_divisions():
    """Against every division of a few bars, scored by its definition: sum of similarities / size - cost."""
    dice = np.random.default_rng(0)
    alike = dice.normal(size=(9, 9))
    alike += alike.T
    np.fill_diagonal(alike, 0)
    sums = np.zeros((10, 10))
    sums[1:, 1:] = alike.cumsum(axis=0).cumsum(axis=1)
    cost = dice.random(10)

    def score(bounds):
        pairs = list(pairwise(bounds))
        return sum(alike[a:b, a:b].sum() / (b - a) - cost[b - a] for a, b in pairs)

    every = [[0, *(bar + 1 for bar in range(8) if chosen >> bar & 1), 9] for chosen in range(256)]
    assert bar_sync._best_segmentation(sums, cost).tolist() == max(every, key=score)


def test_labels_do_not_depend_on_where_a_loop_is_entered():
    dice = np.random.default_rng(0)
    verse, chorus = dice.normal(size=(2, 4, 6)).astype(np.float32)
    song = np.concatenate([verse, verse, chorus, chorus, verse[2:], verse, verse[:2]])
    bars = Bars(20 * np.repeat(song, 8, axis=1), song)
    assert label(bars, similarity(bars), np.array([0, 8, 16, 24])).tolist() in ([0, 1, 0], [1, 0, 1])


def test_a_form_has_its_own_labels_and_nothing_short(sung):
    form = find_form(sync_features(sung, clock(length(sung)), 0.0, length(sung)))
    for parts in (form.flat, *form.levels):
        Sections(parts.bounds, tuple(map(str, parts.labels)))
        assert np.all(np.diff(parts.labels) != 0)
