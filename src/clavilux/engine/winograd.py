"""Winograd's fast convolution for OpenVINO graphs: 3 x 3 convolutions with half the multiplications.

A convolution along rows is a product of polynomials, and the product of a polynomial of 4 coefficients and
one of 3 is known from its values at 6 points: 6 multiplications instead of 12 (Winograd 1980; for networks
Lavin & Gray 2016, arXiv:1509.09308, F(4, 3)). Rows are taken four at a time, each row as a whole: six
convolutions of 1 x 3 on a quarter of the rows replace one of 3 x 3. Only additions are added, so it pays
where channels are many, and only in float32: in bfloat16 the differences of rows would lose what precision
there is. Features are (B, I, H, W), weights (O, I, 3, 3).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from clavilux.arrays import F32

__all__ = ["MIN_CHANNELS", "MIN_ROWS", "at_points", "use_winograd"]

POINTS = (0.0, 1.0, -1.0, 2.0, -2.0)
"""Where polynomials are evaluated; the sixth point is infinity."""

MIN_CHANNELS = 128
"""Input channels from which six small convolutions were faster than a large one."""

MIN_ROWS = 16
"""Rows of features from which they were."""

Make = Callable[..., Any]


def at_points(weight: F32) -> F32:
    """Evaluate a kernel's columns, as polynomials, at the six points, scaled by Lagrange's denominators.

    Args:
        weight: (O, I, 3, 3).

    Returns:
        (6, O, I, 1, 3).

    >>> at_points(np.ones((2, 5, 3, 3), np.float32))[5].tolist() == np.ones((2, 5, 1, 3)).tolist()
    True
    """
    # value at p: sum_k w_k p^k / prod_(q != p) (p - q); at infinity: the highest coefficient
    rows = [
        [point**k / np.prod([point - other for other in POINTS if other != point]) for k in range(3)]
        for point in POINTS
    ]
    values = np.einsum("pk,oikw->poiw", np.array([*rows, [0, 0, 1]]), weight.astype(np.float64))
    return np.asarray(values[:, :, :, None], np.float32)


def use_winograd(model: Any) -> int:
    """Replace, in place, every 3 x 3 convolution of an OpenVINO model for which that pays.

    These have stride 1, fixed weights, enough input channels and rows, and a number of rows divisible by 4.

    Returns:
        how many were replaced.
    """
    found = [node for node in model.get_ordered_ops() if _pays(node)]
    for node in found:
        node.output(0).replace(_fast(node).output(0))
    return len(found)


def _pays(node: Any) -> bool:
    if node.get_type_name() != "Convolution" or node.input_value(1).get_node().get_type_name() != "Constant":
        return False
    plain = {"strides": [1, 1], "dilations": [1, 1], "pads_begin": [1, 1], "pads_end": [1, 1]}
    attributes = node.get_attributes()
    if any(list(attributes[name]) != value for name, value in plain.items()):
        return False
    features, weight = node.input_value(0).get_partial_shape(), node.input_value(1).get_shape()
    if features.is_dynamic or list(weight[2:]) != [3, 3]:
        return False
    rows = features.to_shape()[2]
    return bool(weight[1] >= MIN_CHANNELS and rows >= MIN_ROWS and rows % 4 == 0)


def _fast(node: Any) -> Any:
    """Compose what replaces a convolution: (B, I, H, W) to (B, O, H, W)."""
    import openvino.opset13 as ops

    shape = list(node.input_value(0).get_shape())
    kernels = at_points(node.input_value(1).get_node().data)
    values = [
        ops.convolution(row, kernel, [1, 1], [0, 1], [0, 1], [1, 1])
        for row, kernel in zip(_rows_at_points(node.input_value(0), shape), kernels, strict=True)
    ]
    fours = [ops.unsqueeze(row, np.int64(3)) for row in _coefficients(values)]
    whole = [shape[0], kernels.shape[1], *shape[2:]]
    return ops.reshape(ops.concat(fours, 3), np.array(whole, np.int64), special_zero=False)


def _rows_at_points(features: Any, shape: list[int]) -> list[Any]:
    """Combine six neighbouring rows a..f, in steps of four rows, into the factor of the kernel at each point.

    This is B^T d, transposed interpolation of a polynomial of degree 5 (Lavin & Gray 2016, section 4.3).
    """
    import openvino.opset13 as ops

    frame = np.array([0, 0, 1, 0], np.int64)
    padded = ops.pad(features, frame, frame, "constant", np.float32(0))
    a, b, c, d, e, f = (
        ops.slice(padded, np.array([k]), np.array([k + shape[2] - 3]), np.array([4]), np.array([2]))
        for k in range(6)
    )
    times: Make = lambda factor, row: ops.multiply(row, np.float32(factor))  # noqa: E731
    add, less = ops.add, ops.subtract
    even, odd = less(e, times(4, c)), less(d, times(4, b))
    far_even, far_odd = less(e, c), times(2, less(d, b))
    return [
        add(less(times(4, a), times(5, c)), e),
        add(even, odd),
        less(even, odd),
        add(far_even, far_odd),
        less(far_even, far_odd),
        add(less(times(4, b), times(5, d)), f),
    ]


def _coefficients(values: list[Any]) -> list[Any]:
    """Sum the products m at the points into four rows, A^T m: row k = sum_p p^k m_p, row 3 + m_infinity."""
    import openvino.opset13 as ops

    zero, one, minus_one, two, minus_two, infinity = values
    sums, differences = ops.add(one, minus_one), ops.subtract(one, minus_one)
    far_sums, far_differences = ops.add(two, minus_two), ops.subtract(two, minus_two)
    times: Make = lambda factor, row: ops.multiply(row, np.float32(factor))  # noqa: E731
    return [
        ops.add(ops.add(zero, sums), far_sums),
        ops.add(differences, times(2, far_differences)),
        ops.add(sums, times(4, far_sums)),
        ops.add(ops.add(differences, times(8, far_differences)), infinity),
    ]
