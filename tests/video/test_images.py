"""Images come back bit for bit, and one that is not whole or of another sequence is recognised."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clavilux.errors import OutputError
from clavilux.video.images import Images

SIZE = (32, 18)


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 18, 32, 3), dtype=np.uint8)


@pytest.fixture
def images(tmp_path) -> Images:
    images = Images(tmp_path / "song", SIZE, stamp="plan")
    images.write(0, noise(5))
    return images


def test_images_come_back_bit_for_bit(images):
    assert sorted(path.name for path in images.folder.iterdir()) == [f"00000{n}.png" for n in range(5)]
    for number, wanted in enumerate(noise(5)):
        with Image.open(images.path(number)) as picture:
            assert (picture.mode, picture.size) == ("RGB", SIZE)
            assert np.array_equal(np.asarray(picture), wanted)


def test_images_that_are_there_are_not_missing(images):
    assert images.missing(7) == [5, 6]
    images.write(5, noise(2))
    assert images.missing(7) == []
    assert images.others(7) == []


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("spoil", "foreign"),
    [
        (cut, False),
        (lambda path: path.write_bytes(b""), False),
        (lambda path: path.write_bytes(b"\0" * 99), False),
        (Path.unlink, False),
        (lambda path: (path.unlink(), path.mkdir()), False),
        (lambda path: Image.new("RGB", SIZE).save(path), True),
        (lambda path: Image.new("RGB", (8, 8)).save(path), True),
        (lambda path: Images(path.parent, SIZE, stamp="another").write(3, noise(1)), True),
        (
            lambda path: Images(path.parent, (2, 2), stamp="plan").write(3, np.zeros((1, 2, 2, 3), np.uint8)),
            True,
        ),
    ],
)
def test_an_image_that_is_not_whole_or_of_another_sequence_is_missing(images, spoil, foreign):
    spoil(images.path(3))
    assert images.missing(5) == [3]
    assert images.others(5) == ([images.path(3)] if foreign else [])


def test_images_after_the_end_are_others(images):
    (images.folder / "notes.txt").write_text("mine")
    assert images.others(3) == [images.path(3), images.path(4)]
    assert Images(images.folder / "nowhere", SIZE, stamp="plan").others(3) == []


@pytest.mark.parametrize(
    "frames", [np.zeros((1, 18, 32), np.uint8), np.zeros((1, 18, 32, 3)), np.zeros((18, 32, 3), np.uint8)]
)
def test_other_arrays_are_refused_before_a_folder_is_made(tmp_path, frames):
    with pytest.raises(ValueError, match=r"frames are uint8 \(N, 18, 32, 3\)"):
        Images(tmp_path / "a", SIZE, stamp="").write(0, frames)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_hold_images_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"There is no folder .*gone"):
        Images(tmp_path / "gone" / "a", SIZE, stamp="").write(0, noise(1))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file; name a folder"):
        Images(tmp_path / "file", SIZE, stamp="").write(0, noise(1))
    (tmp_path / "000000.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        Images(tmp_path, SIZE, stamp="").write(0, noise(1))


def test_a_full_disk_leaves_the_whole_images(tmp_path):
    resource = pytest.importorskip("resource")
    images = Images(tmp_path, SIZE, stamp="plan")
    images.write(0, noise(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OutputError, match="disk is full"):
            images.write(1, noise(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["000000.png"]
