"""`clavilux palette`: choose a palette's images from numbered pictures, save it by name, and look at it."""

from pathlib import Path
from typing import Annotated

import typer

from clavilux.catalogue import MOODS
from clavilux.cli import options
from clavilux.project.project import Project

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Make palettes of your own, and look at them.")

PaletteName = Annotated[str, typer.Argument(metavar="NAME", help="The palette's name.", show_default=False)]


@app.command("new")
def new(  # noqa: PLR0913  # the options of two steps
    name: PaletteName,
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[IMAGE]...", help="More images, as --from takes them.", show_default=False),
    ] = None,
    *,
    photographs: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="IMAGE",
            help="Save what the model draws nearest to these images: --from a.jpg b.jpg c.jpg.",
            show_default=False,
        ),
    ] = None,
    sheet: Annotated[bool, typer.Option("--sheet", help="Draw numbered pictures to choose from.")] = False,
    pick: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBERS", help="Save these pictures, such as 3,7,12 or 1-12,24, as the palette."
        ),
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=N", help="Names for pictures, such as flash=7; rest=N and accent=N choose those."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="A model's name, a checkpoint file or its address.")
    ] = Project.model,
    mood: Annotated[
        str | None,
        typer.Option(
            metavar="MOOD", help=f"Show only pictures that are {', '.join(MOODS)}.", show_default="any"
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Number of the first picture shown.", min=0, max=10**17)
    ] = 1,
    count: Annotated[
        int, typer.Option(metavar="N", help="How many pictures are shown.", min=1, max=200)
    ] = 48,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The PNG to draw the pictures into.",
            show_default="NAME-pictures.png in this folder",
        ),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Choose a palette's images: --sheet draws numbered pictures, --pick saves those you like.

    A number means the same picture whatever else is asked for. With --from, the palette is what the model
    draws nearest to your own photographs; that takes a minute or a few for each.
    """
    files = [*(photographs or []), *(images or [])]
    if [sheet, pick is not None, bool(files)].count(True) != 1:
        hint = "Draw pictures with --sheet, then save some with --pick 3,7,12; or give --from a.jpg b.jpg."
        raise typer.BadParameter(hint)
    from clavilux.cli.console import Screen
    from clavilux.make import palettes
    from clavilux.make.targets import check_target
    from clavilux.make.workspace import Workspace
    from clavilux.profile.saved import check_palette_name
    from clavilux.profile.seed_lists import parse_seeds

    check_palette_name(name)
    with Screen(as_json=as_json) as screen:
        workspace = Workspace.of_user(screen)
        if files:
            path = palettes.save_photographs(
                name, workspace.model(model), files, workspace=workspace, overwrite=force
            )
            screen.note(f"The palette '{name}' has {len(files)} images. {_next(name, model)}")
            screen.result({"palette": name, "file": str(path), "images": [str(file) for file in files]})
            return
        if pick is None:
            target = output or Path(f"{name}-pictures.png")
            check_target(target, ".png", overwrite=force, reads=[Path(model)])
            shown = palettes.draw_choices(
                workspace.model(model), target, workspace=workspace, first=seed, count=count, mood=mood
            )
            screen.note(
                f"{target}: {len(shown)} pictures. Save those you like with: "
                f"{_command('new', name, *_model(model))} --pick {','.join(map(str, shown[:3]))}"
            )
            screen.result({"sheet": str(target), "numbers": shown})
            return
        numbers, chosen = parse_seeds(pick), palettes.parse_names(names) if names else {}
        screen.begin("Saving")
        path = palettes.save_palette(
            name, workspace.model(model), numbers, workspace=workspace, names=chosen, overwrite=force
        )
        screen.note(f"The palette '{name}' has {len(numbers)} images. {_next(name, model)}")
        screen.result({"palette": name, "file": str(path), "numbers": numbers, "names": chosen})


@app.command("show")
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help=f"A saved palette, or a mood: {', '.join(MOODS)}.", show_default=False
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="The PNG to write.", show_default="NAME.png in this folder"
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A model's name, a checkpoint file or its address.",
            show_default=f"the palette's own; {Project.model} for a mood",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Another number, another palette of a mood.")] = 0,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Draw a palette: its images around the circle of fifths, its rest and accent, and their names."""
    from clavilux.cli.console import Screen
    from clavilux.make import palettes
    from clavilux.make.targets import check_target
    from clavilux.make.workspace import Workspace

    with Screen(as_json=as_json) as screen:
        workspace = Workspace.of_user(screen)
        palettes.check_palette(name, workspace.palettes)
        target = output or Path(f"{name}.png")
        check_target(target, ".png", overwrite=force, reads=[Path(model)] if model else [])
        screen.begin("Drawing")
        found = palettes.find_palette(
            name, workspace=workspace, model=model, seed=seed, default_model=Project.model
        )
        entries = palettes.draw_palette(found, target)
        screen.note(f"{target}: the palette '{name}' of {found.model.name}.")
        screen.result({"palette": name, "model": found.model.name, "image": str(target), "entries": entries})


@app.command("list")
def list_(*, as_json: options.Json = False) -> None:
    """List the palettes you saved."""
    from rich.console import Console
    from rich.table import Table

    from clavilux.cli.console import Screen, plain
    from clavilux.make.palettes import list_palettes
    from clavilux.make.workspace import palettes_folder
    from clavilux.profile.saved import SavedPalette

    rows = [
        {"name": name, "model": found.model, "images": len(found.images), "names": [*found.named]}
        if isinstance(found, SavedPalette)
        else {"name": name, "error": str(found)}
        for name, found in list_palettes(palettes_folder()).items()
    ]
    Screen(as_json=as_json).result({"palettes": rows})
    if as_json:
        return
    console = Console(highlight=False)
    if not rows:
        console.print("No saved palettes yet. Begin one with: clavilux palette new NAME --sheet")
        return
    table = Table("palette", "model", "images", "names", box=None, pad_edge=False)
    for row in rows:
        cells = (row["name"], row.get("model", ""), row.get("images", ""), row.get("error") or row["names"])
        table.add_row(*(plain(", ".join(cell) if isinstance(cell, list) else cell) for cell in cells))
    console.print(table)


def _command(*words: str) -> str:
    import shlex

    return f"clavilux palette {shlex.join(words)}"


def _next(name: str, model: str) -> str:
    return f"Use it in a patch as saved({name!r}); look at it with: {_command('show', name, *_model(model))}"


def _model(model: str) -> list[str]:
    return [] if model == Project.model else ["--model", model]
