"""A trained ear: how likely it is that a beat, a bar or a drum hit begins at each frame.

A small network of dilated convolutions over time (after Davies and Böck 2019), trained on rendered songs of
known truth (`tools/ear`) and run in NumPy, block by block. It hears every mel band of the mix and of the
percussive part against that band's own usual level in the song, so that mastering matters little, and how
much the harmony of bass and chords changes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib import resources

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.peaks import loud_level
from clavilux.features.spectrum.spectra import BANDS, HOP, PIECE, RATE

__all__ = ["EVENTS", "EventNet", "NetInputs", "event_net", "net_inputs"]

Array = NDArray[np.float32]

EVENTS = ("beat", "downbeat", "kick", "snare", "hat")
HEARD_PARTS = ("mix", "percussive")
COMPRESSION = 100.0
"""Gain before the logarithm, as in ``rhythm``."""
SPANS = tuple(round(seconds * RATE / HOP) for seconds in (0.2, 0.5, 1.0))
"""Frames before and after a moment whose harmony is compared."""
EVENEST = 0.05
"""Deviation that a band of log-mel is taken to have at least, so that silence is not blown up."""


@dataclass(frozen=True, eq=False)
class NetInputs:
    """What the ear hears of a song, made when it is asked for.

    Attributes:
        analysis: the song.
        changes: (T, 6), how much the harmony changes at each frame.
        gain: of the mel amplitudes, before the logarithm.
        mean, deviation: (192,) of the bands over the song.
    """

    analysis: Analysis
    changes: Array
    gain: float
    mean: Array
    deviation: Array

    def __len__(self) -> int:
        return len(self.changes)

    def between(self, first: int, last: int) -> Array:
        """Return the inputs of frames [first, last), float32 (last - first, 198)."""
        bands = _log_mel(self.analysis, self.gain, first, last)
        return np.concatenate(((bands - self.mean) / self.deviation, self.changes[first:last]), axis=1)


def net_inputs(analysis: Analysis, bass: Array, chords: Array) -> NetInputs:
    """Prepare what the ear hears.

    Args:
        analysis: the song.
        bass: chroma (T, 12) of its bass, per frame.
        chords: chroma (T, 12) of its chords, per frame.
    """
    loud = loud_level(analysis.rms["mix"])
    gain = COMPRESSION / loud if loud > 0 else 0.0
    frames = len(analysis.rms["mix"])
    sums, squares = np.zeros((2, len(HEARD_PARTS) * BANDS))
    for first in range(0, frames, PIECE):
        bands = _log_mel(analysis, gain, first, min(first + PIECE, frames))
        sums += bands.sum(axis=0, dtype=np.float64)
        squares += np.einsum("tb,tb->b", bands, bands, dtype=np.float64)
    mean = sums / frames
    deviation = np.sqrt(np.maximum(squares / frames - mean**2, 0))
    changes = np.concatenate([_changes(chroma, span) for chroma in (bass, chords) for span in SPANS], axis=1)
    return NetInputs(
        analysis,
        changes,
        gain,
        mean.astype(np.float32),
        np.maximum(deviation, EVENEST).astype(np.float32),
    )


def _log_mel(analysis: Analysis, gain: float, first: int, last: int) -> Array:
    parts = [analysis.mel[part][first:last].astype(np.float32) for part in HEARD_PARTS]
    return np.asarray(np.log1p(np.concatenate(parts, axis=1) * np.float32(gain)), np.float32)


def _changes(chroma: Array, span: int) -> Array:
    """How much the chroma after each frame differs from that before it, (T, 1), on the scale of chroma."""
    sums = np.concatenate((np.zeros((1, 12)), np.cumsum(chroma, axis=0, dtype=np.float64)))
    here = np.arange(len(chroma))
    before, after = np.maximum(here - span, 0), np.minimum(here + span, len(chroma))
    difference = (sums[after] - sums[here]) / (after - here)[:, None]
    difference -= (sums[here] - sums[before]) / np.maximum(here - before, 1)[:, None]
    return np.asarray(np.abs(difference).sum(axis=1, keepdims=True), np.float32)


class EventNet:
    """The network: one convolution into channels, residual blocks of growing dilation, one output per event.

    Args:
        weights: ``first.weight`` (3, 198, C) and ``first.bias`` (C,); for block i with dilation 2^i
            ``blocks.i.wide.weight`` (3, C, C), ``blocks.i.wide.bias``, ``blocks.i.back.weight`` (C, C) and
            ``blocks.i.back.bias``; ``last.weight`` (C, 5) and ``last.bias`` (5,).
    """

    def __init__(self, weights: Mapping[str, NDArray[np.floating]]) -> None:
        self._weights = {name: values.astype(np.float32) for name, values in weights.items()}
        self._blocks = sum(name.endswith("wide.bias") for name in weights)
        self.digest = digest_of(self._weights)
        """Hash of the weights: other weights, other answers."""
        self.reach = 2**self._blocks
        """Frames on either side that an answer depends on."""

    def listen(self, inputs: NetInputs) -> Array:
        """Return the likelihood of each event at each frame, float32 (T, 5), in `EVENTS`' order, 0 to 1."""
        return np.concatenate(list(self._answers(inputs)))

    def _answers(self, inputs: NetInputs) -> Iterator[Array]:
        frames = len(inputs)
        for first in range(0, frames, PIECE):
            last = min(first + PIECE, frames)
            low, high = max(0, first - self.reach), min(frames, last + self.reach)
            logits = self._run(inputs.between(low, high))[first - low : last - low]
            yield np.asarray(1 / (1 + np.exp(-logits)), np.float32)

    def _run(self, values: Array) -> Array:
        """From inputs (t, 198) to logits (t, 5); beyond the ends there is nothing."""
        weights = self._weights
        heard = np.maximum(_convolve(values, weights["first.weight"], 1) + weights["first.bias"], 0)
        for block in range(self._blocks):
            name = f"blocks.{block}"
            wide = _convolve(heard, weights[f"{name}.wide.weight"], 2**block) + weights[f"{name}.wide.bias"]
            heard += np.maximum(wide, 0) @ weights[f"{name}.back.weight"] + weights[f"{name}.back.bias"]
        return np.asarray(np.clip(heard @ weights["last.weight"] + weights["last.bias"], -30, 30))


def digest_of(weights: Mapping[str, Array]) -> str:
    """Hash named arrays.

    >>> digest_of({"a": np.zeros(2, np.float32)}) == digest_of({"a": np.ones(2, np.float32)})
    False
    """
    whole = blake2b(digest_size=8)
    for name in sorted(weights):
        whole.update(name.encode() + weights[name].tobytes())
    return whole.hexdigest()


def _convolve(values: Array, kernel: Array, dilation: int) -> Array:
    """Correlate (t, F) with (k, F, C) along time, k odd, zeros beyond the ends; (t, C)."""
    middle = len(kernel) // 2
    total = values @ kernel[middle]
    for tap, matrix in enumerate(kernel):
        shift = (tap - middle) * dilation
        if 0 < abs(shift) < len(values):
            earlier, later = values[: len(values) - abs(shift)], values[abs(shift) :]
            if shift > 0:
                total[:-shift] += later @ matrix
            else:
                total[-shift:] += earlier @ matrix
    return np.asarray(total)


@cache
def event_net() -> EventNet:
    """Return the ear that comes with Clavilux."""
    return EventNet(load(resources.files(__package__).joinpath("activations.safetensors").read_bytes()))
