"""What TensorFlow's pickles say in arguments: the same network draws the same, or is refused."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from clavilux.errors import ModelError
from clavilux.generator.checkpoints import read_checkpoint
from clavilux.generator.generate import generate
from clavilux.generator.model import load_model
from clavilux.generator.stylegan2_config import StyleGAN2Config

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from foreign import stylegan2_ada, tensorflow

LAYERS = {"conv1": "Conv1", "conv0": "Conv0_up", "torgb": "ToRGB", "skip": "Skip"}
PARTS = {"affine.weight": "mod_weight", "affine.bias": "mod_bias"}


def as_tensorflow(arrays, embed="LabelConcat", **arguments):
    """Write a StyleGAN2 as NVIDIA's program of 2019 pickles it."""
    mapping, synthesis = {}, {}
    for name, array in arrays.items():
        if found := re.fullmatch(r"mapping\.fc(\d+)\.(\w+)", name):
            mapping[f"Dense{found[1]}/{found[2]}"] = array.T
        elif name.startswith("mapping.embed"):
            mapping[f"{embed}/{name.rpartition('.')[2]}"] = array.T
        elif name == "synthesis.b4.const":
            synthesis["4x4/Const/const"] = array[None]
        elif found := re.fullmatch(r"synthesis\.b(\d+)\.(\w+)\.(.+)", name):
            side, layer, part = int(found[1]), found[2], found[3]
            own = "Conv" if (side, layer) == (4, "conv1") else LAYERS[layer]
            if part == "noise_const":
                number = 2 * int(np.log2(side)) - (5 if layer == "conv0" else 4)
                synthesis[f"noise{number}"] = array[None, None]
            elif part == "weight":
                turned = array[:, :, ::-1, ::-1] if layer == "conv0" else array
                synthesis[f"{side}x{side}/{own}/weight"] = turned.transpose(2, 3, 1, 0)
            else:
                value = array.T if part == "affine.weight" else array - 1 if part == "affine.bias" else array
                synthesis[f"{side}x{side}/{own}/{PARTS.get(part, part)}"] = value
    top = {"lod": np.float32(0), "dlatent_avg": arrays["mapping.w_avg"]}
    return tensorflow("Gs", top, {"mapping": mapping, "synthesis": synthesis}, **arguments)


@pytest.mark.parametrize("clamp", [None, 0.5])
def test_features_are_clamped_as_the_file_says(tmp_path, random_arrays, clamp):
    config = StyleGAN2Config(16, 16, 3, (8, 8, 8), clamp=clamp)
    arrays = random_arrays(config, 0)
    ours, theirs = tmp_path / "ada.pkl", tmp_path / "tf.pkl"
    ours.write_bytes(stylegan2_ada(config, arrays))
    theirs.write_bytes(as_tensorflow(arrays, **({} if clamp is None else {"conv_clamp": clamp})))
    assert read_checkpoint(theirs).config.clamp == clamp
    np.testing.assert_array_equal(generate(load_model(theirs), 1), generate(load_model(ours), 1))


def test_classes_of_later_programs_are_read(tmp_path, random_arrays):
    config = StyleGAN2Config(16, 16, 3, (8, 8, 8), c_dim=3, embed_dim=16)
    arrays, file = random_arrays(config, 0), tmp_path / "tf.pkl"
    file.write_bytes(as_tensorflow(arrays, embed="LabelEmbed", label_size=3))
    found = read_checkpoint(file).tensors
    np.testing.assert_array_equal(found["mapping.embed.weight"], arrays["mapping.embed.weight"])
    np.testing.assert_array_equal(found["mapping.embed.bias"], arrays["mapping.embed.bias"])


def test_other_filters_are_refused(tmp_path, random_arrays):
    arrays, file = random_arrays(StyleGAN2Config(16, 16, 3, (8, 8, 8)), 0), tmp_path / "tf.pkl"
    file.write_bytes(as_tensorflow(arrays, resample_kernel=[1, 2, 1]))
    with pytest.raises(ModelError, match=r"filter other than \[1, 3, 3, 1\]"):
        read_checkpoint(file)
    file.write_bytes(as_tensorflow(arrays, resample_kernel=[1, 3, 3, 1]))
    assert read_checkpoint(file).config.resolution == 16
