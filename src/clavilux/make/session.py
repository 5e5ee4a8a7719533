"""Where results are kept and who is told how the work goes."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import platformdirs

from clavilux.store import Store

__all__ = ["Reporter", "Session", "Silent", "cache_folder"]


class Reporter(Protocol):
    """Is told how the work goes."""

    def begin(self, stage: str, total: int | None = None) -> None:
        """Note that a stage begins, with its number of frames where it has one."""

    def advance(self, count: int) -> None:
        """Note that `count` more frames of the stage are done."""

    def note(self, text: str) -> None:
        """Pass on one sentence the person should know, such as that the song is silent."""


class Silent:
    """Reports to nobody."""

    def begin(self, stage: str, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, count: int) -> None:
        """Ignore it."""

    def note(self, text: str) -> None:
        """Ignore it."""


@dataclass(frozen=True)
class Session:
    """What the work has around it.

    Attributes:
        store: keeps what was heard, and learned about models, for the next time.
        report: is told.
        renders: keeps the pieces of renders that stop early, so that they can go on; without it they are
            written beside the target and removed when a render stops.
        engine: keeps compiled programs, so that the next start is quicker.
    """

    store: Store = field(default_factory=Store)
    report: Reporter = field(default_factory=Silent)
    renders: Path | None = None
    engine: Path | None = None

    @classmethod
    def of_user(cls, report: Reporter | None = None) -> "Session":
        """Keep everything in this user's cache folder."""
        folder = cache_folder()
        return cls(Store(folder / "known"), report or Silent(), folder / "renders", folder / "engine")


def cache_folder() -> Path:
    """Return this user's cache folder; the environment's CLAVILUX_CACHE names another."""
    return Path(os.environ.get("CLAVILUX_CACHE") or platformdirs.user_cache_dir("clavilux", appauthor=False))
