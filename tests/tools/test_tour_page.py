"""docs/seed.md: its commands can be typed, its patches copied, and its pictures are of its patches."""

import re
import shlex
import sys
from pathlib import Path

import pytest
import typer
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from clavilux.cli import app
from clavilux.project.show import check_show, read_show
from clavilux.tour.clips import CLIPS
from tour_page import digest_of

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "seed.md").read_text(encoding="utf-8")
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
SECTIONS = PAGE.split("\n### ")[1:]


def test_every_command_is_understood():
    commands = typer.main.get_command(app).commands
    for line in SHELL:
        name, *words = shlex.split(line, comments=True)[1:]
        commands[name].make_context(name, words)
    assert [line.split()[3] for line in SHELL if "--clip" in line] == [clip.key for clip in CLIPS]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.partition("\n")[0])
def test_a_patch_that_is_copied_is_a_project(section, tmp_path):
    name = re.search(r"clavilux render (\S+)", section)[1]
    *_, patch = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    (tmp_path / name).write_text(patch)
    for cues, sheet in re.findall(r"`(\w+\.csv)`.*?```text\n(.*?)```", section, re.DOTALL):
        (tmp_path / cues).write_text(sheet)
    assert check_show(tmp_path / name) == []
    assert read_show(tmp_path / name).project.shown.nodes


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.key)
def test_a_picture_shows_the_patch_as_it_is(clip):
    assert f"(seed/{clip.key}.webp)" in PAGE
    with Image.open(DOCS / "seed" / f"{clip.key}.webp") as picture:
        drawn = picture.getexif().get(0x010E)
    assert drawn == digest_of(clip), "draw it again: python tools/tour_pictures.py"


def test_pictures_are_small_and_each_is_of_a_clip():
    files = list((DOCS / "seed").iterdir())
    assert {path.stem for path in files} == {clip.key for clip in CLIPS}
    assert sum(path.stat().st_size for path in files) < 1_500_000
