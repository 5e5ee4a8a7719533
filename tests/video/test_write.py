"""A segment holds the frames it was given, at exact times, in closed groups, or does not exist."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from clavilux.errors import OutputError, SettingError
from clavilux.video.probe import decode, probe
from clavilux.video.write import Encoding, SegmentWriter

FPS = Fraction(24)


def moving_noise(count: int, size: tuple[int, int]) -> np.ndarray:
    """Return smooth I420 frames that differ in time and between planes."""
    width, height = size
    row = 110 + 60 * np.sin(np.arange(width) / width * 6 + np.arange(count)[:, None])
    frames = np.repeat(row[:, None, :], height * 3 // 2, axis=1)
    frames[:, height : height * 5 // 4] = 90
    frames[:, height * 5 // 4 :] = 160
    return frames.astype(np.uint8)


def write(path: Path, frames: np.ndarray, size: tuple[int, int], fps: Fraction = FPS, **settings) -> Path:
    with SegmentWriter(path, Encoding(size, fps, **{"gop": 8} | settings)) as writer:
        writer.write(frames)
    return path


@pytest.mark.parametrize("size", [(2, 2), (4, 2), (18, 34), (64, 64), (66, 36), (854, 480), (36, 66)])
def test_frames_survive_at_any_even_size(tmp_path, size):
    frames = moving_noise(5, size)
    path = write(tmp_path / "a.mp4", frames, size, crf=1)
    back = np.stack(list(decode(path)))
    assert back.shape == frames.shape
    assert np.abs(back.astype(int) - frames).max() <= 8
    assert probe(path).size == size


def test_planes_keep_their_order_and_range(tmp_path):
    size, frames = (32, 16), np.empty((1, 24, 32), np.uint8)
    frames[0, :16], frames[0, 16:20], frames[0, 20:] = 16, 240, 128
    back = next(decode(write(tmp_path / "a.mp4", frames, size, crf=1)))
    assert [int(np.median(part)) for part in (back[:16], back[16:20], back[20:])] == [16, 240, 128]


def test_the_file_is_tagged_bt709_limited_h264_high(tmp_path):
    path = write(tmp_path / "a.mp4", moving_noise(9, (64, 36)), (64, 36))
    info = probe(path)
    assert (info.codec, info.pix_fmt, info.colour) == ("h264", "yuv420p", (1, 1, 1, 1))
    assert (info.frames, info.fps, info.duration, info.audio) == (9, FPS, Fraction(9, 24), None)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.profile == "High"
        frame = next(container.decode(video=0))
        assert (frame.colorspace, frame.color_range) == (1, 1)


@pytest.mark.parametrize("fps", ["24", "25", "60", "30000/1001", "24000/1001", "2997/100", "1/3", "480"])
@pytest.mark.parametrize("count", [1, 2, 13])
def test_frame_n_has_the_time_n_over_fps_exactly(tmp_path, fps, count):
    rate = Fraction(fps)
    path = write(tmp_path / "a.mp4", moving_noise(count, (32, 18)), (32, 18), rate)
    with av.open(str(path)) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    assert times == [n / rate for n in range(count)]
    info = probe(path)
    assert (info.frames, info.fps, info.duration) == (count, rate, count / rate)


def test_groups_are_closed_and_of_fixed_length(tmp_path):
    rng = np.random.default_rng(0)
    cuts = np.repeat(
        rng.integers(0, 256, (4, 54, 64), dtype=np.uint8), 5, axis=0
    )  # cuts off the grid of groups
    path = write(tmp_path / "a.mp4", cuts, (64, 36), gop=8)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    keys = [packet.pts * packet.time_base * FPS for packet in packets if packet.is_keyframe]
    assert keys == [0, 8, 16]
    newest = 0
    for packet in packets:  # closed: nothing decoded after a key picture is shown before it
        newest = max(newest, packet.pts if packet.is_keyframe else 0)
        assert packet.pts >= newest


def test_frames_may_be_written_in_any_portions(tmp_path):
    frames = moving_noise(9, (32, 18))
    together = np.stack(list(decode(write(tmp_path / "a.mp4", frames, (32, 18), crf=1))))
    with SegmentWriter(tmp_path / "b.mp4", Encoding((32, 18), FPS, gop=8, crf=1)) as writer:
        for part in (frames[:1], frames[1:1], frames[1:6][:, ::1], np.asfortranarray(frames[6:])):
            writer.write(part)
        assert writer.frames == 9
    apart = np.stack(list(decode(tmp_path / "b.mp4")))
    assert np.abs(together.astype(int) - apart).max() <= 4  # x264 itself may differ between runs


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((1, 18, 32), np.uint8),
        np.zeros((27, 32), np.uint8),
        np.zeros((1, 27, 34), np.uint8),
        np.zeros((1, 27, 32), np.float32),
        np.zeros((1, 27, 32, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused_and_leave_no_file(tmp_path, frames):
    path = tmp_path / "a.mp4"
    with (
        pytest.raises(ValueError, match=r"frames are uint8 \(N, 27, 32\)"),
        SegmentWriter(path, Encoding((32, 18), FPS, gop=8)) as writer,
    ):
        writer.write(frames)
    assert not path.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_removes_the_file(tmp_path, error):
    path = tmp_path / "a.mp4"

    def interrupted() -> None:
        with SegmentWriter(path, Encoding((32, 18), FPS, gop=8)) as writer:
            writer.write(moving_noise(3, (32, 18)))
            assert path.exists()
            raise error

    with pytest.raises(error):
        interrupted()
    assert not path.exists()


def test_a_segment_without_frames_is_refused(tmp_path):
    path = tmp_path / "a.mp4"
    with pytest.raises(ValueError, match="no frame"), SegmentWriter(path, Encoding((32, 18), FPS, gop=8)):
        pass
    assert not path.exists()


@pytest.mark.parametrize("ending", ["a.mp4.part", "Lied für Zoë.mp4.part", "file:x%d.part"])
def test_any_file_name_will_do(tmp_path, ending):
    path = write(tmp_path / ending, moving_noise(2, (32, 18)), (32, 18))
    assert probe(path).frames == 2


def test_a_missing_folder_is_named_before_anything_is_drawn(tmp_path):
    with pytest.raises(OutputError, match=r"There is no folder .*gone"):
        SegmentWriter(tmp_path / "gone" / "a.mp4", Encoding((32, 18), FPS, gop=8))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(OutputError, match="is a folder"):
        SegmentWriter(tmp_path, Encoding((32, 18), FPS, gop=8))
    assert tmp_path.is_dir()


@pytest.mark.parametrize("room", [10, 20_000, 200_000])
def test_a_full_disk_is_named_and_leaves_no_file(tmp_path, room):
    resource = pytest.importorskip("resource")
    noise = np.random.default_rng(0).integers(0, 256, (12, 270, 320), dtype=np.uint8)
    path = tmp_path / "a.mp4"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(OutputError, match="disk is full"):
            write(path, noise, (320, 180), preset="ultrafast")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not path.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (33, 18)}, "33x18.*34x18"),
        ({"size": (32, 0)}, "32x0.*32x2"),
        ({"fps": Fraction(0)}, "frame rate 0"),
        ({"fps": Fraction(2997002997, 10**8)}, "frame rate"),
        ({"crf": 0}, "crf 0"),
        ({"crf": float("nan")}, "crf nan"),
        ({"preset": "warp"}, "'warp'.*medium"),
        ({"gop": 0}, "0 pictures"),
    ],
)
def test_settings_that_cannot_be_encoded_are_refused(change, message):
    values = {"size": (32, 18), "fps": FPS, "gop": 8} | change
    with pytest.raises(SettingError, match=message):
        Encoding(**values)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "prores", "ffv1"])
def test_the_same_frames_give_the_same_bytes(tmp_path, codec):
    encoding = Encoding((160, 96), Fraction(24), gop=24, codec=codec)
    random = np.random.default_rng(0)
    base = random.integers(64, 200, encoding.shape)
    frames = [np.roll(base, 3 * k, axis=1) + random.integers(0, 20, base.shape) for k in range(24)]
    frames = np.stack(frames).astype(encoding.layout.dtype)
    contents = set()
    for k in range(5):
        with SegmentWriter(tmp_path / f"{k}.mp4", encoding) as writer:
            writer.write(frames)
        contents.add((tmp_path / f"{k}.mp4").read_bytes())
    assert len(contents) == 1
