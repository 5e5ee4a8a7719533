"""How loud a song sounds: ITU-R BS.1770-4, as broadcast and streaming measure it.

Loudness is in LUFS; a stereo sine of 1 kHz with peaks at -23 dBFS has -23. Momentary loudness is that of
0.4 s, every 0.1 s. Below ``QUIETEST_LUFS`` there is nothing to measure.
"""

from dataclasses import dataclass

import numpy as np
import scipy.signal
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from clavilux.audio.sound import Audio
from clavilux.features.level.bands import band_power
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.spectra import HOP, RATE, bin_frequencies
from clavilux.store import Arrays

__all__ = ["QUIETEST_LUFS", "Loudness", "k_weighting", "measure_loudness", "stem_loudness"]

Floats = NDArray[np.float64]
Array = NDArray[np.float32]

QUIETEST_LUFS = -70.0
STEPS_PER_SECOND = 10
STEPS_PER_BLOCK = 4
BLOCK_SECONDS = 2.0
"""Read at once; whole steps."""
BLOCK_FRAMES = 17
"""0.4 s."""
RELATIVE_GATE = -10.0
"""LU below the mean of all that is not silent: what is quieter does not count for the whole song."""
OFFSET = -0.691
"""LU: takes back what K-weighting adds at 1 kHz."""
HIGHEST_SHARE = 0.45
"""Of the sampling rate: filters of slow files end here."""

# Channels by the names of FFmpeg's layouts. All that is not here counts once: left, right, centre.
SURROUNDS = {"4.0": (3,), "5.0": (3, 4), "5.1": (4, 5), "6.1": (4, 5, 6), "7.1": (4, 5, 6, 7)}
"""Places of the channels beside and behind, which count 1.41-fold."""
SUBWOOFERS = {"2.1": (2,), "5.1": (3,), "6.1": (3,), "7.1": (3,)}
"""Places of the low-frequency channel, which does not count."""
SURROUND_WEIGHT = 1.41


@dataclass(frozen=True)
class Prototype:
    """An analogue filter: (high s^2 + band s / q + low) / (s^2 + s / q + 1), where s = i f / hz."""

    hz: float
    q: float
    high: float
    band: float
    low: float


# The two filters behind the coefficients that BS.1770-4 lists for 48 kHz (tables 1 and 2).
HEAD_GAIN = 10 ** (3.999843853973347 / 20)
HEAD = Prototype(1681.974450955533, 0.7071752369554196, HEAD_GAIN, HEAD_GAIN**0.4996667741545416, 1.0)
"""The head's shelf: + 4 dB above 1.7 kHz."""
LOW_CUT = Prototype(38.13547087602444, 0.5003270373238773, 1.0049948987, 0.0, 0.0)
"""Its gain far above is what the standard's coefficients give."""


@dataclass(frozen=True, eq=False)
class Loudness:
    """How loud a song is.

    Attributes:
        lufs: of the whole song, gated; ``QUIETEST_LUFS`` in silence.
        momentary: float32 (N,) LUFS every 0.1 s; value i is that of the 0.4 s around ``i / 10`` s.
    """

    lufs: float
    momentary: Array

    def arrays(self) -> Arrays:
        """Flatten into named arrays, to be kept in a store."""
        return {"lufs": np.float64(self.lufs).reshape(1), "momentary": self.momentary}

    @classmethod
    def of(cls, arrays: Arrays) -> "Loudness":
        """Make a loudness of what ``arrays`` gave."""
        return cls(float(arrays["lufs"].item()), np.asarray(arrays["momentary"], np.float32))


def measure_loudness(audio: Audio) -> Loudness:
    """Measure the loudness of a song's own channels, block by block.

    A song shorter than 0.4 s counts as if silence followed.

    Source:
        ITU-R BS.1770-4, annex 1; EBU Tech 3341 for momentary loudness.

    >>> tone = np.sin(2 * np.pi * 997 * np.arange(48000) / 48000)
    >>> round(measure_loudness(Audio.from_samples(tone, 48000)).lufs, 1)
    -3.0
    """
    steps = _step_powers(audio)
    reach = STEPS_PER_BLOCK // 2
    blocks = np.convolve(np.pad(steps, reach), np.full(STEPS_PER_BLOCK, 1 / STEPS_PER_BLOCK), "valid")
    inside = blocks[reach:-reach]  # the others reach beyond the song
    return Loudness(_gated(inside), _lufs(blocks).astype(np.float32))


def k_weighting(rate: int) -> Floats:
    """Make the filters for sound at ``rate`` Hz: second-order sections (2, 6), as SciPy has them.

    At 48 kHz they are those of BS.1770-4.

    >>> k_weighting(48000)[0].round(4).tolist()
    [1.5351, -2.6917, 1.1984, 1.0, -1.6907, 0.7325]
    """
    return np.array([_digital(prototype, rate) for prototype in (HEAD, LOW_CUT)])


def _digital(prototype: Prototype, rate: int) -> Floats:
    """Bring a filter to ``rate`` by the bilinear transform, exact at the filter's own frequency."""
    scale = 1 / np.tan(np.pi * min(prototype.hz / rate, HIGHEST_SHARE))
    pairs = [
        _bilinear(np.array([prototype.high, prototype.band / prototype.q, prototype.low]), scale),
        _bilinear(np.array([1, 1 / prototype.q, 1]), scale),
    ]
    return np.asarray(np.concatenate(pairs) / pairs[1][0])


def _bilinear(polynomial: Floats, scale: float) -> Floats:
    """Put s = scale (1 - z^-1) / (1 + z^-1) into a polynomial of second order, times (1 + z^-1)^2."""
    square, linear, constant = polynomial * (scale**2, scale, 1)
    return np.array([square + linear + constant, 2 * (constant - square), square - linear + constant])


def _step_powers(audio: Audio) -> Floats:
    """Mean K-weighted power of each whole tenth of a second, channels weighed and summed; four or more."""
    sections = k_weighting(audio.rate)
    state = np.zeros((len(sections), audio.channels, 2))
    weights = _channel_weights(audio.layout, audio.channels)
    powers = []
    for block in audio.blocks(BLOCK_SECONDS):
        heard, state = scipy.signal.sosfilt(sections, block.astype(np.float64), zi=state)
        np.square(heard, out=heard)
        begun = -(-heard.shape[1] * STEPS_PER_SECOND // audio.rate)
        first = np.arange(begun) * audio.rate // STEPS_PER_SECOND
        powers.append(np.add.reduceat(weights @ heard, first) * (STEPS_PER_SECOND / audio.rate))
    steps = np.pad(np.concatenate(powers), (0, STEPS_PER_BLOCK))
    whole = audio.samples * STEPS_PER_SECOND // audio.rate
    return steps[: max(whole, STEPS_PER_BLOCK)]


def _channel_weights(layout: str, channels: int) -> Floats:
    weights = np.ones(channels)
    weights[[place for place in SURROUNDS.get(layout, ()) if place < channels]] = SURROUND_WEIGHT
    weights[[place for place in SUBWOOFERS.get(layout, ()) if place < channels]] = 0
    return weights


def _lufs(powers: Floats) -> Floats:
    quietest = 10 ** ((QUIETEST_LUFS - OFFSET) / 10)
    return OFFSET + 10 * np.log10(np.maximum(powers, quietest))


def _gated(blocks: Floats) -> float:
    """Loudness of the blocks that are neither silent nor far quieter than the rest."""
    heard = blocks[_lufs(blocks) > QUIETEST_LUFS]
    if not len(heard):
        return QUIETEST_LUFS
    gate = _lufs(heard.mean(keepdims=True)) + RELATIVE_GATE
    return float(_lufs(heard[_lufs(heard) > gate].mean(keepdims=True))[0])


def stem_loudness(analysis: Analysis, stem: str, momentary: Array) -> Array:
    """Follow the momentary loudness of a stem of the song, per frame: float32 (T,) LUFS.

    It is the song's own, less what of the K-weighted power is not in the stem, as the mel bands tell; so it
    is exact for the mix, and a stem is never louder than that.

    Args:
        analysis: what was heard.
        stem: one of ``STEMS``.
        momentary: of the song, every 0.1 s, as ``Loudness`` has it.

    >>> from clavilux.features.spectrum.analysis import analyse
    >>> silence = analyse(np.zeros(22050, np.float32))
    >>> stem_loudness(silence, "bass", np.full(11, -70, np.float32))[0].item()
    -70.0
    """
    powers = [_k_power(analysis, name) for name in ("mix", stem)]
    of_mix, of_stem = (uniform_filter1d(power, BLOCK_FRAMES, mode="constant") for power in powers)
    share = np.divide(of_stem, of_mix, out=np.zeros_like(of_mix), where=of_mix > 0)
    times = np.arange(len(share)) * HOP / RATE
    song = np.interp(times, np.arange(len(momentary)) / STEPS_PER_SECOND, momentary)
    quietest = 10 ** ((QUIETEST_LUFS - song) / 10)
    return np.asarray(song + 10 * np.log10(np.clip(share, np.minimum(quietest, 1), 1)), np.float32)


def _k_power(analysis: Analysis, stem: str) -> Floats:
    response = np.abs(scipy.signal.freqz_sos(k_weighting(RATE), bin_frequencies(), fs=RATE)[1])
    return band_power(analysis, stem, response**2)
