"""Palettes of a patch, chosen when it meets a model: in order, by name, from files; kept in what is bound."""

from pathlib import Path

import numpy as np
import pytest

from clavilux.errors import FileError, PatchError, SettingError
from clavilux.frames.bind import bind, choose_palettes, files_of
from clavilux.frames.bound import Bound
from clavilux.generator.model import load_model
from clavilux.generator.program import Program
from clavilux.patches.functions import (
    drift,
    from_classes,
    from_image,
    from_latents,
    from_seeds,
    palette,
    saved,
)
from clavilux.patches.mix import mix
from clavilux.patches.patch import Patch
from clavilux.profile.saved import SavedPalette, palette_path
from clavilux.seeds import normal
from clavilux.signals.evaluate import evaluate
from clavilux.signals.sources import song
from clavilux.store import Store
from clavilux.timeline import Timeline

NOISE = drift(seconds=4)
WINDOW = Timeline(30, 0, 300).window(0, 4)
WINDOW_OF_KICKS = Timeline(30, 0, 300).window(200, 60)
CONDITIONAL = Path(__file__).parents[1] / "generator" / "data" / "checkpoints" / "ada64_cond.pkl"


@pytest.fixture
def bound(small_model, heard, tmp_path):
    """Bind a patch to a song and the small model, with the palettes of a folder."""

    def make(patch):
        palettes = choose_palettes(patch, small_model, Store(), tmp_path)
        program = Program(small_model, size=(32, 32), cells=(4, 4))
        return bind(patch, evaluate(patch.signals, heard), small_model, program, palettes=palettes)

    return make


def test_an_entry_by_name_is_where_latents_move(bound, small_model):
    list_ = from_seeds("3,4,5")
    for entry, expected in (
        (list_["2"], "2"),
        (list_.entry("2"), "2"),
        (list_["rest"], "rest"),
        (list_["G"], "1"),
    ):
        source = bound(Patch(list_.loop(bars=8).toward(entry, 1.0), NOISE))
        ws = source.at(WINDOW)["ws"]
        latent = source.palettes[list_].entry(expected)
        np.testing.assert_allclose(ws, np.broadcast_to(latent, ws.shape), atol=1e-5)


def test_an_unknown_entry_is_said_before_any_frame(bound):
    warm = palette(mood="warm")
    with pytest.raises(PatchError, match="no entry 'flash'"):
        bound(Patch(warm.loop(bars=8).toward(warm["flash"], 0.5), NOISE))
    with pytest.raises(PatchError, match="did you mean 'accent'"):
        bound(Patch(warm.loop(bars=8).toward(warm["accents"], 0.5), NOISE))


def test_a_bound_patch_keeps_every_entry(bound, tmp_path):
    list_ = from_seeds("1-14")
    varied = list_.variant(seed=2)
    look = list_.loop(bars=8).toward(list_["14"], 0.3).toward(varied["13"], 0.2).toward(varied.rest, 0.1)
    source = bound(Patch(look, NOISE))
    source.save(tmp_path / "bound.npz")
    again = Bound.load(tmp_path / "bound.npz")
    assert again == source
    np.testing.assert_array_equal(again.at(WINDOW)["ws"], source.at(WINDOW)["ws"])
    assert again.palettes[list_].names == source.palettes[list_].names


def test_classes_are_mixed_by_a_signal(heard):
    """Between two classes of one random code, latents are the blend that the signal asks for."""
    model = load_model(CONDITIONAL)
    some, other = from_classes("1", seed=2), from_classes("3", seed=2)
    by = song.kick.decay(beats=1)
    patch = Patch(mix(some.loop(bars=4), other.loop(bars=4), by), NOISE)
    program = Program(model, size=(32, 32), cells=(4, 4))
    found = bind(patch, evaluate(patch.signals, heard), model, program).at(WINDOW_OF_KICKS)["ws"]
    code = normal(2, "palette/classes", 0, (1, model.z_dim))
    first, second = (model.map(code, np.eye(model.c_dim, dtype=np.float32)[[k]])[0] for k in (1, 3))
    share = (found - first) @ (second - first) / np.square(second - first).sum()  # (B, L)
    np.testing.assert_allclose(found, first + share[..., None] * (second - first), atol=1e-4)
    assert share.min() < 0.5 < share.max() <= 1 + 1e-4


def test_variants_of_variants_are_chosen_in_order(bound):
    base = palette(seed=1)
    twice = base.variant(seed=1).variant(seed=1)
    chosen = bound(Patch(twice.loop(bars=8), NOISE)).palettes
    assert list(chosen) == [base, base.variant(seed=1), twice]
    assert len({each.digest for each in chosen.values()}) == 3


def test_a_patch_lists_the_files_it_reads(tmp_path):
    ring, cover = from_latents("a/ring.npz", space="z"), from_image("cover.jpg")
    look = ring.loop(bars=8).toward(cover.rest, 0.5).toward(saved("drop").accent, 0.5).toward(ring.rest, 0.1)
    patch = Patch(look, NOISE)
    assert [path.as_posix() for path in patch.files] == ["a/ring.npz", "cover.jpg"]
    assert files_of(patch, tmp_path) == [*patch.files, tmp_path / "drop.npz"]
    assert files_of(patch, None) == patch.files
    assert Patch.parse(str(patch)) == patch
    assert "from_latents('a/ring.npz', space='z')" in str(patch)
    assert Patch(palette().loop(bars=8), NOISE).files == []


def test_palettes_of_files_and_saved_ones_are_read(bound, small_model, tmp_path):
    images = normal(0, "images", 0, (4, 8))
    np.save(tmp_path / "ring.npy", images)
    kept = SavedPalette(images, images[0], images[1], {"flash": images[3]}, "small", small_model.digest)
    kept.save(palette_path(tmp_path, "drop"))
    file, drop = from_latents(str(tmp_path / "ring.npy")), saved("drop")
    chosen = bound(Patch(file.loop(bars=8).toward(drop["flash"], 0.5), NOISE)).palettes
    np.testing.assert_array_equal(chosen[file].ring, chosen[drop].ring)
    np.testing.assert_array_equal(chosen[drop].rest, images[0])


def test_what_cannot_be_read_is_said_when_palettes_are_chosen(bound, tmp_path):
    np.save(tmp_path / "wide.npy", np.zeros((5, 512)))
    for made, error, message in (
        (from_latents(str(tmp_path / "wide.npy")), FileError, r"wide.npy' holds numbers of shape \(5, 512\)"),
        (from_latents("missing.npz"), FileError, "missing.npz"),
        (from_image("missing.png"), FileError, "missing.png"),
        (saved("missing"), FileError, "no saved palette 'missing'"),
        (saved("../missing"), SettingError, "cannot be called"),
        (from_seeds("1-x"), SettingError, "1-12,24"),
    ):
        with pytest.raises(error, match=message):
            bound(Patch(made.loop(bars=8), NOISE))
