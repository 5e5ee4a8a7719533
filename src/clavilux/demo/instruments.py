"""Synthesisers and effects of the demo song: drums, pad, bass, pluck, echo, reverb, ducking, soft limiter.

Samples are float32, mono (n,) or stereo (2, n), at any rate from 16 kHz; durations are seconds. Every note
starts on its first sample. Filters are magnitude responses in the frequency domain, so none has a state.
"""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.signal import oaconvolve

from clavilux import seeds
from clavilux.arrays import F32, F64, I64

__all__ = ["bass", "duck", "echo", "hat", "kick", "pad", "pluck", "reverb", "snare", "soft_limit"]


def pitch_to_hz(pitch: float) -> float:
    """Return the frequency of a MIDI pitch, A4 = 69 = 440 Hz.

    >>> pitch_to_hz(57)
    220.0
    """
    return float(440.0 * 2.0 ** ((pitch - 69) / 12))


def kick(rate: int, *, low_hz: float = 48.0, decay: float = 0.16) -> F32:
    """Synthesise a bass drum: a sine that falls from about 200 Hz to ``low_hz``, with a click of 2 ms.

    >>> kick(22050).shape
    (12127,)
    """
    t = _times(0.55, rate)
    sweep = 0.035
    # f(t) = low + 155 exp(-t / sweep); its integral is the phase in periods
    phase = low_hz * t + 155 * sweep * (1 - np.exp(-t / sweep))
    body = np.sin(2 * np.pi * phase) * np.exp(-t / decay)
    click = _noise("kick", len(t)) * np.exp(-t / 0.002) * 0.25
    return _finish_hit(body + click)


def snare(rate: int, *, tone_hz: float = 186.0, decay: float = 0.11) -> F32:
    """Synthesise a snare: two tones of the skin and bright noise of the wires.

    >>> snare(22050).dtype
    dtype('float32')
    """
    t = _times(0.4, rate)
    skin = (np.sin(2 * np.pi * tone_hz * t) + 0.6 * np.sin(2 * np.pi * 1.78 * tone_hz * t)) * np.exp(
        -t / 0.06
    )
    wires = _band(_noise("snare", len(t)), rate, 1200, 9000) * np.exp(-t / decay)
    return _finish_hit(0.45 * skin + 0.8 * wires)


def hat(rate: int, *, seconds: float = 0.12, decay: float = 0.028, low_hz: float = 7000.0) -> F32:
    """Synthesise a hi-hat: noise above ``low_hz``; a long ``decay`` opens it.

    >>> hat(22050, seconds=0.5, decay=0.2).shape
    (11025,)
    """
    t = _times(seconds, rate)
    return _finish_hit(_band(_noise("hat", len(t)), rate, low_hz, 0.48 * rate) * np.exp(-t / decay))


def bass(pitch: float, seconds: float, rate: int, *, overtones: float = 0.3) -> F32:
    """Synthesise a bass note: a sine with ``overtones`` of its second and a little of its third harmonic.

    >>> bass(33, 0.5, 22050).shape
    (11025,)
    """
    t = _times(seconds, rate)
    angle = 2 * np.pi * pitch_to_hz(pitch) * t
    wave = (
        np.sin(angle)
        + overtones * np.sin(2 * angle) * np.exp(-t / 0.25)
        + 0.3 * overtones * np.sin(3 * angle)
    )
    return (wave * _attack_release(t, seconds, attack=0.006, release=0.04)).astype(np.float32)


def pluck(pitch: float, seconds: float, rate: int, *, brightness: float = 0.5) -> F32:
    """Synthesise a plucked note, whose high harmonics decay first as on a string.

    >>> float(abs(pluck(69, 1.0, 22050)[-1])) < 1e-4
    True
    """
    t, hz = _times(seconds, rate), pitch_to_hz(pitch)
    wave = np.zeros_like(t)
    for harmonic in range(1, min(9, int(0.45 * rate / hz) + 1)):
        # b^(h - 1) sin(2 pi h f t) exp(-t (2.2 + 2 (h - 1)))
        fade = np.exp(-t * (2.2 + 2.0 * (harmonic - 1)))
        wave += brightness ** (harmonic - 1) * np.sin(2 * np.pi * hz * harmonic * t) * fade
    return (wave * _attack_release(t, seconds, attack=0.003, release=0.05)).astype(np.float32)


def pad(pitches: tuple[int, ...], seconds: float, rate: int, *, cutoff_hz: float, seed: int) -> F32:
    """Synthesise a chord of slightly detuned saw waves behind a gentle low-pass; (2, n), RMS about 1.

    Each harmonic is a narrow band of random phases in the spectrum of the whole chord, as of infinitely many
    voices in tune on average. The channels share half of their power.

    Source:
        Nasca, the PADsynth algorithm.

    >>> pad((60, 64, 67), 0.5, 22050, cutoff_hz=1500, seed=0).shape
    (2, 11025)
    """
    count = round(seconds * rate)
    size = next_fast_len(count, real=True)
    level = _harmonic_bands(pitches, rfftfreq(size, 1 / rate), cutoff_hz)
    rng = seeds.generator(seed, f"composer/pad/{pitches}")
    phases = np.exp(2j * np.pi * rng.random((3, level.size)))
    middle, left, right = irfft(level * phases, n=size)[:, :count]
    chord = np.stack([middle + left, middle + right])
    chord /= np.sqrt(np.mean(chord**2))
    t = np.arange(count) / rate
    return (chord * _attack_release(t, seconds, attack=0.09, release=0.35)).astype(np.float32)


def _harmonic_bands(pitches: tuple[int, ...], hz: F64, cutoff_hz: float) -> F64:
    """Return the amplitudes of a chord at the frequencies ``hz``, each harmonic a Gaussian 14 cents wide."""
    level, step = np.zeros_like(hz), hz[1]
    for pitch in pitches:
        base = pitch_to_hz(pitch)
        for harmonic in range(1, int(min(0.45 * 2 * hz[-1], 6 * cutoff_hz) / base) + 1):
            centre = base * harmonic
            width = max(centre * (2 ** (7 / 1200) - 1), 0.5 * step)
            near = slice(max(0, int((centre - 4 * width) / step)), int((centre + 4 * width) / step) + 2)
            bell = np.exp(-0.5 * ((hz[near] - centre) / width) ** 2)
            # exp(-((f - h f0) / width)^2 / 2) / h / (1 + (h f0 / cutoff)^2), at equal power for any width
            low_pass = 1 / (1 + (centre / cutoff_hz) ** 2)
            level[near] += bell * low_pass / harmonic / np.sqrt(width / step)
    return level


def echo(track: F32, delay: int, *, feedback: float = 0.42, repeats: int = 5) -> F32:
    """Repeat a stereo track every ``delay`` samples, softer and on alternating sides; the input is kept.

    >>> echo(np.eye(2, 8, dtype=np.float32), 3, feedback=0.5, repeats=2)[0].tolist()
    [1.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0625, 0.0]
    """
    out = track.copy()
    for repeat in range(1, repeats + 1):
        shift = repeat * delay
        if shift >= track.shape[1]:
            break
        sides = np.array([[1.0], [0.25]], np.float32)[:: 1 if repeat % 2 else -1]
        out[:, shift:] += feedback**repeat * sides * track[:, :-shift]
    return out


def reverb(track: F32, rate: int, *, seconds: float = 1.8) -> F32:
    """Return only the reverberation of a stereo track: 60 dB down after ``seconds``, above 200 Hz.

    >>> reverb(np.zeros((2, 100), np.float32), 22050).shape
    (2, 100)
    """
    out, sounding = np.zeros_like(track), np.flatnonzero(track.any(axis=0))
    if not sounding.size:
        return out
    count = round(seconds * rate)
    decay = np.exp(-6.9 * np.arange(count) / count)
    # The impulse response is decaying noise, one for each side, after 12 ms.
    room = np.stack([_band(_noise(f"room {side}", count), rate, 200, 6000) * decay for side in "LR"])
    room /= np.sqrt(np.sum(room**2, axis=1, keepdims=True))
    room = np.pad(room, ((0, 0), (round(0.012 * rate), 0))).astype(np.float32)
    first = sounding[0]  # before it, silence stays exact
    wet = oaconvolve(track[:, first:].mean(axis=0, keepdims=True), room, axes=1)
    out[:, first:] = wet[:, : track.shape[1] - first]
    return out


def duck(starts: I64, count: int, rate: int, *, depth: float) -> F32:
    """Compute a ducking gain (count,): it falls by ``depth`` in 6 ms at each start and recovers.

    >>> duck(np.array([0]), 22050, 22050, depth=0.5).min().round(2)
    np.float32(0.5)
    """
    t = np.arange(round(0.6 * rate)) / rate
    # g(t) = 1 - depth min(t / 6 ms, exp(-(t - 6 ms) / 110 ms))
    dip = np.minimum(t / 0.006, np.exp(-np.maximum(t - 0.006, 0) / 0.11)).astype(np.float32)
    amount = np.zeros(count, np.float32)
    for start in starts:
        here = amount[start : start + len(dip)]
        np.maximum(here, dip[: len(here)], out=here)
    return (1 - depth * amount).astype(np.float32)


def soft_limit(mix: F32, *, knee: float = 0.7) -> F32:
    """Compute the gain that limits ``mix`` softly to below 1; exactly 1 wherever the mix is under ``knee``.

    >>> soft_limit(np.array([[0.5, 2.0]], np.float32)).round(2).tolist()
    [[1.0, 0.5]]
    """
    size = np.abs(mix)
    # y = knee + (1 - knee) tanh((|x| - knee) / (1 - knee)) above the knee
    limited = knee + (1 - knee) * np.tanh((size - knee) / (1 - knee))
    return np.where(size > knee, limited / np.maximum(size, knee), 1.0).astype(np.float32)


def _times(seconds: float, rate: int) -> F64:
    return np.arange(int(seconds * rate)) / rate


def _noise(name: str, count: int) -> F64:
    return seeds.generator(0, f"composer/noise/{name}").standard_normal(count)


def _band(noise: F64, rate: int, low_hz: float, high_hz: float) -> F64:
    """Band-pass noise with gentle slopes, to an RMS of 1."""
    hz = np.maximum(rfftfreq(len(noise), 1 / rate), 1e-9)
    # |H| = 1 / sqrt((1 + (low / f)^8) (1 + (f / high)^8))
    shape = 1 / np.sqrt((1 + (low_hz / hz) ** 8) * (1 + (hz / high_hz) ** 8))
    kept = irfft(rfft(noise) * shape, n=len(noise))
    return np.asarray(kept / np.sqrt(np.mean(kept**2)))


def _attack_release(t: F64, seconds: float, *, attack: float, release: float) -> F64:
    ramp = np.clip(np.minimum(t / attack, (seconds - t) / release), 0, 1)
    return np.asarray(np.sin(0.5 * np.pi * ramp) ** 2)


def _finish_hit(hit: F64) -> F32:
    """Scale a drum hit to peak 1 and fade out its last fifth."""
    end = np.minimum(1.0, np.arange(len(hit), 0, -1) / (0.2 * len(hit)))
    closed = hit * end
    return np.asarray(closed / np.abs(closed).max(), np.float32)
