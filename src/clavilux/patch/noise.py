"""What the texture does: noise that drifts, hurries and swells.

A noise field is a blend of tracks; a track is random texture that drifts into another within its time. Its
spread is that of the model's own noise times a signal.

>>> from clavilux.signals.sources import song
>>> print(drift(seconds=3).hurry(0.12, song.kick.decay(beats=0.5)).scale(1.5))
drift(seconds=3).hurry(seconds=0.12, amount=kick.decay(beats=0.5)).scale(1.5)
"""

from dataclasses import dataclass

from clavilux.errors import PatchError
from clavilux.signals.expr import Signal, as_signal

__all__ = ["NoiseField", "drift"]

CALM = as_signal(0.0)
FULL = as_signal(1.0)


@dataclass(frozen=True)
class NoiseField:
    """Drifting noise, its hurry and its amount.

    Attributes:
        seconds: time in which the slow texture has half changed.
        fast_seconds: the same for the fast texture it hurries to.
        haste: 0 only slow, 1 only fast.
        amount: standard deviation, in units of the model's own noise.
    """

    seconds: float
    fast_seconds: float | None = None
    haste: Signal = CALM
    amount: Signal = FULL

    def hurry(self, seconds: float, amount: Signal | float) -> "NoiseField":
        """Cross over to faster noise as `amount` goes from 0 to 1; the spread stays (technique 5)."""
        return NoiseField(self.seconds, _checked(seconds), as_signal(amount), self.amount)

    def scale(self, amount: Signal | float) -> "NoiseField":
        """Let the noise's standard deviation follow `amount`."""
        return NoiseField(self.seconds, self.fast_seconds, self.haste, as_signal(amount))

    def __str__(self) -> str:
        text = f"drift(seconds={self.seconds:g})"
        if self.fast_seconds is not None:
            text += f".hurry(seconds={self.fast_seconds:g}, amount={self.haste})"
        return text if self.amount == FULL else f"{text}.scale({self.amount})"


def drift(*, seconds: float) -> NoiseField:
    """Texture that has half changed after this many seconds."""
    return NoiseField(_checked(seconds))


def _checked(seconds: float) -> float:
    if not 0.01 <= seconds <= 3600:
        raise PatchError(f"Noise cannot drift in {seconds:g} seconds; give between 0.01 and 3600.")
    return float(seconds)
