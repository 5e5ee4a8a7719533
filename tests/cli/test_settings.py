"""Options are the settings of the dataclasses, each with the default that stands there."""

import ast
import re
from pathlib import Path

import pytest
import typer

from clavilux.cli import app
from clavilux.cli.remedies import OPTIONS, REMEDIES, explain
from clavilux.errors import ClaviluxError, Remedy
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.project.setting import settings_of

SOURCE = Path(__file__).parents[2] / "src" / "clavilux"
LIBRARY = [path for path in SOURCE.rglob("*.py") if "cli" not in path.relative_to(SOURCE).parts]


@pytest.mark.parametrize("group", [Project, Output, Machine])
def test_render_has_an_option_for_every_setting(group):
    command = typer.main.get_command(app).commands["render"]
    options = {name: param for param in command.params for name in param.opts}
    for name, known in settings_of(group).items():
        option = options[f"--{known.option or name.replace('_', '-')}"]
        assert option.help == known.about
        text = known.usual if known.parse and known.default is not None else known.default
        assert option.default == text


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_text_of_the_library_names_an_option(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    named = [text for text in texts if re.search(r"(?<![\w-])--[a-z]", text)]
    assert not named


def test_every_remedy_is_an_option_here_or_a_hint_that_holds_anywhere():
    names = {
        name
        for command in typer.main.get_command(app).commands.values()
        for p in command.params
        for name in p.opts
    }
    assert {*REMEDIES, *OPTIONS} == set(Remedy.__args__)
    for words in (*REMEDIES.values(), *OPTIONS.values()):
        assert set(re.findall(r"--[a-z-]+|(?<= )-o", words)) <= names
    error = ClaviluxError("It is there", hint="allow overwriting", remedy="overwrite")
    assert "--force" in explain(error)
    assert explain(ClaviluxError("No", hint="do so")) == "No; do so."
