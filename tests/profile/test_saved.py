"""Saved palettes: whole, of one model, under safe names, and never read beyond what they are."""

import json

import numpy as np
import pytest

from clavilux.errors import ClaviluxError, FileError, SettingError
from clavilux.profile.model_palettes import ModelPalettes
from clavilux.profile.saved import (
    SavedPalette,
    check_entry_name,
    check_palette_name,
    palette_path,
    read_palette,
    saved_palettes,
)
from clavilux.seeds import normal
from clavilux.store import Store


@pytest.fixture
def palette(small_model):
    rest, accent, flash = normal(0, "others", 0, (3, 8))
    images = normal(0, "images", 0, (5, 8))
    return SavedPalette(images, rest, accent, {"flash": flash}, small_model.name, small_model.digest)


def test_a_palette_is_read_as_it_was_saved(palette, small_model, tmp_path):
    palette.save(palette_path(tmp_path, "drop 2"))
    assert saved_palettes(tmp_path) == ["drop 2"]
    assert read_palette(tmp_path, "drop 2") == palette
    latents = ModelPalettes(small_model, Store(), tmp_path).saved("drop 2")
    np.testing.assert_array_equal(latents.entry("flash"), palette.named["flash"])
    np.testing.assert_array_equal(latents.entry("5"), palette.images[4])
    np.testing.assert_array_equal(latents.rest, palette.rest)
    file = str(palette_path(tmp_path, "drop 2"))
    again = ModelPalettes(small_model, Store()).from_latents(file, "w")
    np.testing.assert_array_equal(again.ring, latents.ring)


def test_a_palette_is_of_one_model(palette, silk, small_model, tmp_path):
    palette.save(palette_path(tmp_path, "drop"))
    with pytest.raises(FileError, match="is of the model small, and cannot be used with silk"):
        ModelPalettes(silk, Store(), tmp_path).saved("drop")
    other = SavedPalette(palette.images, palette.rest, palette.accent, {}, small_model.name, "0" * 32)
    other.save(palette_path(tmp_path, "old"))
    with pytest.raises(FileError, match="another version of the model small"):
        ModelPalettes(small_model, Store(), tmp_path).saved("old")


def test_an_unknown_palette_is_named_with_the_nearest(palette, tmp_path):
    palette.save(palette_path(tmp_path, "drop"))
    with pytest.raises(FileError, match="did you mean 'drop'"):
        read_palette(tmp_path, "drip")
    for folder in (None, tmp_path / "missing"):
        with pytest.raises(FileError, match="no saved palette 'drop'"):
            read_palette(folder, "drop")


@pytest.mark.parametrize("name", ["drop", "drop 2", "Ünder_wasser-3.1", "音楽", "x", "1" * 64])
def test_names_a_palette_can_have(name):
    assert check_palette_name(name) == name


BAD_NAMES = [
    "",
    "..",
    ".",
    "../x",
    "a/b",
    "a\\b",
    "a\0b",
    "a\nb",
    "\x1b[31m",
    " x",
    "x ",
    "x.",
    "-x",
    "x" * 65,
    "音" * 67,
]


@pytest.mark.parametrize("name", [*BAD_NAMES, "warm", "C:", "a\u202eb", "\udce9"])
def test_names_a_palette_cannot_have(name, tmp_path):
    for attempt in (check_palette_name, lambda name: palette_path(tmp_path, name)):
        with pytest.raises(SettingError):
            attempt(name)
    with pytest.raises(ClaviluxError):
        read_palette(tmp_path, name)


@pytest.mark.parametrize("name", ["", "7", "C#", "A", "a b", "x" * 33, "a.b", "é", "a\n"])
def test_names_an_image_cannot_have(name):
    with pytest.raises(SettingError):
        check_entry_name(name)


CHANGES = {
    "another format": {"about": np.array(json.dumps({"format": 9, "model": "m", "digest": "d"}))},
    "no text": {"about": np.array("{")},
    "a list": {"about": np.array("[]")},
    "other shapes": {"rest": np.zeros(3, np.float32)},
    "not finite": {"ws": np.full((5, 8), np.nan, np.float32)},
    "none": {"ws": np.zeros((0, 8), np.float32)},
    "more names": {"names": np.array(["a", "b"])},
    "a name that cannot be": {"names": np.array(["../x"])},
    "many": {"ws": np.zeros((300, 8), np.float32)},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_damaged_palette_is_named(palette, tmp_path, change):
    np.savez(tmp_path / "drop.npz", **{**palette.arrays(), **CHANGES[change]})
    with pytest.raises(FileError, match=r"drop\.npz' holds no palette"):
        read_palette(tmp_path, "drop")
    (tmp_path / "drop.npz").write_bytes(b"words")
    with pytest.raises(FileError, match="holds no palette"):
        read_palette(tmp_path, "drop")
