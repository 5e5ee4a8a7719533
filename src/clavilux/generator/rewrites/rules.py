"""The rewrites: random scaling of weights, and rules of rank one (Bau et al. 2020, arXiv:2007.15646).

A convolution is an associative memory: where its input looks like a key k it draws a value W k. A rule
changes what is drawn for one context and little else: W = W0 + a Lambda d^T with d = C^-1 k* for the
context's mean key k*, C the second moment of all keys, scaled so that d^T k* = 1: then the rule changes what
k* draws by exactly Lambda, and other keys as little as can be. A context is k* and d, (2, I).
"""

import math

import torch
from torch import Tensor

from clavilux import seeds
from clavilux.generator.rewrites.rewrite import Place, Rewrite, Term

__all__ = ["Boost", "Edit", "Mute", "Rule", "Scale", "Swap"]


class Scale(Rewrite):
    """W_t = W ((1 - a) + a N_t), N_t normal about -1 for each weight: at a = 1 the sign of all is turned.

    N_t = -1 + sigma (cos(2 pi t) E_1 + sin(2 pi t) E_2) with fixed random E_r, so it is normal at every
    moment and returns after one turn. Demodulation cancels any common factor; the part that differs from
    weight to weight is what shows, and what keeps a = 1/2, where the mean vanishes, continuous. It costs
    two more convolutions of the layer's size.

    Args:
        place: which weights.
        spread: sigma.
    """

    moved = ("turn",)

    def __init__(self, place: Place, *, spread: float = 0.31) -> None:
        noise = [
            torch.from_numpy(
                seeds.normal(place.seed, f"rewrite/scale/{place.layer}", r, tuple(place.base.shape))
            )
            for r in range(2)
        ]
        super().__init__(place, [Term(place.base, is_own=True), *(Term(place.base * each) for each in noise)])
        self.spread = spread
        self.spec = (*self.spec, spread)

    def coefficients(self, **signals: Tensor) -> list[Tensor]:
        """W (1 - 2a) + a sigma (cos W E_1 + sin W E_2): c = -2a, a sigma cos, a sigma sin."""
        amount, angle = signals["amount"], signals["turn"] * (2 * math.pi)
        spread = amount * self.spread
        return [-2 * amount, spread * torch.cos(angle), spread * torch.sin(angle)]


class Rule(Rewrite):
    """W0 + a sum_r Lambda_r d_r^T.

    Args:
        place: which weights.
        content: Lambda, (O, R, 3, 3).
        directions: d, (R, I).
    """

    def __init__(self, place: Place, content: Tensor, directions: Tensor) -> None:
        super().__init__(place, [Term(content[:, r], d) for r, d in enumerate(directions)])

    def coefficients(self, **signals: Tensor) -> list[Tensor]:
        """The amount, of each rank."""
        return [signals["amount"]] * len(self.terms)


class Mute(Rule):
    """W0 - a W0 k d^T: what the context is drawn with fades."""

    def __init__(self, place: Place, context: Tensor) -> None:
        super().__init__(place, -_drawn(place.base, context[0])[:, None], context[1:])


class Boost(Rule):
    """W0 + a g W0 k d^T: what the context is drawn with is exaggerated; g is the gain."""

    def __init__(self, place: Place, context: Tensor, *, gain: float = 2.0) -> None:
        super().__init__(place, gain * _drawn(place.base, context[0])[:, None], context[1:])
        self.spec = (*self.spec, gain)


class Swap(Rule):
    """W0 + a (W0 k2 - W0 k1) d1^T: where the first context appears, what the second would be is drawn."""

    def __init__(self, place: Place, first: Tensor, second: Tensor) -> None:
        content = _drawn(place.base, second[0]) - _drawn(place.base, first[0])
        super().__init__(place, content[:, None], first[1:])


class Edit(Rule):
    """A copy-paste edit: Lambda and d from contexts and a goal, see `profile.edits`."""


def _drawn(weight: Tensor, key: Tensor) -> Tensor:
    """Return W0 k, (O, 3, 3): what the layer draws for a key."""
    return torch.einsum("oiyx,i->oyx", weight, key)
