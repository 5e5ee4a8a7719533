"""Recipes of older versions, brought up to date, so that an old video can be made again.

A migration turns a recipe of one schema into the next. What a newer schema knows and an older one did not is
filled in with the value that reproduces the old behaviour.

    1   version 0.1.0: `settings`, one flat table, and `plan`
    3   the text of a project file, with a table `made`; its identity has the exact text of the patch and the
        versions of its ops

An op's version rises when the same text gives other values. No text can then make an old video again: it is
refused, and the operations are named.
"""

from collections.abc import Callable, Mapping
from typing import Any

from clavilux.patches.presets.pulse import pulse
from clavilux.signals.table import OPS

__all__ = ["SAMPLES", "SCHEMA", "changed_ops", "migrated"]

SCHEMA = 3

SAMPLES = "samples:"
"""Begins the hash of a song that schema 1 identified by its decoded samples."""

FLUX_1 = "drums.flux(low_hz={low}, high_hz={high}).clip_peaks(percentile={peaks})"
KICK_1 = FLUX_1.format(low=30, high=150, peaks=80) + ".sharpen(by=1.5).release(beats=0.75)"
SNARE_1 = FLUX_1.format(low=200, high=5000, peaks=90) + ".sharpen(by=2).release(beats=0.75)"
HATS_1 = FLUX_1.format(low=6000, high=11000, peaks=90) + ".release(beats=0.25)"
LOOK_1 = "mix(palette(seed={%s}).loop(bars=32), palette(seed={%s}).weigh(%s), " + (
    "mix.rms(low_hz=0, high_hz=11025).smooth(seconds=1).clip_peaks(percentile=10))"
)
CHORDS_1 = "chords.chroma().smooth(seconds=0.2).focus(notes=2.5).turn(bars=48)"
BASS_1 = "bass.chroma().smooth(seconds=0.4).focus(notes=2).turn(bars=32)"
PULSE_1 = "\n".join(
    [
        f"latents = {LOOK_1 % ('seed', 'seed', CHORDS_1)}.on('coarse', {LOOK_1 % ('next', 'next', BASS_1)})"
        f".toward('accent', (0.7 * {SNARE_1}))",
        f"noise = drift(seconds=3).hurry(seconds=0.12, amount={KICK_1})"
        f".scale(((0.5 + (1.2 * {KICK_1})) + (0.3 * {HATS_1})))",
        "psi = {psi:g}",
    ]
)
"""The preset pulse as version 0.1.0 wrote it, with six digits a number."""
KNOBS_1 = {"smooth": 0.4}
"""Knobs of the preset pulse that have another default now."""

OUTPUT_1 = ("fps", "size", "cells", "codec", "bits", "crf")
PROJECT_1 = ("start", "duration", "seed", "model", "psi", "loop", "stems", "corrections")


def migrated(recipe: Any) -> dict[str, Any]:
    """Bring a recipe's plain values up to the newest schema.

    Raises:
        ValueError, KeyError, TypeError: it is no recipe, or of a newer schema.
    """
    if not isinstance(recipe, dict):
        raise TypeError("it is no table")
    whole: dict[str, Any] = recipe
    while whole["schema"] != SCHEMA:
        step = MIGRATIONS.get(whole["schema"])
        if step is None:
            raise ValueError(f"schema {str(whole['schema'])[:20]}")
        whole = step(whole)
    return whole


def changed_ops(versions: object) -> list[str]:
    """Return the operations that give other values in this version of Clavilux than where a text was written.

    Args:
        versions: of every operation that it uses, by key, as its identity has them.

    >>> changed_ops({"signal.smooth": 0, "signal.clip": 1})
    ["'smooth' (version 0, here 1)"]
    """
    known = versions if isinstance(versions, Mapping) else {}
    return [
        f"'{OPS[key].name}' (version {str(version)[:20]}, here {OPS[key].version})"
        for key, version in known.items()
        if key in OPS and OPS[key].version != version
    ]


def _from_1(old: Mapping[str, Any]) -> dict[str, Any]:
    settings, plan = _table(old["settings"]), dict(_table(old["plan"]))
    patch = pulse(settings["seed"], **KNOBS_1)
    psi = 1.0 if settings["psi"] is None else float(settings["psi"])
    as_written = PULSE_1.format(seed=settings["seed"], next=settings["seed"] + 1, psi=psi)
    known = plan["patch"] == as_written
    identity = plan | {
        "schema": SCHEMA,
        "patch": str(patch.with_psi(psi)) if known else plan["patch"],
        "files": [],
        "ops": dict.fromkeys(patch.versions, 1),
        "song": f"{SAMPLES}{plan['song']}",
        "stems": {name: f"{SAMPLES}{digest}" for name, digest in _table(plan["stems"]).items()},
        "flash_safety": "off",
    }
    top = {name: settings[name] for name in PROJECT_1 if settings[name] is not None}
    corrections = top.pop("corrections", None)
    return {
        "schema": SCHEMA,
        **top,
        **({} if corrections is None else {"corrections": corrections}),
        "look": {"preset": "pulse", **KNOBS_1},
        "output": {
            "flash_safety": "off",
            **{name: settings[name] for name in OUTPUT_1 if settings[name] is not None},
        },
        "made": {
            "version": old["version"],
            "precision": settings["precision"],
            "engines": [],
            "identity": identity,
            "pixels": old["pixels"],
        },
    }


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("a table is missing")
    return value


MIGRATIONS: Mapping[object, Callable[[Mapping[str, Any]], dict[str, Any]]] = {1: _from_1}
"""What brings a recipe of a schema to the next."""
