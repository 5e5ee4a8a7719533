"""What the user sees while it works: a bar with stage, frames, fps and time left; notes; the result."""

import json
import sys
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from clavilux.errors import one_line

__all__ = ["Screen", "plain"]


def plain(text: object) -> Text:
    """Return text from a file or a name for a table: one line, without rich's markup."""
    return Text(one_line(str(text)))


class FramesPerSecond(ProgressColumn):
    """How fast frames are drawn."""

    def render(self, task: Task) -> Text:
        """Write the rate of the last half minute."""
        return Text("" if task.speed is None or task.total is None else f"{task.speed:.1f} fps")


class Screen:
    """The terminal as a reporter; everything goes to stderr, so results can be piped.

    Args:
        quiet: show nothing at all.
        verbose: show every stage as a line of its own.
        as_json: show nothing, and print the result as JSON on stdout.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False, as_json: bool = False) -> None:
        quiet = quiet or as_json
        self._as_json = as_json
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        self._verbose = verbose
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            FramesPerSecond(),
            TimeRemainingColumn(compact=True),
            console=self.console,
            transient=True,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task: TaskID | None = None
        self._total = 0
        self._done = 0

    def __enter__(self) -> "Screen":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, stage: str, total: int | None = None) -> None:
        """Show that a stage begins."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(stage, total=total)
        self._total, self._done = total or 0, 0
        if self._verbose or (not self.console.is_terminal and total):
            self.console.print(f"{stage}: {total} frames" if total else f"{stage}.")

    def advance(self, count: int) -> None:
        """Show that frames are done; where there is no terminal, a line every tenth."""
        if self._task is not None:
            self._progress.advance(self._task, count)
        before, self._done = self._done, self._done + count
        if (
            not self.console.is_terminal
            and self._total
            and before * 10 // self._total < self._done * 10 // self._total
        ):
            self.console.print(f"  {self._done} of {self._total} frames")

    def note(self, text: str) -> None:
        """Show one sentence, above the bar."""
        self._progress.console.print(one_line(text), markup=False, soft_wrap=True)

    def cancelled(self) -> bool:
        """Never: Ctrl-C is an exception of its own."""
        return False

    def result(self, values: Mapping[str, object]) -> None:
        """Print the result for other programs, where they asked for it."""
        if self._as_json:
            sys.stdout.write(json.dumps(values, indent=2) + "\n")
