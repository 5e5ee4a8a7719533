"""Unfinished renders on the disk: which there are, and which are removed to make room."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from clavilux.errors import FileError, OutputError
from clavilux.files import fitting_name, read_small
from clavilux.make.lease import is_held
from clavilux.schemas import Count, Name, decoded

__all__ = ["KEEP_BYTES", "KEEP_DAYS", "KeptRender", "keeping", "kept_renders", "pieces_folder", "prune"]

KEEP_DAYS = 30
"""Unfinished renders not touched for this long are removed when another one begins."""

MAX_PLAN_BYTES = 50_000_000

KEEP_BYTES = 20 * 10**9
"""Beyond this size altogether, the longest untouched unfinished renders are removed."""


class _About(msgspec.Struct):
    song: Name
    target: Name
    segments: Count


@dataclass(frozen=True)
class KeptRender:
    """An unfinished render on the disk.

    Attributes:
        folder: where its pieces are.
        song: what it shows.
        target: the video it would become.
        done: finished segments, and how many there will be.
        bytes: size of the pieces.
        touched: time of the last work on it, seconds since 1970.
    """

    folder: Path
    song: str
    target: str
    done: tuple[int, int]
    bytes: int
    touched: float

    @property
    def busy(self) -> bool:
        """Whether a process is at work on it now."""
        return any(is_held(path) for path in self.folder.glob("*.user"))


def kept_renders(renders: Path) -> list[KeptRender]:
    """List unfinished renders, the last touched first."""
    found = [_describe(path.parent) for path in renders.glob("*/plan.json")]
    return sorted((render for render in found if render), key=lambda render: -render.touched)


def prune(renders: Path, *, keep_days: float = KEEP_DAYS, keep_bytes: int = KEEP_BYTES) -> list[KeptRender]:
    """Remove unfinished renders that are too old or, longest untouched first, too much; return them.

    A render that a process is at work on stays.
    """
    removed, total = [], 0
    for render in kept_renders(renders):
        total += render.bytes
        old = time.time() - render.touched > keep_days * 86400
        if (old or total > keep_bytes) and not render.busy:
            shutil.rmtree(render.folder, ignore_errors=True)
            removed.append(render)
    return removed


def pieces_folder(renders: Path | None, target: Path, digest: str) -> Path:
    """Return the folder of a render's pieces: among the kept ones, or hidden beside the target.

    >>> pieces_folder(Path("renders"), Path("song.mp4"), "0123abcd").name
    '0123abcd'
    """
    if renders is not None:
        return renders / digest
    return target.parent / fitting_name(f".{target.stem}", f"-{digest[:8]}")


@contextlib.contextmanager
def keeping(renders: Path | None, remove: Callable[[], None]) -> Iterator[None]:
    """Keep the pieces of a render that stops where there is a place for them; else remove them.

    Raises:
        OutputError: the place cannot be made.
    """
    if renders is not None:
        try:
            renders.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"The folder '{renders}' of unfinished renders cannot be made ({error.strerror})",
                where=str(renders),
                hint="the environment variable CLAVILUX_CACHE names another cache folder",
            ) from error
        prune(renders)
        yield
        return
    try:
        yield
    except BaseException:
        remove()
        raise


def _describe(folder: Path) -> KeptRender | None:
    try:
        content = read_small(folder / "plan.json", "plan", MAX_PLAN_BYTES)
        about = decoded(content, _About)
        files = [path.stat() for path in folder.rglob("*") if path.is_file()]
        return KeptRender(
            folder=folder,
            song=about.song,
            target=about.target,
            done=(len(list(folder.glob("[0-9]*.json"))), about.segments),
            bytes=sum(file.st_size for file in files),
            touched=max(file.st_mtime for file in files),
        )
    except (OSError, ValueError, FileError):
        return None
