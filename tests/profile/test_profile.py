"""The whole profile of a model: found once, listed, and drawn as a page."""

import json

import numpy as np
import pytest
from PIL import Image

from clavilux.catalogue import MOODS
from clavilux.cli import main
from clavilux.make.profile import draw_profile, profile_model
from clavilux.make.workspace import NullReporter
from clavilux.store import Store


def test_a_profile_is_found_once_and_drawn(small_model, tmp_path):
    store = Store(tmp_path / "store")
    profile = profile_model(small_model, store)
    assert list(profile.clusters) == ["const", "b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"]
    kept = {path: path.stat().st_mtime_ns for path in store.folder.iterdir()}
    again = profile_model(small_model, store)
    assert again.lines() == profile.lines()
    assert {path: path.stat().st_mtime_ns for path in store.folder.iterdir()} == kept
    parts = (profile.palettes, profile.directions, profile.clusters, profile.rules)
    rows = sum(map(len, parts))
    page = np.asarray(Image.open(draw_profile(small_model, profile, tmp_path / "page.png")))
    assert page.shape[0] == rows * 132 + 4
    assert page.std() > 20


class Counting(NullReporter):
    """Adds up progress."""

    total = done = 0

    def begin(self, stage, total=None):
        self.total += total or 0

    def advance(self, count):
        assert count >= 0
        self.done += count


def test_progress_covers_all_of_it_and_palettes_are_found(small_model, tmp_path):
    counting = Counting()
    profile = profile_model(small_model, Store(tmp_path / "store"), counting)
    assert counting.done == counting.total > 0
    assert list(profile.palettes) == ["automatic", *MOODS]
    assert dict(profile.lines())["palette warm"].startswith("12 latents")


def test_the_command_lists_what_it_finds(small_file, tmp_path, capsys):
    page = tmp_path / "page.png"
    with pytest.raises(SystemExit) as ended:
        main(["models", "profile", str(small_file), "--json", "--page", str(page)])
    assert ended.value.code == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["seconds"] > 0
    found = printed["found"]
    assert "energy" in found
    assert "palette automatic" in found
    assert "channels" in found["b8.conv1 cluster 0"]
    assert page.is_file()
