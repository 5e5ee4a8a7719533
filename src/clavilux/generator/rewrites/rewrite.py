"""What every rewrite has in common: W(t) = W0 + sum_j c_j(t) D_j, in side branches, with exact demodulation.

Weights are never copied or changed: a branch convolves beside the layer's own weights, and what it adds to
the squared sum that demodulation divides by is computed from tables (Bau et al. 2020, arXiv:2007.15646, for
the rules; Karras et al. 2020, equation 3, for demodulation). With s the styles (B, I) and <D, E> the product
summed over the kernel, (O, I),

    sum_i,yx (W s)^2 = sum_i s_i^2 (<W0, W0> + 2 sum_j c_j <W0, D_j> + sum_jk c_j c_k <D_j, D_k>)_oi

A term D_j is either dense, (O, I, 3, 3), or of rank one, Lambda d^T with Lambda (O, 3, 3) and d (I,).
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from clavilux.generator.change import PER_FRAME
from clavilux.generator.sites import Place

__all__ = ["Crossed", "Rewrite", "Term"]


@dataclass(frozen=True, eq=False)
class Term:
    """One change of weights, D.

    Attributes:
        kernel: (O, I, 3, 3) of a dense one, Lambda (O, 3, 3) of one of rank one.
        direction: d, (I,), of one of rank one.
        is_own: whether the change is the layer's own weights, which need no branch: (1 + c) W0.
    """

    kernel: Tensor
    direction: Tensor | None = None
    is_own: bool = False

    @property
    def dense(self) -> Tensor:
        """The change itself, (O, I, 3, 3)."""
        if self.direction is None:
            return self.kernel
        return self.kernel[:, None] * self.direction[:, None, None]  # Lambda d^T

    @property
    def branch(self) -> Tensor:
        """The weights of its branch, (O, I, 3, 3) or (O, 1, 3, 3)."""
        return self.kernel if self.direction is None else self.kernel[:, None]


class Rewrite(nn.Module, ABC):
    """A change of one layer's weights by amounts per frame; what a `Change` of a rewrite makes.

    Args:
        place: where it acts.
        base: the layer's weights W0, (O, I, 3, 3).
        terms: the changes D_j: at most one of the layer's own weights, then dense ones, then rank one.
    """

    is_features = combines = True
    moved: ClassVar[tuple[str, ...]] = ()

    def __init__(self, place: Place, base: Tensor, terms: Sequence[Term]) -> None:
        super().__init__()
        self.layer, self.number = place.layer, place.number
        self.inputs = dict.fromkeys((*self.moved, "amount"), PER_FRAME)
        self.spec: tuple[Hashable, ...] = (type(self).__name__, place.layer, place.key)
        self.terms = tuple(terms)
        self.has_own = bool(terms and terms[0].is_own)
        branches = self.terms[self.has_own :]
        self.dense_count = sum(term.direction is None for term in branches)
        directions = [term.direction for term in terms if term.direction is not None]
        self.weight = nn.Buffer(torch.cat([term.branch for term in branches], dim=1))  # (O, K, 3, 3)
        self.directions = nn.Buffer(torch.stack(directions)[:, :, None, None]) if directions else None
        self.places = None if place.places is None else nn.Buffer(torch.from_numpy(place.places))
        self.tables = nn.Buffer(_tables(base, self.terms))  # (J + J (J + 1) / 2, O, I)

    @abstractmethod
    def coefficients(self, **signals: Tensor) -> list[Tensor]:
        """Return c_j, (B,) each, of this pass's signals (B,)."""

    def own(self, **signals: Tensor) -> Tensor | None:
        """Return c of the layer's own weights, (B,): they count 1 + c times; none where c is always 0."""
        return self.coefficients(**signals)[0] if self.has_own else None

    def keys(self, x: Tensor, **signals: Tensor) -> Tensor:
        """Return what the branch convolves, c_j x' or c_j d_j^T x', (B, K, H, W), of x' (B, I, H, W)."""
        factors = [c.to(x.dtype)[:, None, None, None] for c in self.coefficients(**signals)[self.has_own :]]
        found = [c * x for c in factors[: self.dense_count]]
        if self.directions is not None:
            along = nn.functional.conv2d(x, self.directions.to(x.dtype))  # d_j^T x', (B, R, H, W)
            found.append(along * torch.cat(factors[self.dense_count :], dim=1))
        keys = found[0] if len(found) == 1 else torch.cat(found, dim=1)
        return keys if self.places is None else keys * self.places.to(x.dtype)

    def power(self, style: Tensor, **signals: Tensor) -> Tensor:
        """Return 2 sum_j c_j <W0, D_j> + sum_jk c_j c_k <D_j, D_k> under styles (B, I); (B, O)."""
        c = self.coefficients(**signals)
        factors = [2 * each for each in c]
        factors += [(1 if j == k else 2) * c[j] * c[k] for j in range(len(c)) for k in range(j, len(c))]
        return _weighted(self.tables, style, factors)


class Crossed(nn.Module):
    """What several rewrites of one layer add to each other's power: 2 c_j c_k <D_j, D_k> between them."""

    is_features = True

    def __init__(self, rewrites: Sequence[Rewrite]) -> None:
        super().__init__()
        owned = [(p, j, term) for p, rewrite in enumerate(rewrites) for j, term in enumerate(rewrite.terms)]
        pairs = [(a, b) for n, a in enumerate(owned) for b in owned[n + 1 :] if a[0] != b[0]]
        self.pairs = [(a[:2], b[:2]) for a, b in pairs]
        self.tables = nn.Buffer(torch.stack([_product(a[2].dense, b[2].dense) for a, b in pairs]))

    def power(self, style: Tensor, coefficients: Sequence[Sequence[Tensor]]) -> Tensor:
        """Return the cross terms, (B, O), of the coefficients of each rewrite."""
        factors = [2 * coefficients[p][j] * coefficients[q][k] for (p, j), (q, k) in self.pairs]
        return _weighted(self.tables, style, factors)


def _product(first: Tensor, second: Tensor) -> Tensor:
    """Return <D, E>: the product summed over the kernel, (O, I)."""
    return (first * second).sum(dim=(2, 3))


def _tables(base: Tensor, terms: Sequence[Term]) -> Tensor:
    dense = [term.dense for term in terms]
    found = [_product(base, each) for each in dense]
    found += [_product(dense[j], dense[k]) for j in range(len(dense)) for k in range(j, len(dense))]
    return torch.stack(found)


def _weighted(tables: Tensor, style: Tensor, factors: Sequence[Tensor]) -> Tensor:
    """Return sum_n f_n sum_i s_i^2 T_noi, (B, O), of tables (N, O, I)."""
    count, out, into = tables.shape
    sums = (style.square() @ tables.reshape(count * out, into).T).reshape(-1, count, out)  # (B, N, O)
    return (sums * torch.stack(list(factors), dim=1)[:, :, None]).sum(dim=1)
