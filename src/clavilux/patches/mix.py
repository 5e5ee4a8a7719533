"""One `mix` for signals, latents and noise: what the first argument is decides."""

from typing import Any, overload

from clavilux.errors import PatchError
from clavilux.patches.latent import Latent
from clavilux.patches.noise import Noise
from clavilux.signals.expr import Node, Signal, apply, as_signal
from clavilux.signals.table import OPS

__all__ = ["mix"]


@overload
def mix(first: Latent, second: Latent, amount: Signal | float) -> Latent: ...
@overload
def mix(first: Noise, second: Noise, amount: Signal | float) -> Noise: ...
@overload
def mix(first: Signal | float, second: Signal | float, amount: Signal | float) -> Signal: ...
def mix(first: Any, second: Any, amount: Signal | float) -> Any:
    """Blend from the first to the second as `amount` rises from 0 to 1.

    Latents and signals blend linearly, noise at constant power.

    Raises:
        PatchError: the two are of different kinds, or of a kind that cannot be mixed.

    >>> from clavilux.signals.sources import song
    >>> print(mix(song.bass.rms(), 1.0, 0.5))
    mix(bass.rms(low_hz=0, high_hz=11025), 1, 0.5)
    """
    start = first if isinstance(first, Node) else as_signal(first)
    op = OPS.get(f"{start.kind}.mix")
    if op is None:
        raise PatchError(f"{start.place} cannot be mixed", where="mix", hint="signals, latents and noise can")
    return apply(op, (start, second, amount), {})
