"""The song: lazy, cached, exact about its stems, and finite for any audio."""

from hashlib import blake2b

import mir_eval
import numpy as np
import pytest
from scipy.io import wavfile

from clavilux.audio.sound import Audio
from clavilux.curves import Sections
from clavilux.errors import AudioError, SongError
from clavilux.features.corrections import Corrections
from clavilux.features.rhythm import song_rhythm as rhythm_module
from clavilux.features.rhythm.activations import event_net
from clavilux.features.song import Song
from clavilux.features.spectrum import recording as recording_module
from clavilux.features.spectrum.analysis import STEMS
from clavilux.report.summary import summary
from clavilux.store import Store


def _clip(seconds=2.0):
    time = np.arange(round(22050 * seconds)) / 22050
    return Audio.from_samples(0.3 * np.sin(2 * np.pi * 220 * time) * (time % 0.5 < 0.2), 22050)


def _refuse(samples):
    raise AssertionError("analysed again")


def test_nothing_is_analysed_before_it_is_needed(monkeypatch):
    monkeypatch.setattr(recording_module, "analyse", _refuse)
    song = Song(_clip())
    assert song.duration == 2.0
    with pytest.raises(AssertionError, match="analysed again"):
        song.rms()


def test_results_are_read_from_the_store(tmp_path, monkeypatch):
    first = Song(_clip(), Store(tmp_path))
    hits = [first.kick, first.snare, first.hat]
    curves = [first.chroma("mix"), first.chroma("bass"), first.flux("drums", 200, 5000), first.rms("chords")]
    grid = first.grid
    monkeypatch.setattr(recording_module, "analyse", _refuse)
    monkeypatch.setattr(rhythm_module, "grid_from_activations", _refuse)
    monkeypatch.setattr(rhythm_module, "drums_from_activations", _refuse)
    again = Song(_clip(), Store(tmp_path))
    repeats = [again.chroma("mix"), again.chroma("bass"), again.flux("drums", 200, 5000), again.rms("chords")]
    assert all(np.array_equal(a.values, b.values) for a, b in zip(curves, repeats, strict=True))
    for one, other in zip(hits, [again.kick, again.snare, again.hat], strict=True):
        assert np.array_equal(one.times, other.times)
        assert np.array_equal(one.strengths, other.strengths)
    assert np.array_equal(grid.beats, again.grid.beats)
    assert np.array_equal(grid.bars, again.grid.bars)
    assert (grid.beats_per_bar, grid.confidence) == (again.grid.beats_per_bar, again.grid.confidence)
    with pytest.raises(AssertionError, match="analysed again"):
        Song(_clip(1.0), Store(tmp_path)).rms()


def test_the_same_audio_gives_the_same_features():
    one, two = Song(_clip()), Song(_clip())
    assert np.array_equal(one.chroma("chords").values, two.chroma("chords").values)
    assert one.key == two.key


@pytest.mark.parametrize("ask", [Song.chroma, Song.flux, Song.rms])
def test_an_unknown_stem_is_an_error_with_a_suggestion(ask):
    with pytest.raises(SongError, match=r"no stem 'drum'; did you mean 'drums'\?"):
        ask(Song(_clip()), "drum")
    with pytest.raises(SongError, match="there are mix, harmonic"):
        ask(Song(_clip()), "zzz")


@pytest.mark.parametrize("stem", ["drums", "percussive"])
def test_drums_have_no_chroma(stem):
    with pytest.raises(SongError, match="drums have no pitch"):
        Song(_clip()).chroma(stem)


@pytest.mark.parametrize("band", [(-1, 100), (200, 100), (100, 100), (12_000, 15_000), (float("nan"), 100)])
def test_an_empty_band_is_an_error(band):
    with pytest.raises(SongError, match="band"):
        Song(_clip()).flux("mix", *band)


def _odd_audio():
    rng = np.random.default_rng(1)
    time = np.arange(8000 * 3) / 8000
    return {
        "silence": Audio.from_samples(np.zeros((2, 44100)), 44100),
        "whisper": Audio.from_samples(rng.standard_normal(44100) * 1e-5, 44100),
        "a twentieth of a second": Audio.from_samples(rng.standard_normal(2205) * 0.1, 44100),
        "one sample": Audio.from_samples([0.5], 44100),
        "two samples, slow": Audio.from_samples([0.5, -0.5], 8000),
        "noise": Audio.from_samples(rng.standard_normal((2, 44100)) * 0.2, 44100),
        "far too loud": Audio.from_samples(rng.standard_normal(44100) * 100, 44100),
        "one note": Audio.from_samples(0.4 * np.sin(2 * np.pi * 440 * time), 8000),
        "direct current": Audio.from_samples(np.ones(44100), 44100),
        "one click": Audio.from_samples(np.eye(1, 66150, 30000)[0], 22050),
        "six channels": Audio.from_samples(rng.standard_normal((6, 24000)) * 0.1, 48000),
    }


ODD = _odd_audio()


@pytest.mark.parametrize("name", ODD)
def test_every_feature_of_any_audio_is_finite(name):
    song = Song(ODD[name])
    rows = max(1, int(np.ceil(100 * song.duration - 1e-6)))
    for stem in STEMS:
        assert song.rms(stem).values.shape == (rows, 1)
        flux = song.flux(stem, 30, 9000).values
        assert flux.shape == (rows, 1)
        assert flux.min() >= 0
        if STEMS[stem].part != "percussive":
            chroma = song.chroma(stem)
            assert chroma.values.shape == (rows, 12)
            assert chroma.values.min() >= 0
            assert chroma.labels[0] == "C"
    for hits in (song.kick, song.snare, song.hat):
        assert ((hits.strengths > 0) & (hits.strengths <= 1)).all()
        assert ((hits.times >= 0) & (hits.times <= song.duration)).all()
    assert song.grid.beats[-1] >= song.duration
    assert -0.5 <= song.tuning <= 0.5
    assert 0 <= song.key.confidence <= 1
    assert str(summary(song))


@pytest.mark.parametrize("name", ["silence", "whisper"])
def test_silence_has_no_features(name):
    song = Song(ODD[name])
    assert song.chroma("harmonic").values.max() == song.flux("mix").values.max() == 0
    assert song.rms("mix").values.max() < 1e-3
    assert len(song.kick) == len(song.snare) == len(song.hat) == 0
    assert song.grid.confidence == song.key.confidence == song.tuning == 0


def test_a_constant_offset_has_no_notes_and_no_beat():
    song = Song(ODD["direct current"])
    assert song.chroma("harmonic").values.max() < 0.01
    assert song.rms("mix").at([0.5]).item() < 1e-4
    assert song.grid.confidence == 0


def test_an_offset_does_not_change_the_level():
    sound = np.random.default_rng(2).standard_normal(60_000) * 0.1
    plain, offset = (Song(Audio.from_samples(sound + level, 22050)) for level in (0, 0.3))
    assert np.abs(plain.rms("mix").values - offset.rms("mix").values).max() < 1e-4


def test_rms_is_that_of_the_samples():
    song = Song(Audio.from_samples(0.5 * np.sin(np.arange(44100 * 2) * 0.05), 44100))
    assert song.rms("mix").at([1.0]).item() == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.fixture(scope="module")
def with_stems(composed):
    """A composed song, and the same with its true stems."""
    stems = {name: Audio.from_samples(sound, 44100) for name, sound in composed.stems.items()}
    vocals = stems.pop("melody")
    return Song(composed.audio), Song(composed.audio, stems=stems | {"vocals": vocals})


def test_own_stems_replace_those_separated_from_the_mix(composed, with_stems):
    plain, own = with_stems
    times = np.arange(0.5, composed.audio.duration - 1, 0.25)
    for stem in ("drums", "bass", "chords"):
        true = Song(Audio.from_samples(composed.stems[stem], 44100)).rms().at(times)
        assert np.allclose(own.rms(stem).at(times), true, atol=1e-5)
        assert np.abs(plain.rms(stem).at(times) - true).max() > 0.01
    assert np.array_equal(own.rms("mix").values, plain.rms("mix").values)
    assert np.array_equal(own.grid.beats, plain.grid.beats)


def test_stems_of_any_name_can_be_used(with_stems):
    plain, own = with_stems
    assert own.rms("vocals").values.max() > 0.01
    assert own.pitch_track("vocals").pitch.values.shape == own.melody.pitch.values.shape
    assert np.array_equal(own.melody.pitch.values, own.pitch_track("vocals").pitch.values)
    assert "vocals" in own.stem_names
    with pytest.raises(SongError, match="There is no stem 'vocals'"):
        plain.rms("vocals")
    with pytest.raises(SongError, match="melody, bass"):
        plain.pitch_track("drums")
    with pytest.raises(SongError, match="followed as a pitch"):
        plain.chroma("melody")


def test_drums_are_found_in_their_own_stem(composed, with_stems):
    for name in ("kick", "snare", "hat"):
        found = getattr(with_stems[1], name).times
        score = mir_eval.onset.f_measure(getattr(composed, name), found)[0]
        assert score > 0.85, name


def test_corrections_override_what_was_detected(composed, with_stems):
    bounds = np.array([0.0, 5.0, 10.0, float(composed.audio.duration)])
    given = Corrections(bpm=composed.bpm / 2, sections=Sections(bounds, ("x", "y", "x")))
    song = Song(composed.audio, corrections=given)
    assert song.grid.tempo == pytest.approx(composed.bpm / 2)
    assert song.grid.confidence == 1
    assert song.sections.labels == ("x", "y", "x")
    assert song.sections.energies.max() == 1
    assert song.sections.energies.min() < 1


def test_chroma_has_three_kinds(with_stems):
    song = with_stems[0]
    plain, repeated, cens = (
        song.chroma("chords", kind=kind).values for kind in ("plain", "repeated", "cens")
    )
    assert np.all(repeated <= plain + 1e-5)
    assert np.linalg.norm(cens, axis=1).max() == pytest.approx(1, abs=1e-3)
    with pytest.raises(SongError, match="plain, repeated, cens"):
        song.chroma("chords", kind="loud")


def test_a_detail_out_of_range_is_an_error(with_stems):
    song = with_stems[0]
    assert len(song.levels) == 9
    assert song.structure(4) is song.levels[2]
    assert song.structure() is song.sections
    with pytest.raises(SongError, match="from 2 to 10"):
        song.structure(11)


def test_a_song_is_opened_from_a_file_with_its_stems(tmp_path):
    clip = _clip().mono(22050)
    (tmp_path / "stems").mkdir()
    for name in ("my song.wav", "stems/my song drums.wav"):
        wavfile.write(tmp_path / name, 22050, clip)
    song = Song.open(
        tmp_path / "my song.wav",
        stems=tmp_path / "stems",
        corrections=Corrections(bpm=90),
        store=Store(tmp_path / "store"),
    )
    assert (song.audio.name, list(song.stems), song.grid.tempo) == ("my song", ["drums"], pytest.approx(90))
    assert song.store.folder == tmp_path / "store"
    assert Song.open(tmp_path / "my song.wav").digest == song.digest
    with pytest.raises(AudioError, match="There is no folder"):
        Song.open(tmp_path / "my song.wav", stems=tmp_path / "nowhere")


def test_a_released_song_is_read_again_from_the_store(tmp_path, monkeypatch):
    song = Song(_clip(), Store(tmp_path))
    before = song.analysis
    song.release()
    monkeypatch.setattr(recording_module, "analyse", _refuse)
    assert song.analysis is not before
    assert np.array_equal(song.analysis.pitches, before.pitches)


def test_errors_of_a_song_carry_value_and_hint():
    with pytest.raises(SongError) as caught:
        Song(_clip()).rms("drum")
    assert (caught.value.value, caught.value.hint) == ("drum", "did you mean 'drums'?")
    with pytest.raises(SongError) as caught:
        Song(_clip()).pitch_track("vocal")
    assert (caught.value.value, caught.value.hint) == ("vocal", "there is one in melody, bass")


def test_store_keys_stay_those_of_earlier_versions(monkeypatch):
    """A user's stored analyses stay valid: another key means that everything is computed again."""
    song, keys = Song(_clip(9.0)), []
    fetch = Store.fetch
    monkeypatch.setattr(Store, "fetch", lambda self, key, make: keys.append(key) or fetch(self, key, make))
    _ = song.lufs, song.kick, song.sections, song.chroma("mix")
    beats = blake2b(song.grid.beats.tobytes() + song.grid.bars.tobytes(), digest_size=8).hexdigest()
    net = event_net().digest
    chroma = [f"chroma/{of} Hz" for of in ("mix/0 to 11025", "harmonic/32 to 250", "harmonic/220 to 11025")]
    names = ("loudness", "analysis", net, f"drums/{net}", f"grid/{net}", f"structure/{beats}", "mix", *chroma)
    assert sorted(keys) == sorted(f"{song.digest}/{name}/{recording_module.VERSION}" for name in names)
