"""A short composed song of known truth, heard once for all tests, and a small untrained model."""

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import settings

from clavilux import seeds
from clavilux.demo.composer import Composition, compose
from clavilux.features.song import Song
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.model import Model, load_model
from clavilux.generator.stylegan2_config import StyleGAN2Config

Arrays = dict[str, np.ndarray]

settings.register_profile(
    "untimed", deadline=None
)  # speed lives in benchmarks/; a busy machine fails no test
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Give each test process a Numba cache of its own, before librosa is imported.

    Processes that compile the same functions into one cache at once may load each other's code, and crash.
    """
    folder = tempfile.TemporaryDirectory(prefix="numba-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    os.environ["NUMBA_CACHE_DIR"] = folder.name


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests out of the user's folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLAVILUX_DATA", str(tmp_path_factory.mktemp("data")))
        patch.setenv("CLAVILUX_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def piece() -> Composition:
    """Intro, A, B, A, outro; 120 bpm, about 27 s."""
    return compose(0, bars=4, bpm=120, rate=22050)


@pytest.fixture(scope="session")
def heard(piece: Composition) -> Song:
    return Song(piece.audio)


@pytest.fixture(scope="session")
def random_arrays() -> Callable[[StyleGAN2Config, int], Arrays]:
    """Weights of a network that has never been trained, yet paints something of normal contrast."""

    def make(sizes: StyleGAN2Config, seed: int = 0) -> Arrays:
        arrays = {name: seeds.normal(seed, name, 0, shape) for name, shape in sizes.shapes().items()}
        for name, array in arrays.items():
            if name.endswith("affine.bias"):
                array[...] += 1
            if name.endswith("torgb.weight"):
                array[...] *= 0.3
            if ".fc" in name:
                array[...] *= 100
        return arrays

    return make


@pytest.fixture(scope="session")
def small_file(
    tmp_path_factory: pytest.TempPathFactory, random_arrays: Callable[[StyleGAN2Config, int], Arrays]
) -> Path:
    path: Path = tmp_path_factory.mktemp("models") / "small.safetensors"
    write_native(path, random_arrays(StyleGAN2Config(6, 8, 2, (12, 8, 6)), 0), {"licence": "CC0-1.0"})
    return path


@pytest.fixture(scope="session")
def small_model(small_file: Path) -> Model:
    return load_model(small_file)


@pytest.fixture(scope="session")
def composed():
    """A song of known truth, half a minute long."""
    return compose(1, bars=4)


@pytest.fixture(scope="session")
def song(composed):
    """The composed song, as heard; every feature is found at most once."""
    return Song(composed.audio)


@pytest.fixture(scope="session")
def mono(composed):
    """The composed song's samples, mono, 22 050 Hz."""
    return composed.audio.mono(22050)


@pytest.fixture(scope="session")
def tone():
    """Make a sine: Hz, seconds, amplitude -> float32 (n,) at 22 050 Hz."""

    def make(hz, seconds=2.0, amplitude=1.0):
        time = np.arange(round(seconds * 22050)) / 22050
        return (amplitude * np.sin(2 * np.pi * hz * time)).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def silk() -> Model:
    return load_model("silk")


@pytest.fixture(scope="session")
def changes() -> ModuleType:
    """Small bends and rewrites for networks."""
    spec = importlib.util.spec_from_file_location(
        "changes", Path(__file__).parent / "generator" / "changes.py"
    )
    sys.modules["changes"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
