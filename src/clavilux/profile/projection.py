"""Projection: the latents whose image comes nearest to an image of the user's.

The start is retrieved from the model's survey, then latents are optimised (Adam, Kingma & Ba 2015) in
whitened coordinates p, w = mu + S p with S S^T the covariance of the model's latents: there every direction
is equally likely, and |p|^2 is the squared Mahalanobis distance, which holds latents among those that the
model knows. The loss compares colours on every octave, and the energy of each octave's detail place by
place, so texture need not agree pixel by pixel (in the manner of Burt & Adelson 1983). Where the checkpoint
still has its discriminator, the distance of its features takes the place of that energy (Pan et al. 2020,
arXiv:2003.13659, invert generators so). Noise is fixed and not optimised: in a video it belongs to the music.

Images are (B, 3, H, W) in [-1, 1]; latents w (B, D), or (B, L, D) of W+, one for each layer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from clavilux import seeds
from clavilux.arrays import F32, F64
from clavilux.errors import ModelError
from clavilux.generator.checkpoints import read_discriminator
from clavilux.generator.discriminator import Discriminator
from clavilux.generator.model import Model
from clavilux.generator.network import image_sides
from clavilux.image_files import read_square
from clavilux.profile.probe import colours, draw, fixed_noise
from clavilux.profile.survey import survey
from clavilux.store import Store

__all__ = [
    "PROJECTION",
    "PerceptualLoss",
    "Projection",
    "find_perceptual_loss",
    "project_image",
    "read_target",
    "target_side",
]

Step = Callable[[int], None]
"""Is called with the number of steps that were done."""


@dataclass(frozen=True)
class ProjectionSpec:
    """How an image is projected.

    Attributes:
        max_side: of the images that are compared, px.
        small_side: of those of the first stage.
        starts: images of the survey from which latents are optimised.
        small_steps: of the first stage, of one latent for all layers.
        steps: of the second, at full size.
        rate: of Adam, standard deviations of the latents.
        prior: weight of the squared Mahalanobis distance, by number.
        apart: weight of the squared distance of a layer's latent from the mean of all layers.
        texture: weight of the energy of details, beside colours.
        features: weight of the features of a discriminator, instead of that.
        codes: from which the distribution of latents is estimated.
    """

    max_side: int = 256
    small_side: int = 64
    starts: int = 3
    small_steps: int = 120
    steps: int = 120
    rate: float = 0.08
    prior: float = 2e-3
    apart: float = 1e-3
    texture: float = 1.0
    features: float = 0.3
    codes: int = 4096


PROJECTION = ProjectionSpec()


@dataclass(frozen=True, eq=False)
class Projection:
    """What was found.

    Attributes:
        ws: the latents, untruncated: (D,), or (L, D) of W+.
        image: what they draw, (S, S, 3) uint8.
        start: mean CIELAB distance of the nearest image of the survey.
        distance: mean CIELAB distance of what was found.
    """

    ws: F32
    image: np.ndarray
    start: float
    distance: float


@dataclass(frozen=True, eq=False)
class PerceptualLoss:
    """By what images are compared, beside their colours.

    Attributes:
        discriminator: by its features; by texture where there is none.
        words: which of them, and why, in a sentence.
    """

    discriminator: Discriminator | None
    words: str

    def to(self, target: Tensor) -> Callable[[Tensor], Tensor]:
        """Return what compares images (B, 3, H, W) with one (1, 3, H, W), (B,)."""
        if self.discriminator is None:
            return partial(unlikeness, target=target)
        with torch.no_grad():
            wanted = list(self.discriminator.features(target))
        return partial(_perceived, self.discriminator, target, wanted)


def _perceived(
    discriminator: Discriminator, target: Tensor, wanted: Sequence[Tensor], image: Tensor
) -> Tensor:
    """Compare colours, and features phi: the mean over blocks of |phi(x) - phi(y)|_1 / |phi(y)|_1, (B,)."""
    gaps = [
        (x - y).abs().mean(dim=(1, 2, 3)) / y.abs().mean().clamp_min(1e-8)
        for x, y in zip(discriminator.features(image), wanted, strict=True)
    ]
    apart = torch.stack(gaps).mean(dim=0)
    return unlikeness(image, target, texture=0) + PROJECTION.features * apart


def find_perceptual_loss(model: Model) -> PerceptualLoss:
    """Read a model's discriminator from its file, if it has one that is known."""
    try:
        if model.file is None:
            raise ModelError(f"The model {model.name} has no file")
        discriminator = Discriminator(read_discriminator(model.file)).to(model.network.w_avg.device)
    except ModelError as error:
        return PerceptualLoss(None, f"Images are compared by colours and texture: {error.what}.")
    return PerceptualLoss(
        discriminator, "Images are compared by colours and by the checkpoint's own discriminator."
    )


def target_side(model: Model) -> int:
    """Return the side of the images that are compared, px: at most 256 where the model can stop there."""
    sides = image_sides(model.sizes.layers)
    return max([side for side in sides if side <= PROJECTION.max_side] or sides[:1])


def read_target(path: Path, model: Model) -> Tensor:
    """Read an image for a model: its middle square, (1, 3, S, S).

    Raises:
        FileError: it is no image that can be read.
    """
    pixels = torch.from_numpy(read_square(path, target_side(model)).astype(np.float32))
    return (pixels / 127.5 - 1).permute(2, 0, 1)[None]


def project_image(
    model: Model,
    target: Tensor,
    store: Store,
    *,
    perceptual: PerceptualLoss | None = None,
    per_layer: bool = True,
    step: Step | None = None,
) -> Projection:
    """Find the latents whose image comes nearest to an image.

    Args:
        model: the generator.
        target: the image, (1, 3, S, S).
        store: keeps the model's survey.
        perceptual: by what images are compared; by default what `find_perceptual_loss` finds.
        per_layer: find one latent for each layer, in W+, which comes nearer; else one for all, in W.
        step: is called after every step.
    """
    report = step or (lambda _: None)
    target = target.to(model.network.w_avg.device)
    mean, root, inverse = _distribution(model)
    starts = _retrieved(model, target, store)  # (N, D)
    nearest = _distance(draw(model, starts[:1], stop=target_side(model)), target)
    p = ((starts - mean) @ inverse)[:, None]  # (N, 1, D)
    sides = [side for side in image_sides(model.sizes.layers) if side <= PROJECTION.small_side]
    small = max(sides) if sides else target_side(model)
    search = _Search(
        model,
        perceptual or find_perceptual_loss(model),
        target,
        torch.from_numpy(mean),
        torch.from_numpy(root),
    )
    p, losses = search.run(p, small, PROJECTION.small_steps, report)
    p = p[losses.argmin()][None]  # (1, 1, D)
    if per_layer:
        p = np.repeat(p, model.num_ws, axis=1)
    p, _ = search.run(p, target_side(model), PROJECTION.steps, report)
    ws = (mean + p[0] @ root.T).astype(np.float32)  # (L, D) or (1, D)
    image = draw(model, np.broadcast_to(ws, (1, model.num_ws, model.w_dim)).copy(), stop=target_side(model))
    pixels = ((image[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    return Projection(ws if per_layer else ws[0], pixels, nearest, _distance(image, target))


@dataclass(frozen=True, eq=False)
class _Search:
    """Optimises whitened latents p (B, L or 1, D) of a model for a target."""

    model: Model
    perceptual: PerceptualLoss
    target: Tensor
    mean: Tensor
    root: Tensor

    def run(self, start: F64, side: int, steps: int, report: Step) -> tuple[F64, F64]:
        """Return the best p of some steps, and the loss of each, (B,)."""
        network = self.model.network
        device = network.w_avg.device
        noise = fixed_noise(self.model, side)
        compare = self.perceptual.to(F.interpolate(self.target, size=(side, side), mode="area"))
        p = torch.from_numpy(start.astype(np.float32)).to(device).requires_grad_()
        mean, root = self.mean.float().to(device), self.root.float().to(device)
        adam = torch.optim.Adam([p], lr=PROJECTION.rate)
        best, least = p.detach().clone(), torch.full((len(start),), torch.inf, device=device)
        for k in range(steps):
            adam.param_groups[0]["lr"] = PROJECTION.rate * min(1, 2 * (1 - k / steps))  # falls from half-way
            ws = (mean + p @ root.T).expand(-1, self.model.num_ws, -1)
            image = _displayed(network(ws, noise, stop=side))
            apart = (p - p.mean(dim=1, keepdim=True)).square().mean(dim=(1, 2))
            prior = PROJECTION.prior * p.square().mean(dim=(1, 2)) + PROJECTION.apart * apart
            loss = compare(image) + prior  # (B,)
            better = loss.detach() < least
            best[better], least[better] = p.detach()[better], loss.detach()[better]
            adam.zero_grad()
            loss.sum().backward()  # type: ignore[no-untyped-call]
            adam.step()
            report(1)
        return best.cpu().double().numpy(), least.cpu().double().numpy()


def _displayed(image: Tensor) -> Tensor:
    """Limit an image to [-1, 1], as a file is, but for a slope by which latents find back."""
    limited = image.clamp(-1, 1)
    return limited + 0.05 * (image - limited)


def unlikeness(image: Tensor, target: Tensor, *, texture: float = PROJECTION.texture) -> Tensor:
    """Compare images (B, 3, H, W) with one (1, 3, H, W): colours and texture on every octave; (B,).

    Args:
        image: the images.
        target: what they are compared with.
        texture: weight of the energy of details, beside colours.

    >>> black, white = -torch.ones(1, 3, 16, 16), torch.ones(2, 3, 16, 16)
    >>> unlikeness(black, black).item(), unlikeness(white, black).round().tolist()
    (0.0, [2.0, 2.0])
    """
    total, count = torch.zeros(len(image), device=image.device), 0
    while True:
        total = total + (image - target).abs().mean(dim=(1, 2, 3))  # colours of this octave
        count += 1
        if image.shape[-1] < 8:
            return total / count
        smaller, wanted = F.avg_pool2d(image, 2), F.avg_pool2d(target, 2)
        energies = [
            F.avg_pool2d((large - F.interpolate(small, scale_factor=2)).abs(), 4)
            for large, small in ((image, smaller), (target, wanted))
        ]
        gap = (energies[0] - energies[1]).abs().mean(dim=(1, 2, 3))
        total = total + texture * gap  # energy of this octave's detail, by place
        image, target = smaller, wanted


def _distribution(model: Model) -> tuple[F64, F64, F64]:
    """Return mean mu, root S of the covariance, and S^-1 (transposed, for rows), of a model's latents."""
    w = model.map(seeds.normal(0, "profile/projection", 0, (PROJECTION.codes, model.z_dim))).astype(
        np.float64
    )
    mean = w.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(w.T))
    scale = np.sqrt(np.maximum(values, 1e-6 * values.max()))
    return mean, axes * scale, axes / scale


def _retrieved(model: Model, target: Tensor, store: Store) -> F32:
    """Return the latents of the images of the survey that are nearest to a target, place by place; (N, D)."""
    pool = survey(model, store)
    wanted = colours(target, pool.lab.shape[1])  # (1, 16, 16, 3)
    gaps = np.linalg.norm(pool.lab - wanted, axis=-1).mean(axis=(1, 2))
    return model.truncate(pool.ws[np.argsort(gaps, kind="stable")[: PROJECTION.starts]], 0.7)


def _distance(image: Tensor, target: Tensor) -> float:
    return float(np.linalg.norm(colours(image) - colours(target), axis=-1).mean())
