"""`clavilux models` and `clavilux convert`: generators by name, and checkpoints of other formats."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clavilux.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PIL.Image import Image
    from rich.console import Console
    from rich.text import Text

__all__ = ["app", "convert"]

app = typer.Typer(invoke_without_command=True)


@app.callback()
def models(context: typer.Context, *, as_json: options.Json = False) -> None:
    """List the models that come with Clavilux, the first being the default, and those you imported."""
    if context.invoked_subcommand is not None:
        return
    from PIL import Image
    from rich.console import Console
    from rich.table import Table

    from clavilux.cli.console import Screen, plain
    from clavilux.generator.model import builtin_models
    from clavilux.make.models import user_models
    from clavilux.make.workspace import models_folder
    from clavilux.project.project import Project

    found = {name: model.to_dict() for name, model in builtin_models().items()}
    cards = dict(sorted(found.items(), key=lambda item: item[0] != Project.model))
    cards |= {name: model.card for name, model in user_models(models_folder()) if name not in cards}
    Screen(as_json=as_json).result({"models": [{"name": name, **card} for name, card in cards.items()]})
    if as_json:
        return
    console = Console(highlight=False)
    table = Table("model", "size", "licence", "what it draws", box=None, pad_edge=False)
    for name, card in cards.items():
        size = f"{card.get('resolution', '?')} px, {card['megabytes']} MB"
        table.add_row(*map(plain, (name, size, card.get("licence", "unknown"), card.get("description", ""))))
    console.print(table)
    if _draws_images(console):
        for name, card in cards.items():
            if "preview" in card:
                console.print(f"\n{name}")
                with Image.open(card["preview"]) as strip:
                    console.print(_half_blocks(strip, console.width), end="")
    console.print("\nSee one larger with: clavilux models show NAME --sheet NAME.png")


def _draws_images(console: "Console") -> bool:
    """Whether a terminal has the colours and the half blocks that a preview is made of."""
    enough = console.color_system in {"256", "truecolor"}
    return console.is_terminal and enough and not console.options.ascii_only


def _half_blocks(image: "Image", width: int) -> "Text":
    """Draw an image ``width`` characters wide, each of them two pixels."""
    import numpy as np
    from rich.color import Color
    from rich.style import Style
    from rich.text import Text

    lines = max(round(width * image.height / image.width / 2), 1)
    pixels = np.asarray(image.convert("RGB").resize((width, 2 * lines))).tolist()
    text = Text()
    for y in range(0, 2 * lines, 2):
        for x in range(width):
            above, below = (Color.from_rgb(*row[x]) for row in pixels[y : y + 2])
            text.append("\N{UPPER HALF BLOCK}", Style(color=above, bgcolor=below))
        text.append("\n")
    return text


ModelName = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A model's name, a checkpoint file, or its address.", show_default=False
    ),
]


@app.command("show")
@app.command("info")
def show(
    name: ModelName,
    *,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", metavar="FILE", help="Draw a sheet of its images as a PNG.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Another number, other images.")] = 0,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Show a model's family, sizes, classes, hash and card, and what it draws.

    That is a strip of images in a terminal with colours, and a sheet of them with --sheet.
    """
    from rich.console import Console

    from clavilux.cli.console import Screen
    from clavilux.make.models import describe_model, preview_of
    from clavilux.make.sheet import draw_sheet
    from clavilux.make.targets import check_target
    from clavilux.make.workspace import Workspace

    if sheet is not None:
        check_target(sheet, ".png", overwrite=force, reads=[Path(name)])
    console = Console(highlight=False)
    strip = None
    with Screen(as_json=as_json) as screen:
        workspace = Workspace.of_user(screen)
        path = workspace.model_file(name)
        model = workspace.model(str(path))
        if not as_json and _draws_images(console):
            strip = preview_of(model, path, workspace)
        if sheet is not None:
            screen.begin("Drawing")
            draw_sheet(model, sheet, seed=seed)
    about = describe_model(model, path)
    screen.result(about)
    if not as_json:
        _print_lines(console, ((key.replace("_", " "), value) for key, value in about.items()))
    if strip is not None:
        console.print(_half_blocks(strip, console.width), end="")


def _print_lines(console: "Console", lines: "Iterable[tuple[str, object]]") -> None:
    """Print names and values, one under the other."""
    from rich.table import Table

    from clavilux.cli.console import plain

    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in lines:
        table.add_row(plain(name), plain(value))
    console.print(table)


@app.command("profile")
def profile(
    name: ModelName,
    *,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Draw what was found as a PNG.")
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Find a model's palettes, directions, clusters of features and rules, for patches; kept for later.

    It takes a minute or two on two processor cores for a model of 512 px, and is done once.
    """
    import time

    from rich.console import Console

    from clavilux.cli.console import Screen
    from clavilux.make.profile import draw_profile, profile_model
    from clavilux.make.targets import check_target
    from clavilux.make.workspace import Workspace

    if page is not None:
        check_target(page, ".png", overwrite=force, reads=[Path(name)])
    with Screen(as_json=as_json) as screen:
        workspace = Workspace.of_user(screen)
        model = workspace.model(name)
        start = time.monotonic()
        found = profile_model(model, workspace.store, screen)
        seconds = time.monotonic() - start
        screen.note(f"The profile of {model.name} took {seconds:.0f} s; what was found is kept.")
        if page is not None:
            screen.begin("Drawing")
            draw_profile(model, found, page, workspace.store)
    screen.result({"name": model.name, "seconds": round(seconds, 1), "found": dict(found.lines())})
    if not as_json:
        _print_lines(Console(highlight=False), found.lines())


@app.command("import")
def import_(
    source: ModelName,
    *,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Its name from now on.", show_default=False)
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Import a StyleGAN checkpoint, so that it is found by name.

    Nothing in the file is ever run. StyleGAN 1 to 3, StyleGAN-XL, projected GANs and R3GAN are read; see
    docs/models.md.
    """
    from clavilux.cli.console import Screen
    from clavilux.make.models import import_model
    from clavilux.make.workspace import Workspace

    with Screen(as_json=as_json) as screen:
        path = import_model(source, name, workspace=Workspace.of_user(screen), overwrite=force)
    screen.result({"name": path.stem, "file": str(path)})
    if not as_json:
        screen.note(f"Imported as {path.stem}: clavilux render SONG --model {path.stem}")


def convert(
    source: ModelName,
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A file that ends in .safetensors.", show_default=False)
    ],
    *,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Convert a StyleGAN checkpoint of any known format into a safe one, float32."""
    from clavilux.cli.console import Screen
    from clavilux.make.models import convert_model
    from clavilux.make.workspace import Workspace

    with Screen(as_json=as_json) as screen:
        path = convert_model(source, target, workspace=Workspace.of_user(screen), overwrite=force)
    screen.result({"file": str(path)})
    if not as_json:
        screen.note(f"Wrote {path}")
