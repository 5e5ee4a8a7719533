"""A survey: a pool of images of a generator, drawn once and described.

Colours are CIELAB under D65; latents are w (N, D), untruncated; the pool is drawn under truncation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clavilux import seeds
from clavilux.array_files import Arrays, hash_of_arrays, load_arrays
from clavilux.arrays import F32
from clavilux.errors import ModelError
from clavilux.generator.canvas import default_cells
from clavilux.generator.model import BUILTIN, Model
from clavilux.generator.network import NetworkSizes, image_sides
from clavilux.store import Store

__all__ = [
    "SURVEY",
    "Progress",
    "Survey",
    "SurveySpec",
    "View",
    "describe",
    "key_of",
    "survey",
    "untold",
    "view_of",
]

VERSION = 1
"""Part of the store's key; goes up whenever a survey's numbers change."""

Progress = Callable[[int, int], None]
"""Is told how many images have been drawn, and of how many."""


def untold(done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class SurveySpec:
    """How a pool is drawn and described.

    Attributes:
        count: images in a pool.
        min_count: images from which palettes can be chosen: two for each of twelve entries.
        psi: truncation under which the pool is drawn.
        max_resolution: larger networks are drawn up to this resolution, px.
        image_cost: dearer images are drawn smaller, down to 64 px, 10^9 multiplications.
        cost: dearer pools have fewer images; two cores multiply some 55 x 10^9 times a second.
        detail_side: side at which detail is measured, px.
        colour_side: side of the grid of colours.
        batch: images drawn at once.
    """

    count: int = 128
    min_count: int = 24
    psi: float = 0.7
    max_resolution: int = 256
    image_cost: float = 20.0
    cost: float = 2200.0
    detail_side: int = 64
    colour_side: int = 16
    batch: int = 4


SURVEY = SurveySpec()

MIN_CELLS = 4
"""Fewest rows and columns of Fourier features that are drawn."""


@dataclass(frozen=True, eq=False)
class Survey:
    """A pool of N images of a model.

    Attributes:
        ws: their latents, (N, D); of given ones perhaps (N, L, D).
        lab: their colours on a coarse grid, CIELAB, (N, 16, 16, 3).
        energy: their fine detail, the mean step of lightness between neighbouring pixels, (N,).
    """

    ws: F32
    lab: F32
    energy: F32


@dataclass(frozen=True)
class View:
    """How a network's images are looked at.

    Attributes:
        stop: the resolution at which drawing stops, px.
        cells: rows and columns of cells; fewer than the network's own show the middle of its images.
        count: images in a pool.
    """

    stop: int
    cells: int
    count: int


def view_of(network: NetworkSizes) -> View:
    """Choose how to look at a network's images at a bearable price.

    Of a network that makes colours at every resolution smaller images are drawn; of one that starts from
    Fourier features the middle. The constant is extended half as far as a video's, for colours near enough to
    the video's at a fair price.

    >>> from clavilux.generator.model import load_model
    >>> view_of(load_model("silk").sizes)
    View(stop=256, cells=4, count=128)
    """
    sides = image_sides(network.layers)
    drawn = [side for side in sides if side <= SURVEY.max_resolution] or sides[-1:]
    cells = (network.cells[0] + min(default_cells(network, (1, 1)))) // 2
    share = cells / network.cells[0]
    while (
        len(drawn) > 1
        and drawn[-1] > SURVEY.detail_side
        and _cost(network, drawn[-1], share) > SURVEY.image_cost
    ):
        drawn = drawn[:-1]
    fewest = SURVEY.cost / SURVEY.min_count
    while not network.repeats and cells > MIN_CELLS and _cost(network, drawn[-1], share) > fewest:
        cells, share = cells // 2, share / 2
    count = int(SURVEY.cost / _cost(network, drawn[-1], share))
    return View(drawn[-1], cells, min(max(count, SURVEY.min_count), SURVEY.count))


def _cost(network: NetworkSizes, stop: int, share: float) -> float:
    """Estimate the multiplications of an image, 10^9, at a share of the usual side.

    Convolutions are 3 x 3; the filters around an oversampled nonlinearity cost about as much as these.
    """
    layers = [
        layer
        for name, layer in network.layers.items()
        if layer.resolution <= stop and not name.endswith("torgb")
    ]
    products = (
        9 * a.channels * b.channels * (a.resolution * share + a.margin) ** 2 * b.oversampling
        for a, b in pairwise(layers)
    )
    return max(sum(products) / 1e9, 1e-9)


def survey(
    model: Model,
    store: Store,
    *,
    seed: int = 0,
    count: int | None = None,
    progress: Progress = untold,
) -> Survey:
    """Draw a pool of images, or read it from the store; those of built-in models come with them.

    Args:
        model: the generator.
        store: keeps the result under the model's digest.
        seed: chooses the pool.
        count: images, at least 24; by default as many as the model's price allows, up to 128.
        progress: is told while images are drawn.

    Raises:
        ModelError: the pool is too small to choose from, or the network draws numbers that are not finite.
    """
    view = view_of(model.sizes)
    count = view.count if count is None else count
    if count < SURVEY.min_count:
        what = f"Palettes cannot be chosen from {count} images"
        raise ModelError(what, where="count", value=count, hint=f"survey at least {SURVEY.min_count}")
    key = key_of(model, seed, count)
    kept = _shipped(model, key) or store.fetch(key, lambda: _draw_pool(model, seed, count, progress))
    return Survey(*(kept[name].astype(np.float32, copy=False) for name in ("ws", "lab", "energy")))


def key_of(model: Model, seed: int, count: int) -> str:
    """Name a survey in the store."""
    return f"generator/survey/{VERSION}/{model.digest}/{seed}/{count}"


def describe(model: Model, ws: F32, store: Store) -> Survey:
    """Draw the images of given latents (N, D) or (N, L, D), or read what they look like from the store.

    Raises:
        ModelError: the network draws numbers that are not finite.
    """
    key = f"generator/described/{VERSION}/{model.digest}/{hash_of_arrays({'ws': ws})}"
    kept = store.fetch(key, lambda: _described(model, ws, 0, untold))
    return Survey(ws, *(kept[name].astype(np.float32, copy=False) for name in ("lab", "energy")))


def _shipped(model: Model, key: str) -> Arrays | None:
    """Return the survey that came with a built-in model, if it is the one that is wanted."""
    path = BUILTIN / f"{model.name}-survey.npz"
    if not path.is_file():
        return None
    kept = load_arrays(path)
    return kept if str(kept.pop("key")) == key else None


def _draw_pool(model: Model, seed: int, count: int, progress: Progress) -> dict[str, NDArray[np.generic]]:
    ws = model.map(seeds.normal(seed, "generator/survey", 0, (count, model.z_dim)))  # (N, D)
    return {"ws": ws, **_described(model, ws, seed, progress)}


def _described(model: Model, ws: F32, seed: int, progress: Progress) -> dict[str, NDArray[np.generic]]:
    from clavilux.profile.survey_images import described  # here, as what is kept is read without PyTorch

    return described(model, ws, seed, progress)
