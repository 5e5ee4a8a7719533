"""The whole profile of a model: found once, listed, and drawn as a page."""

import json

import numpy as np
import pytest
from PIL import Image

from clavilux.cli import main
from clavilux.make.profile import draw_profile, profile_model
from clavilux.store import Store


def test_a_profile_is_found_once_and_drawn(small_model, tmp_path):
    store = Store(tmp_path / "store")
    profile = profile_model(small_model, store)
    assert list(profile.clusters) == ["const", "b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"]
    kept = {path: path.stat().st_mtime_ns for path in store.folder.iterdir()}
    again = profile_model(small_model, store)
    assert again.lines() == profile.lines()
    assert {path: path.stat().st_mtime_ns for path in store.folder.iterdir()} == kept
    page = np.asarray(Image.open(draw_profile(small_model, profile, tmp_path / "page.png")))
    assert page.shape[0] == (len(profile.directions) + len(profile.clusters)) * 132 + 4
    assert page.std() > 20


def test_the_command_lists_what_it_finds(small_file, tmp_path, capsys):
    page = tmp_path / "page.png"
    with pytest.raises(SystemExit) as ended:
        main(["models", "profile", str(small_file), "--json", "--page", str(page)])
    assert ended.value.code == 0
    found = json.loads(capsys.readouterr().out)["found"]
    assert "energy" in found
    assert "channels" in found["b8.conv1 cluster 0"]
    assert page.is_file()
