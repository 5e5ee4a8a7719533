"""Winograd's convolutions are the same convolutions."""

import numpy as np
import openvino as ov
import openvino.opset13 as ops
import pytest
import torch
from torch.nn import functional as F

from clavilux import seeds
from clavilux.engine.winograd import MIN_CHANNELS, MIN_ROWS, at_points, use_winograd


def convolution(shape, outputs, **changes):
    """A model of one convolution, and its weights."""
    kernel = changes.get("kernel", (3, 3))
    weight = seeds.normal(0, "weight", 0, (outputs, shape[1], *kernel))
    x = ops.parameter(list(shape), np.float32)
    strides, pads = changes.get("strides", [1, 1]), changes.get("pads", [1, 1])
    y = ops.convolution(x, weight, strides, pads, pads, changes.get("dilations", [1, 1]))
    return ov.Model([y], [x], "convolution"), weight


def run(model, x):
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    return ov.Core().compile_model(model, "CPU", exact)([x])[0]


@pytest.mark.parametrize("shape", [(2, 128, 16, 16), (1, 130, 20, 9), (3, 128, 64, 3), (1, 256, 24, 1)])
def test_the_sums_are_the_same(shape):
    model, weight = convolution(shape, 5)
    assert use_winograd(model) == 1
    assert list(model.output(0).shape) == [shape[0], 5, *shape[2:]]
    x = seeds.normal(1, "x", 0, shape)
    wanted = F.conv2d(torch.from_numpy(x).double(), torch.from_numpy(weight).double(), padding=1).numpy()
    assert np.abs(run(model, x) - wanted).max() < 2e-5 * wanted.std()


@pytest.mark.parametrize(
    ("shape", "changes"),
    [
        ((1, MIN_CHANNELS - 1, 16, 16), {}),
        ((1, 128, MIN_ROWS - 4, 16), {}),
        ((1, 128, 18, 16), {}),
        ((1, 128, 16, 16), {"strides": [2, 2]}),
        ((1, 128, 16, 16), {"dilations": [2, 2]}),
        ((1, 128, 16, 16), {"pads": [0, 0]}),
        ((1, 128, 16, 16), {"kernel": (1, 1), "pads": [1, 1]}),
    ],
)
def test_others_stay_as_they_are(shape, changes):
    model, _ = convolution(shape, 2, **changes)
    before = len(model.get_ops())
    assert use_winograd(model) == 0
    assert len(model.get_ops()) == before


def test_weights_that_are_inputs_stay():
    x, w = ops.parameter([1, 128, 16, 16], np.float32), ops.parameter([2, 128, 3, 3], np.float32)
    model = ov.Model([ops.convolution(x, w, [1, 1], [1, 1], [1, 1], [1, 1])], [x, w], "free")
    assert use_winograd(model) == 0


def test_a_product_of_polynomials_is_known_from_its_points():
    """The kernel as a polynomial, at each point, over Lagrange's denominator there."""
    weight = seeds.normal(0, "taps", 0, (1, 1, 3, 3))
    values = at_points(weight)[:, 0, 0, 0]
    points = np.array([0, 1, -1, 2, -2.0])
    scales = np.array([np.prod(p - points[points != p]) for p in points])
    wanted = sum(weight[0, 0, k] * points[:, None] ** k for k in range(3)) / scales[:, None]
    assert np.allclose(values[:5], wanted, atol=1e-6)
    assert np.array_equal(values[5], weight[0, 0, 2])
