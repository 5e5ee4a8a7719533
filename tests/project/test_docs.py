"""The page on patches is true: its two patches are one, and everything else on it can be read."""

import re
import tomllib
from pathlib import Path

import pytest

from clavilux.project.show import parse_show

PAGE = Path(__file__).parents[2] / "docs" / "patches.md"


@pytest.fixture(scope="module")
def blocks():
    if not PAGE.is_file():
        pytest.skip("docs are not in this copy")
    return re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_both_patches_are_the_same_graph(blocks):
    names = {}
    exec(next(text for kind, text in blocks if kind == "python"), names)  # the page's own code
    text = next(text for kind, text in blocks if kind == "toml")
    for knobs in ({}, {"punch": 0.3, "turn": 4}):
        show, errors = parse_show(text, Path(), knobs=knobs)
        assert errors == []
        assert show.project.shown == names["garden"](**knobs)


def test_scenes_and_sections_are_read(blocks):
    scenes, sections = [text for kind, text in blocks if kind == "toml"][1:]
    looks = scenes.partition("[[scenes]]")[0]
    for text in (scenes, looks + sections):
        assert tomllib.loads(text)
        show, errors = parse_show(text, Path())
        assert errors == []
        assert "switch(" in str(show.project.shown)
