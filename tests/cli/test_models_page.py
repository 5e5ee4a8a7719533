"""The page on models is true: its looks are whole ones, and they draw."""

import re
import textwrap
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clavilux.cli import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "models.md"
FILES = ROOT / "tests" / "generator" / "data" / "checkpoints"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, piece):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CLAVILUX_DATA", str(tmp_path / "data"))
    with wave.open("song.wav", "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes((piece.audio.read(22050 * 8, 44100).mean(axis=0) * 32767).astype("<i2").tobytes())


def drawn(project, at):
    """Draw a frame of a project."""
    Path("show.toml").write_text(project)
    target = f"{at}.png"
    with pytest.raises(SystemExit) as caught:
        main(["still", "show.toml", "--at", str(at), "-o", target, "--force", "--size", "64x64", "-q"])
    assert caught.value.code == 0
    with Image.open(target) as image:
        return np.asarray(image.convert("RGB"), float)


@pytest.mark.parametrize(("index", "model"), [(0, "sg3t64.pkl"), (1, "ada64_cond.pkl")])
def test_every_look_draws(index, model):
    blocks = re.findall(r"^ *```toml\n(.*?)^ *```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    text = textwrap.dedent(blocks[index]).replace("song.mp3", "song.wav")
    text = re.sub(r"^(song|model) = .*\n", "", text, flags=re.MULTILINE)
    project = f'song = "song.wav"\nmodel = "{FILES / model}"\n{text}'
    first, later = drawn(project, 0.5), drawn(project, 0.9)
    assert first.std() > 1
    assert np.abs(first - later).mean() > 0.5
