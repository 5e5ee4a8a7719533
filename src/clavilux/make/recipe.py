"""The recipe of a video, which travels inside it: settings, what the frames depend on, and their hash."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path

from clavilux.errors import ModelError, SettingError
from clavilux.features.corrections import Corrections
from clavilux.make.settings import Settings
from clavilux.video.probe import probe

__all__ = ["KEY", "Recipe", "read_recipe"]

KEY = "clavilux"
"""Name of the recipe among a video's metadata."""

SCHEMA = 1
NEVER_TRAVELS = {"patch", "device"}


@dataclass(frozen=True)
class Recipe:
    """How a video was made.

    Attributes:
        version: of Clavilux.
        settings: as they were given; without the device, and without a patch written in Python.
        plan: everything the frames depend on, as plain values.
        pixels: hash of the raw frames, in segments.
    """

    version: str
    settings: Settings
    plan: Mapping[str, object]
    pixels: str

    @staticmethod
    def pixels_of(segment_hashes: list[str]) -> str:
        """Hash the hashes of the segments' raw frames."""
        return blake2b("".join(segment_hashes).encode(), digest_size=16).hexdigest()

    def to_text(self) -> str:
        """Write the recipe as JSON."""
        settings = {
            name: _plain(value) for name, value in vars(self.settings).items() if name not in NEVER_TRAVELS
        }
        whole = {"schema": SCHEMA, "version": self.version, "settings": settings}
        return json.dumps(whole | {"plan": dict(self.plan), "pixels": self.pixels})

    @classmethod
    def from_text(cls, text: str) -> "Recipe":
        """Read a recipe.

        Raises:
            ValueError, KeyError, TypeError: it is not one.
        """
        whole = json.loads(text)
        if whole["schema"] != SCHEMA:
            raise ValueError(f"schema {whole['schema']}")
        settings = dict(whole["settings"])
        for name in ("fps", "start", "duration"):
            settings[name] = None if settings[name] is None else Fraction(settings[name])
        for name in ("size", "cells"):
            settings[name] = None if settings[name] is None else tuple(settings[name])
        if settings["corrections"] is not None:
            settings["corrections"] = Corrections.from_dict(settings["corrections"])
        return cls(str(whole["version"]), Settings(**settings), dict(whole["plan"]), str(whole["pixels"]))

    def check(self, plan: Mapping[str, object]) -> None:
        """Make sure that a plan would give this recipe's frames.

        Raises:
            SettingError, ModelError: another song, model, patch or version; says which and what to do.
        """
        if plan["song"] != self.plan["song"]:
            raise SettingError(
                "This is not the sound the video was made of; give the same file, neither cut nor converted."
            )
        if plan["stems"] != self.plan["stems"]:
            raise SettingError(
                "These are not the stems the video was made with; name the folder of those with --stems."
            )
        if plan["model"] != self.plan["model"]:
            raise ModelError(
                f"The model '{self.settings.model}' is not the one the video was made with; name its file "
                "with --model."
            )
        if plan["patch"] != self.plan["patch"]:
            raise SettingError(
                f"The video was made with Clavilux {self.version} and a patch that this version does not "
                "have; run that version, or the script that holds the patch."
            )
        for name, value in plan.items():
            if value != self.plan.get(name):
                raise SettingError(
                    f"The video's recipe says {name} {self.plan.get(name)}, but this would be {value}."
                )


def _plain(value: object) -> object:
    """Make a setting of nothing but what JSON knows."""
    if isinstance(value, Corrections):
        return value.to_dict()
    return str(value) if isinstance(value, Fraction) else value


def read_recipe(path: Path) -> Recipe:
    """Read the recipe that travels in a video.

    Raises:
        SettingError: it is no video, or holds no recipe that this version can read.
    """
    text = probe(path).metadata.get(KEY)
    if text is None:
        raise SettingError(
            f"{path.name} holds no recipe; only videos made by Clavilux, unconverted, carry one."
        )
    try:
        return Recipe.from_text(text)
    except (ValueError, KeyError, TypeError) as error:
        raise SettingError(
            f"The recipe in {path.name} cannot be read ({error}); is Clavilux too old for it?"
        ) from error
