"""Event activations: how likely a beat, a downbeat or a drum hit begins at each frame.

The event network is a small stack of dilated convolutions over time (after Davies and Böck 2019), trained on
rendered songs of known truth (`tools/event_net`) and run in NumPy, block by block. Its inputs are the log-mel
bands of the mix and of the percussive part, each standardised over the song so that mastering matters little,
and the harmonic change of bass and chords. Arrays are frames first, (T, features), as in `spectra`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib import resources

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from clavilux.arrays import F32
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.peaks import loud_level
from clavilux.features.spectrum.spectra import BANDS, HOP, PIECE, RATE

__all__ = ["OUTPUTS", "EventNet", "NetInputs", "event_net", "net_inputs"]

OUTPUTS = ("beat", "downbeat", "kick", "snare", "hat")
"""The events of the network's five outputs, in order."""


@dataclass(frozen=True)
class InputModel:
    """How the network's inputs are computed. The weights were trained with these values: others need others.

    Attributes:
        parts: whose mel bands are read.
        compression: gain of the mel amplitudes before log(1 + x), over the song's loud level.
        chroma_spans: frames before and after a moment whose chroma is compared: 0.2, 0.5 and 1 s.
        min_deviation: lower bound of a band's standard deviation, so that silence is not amplified.
    """

    parts: tuple[str, ...] = ("mix", "percussive")
    compression: float = 100.0
    chroma_spans: tuple[int, ...] = tuple(round(seconds * RATE / HOP) for seconds in (0.2, 0.5, 1.0))
    min_deviation: float = 0.05


INPUTS = InputModel()


@dataclass(frozen=True, eq=False)
class NetInputs:
    """The network's inputs for a song; the mel bands are computed on request, a block at a time.

    Attributes:
        analysis: the song.
        changes: (T, 6), harmonic change at each frame: bass over three spans, chords over three spans.
        gain: of the mel amplitudes, before the logarithm.
        mean, deviation: (192,) mean and standard deviation of each log-mel band over the song.
    """

    analysis: Analysis
    changes: F32
    gain: float
    mean: F32
    deviation: F32

    def __len__(self) -> int:
        return len(self.changes)

    def between(self, first: int, last: int) -> F32:
        """Return the inputs of frames [first, last), float32 (last - first, 198)."""
        bands = _log_mel(self.analysis, self.gain, first, last)
        return np.concatenate(((bands - self.mean) / self.deviation, self.changes[first:last]), axis=1)


def net_inputs(analysis: Analysis, bass: F32, chords: F32) -> NetInputs:
    """Prepare the network's inputs for a song.

    Args:
        analysis: the song.
        bass: chroma (T, 12) of its bass, per frame.
        chords: chroma (T, 12) of its chords, per frame.
    """
    loud = loud_level(analysis.rms["mix"])
    gain = INPUTS.compression / loud if loud > 0 else 0.0
    frames = len(analysis.rms["mix"])
    sums, squares = np.zeros((2, len(INPUTS.parts) * BANDS))
    for first in range(0, frames, PIECE):
        bands = _log_mel(analysis, gain, first, min(first + PIECE, frames))
        sums += bands.sum(axis=0, dtype=np.float64)
        squares += np.einsum("tb,tb->b", bands, bands, dtype=np.float64)
    mean = sums / frames
    deviation = np.sqrt(np.maximum(squares / frames - mean**2, 0))  # Var x = E[x^2] - E[x]^2
    changes = [_harmonic_change(chroma, span) for chroma in (bass, chords) for span in INPUTS.chroma_spans]
    return NetInputs(
        analysis,
        np.concatenate(changes, axis=1),
        gain,
        mean.astype(np.float32),
        np.maximum(deviation, INPUTS.min_deviation).astype(np.float32),
    )


def _log_mel(analysis: Analysis, gain: float, first: int, last: int) -> F32:
    """Return log(1 + gain x amplitude) of each part's mel bands, (last - first, 192)."""
    parts = [analysis.mel[part][first:last].astype(np.float32) for part in INPUTS.parts]
    return np.asarray(np.log1p(np.concatenate(parts, axis=1) * np.float32(gain)), np.float32)


def _harmonic_change(chroma: F32, span: int) -> F32:
    """Return the L1 distance of the mean chroma ``span`` frames after each frame to that before, (T, 1)."""
    sums = np.concatenate((np.zeros((1, 12)), np.cumsum(chroma, axis=0, dtype=np.float64)))  # (T + 1, 12)
    here = np.arange(len(chroma))
    before, after = np.maximum(here - span, 0), np.minimum(here + span, len(chroma))
    difference = (sums[after] - sums[here]) / (after - here)[:, None]
    difference -= (sums[here] - sums[before]) / np.maximum(here - before, 1)[:, None]
    return np.asarray(np.abs(difference).sum(axis=1, keepdims=True), np.float32)


class EventNet:
    """The event network: one convolution into C channels, residual blocks of dilation 1, 2, 4 ..., 5 outputs.

    Args:
        weights: ``first.weight`` (3, 198, C) and ``first.bias`` (C,); for block i with dilation 2^i
            ``blocks.i.wide.weight`` (3, C, C), ``blocks.i.wide.bias``, ``blocks.i.back.weight`` (C, C) and
            ``blocks.i.back.bias``; ``last.weight`` (C, 5) and ``last.bias`` (5,).

    Attributes:
        digest: hash of the weights; other weights, other activations.
        reach: frames on either side that an output depends on.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.floating]]) -> None:
        self._weights = {name: values.astype(np.float32) for name, values in weights.items()}
        self._blocks = sum(name.endswith("wide.bias") for name in weights)
        hashed = blake2b(digest_size=8)
        for name in sorted(self._weights):
            hashed.update(name.encode() + self._weights[name].tobytes())
        self.digest = hashed.hexdigest()
        self.reach = 2**self._blocks  # 1 of the first convolution + sum of 2^i over the blocks

    def predict(self, inputs: NetInputs) -> F32:
        """Return the activation of each event at each frame, float32 (T, 5), in `OUTPUTS` order, 0 to 1."""
        frames, activations = len(inputs), []
        for first in range(0, frames, PIECE):
            last = min(first + PIECE, frames)
            low, high = max(0, first - self.reach), min(frames, last + self.reach)
            logits = self._logits(inputs.between(low, high))[first - low : last - low]
            activations.append(np.asarray(1 / (1 + np.exp(-logits)), np.float32))
        return np.concatenate(activations)

    def _logits(self, values: F32) -> F32:
        """Run the network on inputs (t, 198), with zeros beyond both ends; logits (t, 5)."""
        weights = self._weights
        # (t, C): h = relu(W1 * x + b1)
        hidden = np.maximum(_convolve(values, weights["first.weight"], 1) + weights["first.bias"], 0)
        for block in range(self._blocks):
            # h <- h + B relu(W * h + w) + b, where W has dilation 2^block
            name = f"blocks.{block}"
            wide = _convolve(hidden, weights[f"{name}.wide.weight"], 2**block) + weights[f"{name}.wide.bias"]
            hidden += np.maximum(wide, 0) @ weights[f"{name}.back.weight"] + weights[f"{name}.back.bias"]
        return np.asarray(np.clip(hidden @ weights["last.weight"] + weights["last.bias"], -30, 30))


def _convolve(values: F32, kernel: F32, dilation: int) -> F32:
    """Correlate (t, F) with (k, F, C) along time, k odd, zeros beyond the ends; (t, C)."""
    # y[t] = sum over k of x[t + (k - middle) dilation] @ W[k]
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
    """Return the event network that comes with Clavilux."""
    return EventNet(load(resources.files(__package__).joinpath("activations.safetensors").read_bytes()))
