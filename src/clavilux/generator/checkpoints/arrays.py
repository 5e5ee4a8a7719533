"""Arrays inside pickles: NumPy's own, and the tensors that torch keeps in storages.

Arrays are views of the file, never copies. A view is made only where every number of it lies in what the file
holds, so no shape can claim more memory than there are bytes.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import AnyArray
from clavilux.generator.checkpoints.pickles import Global, Record, key_of
from clavilux.generator.checkpoints.refusal import FETCH_AGAIN, Refusal, shown

__all__ = [
    "NUMPY_MAKERS",
    "STORAGE_TYPES",
    "TENSOR_MAKERS",
    "Storage",
    "array_of",
    "check_shared",
    "is_array",
    "storage_kind",
]

MAX_DIMENSIONS = 8
SHARING, SHARED_BYTES = 4, 2**20
"""How often bytes may be those of several arrays, and how many more."""

BFLOAT16 = np.dtype([("upper_half", "<u2")])
"""The upper half of a float32."""

BYTE_ORDERS: tuple[Literal["<", ">", "|", "="], ...] = ("<", ">", "|", "=")

STORAGE_TYPES: Mapping[str, Any] = {
    "torch.HalfStorage": "float16",
    "torch.FloatStorage": "float32",
    "torch.DoubleStorage": "float64",
    "torch.BFloat16Storage": BFLOAT16,
    "torch.ByteStorage": "uint8",
    "torch.CharStorage": "int8",
    "torch.ShortStorage": "int16",
    "torch.IntStorage": "int32",
    "torch.LongStorage": "int64",
    "torch.BoolStorage": "bool",
}
"""What the storages of torch hold, by the names that files have for them."""


@dataclass(frozen=True, eq=False)
class Storage:
    """The numbers of one or several tensors, one after the other."""

    numbers: AnyArray

    @classmethod
    def of_bytes(cls, content: memoryview, kind: np.dtype[Any]) -> "Storage":
        """View bytes as numbers of a kind."""
        if len(content) % kind.itemsize:
            raise Refusal("is damaged: a storage ends inside a number", FETCH_AGAIN)
        numbers = np.frombuffer(content, kind) if content else np.empty(0, kind)
        if kind == BFLOAT16:
            numbers = (numbers["upper_half"].astype(np.uint32) << 16).view(np.float32)
        return cls(numbers)


class NumpyArray:
    """An array that a pickle makes empty and fills afterwards."""

    def __init__(self) -> None:
        self.array: AnyArray | None = None

    def set_state(self, state: Any) -> None:
        """Fill it, as NumPy's arrays are: (version,) shape, type, order, bytes."""
        shape, kind, by_columns, content = state[-4:]
        self.array = _shaped(content, kind, shape, order="F" if by_columns else "C")


class NumpyType:
    """A type of number, whose byte order a pickle sets afterwards."""

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or len(code) > 3 or code.lstrip("<>|=")[:1] not in set("fiub"):
            raise Refusal(f"has arrays of a kind that is no number, {shown(code)}")
        self.dtype = np.dtype(code)

    def set_state(self, state: Any) -> None:
        """Set the byte order."""
        orders = [order for order in BYTE_ORDERS if order == state[1]]
        if not orders:
            raise Refusal("is damaged: an array has no byte order", FETCH_AGAIN)
        self.dtype = self.dtype.newbyteorder(orders[0])


def array_of(value: Any) -> AnyArray:
    """Return the array that a pickle's value is.

    Raises:
        Refusal: it is none.
    """
    array = value.array if isinstance(value, NumpyArray) else value
    if isinstance(array, bool | int | float):
        array = np.asarray(array)
    if not isinstance(array, np.ndarray | np.generic):
        raise Refusal("is damaged: it has something else where an array should be", FETCH_AGAIN)
    return np.asarray(array)


def is_array(value: Any) -> bool:
    """Return whether a pickle's value is an array."""
    return isinstance(value, np.ndarray) or (isinstance(value, NumpyArray) and value.array is not None)


def check_shared(arrays: Iterable[Any]) -> None:
    """Check that arrays have bytes of their own: what is done with each would else be done without end.

    Raises:
        Refusal: they are the same bytes many times over.
    """
    total, covered, reached = 0, 0, 0
    for first, end in sorted(_extent(array_of(array)) for array in arrays if is_array(array)):
        total += end - first
        covered += max(end - max(first, reached), 0)
        reached = max(end, reached)
    if total > SHARING * covered + SHARED_BYTES:
        raise Refusal("is hostile: its arrays are the same bytes many times over")


def _extent(array: AnyArray) -> tuple[int, int]:
    """Return where in memory an array begins and ends."""
    first = array.__array_interface__["data"][0]
    steps = sum((size - 1) * step for size, step in zip(array.shape, array.strides, strict=True))
    return first, first + (steps + array.itemsize if array.size else 0)


def _shaped(content: Any, kind: Any, shape: Any, *, order: Any = "C") -> AnyArray:
    if isinstance(content, str):  # as Python 2 pickled bytes
        content = content.encode("latin-1")
    if not isinstance(kind, NumpyType) or not isinstance(content, bytes | memoryview):
        raise Refusal("is damaged: an array's contents are no numbers", FETCH_AGAIN)
    sizes = _sizes(shape)
    if math.prod(sizes) * kind.dtype.itemsize != len(content):
        raise Refusal(f"is damaged: an array of shape {sizes} has {len(content):,} bytes", FETCH_AGAIN)
    if not len(content):
        return np.empty(sizes, kind.dtype)
    return np.frombuffer(content, kind.dtype).reshape(sizes, order=order)


def _sizes(shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, tuple) or len(shape) > MAX_DIMENSIONS:
        raise Refusal("is damaged or hostile: an array has no shape", FETCH_AGAIN)
    if not all(type(size) is int and 0 <= size < 2**48 for size in shape):
        raise Refusal("is damaged or hostile: an array has an impossible shape", FETCH_AGAIN)
    return shape


def _scalar(kind: Any, content: Any) -> Any:
    return _shaped(content, kind, ())[()]


def _numpy_buffer(content: Any, kind: Any, shape: Any, order: Any) -> AnyArray:
    return _shaped(content, kind, shape, order="F" if order == "F" else "C")


def _empty_array(*_: Any) -> NumpyArray:
    return NumpyArray()


def _encoded(text: Any, encoding: Any = "latin1") -> bytes:
    """Return bytes that were written as text, as protocol 2 does."""
    if not isinstance(text, str) or not isinstance(encoding, str) or encoding not in {"latin1", "latin-1"}:
        raise Refusal("is damaged: bytes are written in an unknown way", FETCH_AGAIN)
    return text.encode("latin-1")


def _bytes(content: Any = b"", *encoding: Any) -> Any:
    return _encoded(content, *encoding) if isinstance(content, str) else content


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> NDArray[Any]:
    """View numbers of a storage as a tensor; every one of them must be in the storage."""
    if not isinstance(storage, Storage) or not isinstance(offset, int):
        raise Refusal("is damaged: a tensor has no storage", FETCH_AGAIN)
    sizes, steps = _sizes(shape), _sizes(strides)
    numbers = storage.numbers
    if len(sizes) != len(steps):
        raise Refusal("is damaged: a tensor has no strides", FETCH_AGAIN)
    last = offset + sum((size - 1) * step for size, step in zip(sizes, steps, strict=True))
    count = math.prod(sizes)
    if offset < 0 or (count and last >= len(numbers)) or count > len(numbers):
        what = f"a tensor of shape {sizes} lies in a storage of {len(numbers):,} numbers"
        raise Refusal(f"is damaged or hostile: {what}", FETCH_AGAIN)
    if not count:
        return np.empty(sizes, numbers.dtype)
    bytes_ = numbers.dtype.itemsize
    view = numbers[offset : last + 1]
    return np.lib.stride_tricks.as_strided(view, sizes, [step * bytes_ for step in steps])


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


def _empty(*_: Any, **__: Any) -> dict[Any, Any]:
    return {}


def _mapping(items: Any = (), *_: Any) -> dict[Any, Any]:
    """Return a dictionary, as ordered ones are pickled: of pairs, or empty and filled afterwards."""
    if isinstance(items, dict):
        return dict(items)
    pairs = items if isinstance(items, list | tuple) else ()
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise Refusal("is damaged: a dictionary is made of something else than pairs", FETCH_AGAIN)
    return {key_of(key): value for key, value in pairs}


def _set(items: Any = ()) -> list[Any]:
    return list(items) if isinstance(items, list | tuple | set | frozenset) else []


NUMPY_MAKERS: Mapping[str, Callable[..., Any]] = {
    **{
        f"numpy.{core}.{name}": maker
        for core in ("core", "_core")
        for name, maker in (
            ("multiarray._reconstruct", _empty_array),
            ("multiarray.scalar", _scalar),
            ("numeric._frombuffer", _numpy_buffer),
        )
    },
    "numpy.dtype": NumpyType,
    "_codecs.encode": _encoded,
    "collections.OrderedDict": _mapping,
    "collections.defaultdict": _empty,
    "dnnlib.EasyDict": _empty,
    "dnnlib.util.EasyDict": _empty,
    **{f"{module}.{name}": _set for module in ("builtins", "__builtin__") for name in ("set", "frozenset")},
    **{f"{module}.bytearray": _bytes for module in ("builtins", "__builtin__")},
}
"""Plain containers and NumPy's arrays."""

TENSOR_MAKERS: Mapping[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch.Size": lambda sizes=(): tuple(sizes),
}
"""Tensors and parameters of torch."""


def storage_kind(value: Any) -> np.dtype[Any]:
    """Return what a storage holds, from the name of its type."""
    name = value.name if isinstance(value, Global) else ""
    if isinstance(value, Record) or name not in STORAGE_TYPES:
        raise Refusal(f"has tensors of a kind that is not known, '{ascii(name)[1:60]}'")
    kind: np.dtype[Any] = np.dtype(STORAGE_TYPES[name])
    return kind
