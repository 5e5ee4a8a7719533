"""Files that are no checkpoint of torch or TensorFlow's pickles: recognised by their content, and named."""

import re
from collections.abc import Collection, Iterator

__all__ = ["other_archive", "other_file"]

NETWORK, NO_NETWORK = "which cannot be drawn", "which is no checkpoint"

SIGNS = (
    (0, rb"GGUF|ggml|lmgg|tjgg", f"is a language model (GGUF), {NETWORK}"),
    (0, rb"\x89HDF\r\n\x1a\n", f"is a Keras network (HDF5), {NETWORK}"),
    (4, rb"TFL3", f"is a TensorFlow Lite network, {NETWORK}"),
    (0, rb"model_checkpoint_path:", f"is the list of a TensorFlow checkpoint, {NETWORK}"),
    (0, rb"\x93NUMPY", f"is a NumPy array, {NO_NETWORK}"),
    (257, rb"ustar", f"is a tar archive, {NO_NETWORK}"),
    (0, rb"7z\xbc\xaf\x27\x1c|Rar!|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd", f"is compressed, {NO_NETWORK}"),
    (
        0,
        rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0\0\0\0|II\*\0|MM\0\*|RIFF.{4}WEBP",
        f"is an image, {NO_NETWORK}",
    ),
    (0, rb"RIFF.{4}WAVE|ID3|fLaC|OggS|FORM.{4}AIF|\xff[\xf2-\xfb]", f"is audio, {NO_NETWORK}"),
    (4, rb"ftyp", f"is a film or audio, {NO_NETWORK}"),
    (0, rb"\x1a\x45\xdf\xa3|RIFF.{4}AVI ", f"is a film, {NO_NETWORK}"),
    (0, rb"%PDF", f"is a PDF document, {NO_NETWORK}"),
)
"""Where signs are in a file, what they are, and what the file is."""

TABLE_MAGIC = bytes.fromhex("57fb808b247547db")
"""The end of the index of a TensorFlow checkpoint, a sorted table."""
SHARD = re.compile(r".*\.data-\d{5}-of-\d{5}")

ONNX_FIELDS = {1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26}
GRAPH = 7
"""Numbers of the fields of an ONNX model, and that of its graph."""
VARINT, TEXT = 0, 2
"""Kinds of fields of protocol buffers: a whole number; anything with a length."""
MAX_FIELDS = 2000


def other_file(content: memoryview, name: str) -> str:
    """Return what a file is, as the end of a sentence; empty where that is not known.

    >>> other_file(memoryview(b"OggS" + bytes(30)), "net.pkl")
    'is audio, which is no checkpoint'
    """
    start = bytes(content[:512])
    for place, sign, meaning in SIGNS:
        if re.match(sign, start[place:], re.DOTALL):
            return meaning
    if SHARD.fullmatch(name) or bytes(content[-len(TABLE_MAGIC) :]) == TABLE_MAGIC:
        return f"is part of a TensorFlow checkpoint, {NETWORK}"
    if start[:1] == b"\x08" and re.search(rb"pytorch|onnx", start):
        return f"is an ONNX network, {NETWORK}"
    if network := _of_fields(list(_fields(content))):
        return f"is {network}, {NETWORK}"
    return f"is a text file, {NO_NETWORK}" if _is_text(start) else ""


def other_archive(names: Collection[str]) -> str:
    """Return what a zip archive that torch.save did not write is, as the end of a sentence.

    >>> other_archive(["net/code/__torch__.py", "net/constants.pkl", "net/data.pkl"])
    'is a TorchScript program, which cannot be drawn'
    """
    ends = {name.rpartition("/")[2] for name in names}
    if "constants.pkl" in ends:
        return f"is a TorchScript program, {NETWORK}"
    if "serialized_exported_program.json" in ends or "archive_format" in ends:
        return f"is an exported program of PyTorch, {NETWORK}"
    if "model.weights.h5" in ends:
        return f"is a Keras network, {NETWORK}"
    if "[Content_Types].xml" in ends:
        return f"is an office document, {NO_NETWORK}"
    if ends and all(name.endswith(".npy") for name in ends):
        return f"is a NumPy archive, {NO_NETWORK}"
    return ""


def _of_fields(fields: list[tuple[int, int]]) -> str:
    """Return which network a protocol buffer of these fields is: numbers and kinds."""
    numbers, first = {number for number, _ in fields}, fields[:1]
    if first == [(1, VARINT)] and (GRAPH, TEXT) in fields and numbers <= ONNX_FIELDS:
        return "an ONNX network"
    if first == [(1, VARINT)] and numbers == {1, 2} and (2, TEXT) in fields:
        return "a TensorFlow SavedModel"
    if first == [(1, TEXT)] and len(fields) > 1 and numbers <= set(range(1, 8)):
        return "a TensorFlow graph"
    return ""


def _fields(content: memoryview) -> Iterator[tuple[int, int]]:
    """List number and kind of the outermost fields of a protocol buffer; none where it is something else."""
    place, found = 0, list[tuple[int, int]]()
    while place < len(content) and len(found) < MAX_FIELDS:
        tag, place = _varint(content, place)
        number, kind = tag >> 3, tag & 7
        if not number or kind not in {VARINT, TEXT}:
            return
        found.append((number, kind))
        length, place = _varint(content, place)
        place += length if kind == TEXT else 0
    yield from found


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    """Read a whole number of seven bits a byte, and return it with where it ends."""
    value = 0
    for k, byte in enumerate(content[place : place + 10]):
        value |= (byte & 0x7F) << 7 * k
        if byte < 0x80:
            return value, place + k + 1
    return 0, len(content)


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        text = start[: error.start].decode("utf-8") if error.start > len(start) - 4 else "\0"
    return all(letter.isprintable() or letter.isspace() for letter in text)
