"""What this machine has, and what it means for speed."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count
from pathlib import Path

from clavilux.engine.choose import Engine, engines
from clavilux.generator.model import builtin_models, named_models
from clavilux.make.workspace import models_folder
from clavilux.video.codecs import CODECS, encoder_opens

__all__ = ["Finding", "examine"]

PACKAGES = ("torch", "openvino", "av", "numpy", "scipy")
SPEEDS = {
    ("torch", "cuda"): "the fastest: many times a processor's speed",
    ("torch", "mps"): "several times a processor's speed",
    ("openvino", "bf16"): "about twice as fast as 32 bits; the precision 'exact' does without it",
    ("openvino", "f32"): "about twice as fast as plain torch",
    ("torch", "cpu"): "the slowest, used where nothing else is there",
}


@dataclass(frozen=True)
class Finding:
    """One fact about this machine.

    Attributes:
        what: such as 'processor'.
        found: what it is.
        means: what follows from it; empty where nothing does.
        fine: whether it is as it should be.
    """

    what: str
    found: str
    means: str = ""
    fine: bool = True


def examine(cache: Path) -> list[Finding]:
    """Look at everything that decides whether and how fast Clavilux runs here.

    Args:
        cache: the folder in which results are kept.
    """
    return [*_software(), *_drawing(), *_writing(), *_files(cache)]


def _software() -> Iterator[Finding]:
    yield Finding("clavilux", version("clavilux"))
    yield Finding("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in PACKAGES:
        try:
            yield Finding(name, version(name))
        except PackageNotFoundError:
            yield Finding(name, "not installed", f"pip install {name}", fine=False)


def _drawing() -> Iterator[Finding]:
    import torch

    features = torch.backends.cpu.get_cpu_capability()
    yield Finding(
        "processor", f"{cpu_count()} cores, {features}", "more cores draw faster, nearly in proportion"
    )
    there = [engine for engine in engines() if engine.missing is None]
    for engine in engines():
        name = f"{engine.name} on {engine.device}"
        if engine.missing is not None:
            yield Finding("engine", name, f"not used: {engine.missing}")
        elif engine == there[0]:
            yield Finding("engine", f"{name}, {engine.precision}", f"used: {_speed(engine)}")
        else:
            yield Finding("engine", f"{name}, {engine.precision}", _speed(engine))


def _speed(engine: Engine) -> str:
    return SPEEDS.get((engine.name, engine.device)) or SPEEDS.get((engine.name, engine.precision), "")


def _writing() -> Iterator[Finding]:
    opening = [name for name in CODECS if encoder_opens(name)]
    closed = [name for name in CODECS if name not in opening]
    means = f"no {', '.join(closed)}: they need an NVIDIA card with an encoder" if closed else ""
    yield Finding("encoders", ", ".join(opening), means, fine="h264" in opening)


def _files(cache: Path) -> Iterator[Finding]:
    yield Finding("models", ", ".join(builtin_models()))
    folder = models_folder()
    own = ", ".join(named_models(folder)) or "none yet"
    yield Finding("your models", f"{folder}: {own}", "checkpoints that are put here are found by name")
    names = {
        "known": "analyses of songs and surveys of models",
        "engine": "compiled programs",
        "renders": "unfinished renders",
    }
    for name, holds in names.items():
        size = sum(path.stat().st_size for path in (cache / name).rglob("*") if path.is_file())
        yield Finding("cache", f"{cache / name}: {size / 1e6:.1f} MB", f"{holds}; may be deleted at any time")
