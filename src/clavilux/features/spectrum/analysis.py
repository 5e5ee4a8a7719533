"""One pass over the song: the frame-wise measures that every other feature is computed from.

The song, mono at 22 050 Hz, is separated into a harmonic and a percussive part, and each part is measured per
frame. Samples and spectrogram are processed block by block and never held whole. Measures are amplitudes.
"""

import os
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from clavilux import catalogue
from clavilux.arrays import F16, F32
from clavilux.features.spectrum.cqt import PitchStrengths
from clavilux.features.spectrum.hpss import HALO, hpss_masks
from clavilux.features.spectrum.spectra import (
    BANDS,
    FRAME,
    HOP,
    RATE,
    WINDOW,
    bin_frequencies,
    frame_count,
    mel_bank,
    overlap_add,
    stft,
    to_half,
)
from clavilux.features.spectrum.stream import SampleStream
from clavilux.store import Arrays

__all__ = ["PARTS", "STEMS", "Analysis", "StemSpec", "analyse"]

PARTS = ("mix", "harmonic", "percussive")
"""What the separation yields; its stems are bands of these."""


@dataclass(frozen=True)
class StemSpec:
    """How a stem is separated: one part of the song, between two frequencies."""

    part: str
    low_hz: float = 0.0
    high_hz: float = RATE / 2


_SPECS = {
    "mix": StemSpec("mix"),
    "harmonic": StemSpec("harmonic"),
    "percussive": StemSpec("percussive"),
    "drums": StemSpec("percussive"),
    "bass": StemSpec("harmonic", 32.0, 250.0),
    "chords": StemSpec("harmonic", 220.0),
}
STEMS: Mapping[str, StemSpec] = MappingProxyType({name: _SPECS[name] for name in catalogue.STEMS})
"""Every stem of the catalogue, and how it is separated."""

STEM_HARMONIC_MARGIN = 2.0
"""With 16, the default of ``hpss``, chroma is less similar to the chords played (cosine 0.78 against 0.85 on
composed songs) and dense guitars become silent; the percussive margin stays 8."""
BLOCK_FRAMES = 256
"""6 s."""
MAX_WORKERS = 4


@dataclass(frozen=True, eq=False)
class Analysis:
    """The measures of every frame.

    Attributes:
        mel: part -> float16 (T, 96), amplitude per mel band.
        rms: stem -> float32 (T,), amplitude.
        pitches: float16 (T, 252), amplitude per pitch of the harmonic part, as in ``cqt``.
    """

    mel: Mapping[str, F16]
    rms: Mapping[str, F32]
    pitches: F16

    def arrays(self) -> Arrays:
        """Return the measures as named arrays, for a store."""
        arrays: Arrays = {f"mel_{part}": values for part, values in self.mel.items()}
        arrays |= {f"rms_{stem}": values for stem, values in self.rms.items()}
        return arrays | {"pitches": self.pitches}

    @classmethod
    def of(cls, arrays: Arrays) -> "Analysis":
        """Return the analysis whose ``arrays()`` these are."""
        return cls(
            {part: np.asarray(arrays[f"mel_{part}"], np.float16) for part in PARTS},
            {stem: np.asarray(arrays[f"rms_{stem}"], np.float32) for stem in STEMS},
            np.asarray(arrays["pitches"], np.float16),
        )


def analyse(samples: F32 | SampleStream) -> Analysis:
    """Separate a mono song at 22 050 Hz into its parts and measure each part.

    Blocks are computed in parallel; the result does not depend on how many at a time.

    Args:
        samples: float32 (n,), finite; any length, 0 included.

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> round(float(analyse(tone).rms["harmonic"][20]), 2)
    0.71
    """
    stream = SampleStream.of(samples)
    total = frame_count(len(stream))
    mel = {part: np.empty((total, BANDS), np.float16) for part in PARTS}
    rms = {stem: np.empty(total, np.float32) for stem in STEMS}
    pitches = PitchStrengths(len(stream))
    # Frame 0 is centred on the first sample: half a frame comes before the song. The tail of each block
    # overlaps the next one.
    first, before, tail = 0, FRAME // 2, np.zeros(FRAME - HOP, np.float32)
    for block in _measured_blocks(stream):
        last = first + block.power.shape[1]
        for part, values in zip(PARTS, block.mel, strict=True):
            mel[part][first:last] = to_half(values)
        for stem, values in zip(STEMS, block.power, strict=True):
            np.sqrt(values, out=rms[stem][first:last])
        block.harmonic[: len(tail)] += tail
        harmonic, tail = np.split(block.harmonic, [(last - first) * HOP])
        pitches.add(harmonic[before:])
        first, before = last, max(0, before - len(harmonic))
    pitches.add(tail[before:])
    return Analysis(mel, rms, pitches.values)


@dataclass(frozen=True, eq=False)
class _Banks:
    mel: F32  # (1025, 96)
    stems: tuple[F32, ...]  # (1025,) each, 1 for the bins inside the stem's band, else 0


@dataclass(frozen=True, eq=False)
class _Block:
    mel: F32  # (parts, t, 96), amplitude
    power: F32  # (stems, t)
    harmonic: F32  # ((t - 1) x 512 + 2048,), samples of the harmonic part, to be overlapped and added


def _measured_blocks(stream: SampleStream) -> Iterator[_Block]:
    """Yield the blocks of a song in order, and compute the next few meanwhile."""
    total = frame_count(len(stream))
    banks = _Banks(mel_bank(), _stem_bins())
    workers = min(MAX_WORKERS, os.cpu_count() or 1)
    pending: deque[Future[_Block]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for first in range(0, total, BLOCK_FRAMES):
            last = min(first + BLOCK_FRAMES, total)
            low, high = max(0, first - HALO), min(total, last + HALO)  # the medians' reach
            samples = stream.read(low * HOP - FRAME // 2, (high - 1) * HOP + FRAME // 2)
            pending.append(pool.submit(_measure_block, samples, slice(first - low, last - low), banks))
            if len(pending) > workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _measure_block(samples: F32, inside: slice, banks: _Banks) -> _Block:
    """Measure the frames ``inside`` a block; those around them only serve the medians."""
    spectrum = stft(samples)
    magnitude = np.abs(spectrum)
    masks = hpss_masks(magnitude, harmonic_margin=STEM_HARMONIC_MARGIN)
    spectrum, magnitude = spectrum[inside], magnitude[inside]
    parts = {
        "mix": magnitude,
        "harmonic": magnitude * masks.harmonic[inside],
        "percussive": magnitude * masks.percussive[inside],
    }
    squares = {part: values * values for part, values in parts.items()}
    stems = zip(STEMS.values(), banks.stems, strict=True)
    power = [squares[spec.part] @ bins for spec, bins in stems]  # (t,) each
    return _Block(
        # A sine of amplitude A has |X| = A sum(w) / 2 in its bin.
        mel=np.stack([values @ banks.mel for values in parts.values()]) / np.float32(WINDOW.sum() / 2),
        # Parseval: mean(x^2) = 2 sum_k |X_k|^2 / (N sum(w^2)); the factor 2 for the negative frequencies.
        power=np.stack(power) * np.float32(2 / (FRAME * np.square(WINDOW).sum())),
        harmonic=overlap_add(spectrum * masks.harmonic[inside]),
    )


def _stem_bins() -> tuple[F32, ...]:
    bins = bin_frequencies()
    return tuple(
        ((spec.low_hz <= bins) & (bins <= spec.high_hz)).astype(np.float32) for spec in STEMS.values()
    )
