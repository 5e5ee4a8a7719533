"""A file whose measures are kept is decoded only where its samples are read."""

import gc

import numpy as np
import pytest
from noise_files import encode, noise

from clavilux.audio import sound
from clavilux.audio.pcm import PcmFile
from clavilux.audio.sound import open_audio
from clavilux.errors import AudioError
from clavilux.store import Store

NAMES = {"song.wav": "pcm_s16le", "song.mp3": "libmp3lame"}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that were decoded."""
    found, decode = [], sound._decoded
    monkeypatch.setattr(sound, "_decoded", lambda path, track: found.append(path.name) or decode(path, track))
    return found


def known_of(audio):
    levels = (audio.peak, audio.mean, audio.turned, audio.rate, audio.channels, audio.samples)
    words = (audio.digest, audio.samples_digest, audio.name, audio.layout, dict(audio.tags))
    return (*levels, *words, audio.track, audio.tracks)


@pytest.mark.parametrize("name", NAMES)
def test_a_known_file_is_the_same_song_without_being_decoded(name, tmp_path, store, decoded):
    left, right = noise()
    path = encode(tmp_path / name, NAMES[name], np.stack([left, 0.1 * right - left]), title="One", artist="A")
    first, again = open_audio(path, store=store), open_audio(path, store=store)
    assert decoded == [name]
    assert first.turned
    assert known_of(again) == known_of(first)
    np.testing.assert_array_equal(again.read(100, 5000), first.read(100, 5000))
    assert again.read(0, 10).shape == (2, 10)
    assert decoded == [name, name]
    again.close()


def test_another_file_or_track_or_no_store_is_decoded(tmp_path, store, decoded):
    path = encode(tmp_path / "song.wav", "pcm_s16le", noise())
    open_audio(path, store=store)
    open_audio(path, 1, store=store)
    encode(path, "pcm_s16le", noise(1))
    open_audio(path, store=store)
    open_audio(path, store=Store())
    open_audio(path)
    assert len(decoded) == 5


def test_a_file_that_changed_since_it_was_opened_is_refused(tmp_path, store):
    path = encode(tmp_path / "song.wav", "pcm_s16le", noise())
    open_audio(path, store=store)
    known = open_audio(path, store=store)
    encode(path, "pcm_s16le", noise(1))
    with pytest.raises(AudioError, match=r"'song.wav' has changed since it was opened; start again"):
        known.read(0, 100)


def test_nothing_is_kept_of_what_cannot_be_read(tmp_path, store):
    for name in ("gone.wav", "."):
        with pytest.raises(AudioError):
            open_audio(tmp_path / name, store=store)
    (tmp_path / "text.wav").write_text("no sound")
    for _ in range(2):
        with pytest.raises(AudioError, match="cannot be read"):
            open_audio(tmp_path / "text.wav", store=store)
    assert store.folder is not None
    assert not store.folder.exists()


def test_a_song_that_is_known_needs_no_temporary_file(tmp_path, store, monkeypatch):
    path = encode(tmp_path / "song.wav", "pcm_s16le", noise())
    open_audio(path, store=store)
    monkeypatch.setattr(PcmFile, "__init__", None)
    assert open_audio(path, store=store).duration > 1


def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path, store, monkeypatch):
    path, decode = encode(tmp_path / "song.wav", "pcm_s16le", noise()), sound._decoded
    before = path.read_bytes()

    def replaced(path, track):
        encode(path, "pcm_s16le", noise(1))
        return decode(path, track)

    with monkeypatch.context() as patch:
        patch.setattr(sound, "_decoded", replaced)
        other = open_audio(path, store=store)
    path.write_bytes(before)
    again = open_audio(path, store=store)
    assert again.digest != other.digest
    assert again.read(0, 100).shape == (2, 100)


def test_samples_go_with_a_known_song(tmp_path, store):
    path = encode(tmp_path / "song.wav", "pcm_s16le", noise())
    open_audio(path, store=store)
    known = open_audio(path, store=store)
    known.read(0, 10)
    file = known._pcm._pcm._file
    gc.disable()
    try:
        del known
        assert file.closed
    finally:
        gc.enable()
