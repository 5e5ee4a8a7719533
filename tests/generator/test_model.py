"""Models are found by name or path, describe what an image needs, and draw seeds."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from clavilux import seeds
from clavilux.errors import ModelError
from clavilux.generator.checkpoints import Card
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.generate import own_program, seed_inputs
from clavilux.generator.model import BUILTIN, Model, builtin_models, load_model
from clavilux.generator.stylegan2 import StyleGAN2
from clavilux.generator.stylegan2_config import StyleGAN2Config


def test_listing_and_reading_need_no_torch():
    code = (
        "import sys, clavilux.generator.model as m; m.builtin_models();"
        "from clavilux.generator.checkpoints import read_checkpoint;"
        "read_checkpoint(m.BUILTIN / 'silk.safetensors'); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_file_that_is_written_to_before_its_network_is_built_is_an_error(tmp_path):
    path = tmp_path / "mine.safetensors"
    shutil.copy(BUILTIN / "silk.safetensors", path)
    model, built = load_model(path), load_model(path)
    network = built.network
    path.write_bytes(b"short")
    with pytest.raises(ModelError, match="mine has changed since it was opened; start again"):
        _ = model.network
    assert built.network is network  # it has its weights already


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a file that is read from being removed")
def test_a_file_that_is_replaced_or_removed_leaves_an_opened_model_as_it_was(tmp_path):
    path, other = tmp_path / "mine.safetensors", tmp_path / "other.safetensors"
    shutil.copy(BUILTIN / "silk.safetensors", path)
    shutil.copy(BUILTIN / "glass.safetensors", other)
    first, second = load_model(path), load_model(path)
    other.replace(path)
    wanted = load_model("silk").network.state_dict()
    assert all(torch.equal(wanted[name], each) for name, each in first.network.state_dict().items())
    path.unlink()
    assert all(torch.equal(wanted[name], each) for name, each in second.network.state_dict().items())


def test_every_builtin_loads_and_says_whose_it_is():
    for name, found in builtin_models().items():
        model = load_model(name)
        assert model.name == name
        assert model.card == found.card
        assert found.card.resolution == model.resolution
        assert 1 < found.megabytes < 25
        assert {"title", "description", "licence", "source", "sha256", "preview"} <= found.to_dict().keys()
        with Image.open(found.preview) as preview:
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
        ("silkk", ["did you mean 'silk'"]),
        ("zzz", ["there is glass, ink, silk", "path"]),
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


@pytest.mark.parametrize("changed", [{"mapping_lr_multiplier": "fast"}, {"mapping_lr_multiplier": "nan"}])
def test_nonsense_in_the_card(tmp_path, random_arrays, changed):
    path = tmp_path / "net.safetensors"
    write_native(path, random_arrays(StyleGAN2Config(4, 4, 1, (2,)), 0), changed)
    with pytest.raises(ModelError, match="mapping_lr_multiplier"):
        load_model(path)


def test_unknown_extension(tmp_path, random_arrays):
    path = tmp_path / "net.safetensors"
    write_native(path, random_arrays(StyleGAN2Config(4, 4, 1, (2,)), 0), {"extend": "sideways"})
    with pytest.raises(ModelError, match="sideways"):
        load_model(path)


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
    config = StyleGAN2Config(4, 4, 1, (1,) * blocks)
    network = StyleGAN2(config, {name: torch.zeros(shape) for name, shape in config.shapes().items()})
    model = Model.of_network("net", network, Card())
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


def test_the_layer_table_counts_latents_once():
    layers = StyleGAN2Config(4, 4, 1, (5, 4, 3)).layers
    assert [(name, layer.w_index) for name, layer in layers.items() if layer.takes_noise] == [
        ("b4.conv1", 0),
        ("b8.conv0", 1),
        ("b8.conv1", 2),
        ("b16.conv0", 3),
        ("b16.conv1", 4),
    ]
    assert [layers[f"b{r}.torgb"].w_index for r in (4, 8, 16)] == [1, 3, 5]
    assert (layers["const"].channels, layers["b16.conv0"].channels, layers["b8.torgb"].channels) == (5, 3, 3)


def test_a_seed_is_one_image(small_model):
    first = small_model.generate(3)
    assert (first.shape, first.dtype) == ((16, 16, 3), np.uint8)
    assert np.array_equal(first, small_model.generate(3))
    several = small_model.generate([3, 4])
    assert several.shape == (2, 16, 16, 3)
    assert np.array_equal(several[0], first)
    assert not np.array_equal(several[1], first)
    assert small_model.generate([]).shape == (0, 16, 16, 3)


def test_seeds_have_any_size_and_less_variety_under_truncation(small_model):
    assert small_model.generate(0, size=(33, 17)).shape == (17, 33, 3)
    assert small_model.generate(0, size=(64, 36), cells=(4, 8)).shape == (36, 64, 3)
    ws = [seed_inputs(small_model, own_program(small_model, 16), 5, psi=psi)["ws"] for psi in (0.0, 0.5, 1.0)]
    assert np.array_equal(ws[0][0, 0], small_model.w_avg)
    assert np.allclose(ws[1], (ws[0] + ws[2]) / 2, atol=1e-6)


def test_a_sheet_begins_with_the_image_of_its_seed(small_model, tmp_path):
    from clavilux.make.sheet import draw_sheet

    with Image.open(draw_sheet(small_model, tmp_path / "a.png", rows=1, columns=2, seed=4)) as sheet:
        first = np.asarray(sheet)[4:20, 4:20].astype(int)
    assert np.abs(first - small_model.generate(4)).mean() < 3  # the sheet's engine may draw in bf16
