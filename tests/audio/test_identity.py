"""A song is known again by its coded packets, or by its samples where every decoder gives the same ones."""

import struct
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from noise_files import RATE, encode, noise

from clavilux.audio import decode
from clavilux.audio.sound import Audio, open_audio

CODECS = {
    "song.mp3": "libmp3lame",
    "song.m4a": "aac",
    "song.opus": "libopus",
    "song.ogg": "vorbis",
    "song.wav": "pcm_s16le",
    "song.flac": "flac",
    "alac.m4a": "alac",
}
LOSSY = ["song.mp3", "song.m4a", "song.opus", "song.ogg"]
LOSSLESS = ["song.wav", "song.flac", "alac.m4a"]


def copy(source: Path, target: Path, **tags: str) -> Path:
    """Copy the packets into another file, under other tags."""
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        stream = after.add_stream_from_template(before.streams.audio[0])
        after.metadata.update(tags)
        for packet in before.demux(before.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                after.mux(packet)
    return target


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    return {name: encode(folder / name, codec, noise(), title="Lumia") for name, codec in CODECS.items()}


def id3v2(title: str) -> bytes:
    body = b"TIT2" + struct.pack(">IH", len(title) + 1, 0) + b"\0" + title.encode()
    return b"ID3\3\0\0" + bytes((len(body) >> shift) & 127 for shift in (21, 14, 7, 0)) + body


def ape(title: str) -> bytes:
    item = struct.pack("<II", len(title), 0) + b"Title\0" + title.encode()
    ends = [
        b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, flags) + bytes(8)
        for flags in (0xA0000000, 0x80000000)
    ]
    return ends[0] + item + ends[1]


@pytest.mark.parametrize("name", LOSSY)
def test_other_tags_leave_the_digest(files, tmp_path, name):
    other = copy(files[name], tmp_path / f"renamed{files[name].suffix}", title="x" * 5000, artist="Wilfred")
    assert open_audio(other).tags != open_audio(files[name]).tags
    assert open_audio(other).digest == open_audio(files[name]).digest


@pytest.mark.parametrize(
    ("front", "behind"),
    [
        (b"", b""),
        (id3v2("y" * 5000), b""),
        (b"", b"TAG" + b"x" * 125),
        (b"", ape("Lumia") + b"TAG" + b"x" * 125),
        (b"", b"LYRICSBEGIN" + b"IND0000200" + b"000021LYRICS200" + b"TAG" + b"x" * 125),
        (b"", bytes(1000)),
        (b"", b"junk" * 300),
    ],
    ids=["none", "id3v2", "id3v1", "ape", "lyrics", "zeros", "junk"],
)
def test_no_tag_of_an_mp3_changes_its_digest(files, tmp_path, front, behind):
    data, path = files["song.mp3"].read_bytes(), tmp_path / "tagged.mp3"
    size = sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    assert data[:3] == b"ID3"
    path.write_bytes(front + data[10 + size :] + behind)
    assert open_audio(path).digest == open_audio(files["song.mp3"]).digest


def test_another_container_of_the_same_kind_leaves_the_digest(files, tmp_path):
    for suffix in (".mp4", ".mov"):
        other = copy(files["song.m4a"], tmp_path / f"song{suffix}")
        assert open_audio(other).digest == open_audio(files["song.m4a"]).digest


def test_the_streams_beside_the_song_do_not_count(files, tmp_path):
    path = tmp_path / "film.mp4"
    with av.open(str(files["song.m4a"])) as source, av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 16, 16, "yuv420p"
        audio = container.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = audio
                container.mux(packet)
        frame = av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p")
        container.mux(video.encode(frame))
        container.mux(video.encode(None))
    assert open_audio(path).digest == open_audio(files["song.m4a"]).digest


@pytest.mark.parametrize("name", LOSSY)
def test_another_encoding_or_song_has_another_digest(files, tmp_path, name):
    suffix, codec = Path(name).suffix, CODECS[name]
    paths = [
        files[name],
        encode(tmp_path / f"other{suffix}", codec, noise(1)),
        encode(tmp_path / f"longer{suffix}", codec, noise(0, 1.5)),
    ]
    if codec != "vorbis":  # FFmpeg's encoder knows no bit rate
        paths.append(encode(tmp_path / f"higher{suffix}", codec, noise(), 192_000))
    assert len({open_audio(path).digest for path in paths}) == len(paths)


def test_packets_that_are_trimmed_otherwise_have_another_digest(files, tmp_path):
    path = tmp_path / "trimmed.mkv"  # Matroska keeps the padding that an mp4 cuts off
    copy(files["song.m4a"], path)
    whole, trimmed = open_audio(path), open_audio(files["song.m4a"])
    assert whole.samples != trimmed.samples
    assert whole.digest != trimmed.digest


@pytest.fixture
def other_decoder(monkeypatch) -> None:
    """Decode as another processor would: every sample differs a little."""
    converted = decode.AudioFile._converted

    def perturbed(self, frames) -> Iterator[np.ndarray]:
        for block in converted(self, frames):
            yield block + np.float32(1e-6)

    monkeypatch.setattr(decode.AudioFile, "_converted", perturbed)


@pytest.mark.parametrize("name", LOSSY)
def test_a_lossy_file_is_known_again_whatever_decodes_it(files, name, request):
    here = open_audio(files[name])
    request.getfixturevalue("other_decoder")
    there = open_audio(files[name])
    assert there.samples_digest != here.samples_digest
    assert there.digest == here.digest != here.samples_digest


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_lossless_file_is_known_by_its_samples(files, name, request):
    here = open_audio(files[name])
    assert here.digest == here.samples_digest == open_audio(files["song.wav"]).digest
    assert here.digest == Audio.from_samples(here.read(0, here.samples), RATE).digest
    request.getfixturevalue("other_decoder")
    assert open_audio(files[name]).digest != here.digest


def test_one_changed_sample_of_a_wav_changes_its_digest(files, tmp_path):
    data = bytearray(files["song.wav"].read_bytes())
    data[-1000] ^= 1
    changed = tmp_path / "changed.wav"
    changed.write_bytes(data)
    assert open_audio(changed).digest != open_audio(files["song.wav"]).digest


def test_a_cut_file_is_another_song_and_the_same_every_time(files, tmp_path):
    path = tmp_path / "cut.mp3"
    path.write_bytes(files["song.mp3"].read_bytes()[:-300])
    assert open_audio(path).digest == open_audio(path).digest != open_audio(files["song.mp3"]).digest
