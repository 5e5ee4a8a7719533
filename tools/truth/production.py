"""Mix stems like a record: balance, drive, tone, room, pumping, compression, noise; no delay.

No effect delays its input: filters are minimum phase, reverberation begins with the sound itself, gains do
not look ahead.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["RATE", "Production", "compress", "draw_production", "equalise", "limit", "pump", "reverberate"]

RATE = 44100
Stereo = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Production:
    """How a song is mixed; everything that is drawn at random for it.

    Attributes:
        gains_db: of each stem.
        drive_db: into a soft clipper, of the chords; 0 for none.
        tones: (kind, Hz, dB) of the mix's equaliser: low, high or peak.
        room: seconds of reverberation and its share; (0, 0) for none.
        pumping: how far everything but the drums ducks under the kick (sidechain), 0 to 1.
        squeeze: ratio of the compressor; 1 for none.
        limit_db: gain into the limiter.
        noise_db: level of pink noise, or None.
        peak: of the result.
        mono: whether both channels are the same.
    """

    gains_db: dict[str, float]
    drive_db: float
    tones: tuple[tuple[str, float, float], ...]
    room: tuple[float, float]
    pumping: float
    squeeze: float
    limit_db: float
    noise_db: float | None
    peak: float
    mono: bool

    def mix(self, stems: dict[str, Stereo], kicks: Floats, rng: np.random.Generator) -> Stereo:
        """Mix stems (n, 2) of one length into one record, float32 (n, 2) within +-1."""
        parts = {name: _levelled(stem) * _gain(self.gains_db[name]) for name, stem in stems.items()}
        if self.drive_db and "chords" in parts:
            parts["chords"] = drive(parts["chords"], self.drive_db)
        if self.pumping:
            dip = pump(len(next(iter(parts.values()))), kicks, self.pumping)[:, None]
            parts = {name: part if name == "drums" else part * dip for name, part in parts.items()}
        mixed = np.asarray(sum(parts.values()), np.float32)
        mixed = equalise(mixed, self.tones)
        if self.room[0]:
            mixed = reverberate(mixed, *self.room, rng)
        if self.squeeze > 1:
            mixed = compress(mixed, self.squeeze)
        mixed = limit(mixed * _gain(self.limit_db))
        if self.noise_db is not None:
            mixed = mixed + _pink(mixed.shape, rng) * _gain(self.noise_db)
        if self.mono:
            mixed = np.repeat(mixed.mean(axis=1, keepdims=True), 2, axis=1)
        return np.asarray(mixed * (self.peak / max(1e-9, np.abs(mixed).max())), np.float32)


def draw_production(rng: np.random.Generator, kind: str) -> Production:
    """Draw a production that suits a kind of music."""
    heavy, dance = kind in {"metal", "punk", "rock"}, kind in {"dance", "break", "hiphop"}
    gains = {"drums": 0.0, "bass": -2.0, "chords": -4.0, "melody": -3.0}
    tones = (
        ("low", float(rng.uniform(70, 220)), float(rng.normal() * 3)),
        ("peak", float(np.exp(rng.uniform(np.log(250), np.log(4000)))), float(rng.normal() * 3)),
        ("high", float(rng.uniform(3000, 9000)), float(rng.normal() * 4)),
    )
    roomy = rng.random() < 0.7
    return Production(
        {name: gain + float(rng.normal() * 2.5) for name, gain in gains.items()},
        drive_db=float(rng.uniform(6, 24)) if rng.random() < (0.7 if heavy else 0.1) else 0.0,
        tones=tones if rng.random() < 0.8 else (),
        room=(float(rng.uniform(0.25, 2.2)), float(rng.uniform(0.03, 0.28))) if roomy else (0.0, 0.0),
        pumping=float(rng.uniform(0.3, 0.85)) if dance and rng.random() < 0.6 else 0.0,
        squeeze=float(rng.uniform(1.5, 5)) if rng.random() < 0.6 else 1.0,
        limit_db=float(rng.uniform(0, 12)) + 3 * heavy if rng.random() < 0.6 else 0.0,
        noise_db=float(rng.uniform(-72, -42)) if rng.random() < 0.25 else None,
        peak=float(rng.uniform(0.35, 0.99)),
        mono=bool(rng.random() < 0.1),
    )


def drive(sound: Stereo, gain_db: float) -> Stereo:
    """Clip softly, and restore the level."""
    clipped = np.tanh(sound * _gain(gain_db) * 4)
    return np.asarray(clipped * (_rms(sound) / max(1e-9, _rms(clipped))), np.float32)


def equalise(sound: Stereo, tones: tuple[tuple[str, float, float], ...]) -> Stereo:
    """Raise or lower the lows, the highs or a band, by second-order minimum-phase filters."""
    for kind, hz, gain_db in tones:
        b, a = _biquad(kind, hz, gain_db)
        sound = signal.lfilter(b, a, sound, axis=0).astype(np.float32)
    return sound


def reverberate(sound: Stereo, seconds: float, share: float, rng: np.random.Generator) -> Stereo:
    """Add a room: noise that decays by 60 dB in `seconds`, begun 8 ms after the sound."""
    n = int(seconds * RATE)
    tail = rng.standard_normal((n, 2)) * np.exp(-6.9 * np.arange(n) / n)[:, None]
    tail = signal.lfilter([0.35], [1, -0.65], tail, axis=0)
    tail *= share / np.sqrt((tail**2).sum(axis=0))
    tail = np.concatenate([np.zeros((int(0.008 * RATE), 2)), tail])
    wet = signal.oaconvolve(sound, tail.astype(np.float32), axes=0)[: len(sound)]
    return np.asarray(sound + wet, np.float32)


def pump(samples: int, kicks: Floats, depth: float, seconds: float = 0.18) -> NDArray[np.float32]:
    """Return a gain (n,) that ducks by `depth` at each kick (s) and recovers."""
    gain = np.ones(samples, np.float32)
    shape = (1 - depth * np.exp(-np.arange(int(3 * seconds * RATE)) / (seconds * RATE))).astype(np.float32)
    for place in (np.asarray(kicks) * RATE).astype(int):
        part = gain[place : place + len(shape)]
        np.minimum(part, shape[: len(part)], out=part)
    return gain


def compress(sound: Stereo, ratio: float, threshold_db: float = -14.0) -> Stereo:
    """Turn down what is above the threshold, quickly (5 ms) and back slowly (about 100 ms)."""
    level = np.abs(sound).max(axis=1)
    hop = 64
    frames = np.maximum.reduceat(level, np.arange(0, len(level), hop))
    over = np.maximum(0, 20 * np.log10(np.maximum(frames, 1e-6)) - threshold_db - _peak_db(sound))
    smooth = _attack_release(over * (1 - 1 / ratio), 0.005, 0.1, RATE / hop)
    gain = _gain(-np.interp(np.arange(len(level)), np.arange(len(smooth)) * hop, smooth))
    return np.asarray(sound * gain[:, None], np.float32)


def limit(sound: Stereo, ceiling: float = 0.97) -> Stereo:
    """Saturate peaks softly below the ceiling."""
    knee = 0.6 * ceiling
    over = np.abs(sound) > knee
    saturated = knee + (ceiling - knee) * np.tanh((np.abs(sound) - knee) / (ceiling - knee))
    return np.asarray(np.where(over, np.sign(sound) * saturated, sound), np.float32)


def _levelled(stem: Stereo) -> Stereo:
    """Normalise the level of what sounds of a stem, so that gains mean the same in every song."""
    power = (stem**2).mean(axis=1)
    blocks = power[: len(power) // 4096 * 4096].reshape(-1, 4096).mean(axis=1)
    sounding = blocks[blocks > 1e-3 * blocks.max(initial=0)]
    level = np.sqrt(sounding.mean()) if len(sounding) else 1.0
    return np.asarray(stem * (0.12 / max(level, 1e-6)), np.float32)


def _attack_release(values: Floats, attack: float, release: float, rate: float) -> Floats:
    rise, fall = np.exp(-1 / (attack * rate)), np.exp(-1 / (release * rate))
    state, smooth = 0.0, np.empty(len(values))
    for k, value in enumerate(values.tolist()):
        keep = rise if value > state else fall
        state = keep * state + (1 - keep) * value
        smooth[k] = state
    return smooth


def _biquad(kind: str, hz: float, gain_db: float) -> tuple[Floats, Floats]:
    """Shelf and peak filters after Bristow-Johnson's cookbook, Q 0.7."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * hz / RATE
    c, alpha = np.cos(w), np.sin(w) / 1.4
    if kind == "peak":
        b = [1 + alpha * a, -2 * c, 1 - alpha * a]
        den = [1 + alpha / a, -2 * c, 1 - alpha / a]
    else:
        s, r = (1 if kind == "low" else -1), 2 * np.sqrt(a) * alpha
        less, more = a + 1 - s * (a - 1) * c, a + 1 + s * (a - 1) * c
        b = [a * (less + r), s * 2 * a * (a - 1 - s * (a + 1) * c), a * (less - r)]
        den = [more + r, s * -2 * (a - 1 + s * (a + 1) * c), more - r]
    return np.array(b) / den[0], np.array(den) / den[0]


def _pink(shape: tuple[int, ...], rng: np.random.Generator) -> Stereo:
    white = rng.standard_normal(shape).astype(np.float32)
    pink = signal.lfilter([1, -0.974], [1, -1.98, 0.9801], white, axis=0)
    return np.asarray(pink / max(1e-9, pink.std()), np.float32)


def _gain(db: float | Floats) -> float | Floats:
    return 10 ** (np.asarray(db) / 20) if isinstance(db, np.ndarray) else 10 ** (db / 20)


def _rms(sound: Stereo) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def _peak_db(sound: Stereo) -> float:
    return float(20 * np.log10(max(1e-6, np.abs(sound).max())))
