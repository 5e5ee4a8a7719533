"""How a model's directions are found, without labels.

Many images are drawn and described, and latents are regressed on their descriptors, B = Cov(w, Y) Cov(Y)^-1.
Column k of B moves descriptor k by a standard deviation and holds the others, and it stays among the model's
own latents, being a conditional mean E[w | Y]. How well a descriptor follows from the latent at all is R^2 on
images held out; where that is low, the model has no such control. Each direction is used on the layers where
it changes its own descriptor most and the others least, in steps of about two standard deviations.

Principal components are those of the latents (Härkönen et al. 2020, arXiv:2004.02546), and for each group of
layers those of its styles: with Sigma the covariance of latents and A the group's affine weights, the leading
eigenvectors v of Sigma^1/2 A^T A Sigma^1/2, as w + Sigma^1/2 v. It joins what the latents do with what the
layers make of it (Shen & Zhou 2021, arXiv:2007.06600, look at A alone). Their R^2 is the share of the styles'
variance that one coordinate explains on latents held out. Latents are (N, D), descriptors (N, K).
"""

from typing import Literal

import numpy as np
from scipy.special import ndtri

from clavilux.arrays import F32, F64
from clavilux.catalogue import GROUPS, Group
from clavilux.generator.model import Model
from clavilux.generator.rewrites import styled_layers
from clavilux.profile.directions import DIRECTIONS, NAMED, Direction
from clavilux.profile.probe import BATCH, PSI, colours, draw, sample_latents

__all__ = ["describe_images", "regress", "search_directions"]


def describe_images(lab: F64) -> F64:
    """Describe images (N, H, W, 3) in CIELAB: energy, warmth, contrast, lightness and chroma, (N, 5)."""
    light, a, b = np.moveaxis(lab, -1, 0)
    down, across = np.diff(light, axis=1)[:, :, :-1], np.diff(light, axis=2)[:, :-1]
    slope = (down**2 + across**2).mean(axis=(1, 2))
    warm = np.cos(DIRECTIONS.warm_hue) * a + np.sin(DIRECTIONS.warm_hue) * b
    each = (
        np.log(slope + 1e-3),
        warm.mean(axis=(1, 2)),
        light.std(axis=(1, 2)),
        light.mean(axis=(1, 2)),
        np.hypot(a, b).mean(axis=(1, 2)),
    )
    return np.stack(each, axis=1)


def regress(w: F64, y: F64) -> tuple[F64, F64]:
    """Regress latents on descriptors, and measure how well descriptors follow from latents.

    Args:
        w: latents, (N, D).
        y: descriptors, (N, K).

    Returns:
        B, (D, K), a step of one standard deviation of each descriptor; R^2 on images held out, (K,).

    >>> random = np.random.default_rng(0)
    >>> w = random.standard_normal((400, 6))
    >>> b, r2 = regress(w, np.stack([w[:, 0] + w[:, 1], w[:, 1]], axis=1))
    >>> bool(r2.min() > 0.95), (b[:, 0] / b[0, 0]).round(1)[:2].tolist()
    (True, [1.0, 0.0])
    """
    train = len(w) - round(DIRECTIONS.held_out * len(w))
    z = _gaussian(y)
    centred = w - w[:train].mean(axis=0)
    _, _, axes = np.linalg.svd(centred[:train], full_matrices=False)
    axes = axes[: min(DIRECTIONS.components, train // 4, w.shape[1])]  # (P, D)
    inside = centred @ axes.T  # (N, P)
    spread = inside[:train].std(axis=0)
    white = inside / np.maximum(spread, 1e-12)
    # R^2 of ridge regression of descriptors on whitened latents
    gram = white[:train].T @ white[:train] + np.eye(len(axes)) * 0.05 * train
    slopes = np.linalg.solve(gram, white[:train].T @ z[:train])
    error = ((z[train:] - white[train:] @ slopes) ** 2).sum(axis=0)
    r2 = 1 - error / np.maximum(((z[train:] - z[train:].mean(axis=0)) ** 2).sum(axis=0), 1e-12)
    # B = Cov(w, Y) Cov(Y)^-1, within the leading components
    known = z[:train] - z[:train].mean(axis=0)
    covariance = known.T @ known / train + 0.02 * np.eye(z.shape[1])
    both = inside[:train].T @ known / train  # (P, K)
    return np.asarray(axes.T @ np.linalg.solve(covariance, both.T).T), np.asarray(r2)


def _gaussian(y: F64) -> F64:
    """Give every descriptor a standard normal distribution, by rank."""
    ranks = np.argsort(np.argsort(y, axis=0, kind="stable"), axis=0, kind="stable")
    return np.asarray(ndtri((ranks + 0.5) / len(y)))


def search_directions(model: Model) -> list[Direction]:
    """Find a model's directions: the named ones, and the principal ones of its latents and layer groups."""
    w = sample_latents(model, DIRECTIONS.images, "profile/directions")
    lab = np.concatenate([colours(draw(model, w[k : k + BATCH])) for k in range(0, len(w), BATCH)])
    y = describe_images(lab)
    b, r2 = regress(w.astype(np.float64), y)
    deviation = np.maximum(y.std(axis=0), 1e-9)
    found = [_named(model, k, name, b[:, k], r2[k], deviation) for k, name in enumerate(NAMED)]
    found += _principal(model, w.astype(np.float64), "all", DIRECTIONS.principal)
    for group in GROUPS:
        found += _principal(model, w.astype(np.float64), group, DIRECTIONS.of_group)
    return found


def _principal(model: Model, w: F64, group: Group | Literal["all"], count: int) -> list[Direction]:
    """Return the principal directions of a group's styles, or of all latents; w (N, D)."""
    layers = range(model.num_ws) if group == "all" else model.group(group)
    affine = np.eye(w.shape[1]) if group == "all" else style_weights(model, layers)  # A, (C, D)
    train = len(w) - round(DIRECTIONS.held_out * len(w))
    centred = w - w[:train].mean(axis=0)
    values, axes = np.linalg.eigh(centred[:train].T @ centred[:train] / train)
    scale = np.sqrt(np.maximum(values, 1e-9 * values.max()))
    root, inverse = axes * scale @ axes.T, axes / scale @ axes.T  # Sigma^1/2, Sigma^-1/2
    _, vectors = np.linalg.eigh(root @ affine.T @ affine @ root)
    found = []
    for k in range(min(count, len(scale))):
        v = vectors[:, -1 - k]
        v = v * np.sign(v[np.abs(v).argmax()])
        step, held = root @ v, centred[train:]  # one standard deviation
        rest = held - np.outer(held @ inverse @ v, step)
        r2 = 1 - ((rest @ affine.T) ** 2).sum() / max(((held @ affine.T) ** 2).sum(), 1e-12)
        shift = np.zeros((model.num_ws, model.w_dim), np.float32)
        shift[layers.start : layers.stop] = DIRECTIONS.step * step / PSI
        name = "principal" if group == "all" else group
        found.append(Direction(f"{name} {k + 1}", shift, group, float(r2), np.nan))
    return found


def style_weights(model: Model, layers: range) -> F64:
    """Return the affine weights of the layers that some latents style, one below the other, (C, D)."""
    names = [name for name, layer in model.sizes.layers.items() if layer.w_index in layers]
    rows = [
        module.affine.weight[:, : model.w_dim].double().cpu().numpy()
        for name, module in styled_layers(model.network).items()
        if name in names
    ]
    return np.concatenate(rows) if rows else np.eye(model.w_dim)


def _named(model: Model, k: int, name: str, step: F64, r2: float, deviation: F64) -> Direction:
    """Choose the layers on which a direction works best, and the length of its step."""
    groups = {group: model.group(group) for group in GROUPS} | {"all": range(model.num_ws)}
    w = sample_latents(model, DIRECTIONS.tried, "profile/directions/tried")
    plain = np.repeat(w[:, None], model.num_ws, axis=1)  # (N, L, D)
    best: tuple[float, str, F64, float] | None = None
    for group, layers in groups.items():
        shift = np.zeros((model.num_ws, model.w_dim))
        shift[layers.start : layers.stop] = step
        ends = [_described(model, (plain + sign * shift).astype(np.float32)) for sign in (1, -1)]
        change = (ends[0] - ends[1]).mean(axis=0) / 2 / deviation  # by one step, standard deviations
        leak = np.abs(np.delete(change[: len(NAMED)], k)).mean()
        score = float(change[k] / (leak + 0.25))
        if best is None or score > best[0]:
            best = (score, group, shift, float(change[k]))
    assert best is not None
    _, group, shift, effect = best
    stretch = min(DIRECTIONS.step / max(effect, 1e-3), DIRECTIONS.max_stretch)
    return Direction(name, (stretch * shift / PSI).astype(np.float32), group, float(r2), stretch * effect)


def _described(model: Model, ws: F32) -> F64:
    """Describe the images of latents (N, L, D)."""
    return describe_images(
        np.concatenate([colours(draw(model, ws[k : k + BATCH])) for k in range(0, len(ws), BATCH)])
    )
