"""A folder of the test's own to type commands in."""

import pytest


@pytest.fixture
def place(tmp_path, monkeypatch, tmp_path_factory):
    """An empty folder to be in, with data of its own; what is computed is kept for other tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("CLAVILUX_DATA", str(tmp_path / "data"))
