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
from clavilux.generator.rewrites.rewrite import Rewrite, Term
from clavilux.generator.sites import Place

__all__ = ["Boost", "Edit", "Mute", "Rule", "Scale", "Swap"]


class Scale(Rewrite):
    """Every weight turns into itself times N_t, normal about -1: at a = 1 the sign of all is turned.

    N_t = -1 + sigma E_t with E_t = cos(2 pi t) E_1 + sin(2 pi t) E_2 of fixed random E_r, so it is normal at
    every moment and returns after one turn. A straight line from W to W N_t would pass near zero, and as
    demodulation cancels any common factor, all would happen at once about a = 1/2. So the weights go half
    round an ellipse, W_t = W (cos(pi a) + f E_t), and differ from one another most on the way:
    f^2 = (2 sin(pi a))^2 + (sigma (1 - cos(pi a)) / 2)^2; twice as wide as a circle, so that the turn is
    slowest in the middle. It costs two more convolutions of the layer's size.

    Args:
        place: where it acts.
        base: the layer's weights, (O, I, 3, 3).
        spread: sigma.
    """

    moved = ("turn",)

    def __init__(self, place: Place, base: Tensor, *, spread: float = 0.31) -> None:
        noise = [
            torch.from_numpy(seeds.normal(place.seed, f"rewrite/scale/{place.layer}", r, tuple(base.shape)))
            for r in range(2)
        ]
        super().__init__(place, base, [Term(base, is_own=True), *(Term(base * each) for each in noise)])
        self.spread = spread
        self.spec = (*self.spec, spread)

    def coefficients(self, **signals: Tensor) -> list[Tensor]:
        """Return c: cos(pi a) - 1 of W, f cos(2 pi t) of W E_1, f sin(2 pi t) of W E_2."""
        half, angle = signals["amount"] * math.pi, signals["turn"] * (2 * math.pi)
        own = torch.cos(half)
        factor = torch.sqrt((2 * torch.sin(half)).square() + (self.spread * (1 - own) / 2).square())  # f
        return [own - 1, factor * torch.cos(angle), factor * torch.sin(angle)]


class Rule(Rewrite):
    """W0 + a sum_r Lambda_r d_r^T.

    Args:
        place: where it acts.
        base: the layer's weights, (O, I, 3, 3).
        content: Lambda, (O, R, 3, 3).
        directions: d, (R, I).
    """

    def __init__(self, place: Place, base: Tensor, content: Tensor, directions: Tensor) -> None:
        super().__init__(place, base, [Term(content[:, r], d) for r, d in enumerate(directions)])

    def coefficients(self, **signals: Tensor) -> list[Tensor]:
        """The amount, of each rank."""
        return [signals["amount"]] * len(self.terms)


class Mute(Rule):
    """W0 - a W0 k d^T: what the context is drawn with fades."""

    def __init__(self, place: Place, base: Tensor, context: Tensor) -> None:
        super().__init__(place, base, -_drawn(base, context[0])[:, None], context[1:])


class Boost(Rule):
    """W0 + a g W0 k d^T: what the context is drawn with is exaggerated; g is the gain."""

    def __init__(self, place: Place, base: Tensor, context: Tensor, *, gain: float = 2.0) -> None:
        super().__init__(place, base, gain * _drawn(base, context[0])[:, None], context[1:])
        self.spec = (*self.spec, gain)


class Swap(Rule):
    """W0 + a (W0 k2 - W0 k1) d1^T: where the first context appears, what the second would be is drawn."""

    def __init__(self, place: Place, base: Tensor, first: Tensor, second: Tensor) -> None:
        content = _drawn(base, second[0]) - _drawn(base, first[0])
        super().__init__(place, base, content[:, None], first[1:])


class Edit(Rule):
    """A copy-paste edit: Lambda and d from contexts and a goal, see `profile.edits`."""


def _drawn(weight: Tensor, key: Tensor) -> Tensor:
    """Return W0 k, (O, 3, 3): what the layer draws for a key."""
    return torch.einsum("oiyx,i->oyx", weight, key)
