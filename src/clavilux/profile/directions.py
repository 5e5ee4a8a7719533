"""Directions of a model's latents that change one thing: energy, warmth, contrast, or a principal component.

No labels are needed: many images are drawn and described, and latents are regressed on their descriptors,
B = Cov(w, Y) Cov(Y)^-1. Column k of B moves descriptor k by a standard deviation and holds the others, and it
stays among the model's own latents, being a conditional mean E[w | Y]. How well a descriptor follows from the
latent at all is R^2 on images held out; where that is low, the model has no such control. Each direction is
used on the layers where it changes its own descriptor most and the others least, in steps of about two
standard deviations. Principal components are those of the latents (Härkönen et al. 2020, arXiv:2004.02546).
Latents are (N, D), descriptors (N, K).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from clavilux.arrays import F32, F64
from clavilux.catalogue import GROUPS
from clavilux.errors import ModelError, suggest
from clavilux.generator.model import Model
from clavilux.profile.probe import BATCH, PSI, colours, draw, sample_latents
from clavilux.store import Store

__all__ = ["DIRECTIONS", "Direction", "describe_images", "directions_of", "find_direction", "regress"]

VERSION = 1
NAMED = ("energy", "warmth", "contrast")
DESCRIPTORS = (*NAMED, "lightness", "chroma")
"""What images are described by; the last two are held while the others move."""


@dataclass(frozen=True)
class DirectionSpec:
    """How directions are found.

    Attributes:
        images: drawn and described.
        held_out: share of them on which R^2 is measured.
        components: of the latents that are regressed on, at most.
        tried: images on which the layers and the step are chosen.
        step: what a push of 1 changes, standard deviations of the descriptor.
        max_stretch: most times the regression's own step, so that latents stay usual.
        principal: principal components.
        least: R^2 below which a model has no such control.
        warm_hue: CIELAB hue of orange, radians.
    """

    images: int = 384
    held_out: float = 0.25
    components: int = 64
    tried: int = 8
    step: float = 2.0
    max_stretch: float = 6.0
    principal: int = 8
    least: float = 0.2
    warm_hue: float = float(np.deg2rad(55))


DIRECTIONS = DirectionSpec()


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction of latents.

    Attributes:
        name: 'energy', 'warmth', 'contrast', or 'principal 1' and so on.
        shift: what a push of 1 adds to the latent of each layer, untruncated, (L, D).
        group: the layers it moves: 'coarse', 'middle', 'fine' or 'all'.
        r2: how well its descriptor follows from the latent, on images held out; nan of a principal one.
        effect: what a push of 1 changes of its descriptor, standard deviations; nan of a principal one.
    """

    name: str
    shift: F32
    group: str
    r2: float
    effect: float

    @property
    def works(self) -> bool:
        """Whether the model has this control."""
        return not self.r2 < DIRECTIONS.least


def directions_of(model: Model, store: Store) -> dict[str, Direction]:
    """Find a model's directions by name, or read them from the store."""
    kept = store.fetch(f"generator/directions/{VERSION}/{model.digest}", lambda: _arrays(_found(model)))
    rows = zip(kept["names"], kept["shifts"], kept["groups"], kept["numbers"], strict=True)
    return {
        str(name): Direction(str(name), shift.astype(np.float32), str(group), *map(float, numbers))
        for name, shift, group, numbers in rows
    }


def find_direction(model: Model, store: Store, name: str) -> Direction:
    """Return one direction of a model.

    Raises:
        ModelError: it has none of that name, or it does not work with this model.
    """
    known = directions_of(model, store)
    if name not in known:
        hint = suggest(name, known, otherwise="there are {}")
        raise ModelError(f"There is no direction '{name[:40]}'", where="push", value=name, hint=hint)
    if not known[name].works:
        others = ", ".join(each for each, direction in known.items() if direction.works)
        raise ModelError(
            f"The model {model.name} has no control of {name}: R^2 is {known[name].r2:.2f}",
            where="push",
            value=name,
            hint=f"push {others}, or bend instead",
        )
    return known[name]


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


def _found(model: Model) -> list[Direction]:
    w = sample_latents(model, DIRECTIONS.images, "profile/directions")
    lab = np.concatenate([colours(draw(model, w[k : k + BATCH])) for k in range(0, len(w), BATCH)])
    y = describe_images(lab)
    b, r2 = regress(w.astype(np.float64), y)
    deviation = np.maximum(y.std(axis=0), 1e-9)
    found = [_named(model, k, name, b[:, k], r2[k], deviation) for k, name in enumerate(NAMED)]
    centred = (w - w.mean(axis=0)).astype(np.float64)
    _, scale, axes = np.linalg.svd(centred, full_matrices=False)
    for k in range(min(DIRECTIONS.principal, len(axes))):
        shift = (
            DIRECTIONS.step
            * scale[k]
            / np.sqrt(len(w))
            * axes[k]
            * np.sign(axes[k][np.abs(axes[k]).argmax()])
        )
        whole = np.repeat(shift[None] / PSI, model.num_ws, axis=0)
        found.append(Direction(f"principal {k + 1}", whole.astype(np.float32), "all", np.nan, np.nan))
    return found


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


def _arrays(found: list[Direction]) -> dict[str, np.ndarray]:
    return {
        "names": np.array([each.name for each in found]),
        "shifts": np.stack([each.shift for each in found]),
        "groups": np.array([each.group for each in found]),
        "numbers": np.array([(each.r2, each.effect) for each in found]),
    }
