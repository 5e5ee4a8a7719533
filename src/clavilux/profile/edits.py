"""Copy-paste edits of a model: a rule that pastes what one image shows into the context of others.

With the context's directions D fixed, what a layer draws before its activation is linear in Lambda, so the
goal is met in closed form, where Bau et al. (2020, arXiv:2007.15646) optimise: with R the residual between
goal and W0 K, M the unfolded D K, and p the weights of places, 1 in the pasted box and less outside, where
the goal is what was there, Lambda = R p M^T (M p M^T + l I)^-1. As demodulation depends on Lambda, this is
repeated.

Two things keep an edit where it was pasted. Keys of the contexts' images outside their masks count as much as
all keys of other images, so that d = C^-1 k* tells the places of one image apart. And l grows until the layer
is divided by little more than before: what a rule draws takes its share of the power that demodulation
returns to 1, so a rule with large Lambda would fade everything else.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from clavilux.arrays import F32, F64
from clavilux.errors import ModelError
from clavilux.generator.generate import seed_latents
from clavilux.generator.layers import EPSILON, SQRT2
from clavilux.generator.model import Model
from clavilux.generator.rewrites import styled_convs
from clavilux.profile.context_search import CONTEXTS, keys_of
from clavilux.profile.contexts import layer_before
from clavilux.profile.edit_files import EditPlan, Spot
from clavilux.profile.probe import BATCH, PSI, draw, sample_latents

__all__ = ["solve_edit"]

ROUNDS, OUTSIDE = 3, 0.3
"""Repetitions, and the weight of places outside the pasted box."""
DAMPINGS = tuple(10.0 ** (k / 4) for k in range(-12, 13))
"""l as a share of the mean of M p M^T's diagonal, tried in this order."""
LEAST_SHARE = 0.95
"""Of its former scale that a layer must keep, on average over its channels."""
SLOPE = 0.2
"""Of the leaky ReLU."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One image at one layer: x' (1, I, H, W), W0 x' (1, O, H, W), its output, and its style (1, I)."""

    keys: Tensor
    drawn: Tensor
    output: Tensor
    style: Tensor


def solve_edit(model: Model, layer: str, plan: EditPlan, *, rank: int = 1) -> tuple[Tensor, Tensor]:
    """Find the rule of an edit.

    Args:
        model: the generator.
        layer: a convolution that does not upsample.
        plan: what is copied and where to.
        rank: number of directions.

    Returns:
        Lambda (O, R, 3, 3) and directions (R, I).

    Raises:
        ModelError: the layer upsamples.
    """
    conv = styled_convs(model.network)[layer]
    if conv.up:
        hint = f"choose '{layer.replace('conv0', 'conv1')}'"
        raise ModelError(f"The layer '{layer}' cannot be edited", where="at", value=layer, hint=hint)
    directions = _directions(model, layer, plan.contexts, rank)
    source, target = (_seen(model, layer, spot.seed) for spot in (plan.source, plan.paste))
    side = int(target.output.shape[-1])
    wanted, box = _pasted(source.output, target.output, plan, side)
    along = F.conv2d(target.keys, directions[:, :, None, None])  # m = D x', (1, R, H, W)
    unfolded = F.unfold(along, 3, padding=1)[0]  # M, (9 R, P)
    places = torch.full((side, side), OUTSIDE, device=unfolded.device)
    places[box] = 1
    weighed = unfolded * places.flatten()  # M p
    gram = weighed @ unfolded.T  # M p M^T, (9 R, 9 R)
    unit = gram.diagonal().mean() * torch.eye(len(gram), device=gram.device)
    for damping in DAMPINGS:
        solver = torch.linalg.solve(gram + damping * unit, weighed)  # (M p M^T + l I)^-1 M p
        content, share = _content(conv.weight, directions, target, wanted, solver)
        if share >= LEAST_SHARE:
            break
    return content, directions


def _content(
    weight: Tensor, directions: Tensor, target: Seen, wanted: Tensor, solver: Tensor
) -> tuple[Tensor, float]:
    """Return Lambda, (O, R, 3, 3), and which share of its scale the layer keeps under it."""
    base = _factors(weight, target.style)
    texture = _before_relu(target.output) - base * target.drawn  # noise and bias, as they are
    factors = base
    for _ in range(ROUNDS):
        goal = (_before_relu(wanted) - texture) / factors
        residual = (goal - target.drawn)[0].flatten(1)  # R, (O, P)
        content = (residual @ solver.T).reshape(len(weight), len(directions), 3, 3)
        factors = _factors(weight + torch.einsum("oryx,ri->oiyx", content, directions), target.style)
    return content, float((factors / base).mean())


def _seen(model: Model, layer: str, seed: int) -> Seen:
    w = model.truncate(seed_latents(model, seed), PSI)
    kept: dict[str, Tensor] = {}
    before = layer_before(model, layer)

    def keep(name: str, x: Tensor) -> Tensor:
        kept[name] = x.float().clone()
        return x

    stop = model.sizes.layers[layer].resolution
    taps = {name: (lambda x, name=name: keep(name, x)) for name in (before, layer)}
    draw(model, w, taps=taps, stop=stop)
    conv = styled_convs(model.network)[layer]
    with torch.inference_mode():
        style = conv.affine(torch.from_numpy(w).to(conv.weight.device))
        keys = kept[before] * style[:, :, None, None]
        drawn = F.conv2d(keys, conv.weight, padding=1)
    return Seen(*(each.clone() for each in (keys, drawn, kept[layer], style)))


def _directions(model: Model, layer: str, contexts: tuple[Spot, ...], rank: int) -> Tensor:
    """Return the leading directions of some contexts, d = Z u with u singular vectors of whitened keys."""
    w = sample_latents(model, CONTEXTS.images)
    keys = [keys_of(model, layer, w[k : k + BATCH]) for k in range(0, len(w), BATCH)]
    rows: F64 = torch.cat(keys).permute(0, 2, 3, 1).flatten(0, 2).double().cpu().numpy()
    selected, others = [], []
    for spot in contexts:
        found = _seen(model, layer, spot.seed).keys
        inside = torch.from_numpy(spot.weights(int(found.shape[-1])) >= 0.5).to(found.device)
        selected.append(found[0, :, inside].T.double().cpu().numpy())
        others.append(found[0, :, ~inside].T.double().cpu().numpy())
    moment = _moment(rows)
    if any(map(len, others)):
        moment = moment + _moment(np.concatenate(others))
    moment += CONTEXTS.damping * np.trace(moment) / len(moment) * np.eye(len(moment))
    values, vectors = np.linalg.eigh(moment)
    whiten = vectors / np.sqrt(values) @ vectors.T  # Z = C^-1/2
    _, _, axes = np.linalg.svd(np.concatenate(selected) @ whiten, full_matrices=False)
    count = min(rank, len(axes))
    basis, _ = np.linalg.qr(whiten @ axes[:count].T)  # (I, R), orthonormal
    directions: F32 = np.zeros((rank, basis.shape[0]), np.float32)
    directions[:count] = basis.T
    return torch.from_numpy(directions).to(model.network.w_avg.device)


def _moment(rows: F64) -> F64:
    """Return the second moment of keys (N, I), (I, I), of mean power 1."""
    moment = rows.T @ rows
    return np.asarray(moment / max(np.trace(moment), 1e-12) * len(moment))


def _pasted(source: Tensor, target: Tensor, plan: EditPlan, side: int) -> tuple[Tensor, tuple[slice, slice]]:
    """Return the target's output with the source's box in it, and where that is."""
    rows, columns = plan.source.cells(side)
    high, width = rows.stop - rows.start, columns.stop - columns.start
    into = plan.paste.cells(side)
    top, left = (
        min(max((place.start + place.stop - length) // 2, 0), side - length)
        for place, length in zip(into, (high, width), strict=True)
    )
    box = slice(top, top + high), slice(left, left + width)
    alpha = torch.from_numpy(plan.source.weights(side)[rows, columns]).to(target.device)
    wanted = target.clone()
    old, new = target[:, :, box[0], box[1]], source[:, :, rows, columns]
    wanted[:, :, box[0], box[1]] = torch.where(alpha == 1, new, (1 - alpha) * old + alpha * new)
    return wanted, box


def _before_relu(output: Tensor) -> Tensor:
    """Undo the leaky ReLU."""
    return torch.where(output >= 0, output, output / SLOPE)


def _factors(weight: Tensor, style: Tensor) -> Tensor:
    """Return the demodulation of weights under a style, with the activation's gain, (1, O, 1, 1)."""
    power = style.square() @ weight.square().sum(dim=(2, 3)).T
    return ((power + EPSILON).rsqrt() * SQRT2)[:, :, None, None]
