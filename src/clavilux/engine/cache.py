"""Compiled programs on disk, under the hash of everything they depend on.

A key covers the program's spec and weights, the network's sizes, the source code of programs and engines, the
engine's version, precision and pass size; so an entry is never stale, only unused. Entries carry their own
hash, are written beside their final name and renamed into place; a damaged entry counts as missing. Only the
latest used are kept.
"""

import contextlib
import inspect
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from clavilux.files import atomic
from clavilux.generator.program import Program

__all__ = ["MAX_ENTRIES", "Compiled", "key", "source_digest"]

MAX_ENTRIES = 8
"""Entries that are kept; one of a large network has 120 MB."""

SUFFIX, SEPARATOR = ".openvino", "-"
HASH_BYTES = 32
SOURCES = tuple(
    Path(__file__).parents[1] / name
    for name in ("generator", "engine", "colour.py", "pixel_formats.py", "seeds.py")
)
"""The code that decides what a compiled program computes."""


def key(program: Program, *rest: object) -> str:
    """Hash a program and whatever else matters: first all but its bends and rewrites, then these.

    >>> from clavilux.generator.model import load_model
    >>> silk = load_model("silk")
    >>> small, large = (Program(silk, size=(side, side)) for side in (64, 96))
    >>> key(small, 2) == key(small, 2), key(small, 2) == key(large, 2), key(small, 2) == key(small, 4)
    (True, False, False)
    """
    spec = program.spec  # it has the weights' digest
    plain = (replace(spec, taps=(), rewrites=()), program.model.sizes, version("torch"), rest)
    base = blake2b(repr(plain).encode(), digest_size=16)
    base.update(source_digest(SOURCES))
    # inputs are given by their place; changes that share a number share them
    digest = blake2b(repr((spec.taps, spec.rewrites, tuple(program.inputs))).encode(), digest_size=16)
    for change in (*program.taps, *program.rewrites):
        if change.source is not None:
            digest.update(_source_of(change.source))
        for name, array in sorted(change.arrays.items()):
            digest.update(f"{name} {array.shape} {array.dtype}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return f"{base.hexdigest()}{SEPARATOR}{digest.hexdigest()}"


def source_digest(sources: Iterable[Path]) -> bytes:
    """Hash some Python files, and every one below some folders, with its place."""
    digest = blake2b(digest_size=16)
    for source in sources:
        for path in [source] if source.is_file() else sorted(source.rglob("*.py")):
            content = path.read_bytes()
            digest.update(f"{source.name}/{path.relative_to(source).as_posix()} {len(content)}\n".encode())
            digest.update(content)
    return digest.digest()


def _source_of(change: type) -> bytes:
    """Hash the files that define a bend or rewrite and what it derives from, which may come from anywhere.

    One that was typed into a console has no file; it is like no other, so nothing is reused for it.
    """
    digest = blake2b(digest_size=16)
    for kind in change.__mro__:
        if kind.__module__.partition(".")[0] not in {"builtins", "torch"}:
            try:
                digest.update(Path(inspect.getfile(kind)).read_bytes())
            except (OSError, TypeError):
                return uuid4().bytes
    return digest.digest()


@dataclass(frozen=True)
class Compiled:
    """One compiled program in a folder; without a folder it is not kept."""

    folder: Path | None
    key: str

    @property
    def path(self) -> Path | None:
        """Where it is kept."""
        return None if self.folder is None else self.folder / f"{self.key}{SUFFIX}"

    @property
    def is_like_another(self) -> bool:
        """Whether it has been kept, or one that differs in its bends and rewrites alone."""
        base = self.key.partition(SEPARATOR)[0]
        return self.folder is not None and any(self.folder.glob(f"{base}*{SUFFIX}"))

    def fetch(self, core: Any, config: dict[str, Any], make: Callable[[], Any]) -> Any:
        """Return the compiled program, made and kept first where it is missing.

        A folder that cannot be written is no error: the program is simply not kept.
        """
        path = self.path
        if path is None:
            return core.compile_model(make(), "CPU", config)
        blob = _read(path)
        if blob is not None:
            with contextlib.suppress(RuntimeError):  # the engine refuses it: make it anew
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
        _remove_oldest(path.parent)


def _remove_oldest(folder: Path) -> None:
    used = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in used[MAX_ENTRIES:]:
        path.unlink(missing_ok=True)
