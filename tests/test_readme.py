"""What README.md shows can be typed: its commands exist, its Python runs, CI finds what it executes."""

import re
import shlex
from pathlib import Path

import pytest
import typer

import clavilux
from clavilux.cli import app
from clavilux.make.video import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
COMMANDS = [shlex.split(line, comments=True)[1:] for line in SHELL if line.startswith("clavilux ")]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_shown_is_understood(words: list[str]) -> None:
    command = typer.main.get_command(app).commands[words[0]]
    if len(words) > 1 and words[1] in getattr(command, "commands", {}):
        command, words = command.commands[words[1]], words[1:]
    context = command.make_context(words[0], words[1:])
    assert {option for option in words if option.startswith("-")} <= {
        name for parameter in command.params for name in parameter.opts
    }
    assert context.params


def test_every_command_there_is_is_shown() -> None:
    group = typer.main.get_command(app)
    visible = {name for name, command in group.commands.items() if not command.hidden}
    assert {words[0] for words in COMMANDS} == visible


def test_the_python_shown_describes_a_video(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(clavilux, "render", lambda *names, **how: asked.append((*names, how)), raising=False)
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(program, "README.md", "exec"), {})
    ((source, target, settings),) = asked
    assert (source, target) == ("song.mp3", "song.mp4")
    assert isinstance(settings["patch"], clavilux.Patch)
    assert set(settings) <= set(Settings.__annotations__)


def test_ci_runs_the_commands_shown() -> None:
    marked = re.findall(r"<!-- ([\w-]+) -->\n```sh\n(.*?)\n```", README, re.DOTALL)
    used = re.findall(r"as_readme_says ([\w-]+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert used == [name for name, _ in marked] == ["first-video", "tests"]
    assert all("\n" not in command for _, command in marked)


def test_every_file_linked_is_there() -> None:
    for target in re.findall(r"\]\(([^):]+)\)", README):
        assert (ROOT / target).is_file(), target
