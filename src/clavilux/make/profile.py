"""The profile of a model: its palettes, directions, clusters and rules, found once and shown on a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from clavilux.arrays import F32
from clavilux.catalogue import MOODS
from clavilux.files import atomic, write_error
from clavilux.generator.model import Model
from clavilux.generator.network import bendable
from clavilux.make.workspace import NullReporter, Reporter
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.profile.cluster_search import CLUSTERS
from clavilux.profile.clusters import Cluster, clusters_of
from clavilux.profile.directions import Direction, directions_of
from clavilux.profile.palettes import choose_palette
from clavilux.profile.probe import MAX_RESOLUTION, draw, pooled_features, sample_latents
from clavilux.profile.rules import FoundRule, draw_rule, ruled_layers, rules_of
from clavilux.profile.survey import survey, view_of
from clavilux.store import Store

__all__ = ["Profile", "draw_profile", "profile_model"]

SIDE, GAP, LABEL = 128, 4, 220
"""Of an image on the page, between images, and of what is written beside them, px."""
STEP = 32
"""What a step counts in progress, in pictures of the survey: about as long as drawing so many."""
SHOWN_RULES = 6
"""Of each layer, on the page."""
PUSHES = (-1.0, -0.5, 0.0, 0.5, 1.0)


@dataclass(frozen=True, eq=False)
class Profile:
    """What is known of a model's inside.

    Attributes:
        palettes: the automatic one and that of each mood, by name.
        directions: by name.
        clusters: by layer, the most visible first.
        rules: by layer, the most visible first.
    """

    palettes: dict[str, PaletteLatents]
    directions: dict[str, Direction]
    clusters: dict[str, list[Cluster]]
    rules: dict[str, list[FoundRule]]

    def lines(self) -> list[tuple[str, str]]:
        """Return everything as pairs of a name and what is known of it."""
        found = [
            (f"palette {name}", f"{len(each.ring)} latents on the circle of fifths")
            for name, each in self.palettes.items()
        ]
        found += [(each.name, _words(each)) for each in self.directions.values()]
        for layer, clusters in self.clusters.items():
            found += [
                (f"{layer} cluster {k}", f"{len(each.channels)} channels, {each.words}")
                for k, each in enumerate(clusters)
            ]
        return found + [(str(rule), rule.words) for rules in self.rules.values() for rule in rules]


def profile_model(model: Model, store: Store, report: Reporter | None = None) -> Profile:
    """Find, or read from the store, everything that patches may ask of a model.

    Args:
        model: the generator.
        store: keeps the results under the model's digest.
        report: is told what is done; nobody unless given.
    """
    report = report or NullReporter()
    layers = [
        name for name in bendable(model.sizes.layers) if model.sizes.layers[name].resolution <= MAX_RESOLUTION
    ]
    ruled, pictures = ruled_layers(model), view_of(model.sizes).count
    report.begin("Profiling", pictures + STEP * (2 + 1 + len(layers) + 2 * len(ruled)))
    done = 0

    def surveyed(found: int, _: int) -> None:
        nonlocal done
        report.advance(found - done)
        done = found

    pool = survey(model, store, progress=surveyed)
    surveyed(pictures, pictures)
    palettes = {str(mood or "automatic"): choose_palette(pool, seed=0, mood=mood) for mood in (None, *MOODS)}
    report.advance(STEP)
    directions = directions_of(model, store)
    report.advance(STEP)
    maps = pooled_features(model, sample_latents(model, CLUSTERS.images), layers)
    report.advance(STEP)
    clusters: dict[str, list[Cluster]] = {}
    for layer in layers:
        clusters[layer] = clusters_of(model, store, layer, maps=maps)
        report.advance(STEP)
    rules: dict[str, list[FoundRule]] = {}
    for layer in ruled:
        rules[layer] = rules_of(model, store, layer)
        report.advance(2 * STEP)
    return Profile(palettes, directions, clusters, rules)


def draw_profile(model: Model, profile: Profile, target: Path, store: Store | None = None) -> Path:
    """Draw a page: palettes, an image pushed along directions, without clusters, and under rules.

    Args:
        model: the generator.
        profile: what is known of it.
        target: the PNG.
        store: keeps the contexts of its rules.

    Raises:
        OutputError: the file cannot be written.
    """
    w = sample_latents(model, 1, "profile/page")
    ws = np.repeat(w[:, None], model.num_ws, axis=1)
    rows: list[tuple[str, list[Tensor]]] = []
    for name, palette in profile.palettes.items():
        ring = model.truncate(palette.ring, 0.7)
        rows.append((f"palette {name}", [draw(model, each[None]) for each in ring]))
    for direction in profile.directions.values():
        pushed = [(ws + push * 0.7 * direction.shift).astype(np.float32) for push in PUSHES]
        rows.append((f"{direction.name}\n{_words(direction)}", [draw(model, each) for each in pushed]))
    for layer, clusters in profile.clusters.items():
        words = [f"{k}: {each.words}" for k, each in enumerate(clusters)]
        rows.append(("\n".join([f"{layer}, without cluster", *words]), _without(model, w, layer, clusters)))
    for layer, rules in profile.rules.items():
        shown = rules[:SHOWN_RULES]
        words = [f"{each.op} {each.context}{'' if each.to is None else f' to {each.to}'}" for each in shown]
        images = [draw(model, w), *(draw_rule(model, store or Store(), w, each) for each in shown)]
        rows.append(("\n".join([f"{layer}, as it is, and by rule", *words]), images))
    page = _page(rows)
    try:
        with atomic(target) as part:
            page.save(part, format="PNG")
    except OSError as error:
        raise write_error(target, error) from error
    return target


def _words(direction: Direction) -> str:
    if np.isnan(direction.effect):
        return f"{direction.group} layers, R^2 {direction.r2:.2f} of their styles"
    if not direction.works:
        return f"no control: R^2 {direction.r2:.2f}"
    return f"{direction.group} layers, R^2 {direction.r2:.2f}, {direction.effect:+.1f} sd"


def _without(model: Model, w: F32, layer: str, clusters: Sequence[Cluster]) -> list[Tensor]:
    """Draw an image whole, and without each cluster of a layer."""
    images = [draw(model, w)]
    for cluster in clusters:
        kept = torch.ones(model.sizes.layers[layer].channels, 1, 1)
        kept[torch.from_numpy(cluster.channels)] = 0
        images.append(draw(model, w, taps={layer: lambda x, kept=kept: x * kept.to(x.device, x.dtype)}))  # type: ignore[misc]
    return images


def _page(rows: Sequence[tuple[str, Sequence[Tensor]]]) -> Image.Image:
    columns = max(len(images) for _, images in rows)
    step = SIDE + GAP
    page = Image.new("RGB", (LABEL + columns * step + GAP, len(rows) * step + GAP), "black")
    pen = ImageDraw.Draw(page)
    for row, (text, images) in enumerate(rows):
        pen.multiline_text((GAP, GAP + row * step), text, fill="white")
        for column, image in enumerate(images):
            pixels = ((image[0].clamp(-1, 1) * 0.5 + 0.5) * 255).byte().permute(1, 2, 0).cpu().numpy()
            tile = Image.fromarray(pixels).resize((SIDE, SIDE))
            page.paste(tile, (LABEL + GAP + column * step, GAP + row * step))
    return page
