"""`clavilux renders`: unfinished renders, kept so that they can go on."""

import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from clavilux.cli import options

if TYPE_CHECKING:
    from clavilux.make.kept import KeptRender

__all__ = ["renders"]


def renders(
    *,
    remove: Annotated[
        str | None,
        typer.Option("--remove", metavar="NAME", help="Remove this one, or all.", show_default=False),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List unfinished renders, or remove them.

    A render that was stopped is resumed by the same command. Those not touched for a month,
    and the oldest beyond 20 GB, are removed when another render begins.
    """
    from clavilux.cli.console import Screen
    from clavilux.make.kept import kept_renders
    from clavilux.make.workspace import cache_folder

    kept = kept_renders(cache_folder() / "renders")
    if remove is not None:
        kept = _remove(kept, remove)
    screen = Screen(as_json=as_json)
    screen.result({"renders": [_row(render) for render in kept]})
    if not as_json:
        _print_table(kept)


def _remove(kept: "list[KeptRender]", name: str) -> "list[KeptRender]":
    """Remove the named renders and return the rest."""
    from clavilux.errors import SettingError

    chosen = [render for render in kept if name == "all" or render.folder.name.startswith(name)]
    if not chosen and name != "all":
        names = ", ".join(render.folder.name[:8] for render in kept) or "none"
        raise SettingError(f"There is no unfinished render '{name}'", value=name, hint=f"there is {names}")
    for render in chosen:
        if render.busy:
            number = render.folder.name[:8]
            raise SettingError(f"The render {number} is being worked on", value=number, hint="stop it first")
        shutil.rmtree(render.folder)
    return [render for render in kept if render not in chosen]


def _row(render: "KeptRender") -> dict[str, object]:
    done, total = render.done
    return {
        "name": render.folder.name[:8],
        "song": render.song,
        "target": render.target,
        "segments_done": done,
        "segments": total,
        "bytes": render.bytes,
    }


def _print_table(kept: "list[KeptRender]") -> None:
    from rich.console import Console
    from rich.table import Table

    from clavilux.cli.console import plain

    console = Console(highlight=False)
    if not kept:
        console.print("No unfinished renders.")
        return
    table = Table("name", "song", "done", "size", "video", box=None, pad_edge=False)
    for render in kept:
        done, total = render.done
        size = f"{render.bytes / 1e6:.1f} MB"
        row = (render.folder.name[:8], render.song, f"{done} of {total}", size, render.target)
        table.add_row(*map(plain, row))
    console.print(table)
