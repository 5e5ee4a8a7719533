"""Joined segments are the segments, frame for frame, and the song starts with frame 0."""

import json
import tracemalloc
from fractions import Fraction
from itertools import chain

import av
import numpy as np
import pytest

from clavilux import files
from clavilux.audio.sound import Audio, open_audio
from clavilux.errors import OutputError
from clavilux.video.join import Chapter, join
from clavilux.video.probe import decode, probe
from clavilux.video.soundtrack import Soundtrack

FPS = Fraction(24)
CLICKS = (0.25, 0.5, 1.0, 1.4)


def clicking(rate: int, channels: int = 2, seconds: float = 2.0, lag: float = 0.0) -> Audio:
    samples = np.zeros((channels, round(seconds * rate)), np.float32)
    samples[:, [round((second + lag) * rate) for second in CLICKS]] = 0.9
    return Audio.from_samples(samples, rate)


def click_errors(audio: Audio, channel: int = 0) -> list[float]:
    """Return the distance of each click from its place, s."""
    heard, reach = np.abs(audio.read(0, audio.samples))[channel], round(0.05 * audio.rate)
    firsts = [round(second * audio.rate) - reach for second in CLICKS]
    return [
        (first + int(heard[first : first + 2 * reach].argmax())) / audio.rate - second
        for first, second in zip(firsts, CLICKS, strict=True)
    ]


def all_packets(path) -> list[tuple[int, str, Fraction]]:
    """Return (position in the file, kind, decoding time) of every packet."""
    with av.open(str(path)) as container:
        return sorted(
            (packet.pos, packet.stream.type, packet.dts * packet.time_base)
            for packet in container.demux()
            if packet.pts is not None
        )


@pytest.mark.parametrize(
    ("counts", "fps", "settings"),
    [
        ([8, 8, 5], "24", {}),
        ([8, 8, 5], "30000/1001", {}),
        ([8, 6], "25", {"preset": "ultrafast"}),
        ([8, 8, 1], "60", {"preset": "slow"}),
        ([8, 3], "2997/100", {"size": (18, 34)}),
        ([1], "24", {}),
        ([1, 5, 2, 1, 3], "24", {}),
    ],
)
def test_joined_frames_are_the_segments_frames(make_segments, tmp_path, counts, fps, settings):
    rate, target = Fraction(fps), tmp_path / "song.mp4"
    segments = make_segments(counts, rate, **settings)
    join(segments, target, duration=sum(counts) / rate)
    expected = list(chain.from_iterable(map(decode, segments)))
    joined = list(decode(target))
    assert len(joined) == len(expected) == sum(counts)
    assert all(map(np.array_equal, joined, expected))
    with av.open(str(target)) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    assert times == [n / rate for n in range(sum(counts))]
    info = probe(target)
    assert (info.frames, info.fps, info.start, info.duration) == (sum(counts), rate, 0, sum(counts) / rate)
    assert (info.colour, info.codec, info.audio) == ((1, 1, 1, 1), "h264", None)


@pytest.fixture(scope="module")
def two_seconds(make_segments):
    return make_segments([20, 20, 8])


@pytest.mark.parametrize(
    ("rate", "channels", "kept_rate", "layout"),
    [
        (44100, 2, 44100, "stereo"),
        (48000, 1, 48000, "mono"),
        (48000, 6, 48000, "5.1"),
        (44100, 8, 44100, "7.1"),
        (8000, 1, 8000, "mono"),
        (192_000, 2, 48000, "stereo"),
        (96_000, 2, 48000, "stereo"),
        (88_200, 2, 44100, "stereo"),
        (45000, 2, 44100, "stereo"),
        (6000, 1, 7350, "mono"),
        (44100, 10, 44100, "stereo"),
    ],
)
def test_the_song_plays_at_its_time(two_seconds, tmp_path, rate, channels, kept_rate, layout):
    target = tmp_path / "song.mp4"
    join(two_seconds, target, audio=clicking(rate, channels), duration=Fraction(2))
    info = probe(target)
    assert (info.audio.codec, info.audio.rate, info.audio.layout) == ("aac", kept_rate, layout)
    assert (info.start, info.audio.start) == (0, 0)
    assert (info.duration, info.audio.duration) == (2, 2)
    heard = open_audio(target)
    assert max(map(abs, click_errors(heard))) < 0.001
    assert heard.duration == 2


def test_chapters_are_listed_and_change_nothing_else(two_seconds, tmp_path):
    target, plain = tmp_path / "song.mp4", tmp_path / "plain.mp4"
    chapters = [Chapter(Fraction(0), "Intro"), Chapter(Fraction(20, 24), "Chorus")]
    join(two_seconds, target, audio=clicking(44100), duration=Fraction(2), chapters=chapters)
    join(two_seconds, plain, audio=clicking(44100), duration=Fraction(2))
    with av.open(str(target)) as container:
        listed = container.chapters()
    assert [each["metadata"]["title"] for each in listed] == ["Intro", "Chorus"]
    assert float(listed[1]["start"] * listed[1]["time_base"]) == pytest.approx(20 / 24, abs=0.001)
    assert probe(target) == probe(plain)
    assert all(map(np.array_equal, decode(target), decode(plain)))
    assert max(map(abs, click_errors(open_audio(target)))) < 0.001


def test_a_start_later_in_the_song(two_seconds, tmp_path):
    target = tmp_path / "song.mp4"
    audio = clicking(44100, seconds=5, lag=1.7)
    join(two_seconds, target, audio=audio, start=Fraction(17, 10), duration=Fraction(2))
    assert max(map(abs, click_errors(open_audio(target)))) < 0.001


def test_a_song_that_ends_first_ends_where_it_ends(two_seconds, tmp_path):
    target = tmp_path / "song.mp4"
    join(two_seconds, target, audio=clicking(44100), start=Fraction(1, 2), duration=Fraction(2))
    assert (probe(target).duration, probe(target).audio.duration) == (2, Fraction(3, 2))


def test_after_the_songs_end_there_is_no_audio(two_seconds, tmp_path):
    target = tmp_path / "song.mp4"
    join(two_seconds, target, audio=clicking(44100), start=Fraction(2), duration=Fraction(2))
    assert probe(target).audio is None


def test_one_sample_of_audio_is_enough(two_seconds, tmp_path):
    target = tmp_path / "song.mp4"
    join(two_seconds, target, audio=Audio.from_samples([0.5], 44100), duration=Fraction(2))
    assert probe(target).audio.duration == Fraction(1, 44100)


def test_duration_may_end_inside_the_last_frame(two_seconds, tmp_path):
    target, exact = tmp_path / "song.mp4", Fraction(2) - Fraction(1, 50)
    join(two_seconds, target, audio=clicking(44100), duration=exact)
    assert abs(probe(target).audio.duration - exact) <= Fraction(1, 44100)


def test_audio_and_video_are_interleaved(make_segments, tmp_path):
    target = tmp_path / "song.mp4"
    audio = Audio.from_samples(np.zeros(8000 * 30), 8000)
    join(make_segments([60, 60], Fraction(4)), target, audio=audio, duration=Fraction(30))
    latest = {"video": Fraction(0), "audio": Fraction(0)}
    for _, kind, time in all_packets(target):
        latest[kind] = time
        assert abs(latest["video"] - latest["audio"]) < 0.8


def test_index_comes_first_so_that_it_streams(two_seconds, tmp_path):
    target = tmp_path / "song.mp4"
    join(two_seconds, target, audio=clicking(44100), duration=Fraction(2))
    data, place, boxes = target.read_bytes(), 0, []
    while place < len(data):
        boxes.append(data[place + 4 : place + 8])
        place += int.from_bytes(data[place : place + 4], "big")
    assert boxes.index(b"moov") < boxes.index(b"mdat")


def test_metadata_come_back(two_seconds, tmp_path):
    target = tmp_path / "song.mp4"
    recipe = json.dumps({"song": "Zoë – “Läuft”\n", "numbers": list(range(9000))})
    kept = {"title": "Lumia ☀", "clavilux": recipe, "artist": "Wilfred"}
    join(two_seconds, target, duration=Fraction(2), metadata=kept)
    found = probe(target).metadata
    assert {name: found[name] for name in kept} == kept


def test_audio_is_encoded_at_a_high_bit_rate(two_seconds, tmp_path):
    noise = np.random.default_rng(0).normal(size=(2, 2 * 44100)).astype(np.float32) * 0.1
    target = tmp_path / "song.mp4"
    join(two_seconds, target, audio=Audio.from_samples(noise, 44100), duration=Fraction(2))
    with av.open(str(target)) as container:
        size = sum(packet.size for packet in container.demux(audio=0))
    assert 250_000 < size * 8 / 2 < 350_000


def test_mixing_down_puts_odd_channels_left_and_even_ones_right():
    levels = np.arange(1, 11, dtype=np.float32)[:, None] / 16
    audio = Audio.from_samples(np.repeat(levels, 400, axis=1), 44100)
    block = np.concatenate(list(Soundtrack(audio, Fraction(0), Fraction(9)).blocks()))
    np.testing.assert_allclose(block, np.tile([5 / 16, 6 / 16], (400, 1)))


@pytest.mark.parametrize("rate", [44100, 45000, 192_000])
def test_soundtrack_blocks_hold_as_many_samples_as_it_says(rate):
    audio = Audio.from_samples(np.random.default_rng(0).normal(size=(2, rate * 5 + 3)) * 0.1, rate)
    soundtrack = Soundtrack(audio, Fraction(1, 3), Fraction(21, 5))
    total = sum(len(block) for block in soundtrack.blocks())
    assert total == soundtrack.samples == round(Fraction(21, 5) * soundtrack.rate)


def test_memory_does_not_grow_with_the_song():
    def peak(seconds: int) -> int:
        audio = Audio.from_samples(np.zeros((2, 8000 * seconds), np.float32), 8000)
        tracemalloc.start()
        for _ in Soundtrack(audio, Fraction(0), Fraction(seconds)).blocks():
            pass
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(200) < 1.5 * peak(20)


def damage(path, how: str) -> None:
    if how == "missing":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        path.write_bytes(b"")


@pytest.mark.parametrize("how", ["missing", "cut", "empty"])
def test_a_damaged_segment_is_named(make_segments, tmp_path, how):
    segments, target = make_segments([8, 8]), tmp_path / "song.mp4"
    damage(segments[1], how)
    with pytest.raises(OutputError, match=r"00001\.mp4' is missing or damaged"):
        join(segments, target, duration=Fraction(16, 24))
    assert not list(tmp_path.iterdir())


def test_too_few_frames_are_noticed(make_segments, tmp_path):
    with pytest.raises(OutputError, match="16 frames where 1 s need 24"):
        join(make_segments([8, 8]), tmp_path / "song.mp4", duration=Fraction(1))


def test_no_segments_are_noticed(tmp_path):
    with pytest.raises(OutputError, match="no segments"):
        join([], tmp_path / "song.mp4", duration=Fraction(1))


@pytest.mark.parametrize("settings", [{"fps": Fraction(25)}, {"size": (66, 36)}, {"preset": "ultrafast"}])
def test_segments_of_different_settings_do_not_join(make_segments, tmp_path, settings):
    segments = make_segments([8]) + make_segments([8], **settings)
    with pytest.raises(OutputError, match="different settings"):
        join(segments, tmp_path / "song.mp4", duration=Fraction(16, 24))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone/song.mp4", "no folder .*gone"),
        (".mp4", "end the name in .mp4"),
        ("song.wav", "end the name in .mp4"),
    ],
)
def test_a_target_that_cannot_be_is_refused_first(two_seconds, tmp_path, name, message):
    with pytest.raises(OutputError, match=message):
        join(two_seconds, tmp_path / name, duration=Fraction(2))


def test_a_folder_of_that_name_is_refused_first(two_seconds, tmp_path):
    (tmp_path / "song.mp4").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        join(two_seconds, tmp_path / "song.mp4", duration=Fraction(2))


def test_a_full_disk_leaves_the_older_video(two_seconds, tmp_path):
    resource = pytest.importorskip("resource")
    target = tmp_path / "song.mp4"
    target.write_bytes(b"older")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    try:
        with pytest.raises(OutputError, match="disk is full"):
            join(two_seconds, target, duration=Fraction(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert target.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [target]


def test_an_interruption_leaves_no_part(two_seconds, tmp_path, monkeypatch):
    target = tmp_path / "song.mp4"

    def interrupt(path) -> None:
        assert [entry.name for entry in tmp_path.iterdir()] == ["song.mp4.clavilux-part"]
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "sync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        join(two_seconds, target, duration=Fraction(2))
    assert not list(tmp_path.iterdir())


def test_an_older_video_is_replaced(two_seconds, tmp_path):
    target = tmp_path / "song.mp4"
    target.write_bytes(b"older")
    join(two_seconds, target, duration=Fraction(2))
    assert probe(target).frames == 48
    assert list(tmp_path.iterdir()) == [target]
