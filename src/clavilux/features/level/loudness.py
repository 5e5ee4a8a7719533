"""Loudness after ITU-R BS.1770-4, as broadcast and streaming services measure it.

Loudness is in LUFS; a stereo sine of 1 kHz with peaks at -23 dBFS has -23. Momentary loudness covers 0.4 s,
every 0.1 s. Below -70 LUFS there is nothing to measure.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from clavilux.arrays import F32, F64
from clavilux.audio.sound import Audio
from clavilux.features.level.bands import band_power
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.spectra import HOP, RATE, bin_frequencies
from clavilux.store import Arrays

__all__ = ["BS1770", "Loudness", "LoudnessModel", "k_weighting", "measure_loudness", "stem_loudness"]


@dataclass(frozen=True)
class LoudnessModel:
    """How loudness is measured. Values are those of BS.1770-4, annex 1.

    Attributes:
        absolute_gate_lufs: quieter blocks do not count.
        relative_gate_lu: relative to the mean of all blocks that pass the absolute gate; quieter blocks do
            not count either.
        offset_lu: compensates the gain of K-weighting at 1 kHz.
        steps_per_second, steps_per_block: a gating block lasts 0.4 s and overlaps the next by three quarters.
        surround_weight: weight of the surround channels.
    """

    absolute_gate_lufs: float = -70.0
    relative_gate_lu: float = -10.0
    offset_lu: float = -0.691
    steps_per_second: int = 10
    steps_per_block: int = 4
    surround_weight: float = 1.41


BS1770 = LoudnessModel()

# Channel indices by the names of FFmpeg's layouts; all others have weight 1: left, right, centre.
SURROUNDS = {"4.0": (3,), "5.0": (3, 4), "5.1": (4, 5), "6.1": (4, 5, 6), "7.1": (4, 5, 6, 7)}
SUBWOOFERS = {"2.1": (2,), "5.1": (3,), "6.1": (3,), "7.1": (3,)}
"""Low-frequency channels have weight 0."""

BLOCK_FRAMES = 17
"""0.4 s in frames of the analysis."""
READ_SECONDS = 2.0
"""Of audio read at once; a whole number of steps."""
MAX_FILTER_SHARE = 0.45
"""Of the sample rate: the highest frequency of a filter where the rate is low."""


@dataclass(frozen=True)
class Prototype:
    """An analogue filter: H(s) = (high s^2 + band s / q + low) / (s^2 + s / q + 1), where s = i f / hz."""

    hz: float
    q: float
    high: float
    band: float
    low: float


# The two stages behind the coefficients that BS.1770-4 lists for 48 kHz (tables 1 and 2).
HEAD_GAIN = 10 ** (3.999843853973347 / 20)
HEAD = Prototype(1681.974450955533, 0.7071752369554196, HEAD_GAIN, HEAD_GAIN**0.4996667741545416, 1.0)
"""The shelf of the head: + 4 dB above 1.7 kHz."""
LOW_CUT = Prototype(38.13547087602444, 0.5003270373238773, 1.0049948987, 0.0, 0.0)
"""The high gain is that of the standard's coefficients."""


@dataclass(frozen=True, eq=False)
class Loudness:
    """The loudness of a song.

    Attributes:
        lufs: of the whole song, gated; -70 in silence.
        momentary: float32 (N,) LUFS every 0.1 s; value i is that of the 0.4 s around ``i / 10`` s.
    """

    lufs: float
    momentary: F32

    def arrays(self) -> Arrays:
        """Return the loudness as named arrays, for a store."""
        return {"lufs": np.float64(self.lufs).reshape(1), "momentary": self.momentary}

    @classmethod
    def of(cls, arrays: Arrays) -> "Loudness":
        """Return the loudness whose ``arrays()`` these are."""
        return cls(float(arrays["lufs"].item()), np.asarray(arrays["momentary"], np.float32))


def measure_loudness(audio: Audio) -> Loudness:
    """Measure the loudness of a song from all its channels, block by block.

    A song shorter than 0.4 s is measured as if silence followed.

    Source:
        ITU-R BS.1770-4, annex 1; EBU Tech 3341 for momentary loudness.

    >>> tone = np.sin(2 * np.pi * 997 * np.arange(48000) / 48000)
    >>> round(measure_loudness(Audio.from_samples(tone, 48000)).lufs, 1)
    -3.0
    """
    steps = _step_powers(audio)
    count = BS1770.steps_per_block
    reach = count // 2
    blocks = np.convolve(np.pad(steps, reach), np.full(count, 1 / count), "valid")
    inside = blocks[reach:-reach]  # the others extend beyond the song
    return Loudness(_gated(inside), _lufs(blocks).astype(np.float32))


def k_weighting(rate: int) -> F64:
    """Design the K-weighting filter for audio at ``rate`` Hz: second-order sections (2, 6), as in SciPy.

    At 48 kHz it is that of BS.1770-4.

    >>> k_weighting(48000)[0].round(4).tolist()
    [1.5351, -2.6917, 1.1984, 1.0, -1.6907, 0.7325]
    """
    return np.array([_digital(prototype, rate) for prototype in (HEAD, LOW_CUT)])


def _digital(prototype: Prototype, rate: int) -> F64:
    """Transform a filter to ``rate`` with the bilinear transform, exact at the filter's own frequency."""
    # s = K (1 - z^-1) / (1 + z^-1), K = 1 / tan(pi hz / rate)
    scale = 1 / np.tan(np.pi * min(prototype.hz / rate, MAX_FILTER_SHARE))
    pairs = [
        _bilinear(np.array([prototype.high, prototype.band / prototype.q, prototype.low]), scale),
        _bilinear(np.array([1, 1 / prototype.q, 1]), scale),
    ]
    return np.asarray(np.concatenate(pairs) / pairs[1][0])


def _bilinear(polynomial: F64, scale: float) -> F64:
    # a s^2 + b s + c, times (1 + z^-1)^2, is
    # (aK^2 + bK + c) + 2 (c - aK^2) z^-1 + (aK^2 - bK + c) z^-2
    square, linear, constant = polynomial * (scale**2, scale, 1)
    return np.array([square + linear + constant, 2 * (constant - square), square - linear + constant])


def _step_powers(audio: Audio) -> F64:
    """Compute the K-weighted power of each whole 0.1 s, summed over channels by weight; four or more."""
    from scipy.signal import sosfilt  # takes a second to import; a song that is known needs none of it

    sections = k_weighting(audio.rate)
    state = np.zeros((len(sections), audio.channels, 2))
    weights = _channel_weights(audio.layout, audio.channels)
    powers = []
    for block in audio.blocks(READ_SECONDS):
        filtered, state = sosfilt(sections, block.astype(np.float64), zi=state)
        np.square(filtered, out=filtered)  # (channels, n)
        begun = -(-filtered.shape[1] * BS1770.steps_per_second // audio.rate)
        first = np.arange(begun) * audio.rate // BS1770.steps_per_second
        # sum_i G_i z_i, where z_i is the mean square of channel i (BS.1770-4, eq. 1 and 2)
        powers.append(np.add.reduceat(weights @ filtered, first) * (BS1770.steps_per_second / audio.rate))
    steps = np.pad(np.concatenate(powers), (0, BS1770.steps_per_block))
    whole = audio.samples * BS1770.steps_per_second // audio.rate
    return steps[: max(whole, BS1770.steps_per_block)]


def _channel_weights(layout: str, channels: int) -> F64:
    weights = np.ones(channels)
    weights[[index for index in SURROUNDS.get(layout, ()) if index < channels]] = BS1770.surround_weight
    weights[[index for index in SUBWOOFERS.get(layout, ()) if index < channels]] = 0
    return weights


def _lufs(powers: F64) -> F64:
    # L = -0.691 + 10 log10(sum_i G_i z_i) (BS.1770-4, eq. 2), at least -70
    quietest = 10 ** ((BS1770.absolute_gate_lufs - BS1770.offset_lu) / 10)
    return BS1770.offset_lu + 10 * np.log10(np.maximum(powers, quietest))


def _gated(blocks: F64) -> float:
    """Compute the loudness of the blocks that pass both gates, from their powers (N,)."""
    audible = blocks[_lufs(blocks) > BS1770.absolute_gate_lufs]
    if not len(audible):
        return BS1770.absolute_gate_lufs
    gate = _lufs(audible.mean(keepdims=True)) + BS1770.relative_gate_lu
    return float(_lufs(audible[_lufs(audible) > gate].mean(keepdims=True))[0])


def stem_loudness(analysis: Analysis, stem: str, momentary: F32) -> F32:
    """Compute the momentary loudness of a stem of the song, per frame: float32 (T,) LUFS.

    It is the song's own, reduced by the stem's share of the K-weighted power, which the mel bands give; so it
    is exact for the mix, and a stem is never louder than the mix.

    Args:
        analysis: of the song.
        stem: one of ``STEMS``.
        momentary: of the song, every 0.1 s, as in ``Loudness``.

    >>> from clavilux.features.spectrum.analysis import analyse
    >>> silence = analyse(np.zeros(22050, np.float32))
    >>> stem_loudness(silence, "bass", np.full(11, -70, np.float32))[0].item()
    -70.0
    """
    powers = [_k_power(analysis, name) for name in ("mix", stem)]
    of_mix, of_stem = (
        scipy.ndimage.uniform_filter1d(power, BLOCK_FRAMES, mode="constant") for power in powers
    )
    share = np.divide(of_stem, of_mix, out=np.zeros_like(of_mix), where=of_mix > 0)
    times = np.arange(len(share)) * HOP / RATE
    song = np.interp(times, np.arange(len(momentary)) / BS1770.steps_per_second, momentary)
    # L_stem = L_song + 10 log10(share), at least -70
    quietest = 10 ** ((BS1770.absolute_gate_lufs - song) / 10)
    return np.asarray(song + 10 * np.log10(np.clip(share, np.minimum(quietest, 1), 1)), np.float32)


def _k_power(analysis: Analysis, stem: str) -> F64:
    from scipy.signal import freqz_sos

    response = np.abs(freqz_sos(k_weighting(RATE), bin_frequencies(), fs=RATE)[1])
    return band_power(analysis, stem, response**2)
