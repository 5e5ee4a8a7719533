"""Compiled programs kept on disk under the hash of everything they depend on.

A key covers the program's structure, code and weights, the engine's version, precision and pass size; so an
entry is never stale, only unused. Entries carry their own hash, are written beside their final name and
renamed into place; a damaged entry counts as missing. Only the latest used are kept.
"""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from clavilux.files import atomic
from clavilux.generator.program import Program

__all__ = ["KEPT", "Compiled", "key"]

KEPT = 8
"""Entries kept; one of a large network is 120 MB."""

SUFFIX = ".openvino"
HASH_BYTES = 32


def key(program: Program, *rest: object) -> str:
    """Hash a program and whatever else matters.

    >>> from clavilux.generator.model import load_model
    >>> silk = load_model("silk")
    >>> small, large = (Program(silk, size=(side, side)) for side in (64, 96))
    >>> key(small, 2) == key(small, 2), key(small, 2) == key(large, 2), key(small, 2) == key(small, 4)
    (True, False, False)
    """
    digest = blake2b(repr((program, program.size, program.noise_shapes, rest)).encode(), digest_size=16)
    for name, tensor in sorted(program.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.cpu().contiguous().numpy().data)
    digest.update(_code())
    return digest.hexdigest()


def _code() -> bytes:
    """Hash what programs are made of and compiled by."""
    digest = blake2b(digest_size=16)
    for room in ("generator", "engine"):
        for path in sorted((Path(__file__).parents[1] / room).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.digest()


@dataclass(frozen=True)
class Compiled:
    """One compiled program in a folder; without a folder it is not kept."""

    folder: Path | None
    key: str

    def fetch(self, core: Any, config: dict[str, Any], make: Callable[[], Any]) -> Any:
        """Return the compiled program, made and kept first where it is missing.

        A folder that cannot be written is no error: the program is simply not kept.
        """
        if self.folder is None:
            return core.compile_model(make(), "CPU", config)
        path = self.folder / f"{self.key}{SUFFIX}"
        blob = _read(path)
        if blob is not None:
            with contextlib.suppress(RuntimeError):  # the engine will not have it: make it anew
                return core.import_model(blob, "CPU", config)
        compiled = core.compile_model(make(), "CPU", config)
        _write(path, compiled.export_model().getvalue())
        return compiled


def _read(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    whole = blake2b(content[HASH_BYTES:], digest_size=HASH_BYTES).digest() == content[:HASH_BYTES]
    return content[HASH_BYTES:] if whole else None


def _write(path: Path, blob: bytes) -> None:
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path, shared=True) as part, part.open("wb") as file:
            file.write(blake2b(blob, digest_size=HASH_BYTES).digest())
            file.write(blob)
        _forget(path.parent)


def _forget(folder: Path) -> None:
    """Remove all but the latest used."""
    used = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in used[KEPT:]:
        path.unlink(missing_ok=True)
