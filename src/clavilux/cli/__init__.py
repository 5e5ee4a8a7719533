"""The command line: one file per command; errors become one sentence and exit code 2."""

import io
import json
import shlex
import sys
from collections.abc import Sequence

import typer

from clavilux.cli import (
    analyse,
    demo,
    doctor,
    measure,
    models,
    new,
    palette,
    preview,
    project,
    recreate,
    render,
    renders,
    still,
)
from clavilux.cli.remedies import as_table, explain
from clavilux.cli.stand_ins import STAND_INS
from clavilux.errors import ClaviluxError, one_line

__all__ = ["app", "main"]

STOPPED = 130
"""Exit code after Ctrl-C."""

app = typer.Typer(
    name="clavilux",
    help="Play a StyleGAN generator like an instrument: give it a song, it returns a music video.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def clavilux(
    *,
    version: bool = typer.Option(False, "--version", help="Show the version and stop."),
) -> None:
    """Play a StyleGAN generator like an instrument: give it a song, it returns a music video."""
    if version:
        from clavilux import __version__

        typer.echo(f"clavilux {__version__}")
        raise typer.Exit


app.command("render")(render.render)
app.command("preview")(preview.preview)
app.command("still")(still.still)
app.command("demo")(demo.demo)
app.command("new")(new.new)
app.command("check")(new.check)
app.command("set")(new.change)
app.command("recreate")(recreate.recreate)
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")
app.command("convert")(models.convert)
app.add_typer(palette.app, name="palette")
app.command("project")(project.project)
app.command("renders")(renders.renders)
app.command("measure")(measure.measure)
app.command("analyse")(analyse.analyse)
app.command("analyze", hidden=True)(analyse.analyse)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with 0, 2 for a named error, or 130 when stopped by Ctrl-C."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console or file of another encoding gets other letters
            stream.reconfigure(errors=STAND_INS)
    try:
        result = app(args=arguments, standalone_mode=False)
    except ClaviluxError as error:
        if "--json" in (sys.argv[1:] if arguments is None else arguments):
            typer.echo(json.dumps(as_table(error), indent=2))
        return _say(f"Error: {explain(error)}", 2)
    except typer.TyperException as error:
        return _say(one_line(f"Error: {_usage(error)}"), 2)
    except (KeyboardInterrupt, typer.Abort):
        result = STOPPED
    if result == STOPPED:  # typer turns Ctrl-C into this result
        return _say(_stopped(sys.argv[1:] if arguments is None else arguments), STOPPED)
    return result if isinstance(result, int) else 0


def _usage(error: typer.TyperException) -> str:
    """Return what is wrong with the words of a command; a second file is most likely the one to write."""
    text, context = error.format_message(), getattr(error, "ctx", None)
    options = [option for param in context.command.params for option in param.opts] if context else []
    if text.startswith("Got unexpected extra argument") and "--output" in options:
        return f"{text}; the file to write is named with --output."
    return text


def _stopped(arguments: Sequence[str]) -> str:
    """Return the message after Ctrl-C, with the command that resumes: finished parts of a render are kept."""
    if not set(arguments) & {"render", "demo", "recreate"}:
        return "Stopped."
    return f"Stopped. The same command resumes from here:\n  {one_line(shlex.join(['clavilux', *arguments]))}"


def _say(text: str, code: int) -> int:
    typer.echo(text, err=True)
    return code
