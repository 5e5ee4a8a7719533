"""`clavilux models`: the generators that come with Clavilux, and what one paints."""

from pathlib import Path
from typing import Annotated

import typer

from clavilux.cli import options

__all__ = ["app"]

app = typer.Typer(invoke_without_command=True)


@app.callback()
def models(context: typer.Context, *, as_json: options.Json = False) -> None:
    """List the models that come with Clavilux; the first is the one used unless you say otherwise."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.table import Table

    from clavilux.cli.console import Screen
    from clavilux.generator.model import builtin_models

    cards = builtin_models()
    Screen(as_json=as_json).result({"models": [{"name": name, **card} for name, card in cards.items()]})
    if not as_json:
        table = Table("model", "size", "licence", "what it paints", box=None, pad_edge=False)
        for name, card in cards.items():
            size = f"{card['resolution']} px, {card['megabytes']} MB"
            table.add_row(name, size, card.get("licence", "unknown"), card.get("description", ""))
        Console(highlight=False).print(table)
        Console(highlight=False).print("\nSee one with: clavilux models show NAME --sheet NAME.png")


@app.command("show")
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A built-in model or a checkpoint file.", show_default=False)
    ],
    *,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", metavar="FILE", help="Draw a sheet of its pictures as a PNG.")
    ] = None,
    seed: options.Seed = 0,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Show a model's size and card, and with --sheet what it paints."""
    from rich.console import Console
    from rich.table import Table

    from clavilux.cli.console import Screen
    from clavilux.generator.model import load_model
    from clavilux.make.make import check_target
    from clavilux.make.sheet import draw_sheet

    if sheet is not None:
        check_target(sheet, ".png", overwrite=force)
    model = load_model(name)
    about: dict[str, str | int] = {
        "name": model.name,
        "resolution": model.resolution,
        "latents": model.w_dim,
        "layers": model.num_ws,
    }
    about |= model.card
    with Screen(as_json=as_json) as screen:
        if sheet is not None:
            screen.begin("Drawing")
            draw_sheet(model, sheet, seed=seed)
    screen.result(about)
    if not as_json:
        table = Table(show_header=False, box=None, pad_edge=False)
        for key, value in about.items():
            table.add_row(key.replace("_", " "), str(value))
        Console(highlight=False).print(table)
