"""A video is read back, and a file that is none is refused in one sentence."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from clavilux.errors import FileError
from clavilux.video.probe import decode, probe


def test_the_count_and_the_frames_agree(make_segments):
    path = make_segments([7])[0]
    pictures = list(decode(path))
    assert probe(path).frames == len(pictures) == 7
    assert {picture.shape for picture in pictures} == {(54, 64)}
    assert {picture.dtype for picture in pictures} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("ask", [probe, lambda path: list(decode(path))])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "There is no video"),
        (Path.mkdir, "cannot be read as a video"),
        (Path.touch, "cannot be read as a video"),
        (lambda path: path.write_text("la la " * 99), "cannot be read as a video|no video"),
    ],
)
def test_no_video_is_refused(tmp_path, ask, make, message):
    path = tmp_path / "a.mp4"
    make(path)
    with pytest.raises(FileError, match=message):
        ask(path)


def test_any_damage_gives_frames_or_one_sentence(make_segments, tmp_path):
    whole = np.frombuffer(make_segments([7])[0].read_bytes(), np.uint8)
    rng, path = np.random.default_rng(0), tmp_path / "a.mp4"
    for _ in range(60):
        data = whole.copy()
        places = len(data) - 1 - rng.integers(0, 1200, 6)  # the index lies at the end of a segment
        data[places] = rng.integers(0, 256, 6)
        path.write_bytes(data.tobytes())
        for ask in (probe, lambda path: list(decode(path))):
            with suppress(FileError):  # anything else fails the test
                ask(path)
