"""A song's samples: decoded from every format onto their own clock, read in blocks, or refused."""

import gc
import struct
import tempfile
import wave
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from clavilux.audio import pcm
from clavilux.audio.sound import Audio, open_audio
from clavilux.errors import AudioError, OutputError

CLICKS = (0.1, 0.5, 1.0, 1.45)
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}

FORMATS = {
    # name: (codec, sample format, rate); lossless ones first
    "u8.wav": ("pcm_u8", None, 44100),
    "s16.wav": ("pcm_s16le", None, 44100),
    "s24.wav": ("pcm_s24le", None, 44100),
    "s32.wav": ("pcm_s32le", None, 96000),
    "f32.wav": ("pcm_f32le", None, 44100),
    "f64.wav": ("pcm_f64le", None, 8000),
    "s16.aiff": ("pcm_s16be", None, 44100),
    "s16.flac": ("flac", "s16", 48000),
    "alac.m4a": ("alac", "s16p", 44100),
    "wavpack.wv": ("wavpack", "s16p", 44100),
    "lame.mp3": ("libmp3lame", None, 44100),
    "low.mp3": ("libmp3lame", None, 22050),
    "aac.m4a": ("aac", None, 44100),
    "aac48.mp4": ("aac", None, 48000),
    "opus.opus": ("libopus", None, 48000),
    "vorbis.ogg": ("vorbis", None, 44100),
    "aac.mkv": ("aac", None, 44100),
}
LOSSLESS = [name for name in FORMATS if FORMATS[name][0].startswith(("pcm", "flac", "alac", "wavpack"))]


def clicks(rate: int, channels: int = 2, seconds: float = 1.5) -> np.ndarray:
    """Clicks of height 0.9 in all channels at known seconds."""
    samples = np.zeros((channels, round(seconds * rate) + 123), np.float32)
    samples[:, [round(second * rate) for second in CLICKS]] = 0.9
    return samples


def encode(path: Path, codec: str, samples: np.ndarray, rate: int, kind: str | None = None, **more) -> Path:
    """Write samples (C, n) by FFmpeg's own encoder."""
    layout = LAYOUTS[len(samples)]
    options = {"strict": "-2"} if codec == "vorbis" else {}
    with av.open(str(path), "w", **more) as container:
        container.metadata.update({"title": "Lumia", "artist": "Wilfred"})
        stream = container.add_stream(codec, rate=rate, layout=layout, options=options)
        if kind:
            stream.codec_context.format = kind
        packed = np.ascontiguousarray(samples.T.reshape(1, -1), np.float32)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_float_wav(path: Path, samples: np.ndarray, rate: int = 8000) -> Path:
    data = samples.astype("<f4").tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 3, 1, rate, rate * 4, 4, 32
    )
    path.write_bytes(head + struct.pack("<4sI", b"data", len(data)) + data)
    return path


def write_plain_wav(path: Path, samples: np.ndarray, rate: int = 44100) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(samples))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(samples.T, "<i2").tobytes())
    return path


def click_errors(audio: Audio) -> list[float]:
    """Return the distance of each click from its place, s."""
    heard = np.abs(audio.read(0, audio.samples)).max(axis=0)
    reach, errors = round(0.05 * audio.rate), []
    for second in CLICKS:
        first = round(second * audio.rate) - reach
        errors.append((first + int(heard[first : first + 2 * reach].argmax())) / audio.rate - second)
    return errors


@pytest.fixture(scope="module")
def songs(tmp_path_factory) -> dict[str, Audio]:
    folder = tmp_path_factory.mktemp("songs")
    return {
        name: open_audio(encode(folder / name, codec, clicks(rate), rate, kind))
        for name, (codec, kind, rate) in FORMATS.items()
    }


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_plays_its_clicks_where_they_were(songs, name):
    audio, rate = songs[name], FORMATS[name][2]
    assert (audio.rate, audio.channels, audio.layout) == (rate, 2, "stereo")
    assert max(map(abs, click_errors(audio))) < 0.001
    padded = name == "aac.mkv"  # Matroska does not say where the last AAC packet's padding begins
    assert abs(audio.samples - clicks(rate).shape[1]) < (1024 if padded else 0.001 * rate)


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_return_the_very_samples(songs, name):
    audio, truth = songs[name], clicks(FORMATS[name][2])
    step = 2.0**-7 if "u8" in name else 2.0**-15
    assert audio.samples == truth.shape[1]
    np.testing.assert_allclose(audio.read(0, audio.samples), truth, atol=step)


def test_equal_samples_have_one_digest_whatever_their_file(songs):
    assert len({songs[name].digest for name in ("s16.wav", "s16.aiff", "alac.m4a")}) == 1
    assert songs["f32.wav"].digest == Audio.from_samples(clicks(44100), 44100).digest
    assert songs["f32.wav"].digest != songs["s16.wav"].digest


def test_rate_and_channels_are_part_of_the_digest():
    samples = np.zeros((2, 600))
    variants = [
        Audio.from_samples(samples, 44100),
        Audio.from_samples(samples, 48000),
        Audio.from_samples(samples.reshape(1, -1), 44100),
        Audio.from_samples(samples[:, 1:], 44100),
    ]
    assert len({audio.digest for audio in variants}) == len(variants)


def test_tags_are_read_from_any_container(songs):
    for name in ("lame.mp3", "aac.m4a", "opus.opus", "s16.flac"):
        assert songs[name].tags == {"title": "Lumia", "artist": "Wilfred"}


@pytest.mark.parametrize("channels", [1, 6, 8])
def test_channels_keep_their_order(tmp_path, channels):
    samples = np.outer(np.arange(1, channels + 1), np.ones(3000)).astype(np.float32) / 16
    audio = open_audio(encode(tmp_path / "a.flac", "flac", samples, 48000, "s16"))
    assert audio.layout == LAYOUTS[channels]
    np.testing.assert_array_equal(audio.read(0, 3000), samples)


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 7, 8, 10])
def test_plain_wav_of_any_channel_count(tmp_path, channels):
    samples = np.arange(channels)[:, None] * 1000 + np.arange(500) % 999
    audio = open_audio(write_plain_wav(tmp_path / "a.wav", samples))
    np.testing.assert_array_equal(np.round(audio.read(0, 500) * 32768), samples)


def test_cover_art_is_ignored(songs, tmp_path):
    png = Path(tmp_path / "a.png")
    with av.open(str(png), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png")
        stream.width = stream.height = 8
        stream.pix_fmt = "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((8, 8, 3), np.uint8))))
        container.mux(stream.encode(None))
    plain = encode(tmp_path / "plain.mp3", "libmp3lame", clicks(44100), 44100, options={"id3v2_version": "0"})
    image = b"\0image/png\0\3\0" + png.read_bytes()
    frame = b"APIC" + struct.pack(">IH", len(image), 0) + image
    size = bytes((len(frame) >> shift) & 127 for shift in (21, 14, 7, 0))
    covered = tmp_path / "covered.mp3"
    covered.write_bytes(b"ID3\3\0\0" + size + frame + plain.read_bytes())
    with av.open(str(covered)) as container:
        assert len(container.streams.video) == 1
    assert open_audio(covered).digest == songs["lame.mp3"].digest


def test_audio_of_a_video(tmp_path, songs):
    path = tmp_path / "video.mp4"
    with av.open(str(path), "w") as container:
        images = container.add_stream("libx264", rate=24)
        images.width, images.height, images.pix_fmt = 16, 16, "yuv420p"
        sound = container.add_stream("alac", rate=44100, layout="stereo")
        for _ in range(36):
            container.mux(
                images.encode(av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p"))
            )
        container.mux(images.encode(None))
        packed = np.ascontiguousarray(clicks(44100).T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout="stereo")
        frame.sample_rate = 44100
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    assert max(map(abs, click_errors(open_audio(path)))) == 0


def test_a_stream_that_changes_its_format_keeps_the_first(tmp_path):
    stereo = encode(tmp_path / "a.aac", "aac", clicks(44100), 44100, format="adts").read_bytes()
    mono = encode(tmp_path / "b.aac", "aac", clicks(22050, 1), 22050, format="adts").read_bytes()
    path = tmp_path / "both.aac"
    path.write_bytes(stereo + mono)
    audio = open_audio(path)
    assert (audio.rate, audio.channels) == (44100, 2)
    assert abs(float(audio.duration) - 3.1) < 0.1
    second_part = audio.read(round(1.6 * 44100), 44100 * 2)
    assert second_part.max() > 0.2


@pytest.mark.parametrize("name", ["lame.mp3", "s16.flac", "s16.wav", "opus.opus"])
def test_a_cut_file_gives_what_it_holds(tmp_path, name):
    codec, kind, rate = FORMATS[name]
    noise = np.random.default_rng(0).normal(size=(2, 2 * rate)).astype(np.float32) * 0.1
    path = encode(tmp_path / name, codec, noise, rate, kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 0.3 < open_audio(path).samples / noise.shape[1] < 0.7


def test_damage_in_the_middle_costs_only_the_middle(tmp_path):
    noise = np.random.default_rng(0).normal(size=(2, 2 * 44100)).astype(np.float32) * 0.1
    path = encode(tmp_path / "a.mp3", "libmp3lame", noise, 44100)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(bytes(data))
    assert abs(open_audio(path).samples / noise.shape[1] - 1) < 0.15


@pytest.mark.parametrize(
    "name", ["s16.wav", "s16.aiff", "s16.flac", "lame.mp3", "aac.m4a", "aac.mkv", "aac.ts"]
)
def test_any_damage_gives_audio_or_one_sentence(tmp_path, name):
    codec, kind, rate = FORMATS.get(name, ("aac", None, 44100))
    path = encode(tmp_path / name, codec, clicks(rate), rate, kind)
    whole, rng = np.frombuffer(path.read_bytes(), np.uint8), np.random.default_rng(len(name))
    for _ in range(12):
        data = whole.copy()
        data[rng.integers(0, len(data), 20)] = rng.integers(0, 256, 20)
        data[rng.integers(0, 600, 3)] = rng.integers(0, 256, 3)
        path.write_bytes(data.tobytes())
        with suppress(AudioError):  # anything else fails the test
            assert np.isfinite(open_audio(path).mono()).all()


def make_nothing(path: Path) -> None:
    """Leave the path without a file."""


def make_no_samples(path: Path) -> None:
    write_plain_wav(path, np.zeros((2, 0)))


def make_silent_video(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        container.mux(
            stream.encode(av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p"))
        )
        container.mux(stream.encode(None))


BAD_FILES = {
    "missing": (make_nothing, "There is no file"),
    "folder": (Path.mkdir, "is a folder"),
    "empty": (Path.touch, "is an empty file"),
    "text": (lambda path: path.write_text("la la la " * 200), "cannot be read as audio|no audio"),
    "html": (
        lambda path: path.write_text("<!doctype html><title>404</title>" * 50),
        "cannot be read as audio|no audio",
    ),
    "random": (lambda path: path.write_bytes(np.random.default_rng(5).bytes(20_000)), "audio"),
    "video": (make_silent_video, "has no audio in it"),
    "no-samples": (make_no_samples, "holds no audio at all"),
    "playlist": (lambda path: path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.mp3\n"), "audio"),
    "nan": (lambda path: write_float_wav(path, np.array([0, np.nan, 0])), "holds a sample of nan"),
    "inf": (lambda path: write_float_wav(path, np.array([0, -np.inf, 0])), "holds a sample of inf"),
    "huge": (lambda path: write_float_wav(path, np.array([0, 3e30, 0])), r"holds a sample of 3e\+30"),
    "slow": (lambda path: write_float_wav(path, np.zeros(99), rate=3), "claims 3 samples per second"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_song_is_refused_in_one_sentence(tmp_path, name):
    make, message = BAD_FILES[name]
    path = tmp_path / f"{name}.wav"
    make(path)
    with pytest.raises(AudioError, match=message) as caught:
        open_audio(path)
    text = str(caught.value)
    assert name in text
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros((2, 0)), 44100, "no audio at all"),
        ([0.0, np.nan], 44100, "sample of nan"),
        ([0.0, 1e300], 44100, "sample of inf"),
        (np.zeros((2, 2, 2)), 44100, "shape"),
        (np.zeros((65, 2)), 44100, "65 channels"),
        (np.zeros(9), 0, "0 samples per second"),
        (np.zeros(9), 44100.5, "44100.5 samples per second"),
    ],
)
def test_an_array_that_is_no_audio_is_refused(samples, rate, message):
    with pytest.raises(AudioError, match=message):
        Audio.from_samples(samples, rate)


def test_a_song_may_not_outgrow_its_bound(monkeypatch):
    monkeypatch.setattr(pcm, "MAX_HOURS", 1 / 3600)
    assert Audio.from_samples(np.zeros(8000), 8000).duration == 1
    with pytest.raises(AudioError, match="longer than"):
        Audio.from_samples(np.zeros(8001), 8000)


def test_a_full_temporary_folder_is_named(tmp_path, songs):
    path = encode(tmp_path / "a.flac", "flac", clicks(44100), 44100, "s16")
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OutputError, match="temporary folder"):
            open_audio(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_missing_temporary_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match="gone"):
        Audio.from_samples(np.zeros(9), 8000)


def test_the_temporary_file_has_no_name_and_goes_with_the_song(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    audio = Audio.from_samples(np.zeros(9), 8000)
    assert not list(tmp_path.iterdir())
    file = audio._pcm._file
    del audio
    gc.collect()
    assert file.closed


def test_closing_twice_is_harmless():
    audio = Audio.from_samples(np.zeros(9), 8000)
    audio.close()
    audio.close()


@settings(max_examples=40, deadline=None)
@given(start=st.integers(-50, 150), count=st.integers(-5, 200))
def test_reading_is_clipped_slicing(start, count):
    samples = np.arange(200, dtype=np.float32).reshape(2, 100) / 200
    block = Audio.from_samples(samples, 8000).read(start, count)
    expected = samples[:, max(start, 0) : max(start + count, start, 0)]
    assert block.dtype == np.float32
    np.testing.assert_array_equal(block, expected)


def test_blocks_make_the_song():
    samples = np.random.default_rng(1).normal(size=(2, 8000 * 3 + 5)).astype(np.float32)
    audio = Audio.from_samples(samples, 8000)
    blocks = list(audio.blocks(0.7))
    assert [block.shape[1] for block in blocks] == [5600] * 4 + [1605]
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), samples)


def test_threads_may_read_at_once():
    samples = np.arange(300_000, dtype=np.float32) / 300_000
    audio = Audio.from_samples(samples, 44100)
    with ThreadPoolExecutor(8) as pool:
        blocks = pool.map(lambda first: audio.read(first, 1000), range(0, 300_000, 1000))
        np.testing.assert_array_equal(np.concatenate(list(blocks), axis=1)[0], samples)


@pytest.mark.parametrize(
    ("source", "target"), [(44100, 22050), (48000, 22050), (8000, 22050), (44100, 44100)]
)
def test_mono_equals_resampling_the_whole(source, target):
    samples = np.random.default_rng(2).normal(size=(2, source * 23 + 7)).astype(np.float32) * 0.2
    mono = Audio.from_samples(samples, source).mono(target)
    whole = soxr.resample(samples.mean(axis=0), source, target)
    assert mono.dtype == np.float32
    np.testing.assert_allclose(mono, whole, atol=1e-5)


def test_one_sample_is_a_song():
    audio = Audio.from_samples([0.5], 192_000)
    assert audio.mono().size == 1
    assert (audio.samples, audio.duration) == (1, Fraction(1, 192_000))


def test_silence_is_known():
    assert Audio.from_samples(np.full(99, 9e-5), 8000).silent
    loud = Audio.from_samples([0, -0.5, 0.2], 8000)
    assert not loud.silent
    assert loud.peak == 0.5


def test_samples_from_outside_are_not_kept():
    samples = np.zeros((1, 10), np.float32)
    audio = Audio.from_samples(samples, 8000)
    samples += 1
    assert not audio.read(0, 10).any()


def test_the_mean_is_that_of_all_samples():
    samples = np.random.default_rng(4).normal(0.1, 0.2, (2, 12_345)).astype(np.float32)
    assert Audio.from_samples(samples, 1000).mean == pytest.approx(samples.mean(dtype=np.float64), abs=1e-9)


def with_holes(path, samples, rate, drop):
    """Write Opus in WebM without the packets whose times are in a span of ``drop``."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libopus", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.asarray(samples, np.float32)[None], format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        resampler = av.AudioResampler("flt", "mono", rate, 960)
        ready = [*resampler.resample(frame), *resampler.resample(None)]
        packets = [packet for part in ready if part for packet in stream.encode(part)]
        for packet in [*packets, *stream.encode(None)]:
            time = float(packet.pts * packet.time_base)
            if not any(start <= time < end for start, end in drop):
                container.mux(packet)
    return path


def test_holes_in_time_stamps_are_silence(tmp_path):
    rate = 48000
    clicks = np.zeros(12 * rate)
    for beat in range(24):
        clicks[beat * rate // 2 : beat * rate // 2 + 200] = 0.9
    song = open_audio(with_holes(tmp_path / "a.webm", clicks, rate, [(4, 6), (9, 9.5)]))
    assert song.duration == pytest.approx(12, abs=0.02)
    found = np.abs(song.read(0, song.samples)[0])
    assert found[round(4.1 * rate) : round(5.9 * rate)].max() < 1e-3
    for second in (1.0, 6.5, 8.5, 10.0, 11.0):
        near = found[round((second - 0.05) * rate) : round((second + 0.05) * rate)]
        assert abs(near.argmax() / rate - 0.05) < 0.01, second


def test_a_time_stamp_far_beyond_the_end_is_not_believed(tmp_path):
    rate = 48000
    whole = open_audio(with_holes(tmp_path / "a.webm", np.full(2 * rate, 0.1), rate, []))
    data = (tmp_path / "a.webm").read_bytes()
    assert open_audio(tmp_path / "a.webm").samples == whole.samples
    position = data.rindex(b"\x1f\x43\xb6\x75")  # the last cluster; its time stamp is the E7 element
    at = data.index(b"\xe7", position)
    size = data[at + 1] & 0x7F
    damaged = data[: at + 2] + b"\x7f" * size + data[at + 2 + size :]
    (tmp_path / "b.webm").write_bytes(damaged)
    assert open_audio(tmp_path / "b.webm").duration < 10


@pytest.mark.parametrize("share", [-1.0, -0.98, -0.9])
def test_an_inverted_channel_is_heard(share):
    left = np.sin(np.arange(44100) / 20).astype(np.float32)
    song = Audio.from_samples(np.stack([left, share * left]), 22050)
    assert song.turned
    np.testing.assert_allclose(song.mono(22050), left * (1 - share) / 2, atol=1e-6)


@pytest.mark.parametrize("share", [1.0, 0.0, -0.3])
def test_ordinary_channels_are_not_turned(share):
    left, other = np.random.default_rng(0).standard_normal((2, 44100)).astype(np.float32) / 8
    song = Audio.from_samples(np.stack([left, share * left + other * (1 - abs(share))]), 22050)
    assert not song.turned
    np.testing.assert_array_equal(song.mono(22050), song.read(0, 44100).mean(axis=0))
