"""A file is there whole or not at all, and what cannot be written is named."""

import errno
from concurrent.futures import ThreadPoolExecutor

import pytest

from clavilux.errors import ClaviluxError, OutputError, suggest
from clavilux.files import atomic, part_of, write_atomic, write_error


@pytest.mark.parametrize("shared", [False, True])
def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, shared):
    path = tmp_path / "a.txt"
    write_atomic(path, "old")
    with pytest.raises(ZeroDivisionError), atomic(path, shared=shared) as part:
        part.write_text(f"half {1 / 0}")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_many_may_write_one_file_at_once(tmp_path):
    path = tmp_path / "a.txt"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: write_atomic(path, str(n) * 1000, shared=True), range(10)))
    assert path.read_text() in {str(n) * 1000 for n in range(10)}
    assert list(tmp_path.iterdir()) == [path]


def test_the_longest_names_are_written_too(tmp_path):
    path = tmp_path / ("é" * 125 + ".mp4")
    assert len(part_of(path).name.encode()) <= 255
    write_atomic(path, b"whole")
    assert path.read_bytes() == b"whole"


def test_what_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match="There is no folder"):
        write_atomic(tmp_path / "no" / "a.txt", "")
    assert "disk is full" in str(write_error(tmp_path / "a", OSError(errno.ENOSPC, "")))
    assert "is a folder" in str(write_error(tmp_path, OSError(errno.EISDIR, "")))


def test_an_error_carries_its_fields():
    error = ClaviluxError(
        "There is no mood 'sad'", where="mood", value="sad", hint=suggest("wram", ["warm", "cool"])
    )
    assert (error.where, error.value) == ("mood", "sad")
    assert str(error) == "There is no mood 'sad'; did you mean 'warm'?"
    assert error.explain("choose another") == "There is no mood 'sad'; choose another."
    assert str(ClaviluxError("One sentence.")) == "One sentence."
