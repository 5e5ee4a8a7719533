"""Crossfades: one source of frames turns into another, for loops and for scenes.

`InputSpec.blend` gives how an input crosses: latents linearly, noise at constant power, the rest in
one step. Noise that both have in common, such as a track of one name in two scenes or the repeats of looped
noise, would swell by up to 1.41 where its amplitudes add; so what both have in common is measured.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

import numpy as np

from clavilux.arrays import F64, AnyArray
from clavilux.generator.inputs import InputSpec
from clavilux.timeline import Timeline, Window

__all__ = ["Crossfade", "FrameSource", "Shifted", "looped"]

LOOP_FADE_SECONDS = 2
"""How long the end of a loop fades into its beginning; at most half the loop."""


class FrameSource(Protocol):
    """Knows a program's inputs for every frame."""

    def at(self, window: Window) -> Mapping[str, AnyArray]:
        """Compute the inputs for the frames of a window, by name."""


@dataclass(frozen=True)
class Shifted:
    """A source's frames of another time.

    Attributes:
        source: the frames.
        seconds: how much later they are taken from.
    """

    source: FrameSource
    seconds: Fraction

    def at(self, window: Window) -> Mapping[str, AnyArray]:
        """Compute the inputs for the frames of a window."""
        timeline = replace(window.timeline, start=window.timeline.start + self.seconds)
        return self.source.at(timeline.window(window.first, window.count))


@dataclass(frozen=True)
class Crossfade:
    """One source that turns into another.

    Attributes:
        first: what it begins as.
        second: what it becomes.
        progress: of each frame of a window, (B,) from 0, all the first, to 1, all the second.
        specs: the program's inputs.
    """

    first: FrameSource
    second: FrameSource
    progress: Callable[[Window], F64]
    specs: Mapping[str, InputSpec]

    def at(self, window: Window) -> Mapping[str, AnyArray]:
        """Compute the inputs for the frames of a window."""
        progress = self.progress(window)
        if not progress.any():
            return self.first.at(window)
        if progress.min() >= 1:
            return self.second.at(window)
        first, second = self.first.at(window), self.second.at(window)
        noise = [name for name, spec in self.specs.items() if spec.blend == "power"]
        common = _correlation([first[name] for name in noise], [second[name] for name in noise])
        return {
            name: _blended(first[name], second[name], progress, spec.blend, common)
            for name, spec in self.specs.items()
        }


def looped(source: FrameSource, timeline: Timeline, specs: Mapping[str, InputSpec]) -> Crossfade:
    """Let the end of a timeline fade into its beginning: an exact loop.

    Towards the end the inputs become those of the time before the beginning, so that the frame after the last
    would be the first, and image and motion both go on.
    """
    length = float(min(LOOP_FADE_SECONDS * timeline.fps, Fraction(timeline.frames, 2)))

    def progress(window: Window) -> F64:
        place = np.clip((window.indices - timeline.frames + length) / length, 0, 1)
        return np.asarray(place * place * (3 - 2 * place))  # smoothstep

    return Crossfade(source, Shifted(source, -timeline.duration), progress, specs)


def _correlation(first: list[AnyArray], second: list[AnyArray]) -> F64:
    """Return how much two noises have in common in each frame, (B,): 0 where they are independent, to 1.

    Args:
        first: of every layer, (B, 1, H, W).
        second: the same.
    """
    if not first:
        return np.zeros(1)
    a, b = (
        np.concatenate([layer.reshape(len(layer), -1) for layer in layers], axis=1)
        for layers in (first, second)
    )
    found = np.einsum("bp,bp->b", a, b, dtype=np.float64)
    power = np.einsum("bp,bp->b", a, a, dtype=np.float64) * np.einsum("bp,bp->b", b, b, dtype=np.float64)
    rho = found / np.sqrt(np.maximum(power, 1e-12))
    by_chance = min(4 / np.sqrt(a.shape[1]), 0.5)  # four standard deviations; counts as none
    return np.asarray(np.clip((rho - by_chance) / (1 - by_chance), 0, 1))


def _blended(first: AnyArray, second: AnyArray, progress: F64, blend: str, common: F64) -> AnyArray:
    """Blend (B, ...) arrays, frame by frame; noise by what both have in common, (B,)."""
    shape = (-1, *(1,) * (first.ndim - 1))
    if blend == "power":  # cos^2 + sin^2 = 1: the variance of independent noise stays
        angle = progress * np.pi / 2
        # var(cos a + sin b) = 1 + 2 cos sin rho for noises a and b of variance 1
        gain = 1 / np.sqrt(1 + np.sin(2 * angle) * common)
        fade_in, fade_out = (
            (gain * fade(angle)).reshape(shape).astype(np.float32) for fade in (np.sin, np.cos)
        )
        return np.asarray(fade_out * first + fade_in * second)
    if blend == "linear":
        return np.asarray(first + progress.astype(np.float32).reshape(shape) * (second - first))
    return np.where((progress < 0.5).reshape(shape), first, second)
