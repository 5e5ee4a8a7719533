"""Every codec that opens here returns the frames, tags, times, audio and metadata it was given."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from clavilux.audio.sound import Audio, open_audio
from clavilux.errors import OutputError, SettingError
from clavilux.generator.pixels import Pixels
from clavilux.pixel_formats import LAYOUTS
from clavilux.video.codecs import CODECS, codec_of, encoder_opens, encoders
from clavilux.video.encoding import Encoding
from clavilux.video.frame import ffmpeg_name, from_ffmpeg, pixels_of, to_ffmpeg
from clavilux.video.join import join
from clavilux.video.probe import decode, probe
from clavilux.video.soundtrack import LAYOUTS as CHANNEL_LAYOUTS
from clavilux.video.write import SegmentWriter

SIZE, COUNTS = (96, 66), (8, 8, 5)
CLICKS = (0.1, 0.25, 0.6)
SOFTWARE = ("h264", "hevc", "av1", "prores", "ffv1")
HARDWARE = tuple(name for name in CODECS if name not in SOFTWARE)
KINDS = [(name, bits) for name in SOFTWARE for bits in CODECS[name].pixels]


def textured(encoding: Encoding, count: int) -> np.ndarray:
    """Pictures of a drifting wave with fine texture, whose chroma planes differ, in the encoding's depth."""
    (width, height), (rows, _) = encoding.size, encoding.shape
    x, y, n = np.arange(width), np.arange(height)[:, None], np.arange(count)[:, None, None]
    luma = 0.5 + 0.35 * np.sin(x / 9 + n / 5) * np.cos(y / 7)
    blue_then_red = np.repeat([0.42, 0.58], (rows - height) * width // 2).reshape(-1, width)
    chroma = blue_then_red + 0.1 * np.sin(n / 5)
    grain = np.random.default_rng(7).normal(0, 0.006, (rows, width))
    unit = np.concatenate([luma, chroma], axis=1) + grain
    return np.rint(unit * (2**encoding.layout.bits - 1)).astype(encoding.layout.dtype)


def clicking(rate: int, start: float) -> Audio:
    samples = np.zeros((2, 2 * rate), np.float32)
    samples[:, [round((second + start) * rate) for second in CLICKS]] = 0.9
    return Audio.from_samples(samples, rate)


def worst_click(path: Path) -> float:
    heard = open_audio(path)
    loud = np.abs(heard.read(0, heard.samples))[0]
    reach = round(0.05 * heard.rate)
    firsts = [round(second * heard.rate) - reach for second in CLICKS]
    places = [first + int(loud[first : first + 2 * reach].argmax()) for first in firsts]
    return max(abs(place / heard.rate - second) for place, second in zip(places, CLICKS, strict=True))


def psnr(found: np.ndarray, wanted: np.ndarray, bits: int) -> float:
    error = np.mean((found.astype(np.float64) - wanted) ** 2)
    return float(20 * np.log10(2**bits - 1) - 10 * np.log10(max(error, 1e-9)))


class Clip:
    """Three segments of a codec, joined with sound and names."""

    def __init__(self, folder: Path, codec: str, bits: int, fps: Fraction = Fraction(30000, 1001)) -> None:
        self.encoding = Encoding(SIZE, fps, gop=4, codec=codec, bits=bits, preset="veryfast")
        self.frames = textured(self.encoding, sum(COUNTS))
        self.segments, first = [], 0
        for index, count in enumerate(COUNTS):
            path = folder / f"{index}.segment"
            with SegmentWriter(path, self.encoding) as writer:
                writer.write(self.frames[first : first + count])
            self.segments.append(path)
            first += count
        self.path = folder / f"video{self.encoding.suffix}"
        self.names = {"title": "Zoë ☀", "clavilux": json.dumps({"numbers": list(range(2000))})}
        join(
            self.segments,
            self.path,
            audio=clicking(44100, 0.4),
            start=Fraction(2, 5),
            duration=sum(COUNTS) / fps,
            metadata=self.names,
        )
        self.pictures = list(decode(self.path))
        self.info = probe(self.path)


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: f"{kind[0]}-{kind[1]}")
def clip(request, tmp_path_factory) -> Clip:
    return Clip(tmp_path_factory.mktemp(request.param[0]), *request.param)


def test_every_frame_comes_back(clip):
    assert {(p.shape, p.dtype) for p in clip.pictures} == {(clip.encoding.shape, clip.encoding.layout.dtype)}
    back = np.stack(clip.pictures)
    assert back.shape == clip.frames.shape
    if clip.encoding.codec == "ffv1":
        assert np.array_equal(back, clip.frames)
    for picture, wanted in zip(back, clip.frames, strict=True):
        assert psnr(picture, wanted, clip.encoding.layout.bits) > 38


def test_joining_changes_no_frame(clip):
    apart = list(chain.from_iterable(map(decode, clip.segments)))
    assert len(apart) == len(clip.pictures)
    assert all(map(np.array_equal, apart, clip.pictures))


def test_the_file_is_tagged(clip):
    info, codec = clip.info, codec_of(clip.encoding.codec)
    assert (info.codec, info.pix_fmt) == (codec.family, ffmpeg_name(clip.encoding.pixels))
    assert info.colour == (1, 1, 1, 1)
    assert (info.frames, info.fps, info.size) == (sum(COUNTS), clip.encoding.fps, SIZE)
    profile, tag = {
        ("h264", 8): ("High", "avc1"),
        ("h264", 10): ("High 10", "avc1"),
        ("hevc", 8): ("Main", "hvc1"),
        ("hevc", 10): ("Main 10", "hvc1"),
        ("av1", 8): ("Main", "av01"),
        ("av1", 10): ("Main", "av01"),
        ("prores", 10): ("HQ", "apch"),
        ("ffv1", 8): ("", ""),
        ("ffv1", 10): ("", ""),
    }[clip.encoding.codec, clip.encoding.bits]
    assert (info.profile, info.tag) == (profile, tag)
    with av.open(str(clip.path)) as container:
        frame = next(container.decode(video=0))
    assert (frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range) == (1, 1, 1, 1)


def test_frame_n_is_shown_at_its_time(clip):
    with av.open(str(clip.path)) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    tick = Fraction(1, 2000) if clip.path.suffix == ".mkv" else 0
    assert all(abs(time - n / clip.encoding.fps) <= tick for n, time in enumerate(times))
    assert (clip.info.start, clip.info.duration) == (0, sum(COUNTS) / clip.encoding.fps)


def test_every_group_is_closed(clip):
    with av.open(str(clip.path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    keys = {round(p.pts * p.time_base * clip.encoding.fps) for p in packets if p.is_keyframe}
    assert keys >= {0, 4, 8, 12, 16, 20}
    newest = 0
    for packet in packets:
        newest = max(newest, packet.pts if packet.is_keyframe else 0)
        assert packet.pts >= newest


def test_the_song_plays_at_its_time(clip):
    sound = {".mp4": "aac", ".mov": "pcm_s24le", ".mkv": "flac"}[clip.path.suffix]
    assert (clip.info.audio.codec, clip.info.audio.rate, clip.info.audio.layout) == (sound, 44100, "stereo")
    assert clip.info.audio.start == 0
    assert worst_click(clip.path) < 0.001


def test_metadata_come_back(clip):
    assert {name: clip.info.metadata.get(name) for name in clip.names} == clip.names


@pytest.mark.parametrize("codec", ["prores", "ffv1"])
@pytest.mark.parametrize("layout", CHANNEL_LAYOUTS)
def test_lossless_audio_is_the_song_to_24_bits(tmp_path, codec, layout):
    encoding = Encoding((16, 16), Fraction(24), gop=4, codec=codec)
    with SegmentWriter(tmp_path / "a", encoding) as writer:
        writer.write(textured(encoding, 12))
    channels = av.AudioLayout(layout).nb_channels
    samples = np.random.default_rng(0).normal(0, 0.3, (channels, 24000)).astype(np.float32)
    target = tmp_path / f"song{encoding.suffix}"
    song = replace(Audio.from_samples(samples, 48000), layout=layout)
    join([tmp_path / "a"], target, audio=song, duration=Fraction(1, 2))
    heard = open_audio(target)
    assert (heard.rate, heard.layout, heard.samples) == (48000, layout, 24000)
    assert np.abs(heard.read(0, 24000) - np.clip(samples, -1, 1)).max() <= 2.0**-23


@pytest.mark.parametrize("pixels", LAYOUTS)
def test_frames_of_ffmpeg_hold_the_same_samples(pixels):
    layout = LAYOUTS[pixels]
    shape = layout.shape((18, 34))
    picture = np.arange(shape[0] * shape[1]).reshape(shape).astype(layout.dtype) % 251
    frame = to_ffmpeg(picture, pixels)
    assert (frame.width, frame.height, frame.format.name) == (18, 34, ffmpeg_name(pixels))
    assert np.array_equal(from_ffmpeg(frame, pixels), picture)
    assert pixels_of(frame.format.name) == pixels


@pytest.mark.parametrize("pixels", LAYOUTS)
def test_planes_are_luma_then_cb_then_cr(pixels):
    layout = LAYOUTS[pixels]
    rows, width = layout.shape((16, 12))
    picture = np.full((rows, width), 2 ** (layout.bits - 1), layout.dtype)
    picture[:12] = round(90 / 255 * (2**layout.bits - 1))  # red, in BT.709: Y 63, Cb 102, Cr 240
    flat = picture[12:].reshape(-1)
    flat[flat.size // 2 :] = 230 * 2 ** (layout.bits - 8)
    red, green, blue = to_ffmpeg(picture, pixels).to_ndarray(format="rgb24")[6, 8]
    assert red > 150
    assert max(green, blue) < 100


def test_a_10_bit_surface_of_nvenc_holds_the_same_samples():
    encoding = Encoding((32, 16), Fraction(24), gop=4, codec="hevc_nvenc", bits=10)
    assert (encoding.pixels, encoding.surface) == ("yuv420p10", "p010le")
    picture = np.random.default_rng(0).integers(64, 940, encoding.shape, dtype=np.int16)
    surface = to_ffmpeg(picture, encoding.pixels).reformat(format=encoding.surface)
    back = surface.reformat(format=ffmpeg_name(encoding.pixels))
    assert np.array_equal(from_ffmpeg(back, encoding.pixels), picture)


def test_encoders_that_open_are_listed():
    assert [name for name in encoders() if name in SOFTWARE] == list(SOFTWARE)
    assert all(encoder_opens(name) for name in encoders())


@pytest.mark.parametrize("name", HARDWARE)
def test_nvenc_writes_a_video_or_is_refused(tmp_path, name):
    encoding = Encoding((256, 256), Fraction(24), gop=4, codec=name)
    if encoder_opens(name):
        with SegmentWriter(tmp_path / "a", encoding) as writer:
            writer.write(textured(encoding, 9))
        join([tmp_path / "a"], tmp_path / "a.mp4", duration=Fraction(9, 24))
        for picture, wanted in zip(decode(tmp_path / "a.mp4"), textured(encoding, 9), strict=True):
            assert psnr(picture, wanted, 8) > 36
    else:
        with pytest.raises(SettingError, match=f"{name} does not open here.*h264"):
            SegmentWriter(tmp_path / "a", encoding)
        assert not list(tmp_path.iterdir())


def test_a_size_too_small_for_an_encoder_is_refused(tmp_path):
    with pytest.raises(SettingError, match="libx265 does not open here for 2x2 px"):
        SegmentWriter(tmp_path / "a", Encoding((2, 2), Fraction(24), gop=4, codec="hevc"))


def test_nothing_is_written_to_the_terminal(tmp_path, capfd):
    encoders()
    for name in SOFTWARE:
        encoding = Encoding((64, 64), Fraction(24), gop=4, codec=name)
        with SegmentWriter(tmp_path / name, encoding) as writer:
            writer.write(textured(encoding, 5))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codec": "h265"}, "no codec 'h265'.*did you mean 'h264'"),
        ({"codec": "mpeg"}, "no codec 'mpeg'.*h264, hevc, av1"),
        ({"codec": "prores", "bits": 8}, "prores cannot have 8 bits a sample; it has 10"),
        ({"codec": "hevc", "bits": 12}, "hevc cannot have 12 bits a sample; it has 8 or 10"),
        ({"codec": "h264_nvenc", "bits": 10}, "h264_nvenc cannot have 10 bits"),
        ({"codec": "ffv1", "crf": 18}, "ffv1 has no quality to choose; omit crf 18"),
        ({"codec": "prores", "crf": 0}, "prores has no quality"),
        ({"codec": "av1", "crf": 64}, "crf 64 is out of range for av1; it goes from 1 .* 63"),
        ({"codec": "hevc", "crf": 52}, "crf 52 is out of range for hevc"),
    ],
)
def test_what_a_codec_does_not_have_is_refused(change, message):
    with pytest.raises(SettingError, match=message):
        Encoding(SIZE, Fraction(24), gop=4, **change)


def test_usual_values_are_the_codecs_own():
    usual = {name: Encoding(SIZE, Fraction(24), gop=4, codec=name) for name in SOFTWARE}
    assert {name: e.crf for name, e in usual.items()} == {
        "h264": 18,
        "hevc": 20,
        "av1": 26,
        "prores": None,
        "ffv1": None,
    }
    assert [e.pixels for e in usual.values()] == ["yuv420p"] * 3 + ["yuv422p10", "yuv444p"]
    assert [codec_of(name).suffix for name in usual] == [".mp4"] * 3 + [".mov", ".mkv"]


@pytest.mark.parametrize(("codec", "wrong"), [("prores", ".mp4"), ("ffv1", ".mov"), ("av1", ".mkv")])
def test_a_name_that_ends_otherwise_is_refused(tmp_path, codec, wrong):
    encoding = Encoding((64, 64), Fraction(24), gop=4, codec=codec)
    with SegmentWriter(tmp_path / "a", encoding) as writer:
        writer.write(textured(encoding, 2))
    with pytest.raises(OutputError, match=f"end the name in {encoding.suffix}"):
        join([tmp_path / "a"], tmp_path / f"song{wrong}", duration=Fraction(2, 24))


@pytest.mark.parametrize("change", [{"codec": "hevc"}, {"bits": 10}, {"crf": 40}])
def test_segments_of_other_codecs_or_depths_do_not_join(tmp_path, change):
    paths = []
    for name, settings in (("a", {}), ("b", change)):
        encoding = replace(Encoding((64, 64), Fraction(24), gop=4), **{"bits": None, "crf": None} | settings)
        with SegmentWriter(tmp_path / name, encoding) as writer:
            writer.write(textured(encoding, 2))
        paths.append(tmp_path / name)
    with pytest.raises(OutputError, match="different settings"):
        join(paths, tmp_path / "song.mp4", duration=Fraction(4, 24))


@pytest.mark.parametrize("codec", SOFTWARE)
def test_segments_of_one_or_two_frames_join(tmp_path, codec):
    encoding, counts = Encoding((64, 64), Fraction(24), gop=4, codec=codec), [5, 1, 2, 1, 1, 2, 2, 1, 2, 3]
    paths = [tmp_path / f"{index}" for index in range(len(counts))]
    frames = textured(encoding, sum(counts))
    for path, part in zip(paths, np.split(frames, np.cumsum(counts)[:-1]), strict=True):
        with SegmentWriter(path, encoding) as writer:
            writer.write(part)
    target = tmp_path / f"song{encoding.suffix}"
    join(paths, target, duration=Fraction(sum(counts), 24))
    found = list(decode(target))
    assert len(found) == sum(counts) == probe(target).frames
    for picture, wanted in zip(found, frames, strict=True):
        assert psnr(picture, wanted, encoding.layout.bits) > 36


@pytest.mark.parametrize("codec", SOFTWARE)
def test_a_shortened_segment_is_named(tmp_path, codec):
    encoding = Encoding((64, 64), Fraction(24), gop=4, codec=codec)
    path = tmp_path / "a"
    with SegmentWriter(path, encoding) as writer:
        writer.write(textured(encoding, 9))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(OutputError, match="missing or damaged"):
        join([path], tmp_path / f"song{encoding.suffix}", duration=Fraction(9, 24))


@pytest.mark.parametrize(("codec", "bits"), KINDS)
def test_colours_drawn_are_colours_seen(tmp_path, codec, bits):
    """From the network's picture through the program's pixels and the file to FFmpeg's RGB."""
    encoding = Encoding((64, 48), Fraction(24), gop=4, codec=codec, bits=bits)
    y, x = (0.5 - 0.5 * np.cos(2 * np.pi * axis) for axis in np.mgrid[:48, :64] / [[[48]], [[64]]])
    rgb = np.stack([0.2 + 0.6 * x, 0.8 - 0.7 * y, 0.3 + 0.4 * x * y]).astype(np.float32)  # no side is apart
    drawn = Pixels((48, 64), encoding.size, encoding.pixels)(
        torch.from_numpy(rgb[None] * 2 - 1), torch.arange(1)
    )
    with SegmentWriter(tmp_path / "a", encoding) as writer:
        writer.write(drawn.numpy())
    with av.open(str(tmp_path / "a")) as container:
        frame = next(container.decode(video=0))
        seen = frame.reformat(
            format="rgb24", src_colorspace=frame.colorspace, src_color_range=frame.color_range
        ).to_ndarray()
    error = seen - 255 * rgb.transpose(1, 2, 0)
    assert np.abs(error.mean(axis=(0, 1))).max() < 3  # FFmpeg rounds down
    assert np.abs(error).mean() < 5  # what coding itself loses at the usual quality


@pytest.mark.parametrize("fps", ["2997/100", "1/3", "480", "241/10"])
@pytest.mark.parametrize("codec", ["prores", "ffv1"])
def test_the_frame_rate_is_exact(tmp_path, codec, fps):
    rate = Fraction(fps)
    encoding = Encoding((16, 16), rate, gop=4, codec=codec)
    with SegmentWriter(tmp_path / "a", encoding) as writer:
        writer.write(textured(encoding, 7))
    target = tmp_path / f"song{encoding.suffix}"
    join([tmp_path / "a"] * 2, target, duration=14 / rate)
    assert (probe(target).fps, probe(target).frames, probe(target).duration) == (rate, 14, 14 / rate)
