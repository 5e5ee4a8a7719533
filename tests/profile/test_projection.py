"""Projection: an image that the model drew is found again, and patches read what was found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from clavilux.cli import main
from clavilux.errors import FileError
from clavilux.generator.model import load_model
from clavilux.profile.latent_files import read_latents
from clavilux.profile.model_palettes import ModelPalettes
from clavilux.profile.probe import colours, draw, fixed_noise, sample_latents
from clavilux.profile.projection import (
    PROJECTION,
    PerceptualLoss,
    find_perceptual_loss,
    project_image,
    read_target,
    target_side,
    unlikeness,
)
from clavilux.profile.saved import read_palette
from clavilux.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


def drawn(model, w):
    return draw(model, w, stop=target_side(model)).clamp(-1, 1)


def file_of(image, path):
    pixels = ((image[0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("per_layer", [False, True])
def test_an_image_of_the_model_comes_back(per_layer, small_model, store):
    w = sample_latents(small_model, 1, "test/projection", psi=0.9)
    target = drawn(small_model, w)
    steps = []
    found = project_image(small_model, target, store, per_layer=per_layer, step=steps.append)
    assert found.ws.shape == ((small_model.num_ws, small_model.w_dim) if per_layer else (small_model.w_dim,))
    assert found.distance < 0.3 * found.start
    ws = np.broadcast_to(found.ws, (1, small_model.num_ws, small_model.w_dim)).copy()
    again = drawn(small_model, ws)
    start = draw(small_model, small_model.w_avg[None], stop=target_side(small_model))
    errors = [(image - target).square().mean().item() for image in (again, start)]
    assert errors[0] < 0.1 * errors[1]
    assert np.linalg.norm(colours(again) - colours(target), axis=-1).mean() == pytest.approx(found.distance)
    assert sum(steps) == 240
    if not per_layer:
        assert np.array_equal(found.ws, project_image(small_model, target, store, per_layer=False).ws)


def test_texture_counts_where_pixels_do_not_agree():
    random = torch.Generator().manual_seed(0)
    noise = [0.5 * torch.randn(1, 3, 32, 32, generator=random) for _ in range(2)]
    flat = torch.zeros(1, 3, 32, 32)
    rough, smooth = (unlikeness(image, noise[0]).item() for image in (noise[1], flat))
    colour_alone = [(image - noise[0]).abs().mean().item() for image in (noise[1], flat)]
    assert colour_alone[0] > colour_alone[1]  # by pixels alone, no texture is nearer than another one
    assert rough / smooth < 0.9 * colour_alone[0] / colour_alone[1]


def test_latents_of_every_layer_are_kept_in_a_file_and_by_a_palette(small_model, store, tmp_path):
    ws = np.random.default_rng(0).standard_normal((3, small_model.num_ws, small_model.w_dim)).astype("f4")
    np.savez(tmp_path / "found.npz", ws=ws)
    assert np.array_equal(read_latents(tmp_path / "found.npz", small_model), ws)
    palette = ModelPalettes(small_model, store).from_latents(str(tmp_path / "found.npz"), "w")
    assert np.array_equal(palette.entry("2"), ws[1])
    assert palette.ring.shape == (12, *ws.shape[1:])
    assert palette.rest.shape == ws.shape[1:]
    assert ModelPalettes(small_model, store).variant(palette, 1).ring.shape == (12, small_model.w_dim)
    same = np.repeat(ws[:, :1], small_model.num_ws, axis=1)  # one latent, written out for each layer
    np.savez(tmp_path / "same.npz", ws=same)
    assert np.array_equal(read_latents(tmp_path / "same.npz", small_model), ws[:, 0])


def test_the_commands_write_latents_and_a_palette(small_file, small_model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for k, w in enumerate(sample_latents(small_model, 2, "test/photos")):
        file_of(drawn(small_model, w[None]), tmp_path / f"{k}.png")
    with pytest.raises(SystemExit) as ended:
        main(["project", "0.png", "--model", str(small_file), "-o", "found.npz", "--page", "page.png"])
    assert ended.value.code == 0
    assert read_latents(tmp_path / "found.npz", small_model).shape[0] == 1
    assert "from_latents('found.npz')" in capsys.readouterr().err
    assert (tmp_path / "page.png").is_file()
    with pytest.raises(SystemExit) as ended:
        main(["palette", "new", "photos", "--from", "0.png", "1.png", "--model", str(small_file)])
    assert ended.value.code == 0
    from clavilux.make.workspace import palettes_folder

    assert read_palette(palettes_folder(), "photos").images.shape == (2, small_model.w_dim)


def test_the_middle_square_is_projected_and_what_is_no_image_is_said(small_model, tmp_path):
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert read_target(tmp_path / "wide.png", small_model).min() == 1
    (tmp_path / "no.png").write_text("no image")
    with pytest.raises(FileError, match="cannot be read"):
        read_target(tmp_path / "no.png", small_model)


CHECKPOINTS = Path(__file__).parents[1] / "generator" / "data" / "checkpoints"


def test_a_checkpoints_own_discriminator_compares_images(store):
    model = load_model(CHECKPOINTS / "ada32.pkl")
    target = drawn(model, sample_latents(model, 1, "test/eyes", psi=0.9))
    perceptual = find_perceptual_loss(model)
    assert "by the checkpoint's own discriminator" in perceptual.words
    other = drawn(model, sample_latents(model, 1, "test/others"))
    assert perceptual.to(target)(target).item() == 0
    assert perceptual.to(target)(other).item() > unlikeness(other, target, texture=0).item() + 0.01

    def gap(found):  # of what the discriminator sees
        ws = np.broadcast_to(found.ws, (1, model.num_ws, model.w_dim)).copy()
        image = drawn(model, ws)
        return (perceptual.to(target)(image) - unlikeness(image, target, texture=0)).item()

    found = project_image(model, target, store)
    assert found.distance < 0.5 * found.start
    foreign = load_model(CHECKPOINTS / "rosinality32.pt")
    target = drawn(foreign, sample_latents(foreign, 1, "test/foreign"))  # which this model cannot draw
    found = project_image(model, target, store)
    assert gap(found) < gap(project_image(model, target, store, perceptual=PerceptualLoss(None, "")))


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("*.p*[lt]")), ids=lambda path: path.stem)
def test_every_family_can_be_projected_into_also_with_a_clamp(path):
    model = load_model(path)
    ws = torch.from_numpy(model.w_avg)[None, None].repeat(1, model.num_ws, 1).requires_grad_()
    image = model.network(ws, fixed_noise(model, model.resolution), stop=model.resolution)
    image.square().sum().backward()
    assert ws.grad.abs().mean() > 0


def test_what_compares_images_is_said(small_model, capsys, tmp_path, monkeypatch):
    words = find_perceptual_loss(small_model).words
    assert words.startswith("Images are compared by colours and texture: The model")
    assert words.endswith("has no discriminator.")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("clavilux.profile.projection.PROJECTION", replace(PROJECTION, small_steps=2, steps=2))
    model = load_model(CHECKPOINTS / "ada32.pkl")
    file_of(drawn(model, sample_latents(model, 1, "test/said")), tmp_path / "a.png")
    with pytest.raises(SystemExit) as ended:
        main(["project", "a.png", "--model", str(CHECKPOINTS / "ada32.pkl"), "-o", "found.npz"])
    assert ended.value.code == 0
    assert "own discriminator" in " ".join(capsys.readouterr().err.split())
