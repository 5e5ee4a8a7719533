"""The user's own models: imported under a name, converted, and described."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from clavilux.errors import ModelError, OutputError
from clavilux.files import atomic, hash_of_sha256, write_error
from clavilux.generator.checkpoints import Checkpoint, read_card, read_checkpoint
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.generate import preview_images
from clavilux.generator.model import BUILTIN, Model, builtin_models, named_models
from clavilux.make.targets import check_target
from clavilux.make.workspace import Reporter, Workspace
from clavilux.profile.survey import view_of
from clavilux.profile.survey_images import surveyed_images

__all__ = [
    "UserModel",
    "convert_model",
    "describe_model",
    "draw_preview",
    "import_model",
    "preview_of",
    "user_models",
]

NAME = re.compile(r"\w(?:[\w-]{0,62}\w)?")
PREVIEW_IMAGES, PREVIEW_PIXELS = 6, 128
"""In a strip, and the side of each."""


FAMILIES = {
    "stylegan1": "StyleGAN",
    "stylegan2-skip": "StyleGAN2",
    "stylegan2-resnet": "StyleGAN2, residual",
    "stylegan2-orig": "StyleGAN2, plain",
    "stylegan3-t": "StyleGAN3-T",
    "stylegan3-r": "StyleGAN3-R",
    "fastgan": "FastGAN (projected GAN)",
    "r3gan": "R3GAN",
}

OWN_LINES = ("format", "format_version", "architecture", "config", "clamp", "resolution", "sha256")
"""Lines of a card that the native format writes itself."""


@dataclass(frozen=True)
class UserModel:
    """A model of the user's folder.

    Attributes:
        path: its file.
        card: what is known of it, as lines of text; of a file that cannot be used the reason.
    """

    path: Path
    card: dict[str, str]


def convert_model(source: str, target: Path, *, workspace: Workspace, overwrite: bool = False) -> Path:
    """Write a checkpoint of any known format as a native one, float32.

    Args:
        source: a name, a file or an address.
        target: the file, `.safetensors`.
        workspace: finds models by name; is informed.
        overwrite: whether the target may be replaced.

    Raises:
        ModelError: it cannot be read.
        OutputError: it cannot be written.
    """
    path = workspace.model_file(source)
    check_target(target, ".safetensors", overwrite=overwrite, reads=[path])
    workspace.report.begin("Converting")
    _write(read_checkpoint(path), path, target, replace=overwrite)
    return target


def import_model(
    source: str, name: str | None = None, *, workspace: Workspace, overwrite: bool = False
) -> Path:
    """Convert a checkpoint into the user's folder, where it is found by name.

    Args:
        source: a file or an address.
        name: its name from now on; by default that of the file.
        workspace: has the folder; is informed.
        overwrite: whether a model of that name may be replaced.

    Raises:
        ModelError: it cannot be read, or a name that cannot be.
        OutputError: there is one of that name, or it cannot be written.
    """
    if workspace.models is None:
        raise OutputError("There is no folder in which models are kept", where="models")
    path = workspace.model_file(source)
    name = name or re.sub(r"\W+", "-", path.stem).strip("-_")[:64]
    if not NAME.fullmatch(name) or name in builtin_models():
        hint = "give another name, of letters, digits and hyphens"
        raise ModelError(f"A model cannot be named '{name[:80]}'", where="name", value=name, hint=hint)
    target = workspace.models / f"{name}.safetensors"
    if name in named_models(workspace.models) and not overwrite:
        raise OutputError(
            f"There is already a model '{name}'",
            where="name",
            value=name,
            hint="allow overwriting, or choose another name",
            remedy="overwrite",
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(target, error) from error
    workspace.report.begin("Converting")
    _write(read_checkpoint(path), path, target, replace=overwrite)
    preview = target.with_suffix(".webp")
    strip = draw_preview(workspace.model(name), workspace.report)
    try:
        with atomic(preview) as part:
            strip.save(part, format="WEBP", quality=85)
    except OSError as error:
        raise write_error(preview, error) from error
    return target


def preview_of(model: Model, path: Path, workspace: Workspace) -> Image.Image:
    """Return a strip of a model's images: the one that was kept with it, or drawn now."""
    kept = path.with_suffix(".webp")
    if path.parent in {BUILTIN, workspace.models} and kept.is_file():
        with contextlib.suppress(OSError), Image.open(kept) as image:
            return image.convert("RGB")
    return draw_preview(model, workspace.report)


def draw_preview(model: Model, report: Reporter) -> Image.Image:
    """Draw a strip of a model's images; where a StyleGAN3 takes long to draw, of their middle."""
    seeds = range(PREVIEW_IMAGES)
    whole = model.sizes.repeats or view_of(model.sizes).cells >= model.sizes.cells[0]
    draw = preview_images if whole else surveyed_images
    report.begin("Drawing a preview", PREVIEW_IMAGES)
    images = []
    for image in draw(model, seeds, PREVIEW_PIXELS):
        images.append(image)
        report.advance(1)
    return Image.fromarray(np.concatenate(images, axis=1))


def describe_model(model: Model, path: Path) -> dict[str, str | int]:
    """Return everything that is known of a model, by name."""
    network, card = model.network, model.card.to_dict()
    known: dict[str, str | int] = {
        "name": model.name,
        "family": FAMILIES.get(network.architecture, network.architecture),
        "resolution": model.resolution,
        "codes": model.z_dim,
        "latents": model.w_dim,
        "layers": model.num_ws,
        "classes": model.c_dim,
        "noise": "yes" if any(layer.takes_noise for layer in network.layers.values()) else "none",
        "mean latent": card.get("w_avg", "of the file"),
        "parameters": sum(tensor.numel() for tensor in network.buffers()),  # type: ignore[attr-defined]
        "bytes": path.stat().st_size,
        "file sha256": hash_of_sha256(path),
    }
    rest = {name: text for name, text in card.items() if name not in {*OWN_LINES, "extend", "w_avg"}}
    return {"licence": "unknown: ask whoever made it", **known, **rest, "weights": model.digest}


def user_models(folder: Path | None) -> Iterator[tuple[str, UserModel]]:
    """List the models of a folder by name."""
    for name, path in named_models(folder).items():
        try:
            card = read_card(path).to_dict()
        except ModelError as error:
            card = {"description": f"cannot be used: {error.what}"}
        preview = path.with_suffix(".webp")
        if preview.is_file():
            card["preview"] = str(preview)
        yield name, UserModel(path, card | {"megabytes": f"{path.stat().st_size / 1e6:.1f}"})


def _write(checkpoint: Checkpoint, source: Path, target: Path, *, replace: bool) -> None:
    lines = {name: text for name, text in checkpoint.card.to_dict().items() if name not in OWN_LINES}
    lines = {"converted_from": source.name[:200], "converted_from_sha256": hash_of_sha256(source)} | lines
    try:
        with atomic(target, replace=replace) as part:
            write_native(part, checkpoint.tensors, lines, config=checkpoint.config)
    except OSError as error:
        raise write_error(target, error) from error
