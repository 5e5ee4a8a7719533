"""Models are found by name or path, and say what a picture needs."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from clavilux import seeds
from clavilux.errors import ModelError
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.model import Model, builtin_models, load_model
from clavilux.generator.sizes import Sizes


def test_listing_needs_no_torch():
    code = "import sys, clavilux.generator.model as m; m.builtin_models(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_builtin_loads_and_says_whose_it_is():
    for name, card in builtin_models().items():
        model = load_model(name)
        assert model.name == name
        assert model.card.items() <= card.items()
        assert card["resolution"] == str(model.resolution)
        assert 1 < float(card["megabytes"]) < 25
        assert {"title", "description", "licence", "source", "sha256"} <= card.keys()
        with Image.open(card["preview"]) as preview:
            assert preview.size == (768, 128)


def test_a_builtin_is_a_file_like_any_other(silk, tmp_path):
    from clavilux.generator import model

    copy = tmp_path / "mine.safetensors"
    copy.write_bytes((model.BUILTIN / "silk.safetensors").read_bytes())
    mine = load_model(copy)
    assert mine.digest == silk.digest
    assert mine.name == "mine"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("silkk", ["did you mean silk"]),
        ("zzz", ["there is glass, silk", "path"]),
        ("", ["folder"]),
        ("a/b.safetensors", ["no model file"]),
        ("net.pkl", ["no model file"]),
        (".", ["folder"]),
        ("../builtin/silk", ["no model file"]),
    ],
)
def test_unknown_names(name, words):
    with pytest.raises(ModelError) as caught:
        load_model(name)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("told", [{"mapping_lr_multiplier": "fast"}, {"mapping_lr_multiplier": "nan"}])
def test_nonsense_in_the_card(tmp_path, random_arrays, told):
    path = tmp_path / "net.safetensors"
    write_native(path, random_arrays(Sizes(4, 4, 1, (2,)), 0), told)
    with pytest.raises(ModelError, match="mapping_lr_multiplier"):
        load_model(path)


def test_unknown_extension(tmp_path, random_arrays):
    path = tmp_path / "net.safetensors"
    write_native(path, random_arrays(Sizes(4, 4, 1, (2,)), 0), {"extend": "sideways"})
    with pytest.raises(ModelError, match="sideways"):
        _ = load_model(path).extend


class Shapes:
    def __init__(self, blocks):
        self.sizes = Sizes(4, 4, 1, (1,) * blocks)


@pytest.mark.parametrize(
    ("blocks", "coarse", "middle", "fine"),
    [
        (9, range(5), range(5, 9), range(9, 18)),
        (7, range(5), range(5, 9), range(9, 14)),
        (6, range(3), range(3, 7), range(7, 12)),
        (5, range(3), range(3, 7), range(7, 10)),
        (1, range(1), range(1, 1), range(1, 2)),
    ],
)
def test_groups_go_by_feature_size_and_leave_nothing_out(blocks, coarse, middle, fine):
    model = Model("net", Shapes(blocks), {}, "")
    assert [model.group(name) for name in ("coarse", "middle", "fine")] == [coarse, middle, fine]
    assert [*coarse, *middle, *fine] == list(range(model.num_ws))


def test_mapping_checks_its_codes(silk):
    for bad in (
        np.zeros((2, 5), np.float32),
        np.zeros(128, np.float32),
        np.full((1, 128), np.nan, np.float32),
    ):
        with pytest.raises(ModelError):
            silk.map(bad)


def test_average_latent_is_that_of_many_codes(silk):
    ws = silk.map(seeds.normal(0, "test", 0, (2000, silk.z_dim)))
    assert np.abs(ws.mean(axis=0) - silk.w_avg).max() < 0.25 * ws.std(axis=0).max()
