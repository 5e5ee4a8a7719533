"""What TensorFlow's pickles say in arguments: the same network draws the same, or is refused."""

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

from foreign import stylegan2_ada, stylegan2_tensorflow


@pytest.mark.parametrize("clamp", [None, 0.5])
def test_features_are_clamped_as_the_file_says(tmp_path, random_arrays, clamp):
    config = StyleGAN2Config(16, 16, 3, (8, 8, 8), clamp=clamp)
    arrays = random_arrays(config, 0)
    ours, theirs = tmp_path / "ada.pkl", tmp_path / "tf.pkl"
    ours.write_bytes(stylegan2_ada(config, arrays))
    theirs.write_bytes(stylegan2_tensorflow(arrays, **({} if clamp is None else {"conv_clamp": clamp})))
    assert read_checkpoint(theirs).config.clamp == clamp
    np.testing.assert_array_equal(generate(load_model(theirs), 1), generate(load_model(ours), 1))


def test_classes_of_later_programs_are_read(tmp_path, random_arrays):
    config = StyleGAN2Config(16, 16, 3, (8, 8, 8), c_dim=3, embed_dim=16)
    arrays, file = random_arrays(config, 0), tmp_path / "tf.pkl"
    file.write_bytes(stylegan2_tensorflow(arrays, embed="LabelEmbed", label_size=3))
    found = read_checkpoint(file).tensors
    np.testing.assert_array_equal(found["mapping.embed.weight"], arrays["mapping.embed.weight"])
    np.testing.assert_array_equal(found["mapping.embed.bias"], arrays["mapping.embed.bias"])


def test_other_filters_are_refused(tmp_path, random_arrays):
    arrays, file = random_arrays(StyleGAN2Config(16, 16, 3, (8, 8, 8)), 0), tmp_path / "tf.pkl"
    file.write_bytes(stylegan2_tensorflow(arrays, resample_kernel=[1, 2, 1]))
    with pytest.raises(ModelError, match=r"filter other than \[1, 3, 3, 1\]"):
        read_checkpoint(file)
    file.write_bytes(stylegan2_tensorflow(arrays, resample_kernel=[1, 3, 3, 1]))
    assert read_checkpoint(file).config.resolution == 16
