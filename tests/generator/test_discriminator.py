"""Discriminators of checkpoints: read without their programs, and their features are those of the paper."""

from pathlib import Path

import numpy as np
import pytest
import torch

from clavilux import seeds
from clavilux.errors import ModelError
from clavilux.generator.checkpoints import read_discriminator
from clavilux.generator.discriminator import Discriminator

FILES = Path(__file__).parent / "data" / "checkpoints"


def plainly(arrays, image):
    """The features after every block, one sum at a time: float64, in NumPy."""

    def weight(name):
        kernel = arrays[name].astype(np.float64)
        return kernel / np.sqrt(kernel[0].size)

    def conv(x, kernel, stride=1):
        side = kernel.shape[-1]
        high, wide = ((n - side) // stride + 1 for n in x.shape[1:])
        return sum(
            np.einsum("oi,ihw->ohw", kernel[:, :, y, z], x[:, y:, z:][:, ::stride, ::stride][:, :high, :wide])
            for y in range(side)
            for z in range(side)
        )

    def padded(x, by):
        return np.pad(x, ((0, 0), (by, by), (by, by)))

    def active(x, bias):
        x = x + arrays[bias].astype(np.float64)[:, None, None]
        return np.sqrt(2) * np.where(x < 0, 0.2 * x, x)

    def smooth(x, by):
        taps = np.array([1, 3, 3, 1]) / 8
        for axis in (1, 2):
            x = np.apply_along_axis(lambda line: np.convolve(np.pad(line, by), taps, "valid"), axis, x)
        return x

    sides = sorted({int(name[1:].split(".")[0]) for name in arrays}, reverse=True)
    first = f"b{sides[0]}.fromrgb"
    x = active(conv(image.astype(np.float64), weight(f"{first}.weight")), f"{first}.bias")
    found = [x]
    for side in sides:
        own = f"b{side}"
        y = active(conv(padded(x, 1), weight(f"{own}.conv0.weight")), f"{own}.conv0.bias")
        y = active(conv(smooth(y, 2), weight(f"{own}.conv1.weight"), 2), f"{own}.conv1.bias")
        x = (y + conv(smooth(x, 1), weight(f"{own}.skip.weight"), 2)) / np.sqrt(2)
        found.append(x)
    return found


@pytest.mark.parametrize("name", ["ada32", "ada32_resnet", "ada64_cond"])
def test_features_are_those_of_a_plain_formula(name):
    arrays = read_discriminator(FILES / f"{name}.pkl")
    side = int(name[3:5])
    image = np.clip(seeds.normal(0, "image", 0, (1, 3, side, side)) * 0.5, -1, 1)
    found = [x[0].numpy() for x in Discriminator(arrays).features(torch.from_numpy(image))]
    wanted = plainly(arrays, image[0])
    assert [x.shape[-1] for x in found] == [side >> k for k in range(len(found))]
    assert found[-1].shape[-1] == 4
    for x, y in zip(found, wanted, strict=True):
        assert np.abs(x - y).max() < 1e-4 * y.std()


def test_smaller_images_are_seen_too():
    seen = Discriminator(read_discriminator(FILES / "ada64_cond.pkl"))
    assert [x.shape[-1] for x in seen.features(torch.zeros(2, 3, 16, 16))] == [16, 8, 4]


def ported(arrays):
    """The same discriminator under the names of the PyTorch port."""
    sides = sorted({int(name[1:].split(".")[0]) for name in arrays}, reverse=True)
    stored = {
        "convs.0.0.weight": arrays[f"b{sides[0]}.fromrgb.weight"],
        "convs.0.1.bias": arrays[f"b{sides[0]}.fromrgb.bias"],
        "final_conv.0.weight": np.ones((4, 5, 3, 3), np.float32),
    }
    taps = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64
    for k, side in enumerate(sides, start=1):
        stored |= {
            f"convs.{k}.conv1.0.weight": arrays[f"b{side}.conv0.weight"],
            f"convs.{k}.conv1.1.bias": arrays[f"b{side}.conv0.bias"],
            f"convs.{k}.conv2.0.kernel": taps,
            f"convs.{k}.conv2.1.weight": arrays[f"b{side}.conv1.weight"],
            f"convs.{k}.conv2.2.bias": arrays[f"b{side}.conv1.bias"],
            f"convs.{k}.skip.0.kernel": taps,
            f"convs.{k}.skip.1.weight": arrays[f"b{side}.skip.weight"],
        }
    return {name: torch.from_numpy(array.copy()) for name, array in stored.items()}


def test_the_port_names_the_same_arrays_otherwise(tmp_path):
    wanted = read_discriminator(FILES / "ada32.pkl")
    torch.save({"g_ema": {}, "d": ported(wanted)}, tmp_path / "training.pt")
    found = read_discriminator(tmp_path / "training.pt")
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def test_what_has_none_or_another_says_so(small_file, tmp_path):
    for path in (FILES / "sg3t64.pkl", FILES / "rosinality32.pt", FILES / "tf32.pkl", small_file):
        with pytest.raises(ModelError, match="has no discriminator"):
            read_discriminator(path)
    arrays = ported(read_discriminator(FILES / "ada32.pkl"))
    del arrays["convs.2.skip.1.weight"]
    torch.save({"d": arrays}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match="discriminator of another layout"):
        read_discriminator(tmp_path / "other.pt")
