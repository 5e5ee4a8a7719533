"""Randomness by name, and results kept by content."""

import numpy as np
import pytest

from clavilux.seeds import normal, uniform
from clavilux.store import Store


def test_numbers_depend_on_seed_name_and_index_alone():
    first = normal(1, "noise/b4", 7, (5, 3))
    normal(2, "other", 0, (100,))
    np.testing.assert_array_equal(first, normal(1, "noise/b4", 7, (5, 3)))
    for other in (
        normal(2, "noise/b4", 7, (5, 3)),
        normal(1, "noise/b8", 7, (5, 3)),
        normal(1, "noise/b4", 8, (5, 3)),
    ):
        assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.9


def test_neighbouring_streams_are_independent_and_standard():
    streams = np.stack([normal(0, "noise", index, (20_000,)) for index in range(-2, 3)])
    assert np.abs(np.corrcoef(streams) - np.eye(5)).max() < 0.03
    np.testing.assert_allclose(streams.std(axis=1), 1, atol=0.02)
    assert 0 <= uniform(0, "x", 0, (1000,)).min() < uniform(0, "x", 0, (1000,)).max() < 1


def test_a_result_is_made_once_and_read_back_bit_equal(tmp_path):
    store, made = Store(tmp_path / "deep" / "folder"), []

    def make():
        made.append(1)
        return {"a": np.arange(5, dtype=np.float32), "b": np.array("text")}

    first, second = store.fetch("key", make), store.fetch("key", make)
    assert len(made) == 1
    np.testing.assert_array_equal(first["a"], second["a"])
    assert str(second["b"]) == "text"
    store.fetch("another key", make)
    assert len(made) == 2


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not really", b"\x00" * 100])
def test_a_damaged_entry_is_made_again(tmp_path, damage):
    store = Store(tmp_path)
    store.fetch("key", lambda: {"a": np.ones(3)})
    (entry,) = tmp_path.glob("*.npz")
    entry.write_bytes(damage)
    assert store.fetch("key", lambda: {"a": np.full(3, 2.0)})["a"][0] == 2
    assert store.fetch("key", lambda: {"a": np.full(3, 3.0)})["a"][0] == 2


def test_a_folder_that_cannot_be_written_only_forgets(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert Store(blocked / "cache").fetch("key", lambda: {"a": np.ones(3)})["a"].sum() == 3


def test_arrays_that_could_run_code_are_not_read(tmp_path):
    store = Store(tmp_path)
    store.fetch("key", lambda: {"a": np.ones(3)})
    (entry,) = tmp_path.glob("*.npz")
    np.savez(entry.with_suffix(""), a=np.array([{"an": "object"}], dtype=object))
    assert store.fetch("key", lambda: {"a": np.zeros(3)})["a"].tolist() == [0, 0, 0]
