"""Clavilux plays a StyleGAN generator like an instrument: a song in, a music video out."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clavilux.audio.sound import open_audio
    from clavilux.demo.composer import compose
    from clavilux.errors import ClaviluxError
    from clavilux.features.song import Song
    from clavilux.generator.model import load_model
    from clavilux.make.make import Rendered, render, still
    from clavilux.make.settings import Settings
    from clavilux.patch.mix import mix
    from clavilux.patch.noise import drift
    from clavilux.patch.palette import palette
    from clavilux.patch.patch import Patch
    from clavilux.patch.presets.pulse import pulse
    from clavilux.signals.sources import song
    from clavilux.store import Store

__all__ = [
    "ClaviluxError",
    "Patch",
    "Rendered",
    "Settings",
    "Song",
    "Store",
    "compose",
    "drift",
    "load_model",
    "mix",
    "open_audio",
    "palette",
    "pulse",
    "render",
    "song",
    "still",
]

__version__ = "0.1.0"

_HOMES = {
    "ClaviluxError": "errors",
    "palette": "patch.palette",
    "Patch": "patch.patch",
    "Rendered": "make.make",
    "Settings": "make.settings",
    "Song": "features.song",
    "Store": "store",
    "compose": "demo.composer",
    "drift": "patch.noise",
    "load_model": "generator.model",
    "mix": "patch.mix",
    "open_audio": "audio.sound",
    "pulse": "patch.presets.pulse",
    "render": "make.make",
    "song": "signals.sources",
    "still": "make.make",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, so that `import clavilux` is instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'clavilux' has no attribute '{name}'")
    return getattr(importlib.import_module(f"clavilux.{_HOMES[name]}"), name)
