"""Files that torch writes: zip archives, and the older sequence of pickles; read without torch.

A zip has `NAME/data.pkl` and one stored entry `NAME/data/KEY` for each storage. The older kind begins with a
number, has four pickles (two constants, the object, the keys of its storages), then each storage: its length
and its numbers. Storages are views of the file. Layouts are those of torch's documented serialization.
"""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from clavilux.generator.checkpoints.arrays import (
    NUMPY_MAKERS,
    STORAGE_TYPES,
    TENSOR_MAKERS,
    Storage,
    storage_kind,
)
from clavilux.generator.checkpoints.other_files import other_archive
from clavilux.generator.checkpoints.pickles import LIMITS, StandIns, read_pickle
from clavilux.generator.checkpoints.refusal import FETCH_AGAIN, OTHERS, Refusal

__all__ = ["LEGACY_MAGIC", "is_inert", "makers", "read_torch_legacy", "read_torch_zip"]

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
MAX_ENTRIES = 20_000
MAX_STORAGE_OPCODES = 200
"""Instructions of the pickle of a single storage, which has about twenty."""
MAX_DIRECTORY_BYTES = 4 * 2**20
ENTRY_HEADER_BYTES = 30
END_RECORD_BYTES = 22
MAX_COMMENT_BYTES = 65535

INERT = {
    *STORAGE_TYPES,
    "argparse.Namespace",
    "numpy.ndarray",
    "torch.device",
    "torch.Tensor",
    "torch.nn.parameter.Parameter",
    "torch_utils.persistence._reconstruct_persistent_obj",
    "dnnlib.tflib.network.Network",
    "pathlib.PosixPath",
    "pathlib.WindowsPath",
    *(f"torch.{name}" for name in ("float16", "float32", "float64", "bfloat16", "uint8", "int64", "bool")),
    *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("object", "int", "list")),
    *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("dict", "float", "str")),
    "copy_reg._reconstructor",
}
INERT_ROOMS = (
    *("torch.nn.modules.", "torch.nn.utils.spectral_norm.", "torch.optim.", "timm.", "torchvision.models."),
    *("training.", "pg_modules.", "feature_networks.", "R3GAN.", "networks.", "clip.model.", "open_clip."),
    *("pytorch_lightning.", "lightning.", "omegaconf.", "diffusers.", "transformers."),
)
"""Where the classes of layers and optimisers are, of which only the state is read."""


def is_inert(name: str) -> bool:
    """Return whether a name may stay in a file as a mere record; nothing of that name is ever called.

    >>> is_inert("torch.nn.modules.linear.Linear"), is_inert("os.system")
    (True, False)
    """
    return name in INERT or (name.startswith(INERT_ROOMS) and name.isascii() and len(name) < 200)


def makers() -> dict[str, Callable[..., Any]]:
    """Return the stand-ins of a pickle whose storages are files of torch in their turn.

    There may be many of these, but none inside another, and each is small: time stays bounded.
    """
    known: dict[int, tuple[Any, Any]] = {}  # by identity: the same bytes are read once

    def load(content: Any) -> Any:
        if not isinstance(content, bytes | memoryview) or len(known) > MAX_ENTRIES:
            raise Refusal("is damaged or hostile: a storage has no bytes", FETCH_AGAIN)
        if id(content) not in known:
            storage = read_torch_legacy(memoryview(content), opcodes=MAX_STORAGE_OPCODES)
            known[id(content)] = content, storage
        return known[id(content)][1]

    return {**NUMPY_MAKERS, **TENSOR_MAKERS, "torch.storage._load_from_bytes": load}


def read_torch_zip(content: memoryview) -> Any:
    """Read an archive of `torch.save`.

    Raises:
        Refusal: it is damaged, compressed, or no archive of torch.
    """
    _check_end(content)
    try:
        with zipfile.ZipFile(_Reader(content)) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
    except Refusal:
        raise
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise Refusal("is damaged: its zip archive cannot be read", FETCH_AGAIN) from error
    if meaning := other_archive(entries):
        raise Refusal(meaning, OTHERS)
    pickled = [name for name in entries if name.endswith("/data.pkl") or name == "data.pkl"]
    if len(pickled) != 1 or len(entries) > MAX_ENTRIES:
        raise Refusal(
            "is a zip archive, but none that torch has written", "unpack it: give a checkpoint itself"
        )
    folder = pickled[0].removesuffix("data.pkl")
    known: dict[str, Storage] = {}
    viewed = 0

    def persistent(reference: Any) -> Storage:
        nonlocal viewed
        kind, key, numbers = _reference(reference)
        if key not in known:
            entry = entries.get(f"{folder}data/{key}")
            if entry is None:
                raise Refusal(f"is damaged: its storage {key[:20]} is missing", FETCH_AGAIN)
            viewed += entry.file_size
            if viewed > len(content):
                raise Refusal("is hostile: the entries of its zip archive overlap")
            known[key] = Storage.of_bytes(_stored(content, entry), kind)
        if len(known[key].numbers) < numbers:
            raise Refusal("is damaged: a storage is shorter than it claims", FETCH_AGAIN)
        return known[key]

    stand_ins = StandIns({**NUMPY_MAKERS, **TENSOR_MAKERS}, is_inert, persistent)
    return read_pickle(_stored(content, entries[pickled[0]]), stand_ins)[0]


def read_torch_legacy(content: memoryview, *, opcodes: int = LIMITS.opcodes) -> Any:
    """Read a file of the older kind; its tensors too are views.

    Args:
        content: the file.
        opcodes: the most instructions that the object's pickle may have.

    Raises:
        Refusal: it is damaged, or of another kind.
    """
    constants = StandIns({}, lambda _: False, opcodes=min(opcodes, 3 * MAX_ENTRIES))
    magic, place = read_pickle(content, constants)
    protocol, place = read_pickle(content, constants, place)
    system, start = read_pickle(content, constants, place)
    little = isinstance(system, dict) and system.get("little_endian") is True
    if magic != LEGACY_MAGIC or protocol != LEGACY_PROTOCOL or not little:
        raise Refusal("is no checkpoint of torch that could be read", FETCH_AGAIN)
    # Tensors come before the numbers they are made of: the object is read twice, first for the kinds alone.
    kinds: dict[str, np.dtype[Any]] = {}

    def note(reference: Any) -> None:
        kind, key, _ = _reference(reference)
        kinds[key] = kind

    without_tensors = {**NUMPY_MAKERS, **dict.fromkeys(TENSOR_MAKERS, _nothing)}
    _, place = read_pickle(content, StandIns(without_tensors, is_inert, note, opcodes), start)
    keys, place = read_pickle(content, constants, place)
    known = _legacy_storages(content, place, keys, kinds)

    def find(reference: Any) -> Storage:
        return known[_reference(reference)[1]]

    with_tensors = {**NUMPY_MAKERS, **TENSOR_MAKERS}
    return read_pickle(content, StandIns(with_tensors, is_inert, find, opcodes), start)[0]


def _nothing(*_: Any) -> dict[str, Any]:
    return {}


def _legacy_storages(
    content: memoryview, place: int, keys: Any, kinds: dict[str, np.dtype[Any]]
) -> dict[str, Storage]:
    """View the storages that follow one another, each with its count of numbers in front."""
    known: dict[str, Storage] = {}
    if not isinstance(keys, list) or len(keys) > MAX_ENTRIES:
        raise Refusal("is damaged: it has no list of storages", FETCH_AGAIN)
    for key in keys:
        kind = kinds.get(key) if isinstance(key, str) else None
        count = int.from_bytes(content[place : place + 8], "little", signed=True)
        place += 8
        end = place + count * (kind.itemsize if kind else 0)
        if kind is None or count < 0 or end > len(content):
            raise Refusal("is damaged or cut short: a storage is missing", FETCH_AGAIN)
        known[key] = Storage.of_bytes(content[place:end], kind)
        place = end
    return known


def _reference(value: Any) -> tuple[np.dtype[Any], str, int]:
    """Read what a pickle calls a storage: ('storage', its type, its key, where it was, its length)."""
    if not isinstance(value, tuple) or len(value) < 5 or value[0] != "storage":
        raise Refusal("is damaged: it refers to something that is no storage", FETCH_AGAIN)
    _, kind, key, _, numbers = value[:5]
    if not isinstance(key, str) or not isinstance(numbers, int) or (len(value) > 5 and value[5] is not None):
        raise Refusal("is damaged: it refers to something that is no storage", FETCH_AGAIN)
    return storage_kind(kind), key, numbers


def _check_end(content: memoryview) -> None:
    """Check that an archive has an end, which says where its directory is."""
    tail = bytes(content[-END_RECORD_BYTES - MAX_COMMENT_BYTES :])
    place = tail.rfind(b"PK\5\6")
    if place < 0 or len(tail) - place < END_RECORD_BYTES:
        raise Refusal("is damaged or cut short: the end of its zip archive is missing", FETCH_AGAIN)


def _stored(content: memoryview, entry: zipfile.ZipInfo) -> memoryview:
    """View an entry's bytes in the file; torch compresses none."""
    plain = entry.compress_type == zipfile.ZIP_STORED and not entry.flag_bits & 1
    if not plain or entry.file_size != entry.compress_size:
        raise Refusal("is a compressed archive, which torch never writes", "give the original file")
    header = bytes(content[entry.header_offset : entry.header_offset + ENTRY_HEADER_BYTES])
    if header[:4] != b"PK\3\4":
        raise Refusal("is damaged: an entry of its zip archive is missing", FETCH_AGAIN)
    name, extra = (int.from_bytes(header[k : k + 2], "little") for k in (26, 28))
    start = entry.header_offset + ENTRY_HEADER_BYTES + name + extra
    if start + entry.file_size > len(content):
        raise Refusal("is damaged or cut short: an entry of its zip archive is missing", FETCH_AGAIN)
    return content[start : start + entry.file_size]


class _Reader(io.RawIOBase):
    """The directory of an archive in memory: small parts of it."""

    def __init__(self, content: memoryview) -> None:
        self._content, self._place = content, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: len(self._content)}[whence]
        if start + offset < 0:
            raise OSError("before the beginning")
        self._place = start + offset
        return self._place

    def read(self, size: int = -1) -> bytes:
        end = min(len(self._content), len(self._content) if size < 0 else self._place + size)
        if end - self._place > MAX_DIRECTORY_BYTES:
            raise Refusal("is hostile: the directory of its zip archive is too large")
        taken = bytes(self._content[self._place : end])
        self._place += len(taken)
        return taken
