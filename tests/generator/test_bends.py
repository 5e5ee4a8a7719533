"""Bends: neutral is bit-equal, full strength is seen, a sweep has no jump, frames and channels are apart."""

import itertools
import math

import numpy as np
import pytest
import torch

from clavilux import seeds
from clavilux.colour import srgb_to_lab
from clavilux.errors import ModelError
from clavilux.generator.bends import BENDS
from clavilux.generator.channel_sets import channel_weights, find_layers
from clavilux.generator.generate import seed_inputs
from clavilux.generator.program import Program
from clavilux.generator.sites import Site, weigh_places

SIZE = {"size": (64, 64), "cells": (4, 4), "pixels": "rgb24", "stop": 64}
SMALL = {"size": (16, 16), "cells": (4, 4), "pixels": "rgb24"}
MIN_VISIBLE = 4.0  # mean CIELAB distance; 2.3 is just noticeable


def site(layer, channels=32, **given):
    return Site(layer, np.ones(channels, np.float32), **given)


def features(batch=1, channels=6, high=8, width=14):
    return torch.from_numpy(seeds.normal(0, "features", 0, (batch, channels, high, width)))


def signals(bend, strengths):
    """The bend's signals at some strengths, one for each frame."""
    each = [type(bend).at_strength(s) for s in strengths]
    return {name: torch.tensor([one[name] for one in each], dtype=torch.float32) for name in bend.inputs}


def bent(name, x, strengths=(1.0,), **given):
    bend = BENDS[name](site("b8.conv0", x.shape[1], **given))
    with torch.inference_mode():
        return bend(x, **signals(bend, strengths))


def draw(program, model, strengths, bend=None):
    one = seed_inputs(model, program_of(model, SIZE), 3, psi=0.7)
    arrays = {name: np.repeat(array, len(strengths), axis=0) for name, array in one.items()}
    if bend is not None:
        arrays |= {f"bend/0/{name}": s.numpy() for name, s in signals(bend, strengths).items()}
    with torch.inference_mode():
        drawn = [
            program.module(*(torch.from_numpy(arrays[name][k : k + 8]) for name in program.inputs)).numpy()
            for k in range(0, len(strengths), 8)
        ]
    return srgb_to_lab(np.concatenate(drawn) / 255)


def program_of(model, size, taps=()):
    return Program(model, **size, taps=taps)


def distance(first, second):
    return np.linalg.norm(first - second, axis=-1).mean()


@pytest.fixture(scope="module")
def plain(silk):
    return draw(program_of(silk, SIZE), silk, [0] * 8)[0]


@pytest.mark.parametrize("name", BENDS)
def test_full_strength_is_seen_neutral_is_bit_equal_and_a_sweep_has_no_jump(name, silk, plain):
    bend = BENDS[name](site("b16.conv0", silk.network.layers["b16.conv0"].channels))
    program = program_of(silk, SIZE, [bend])
    strengths = np.linspace(0, 1, 33)
    swept = draw(program, silk, strengths, bend)
    assert np.array_equal(swept[0], plain)
    assert distance(swept[-1], plain) > MIN_VISIBLE
    steps = np.array([distance(a, b) for a, b in itertools.pairwise(swept)])
    assert steps.max() < 0.2 * steps.sum() + 0.2, (steps.max(), steps.sum())


@pytest.mark.parametrize("layer", ["const", "b4.conv1", "b8.conv0", "b16.conv1"])
@pytest.mark.parametrize("name", BENDS)
def test_a_neutral_bend_at_any_layer_is_bit_equal_whatever_stands_beside_it(name, layer, small_model):
    bend = BENDS[name](site(layer, small_model.network.layers[layer].channels))
    program = Program(small_model, **SMALL, taps=[bend])
    one = seed_inputs(small_model, Program(small_model, **SMALL), 1, psi=1)
    arrays = {key: torch.from_numpy(np.repeat(array, 3, axis=0)) for key, array in one.items()}
    moved = {f"bend/0/{key}": s for key, s in signals(bend, [0, 1, 0]).items()}
    unmoved = {f"bend/0/{key}": s for key, s in signals(bend, [1, 1, 1]).items()}
    unmoved["bend/0/amount"] = torch.tensor([0.0, 0.5, 0.0])
    with torch.inference_mode():
        plain = Program(small_model, **SMALL)
        wanted = plain.module(*(arrays[key] for key in plain.inputs))
        for given in (moved, unmoved):
            found = program.module(*({**arrays, **given}[key] for key in program.inputs))
            assert torch.equal(found[0], wanted[0])
            assert torch.equal(found[2], wanted[2])
            assert name == "roll_channels" or not torch.equal(found[1], wanted[1])


@pytest.mark.parametrize("name", BENDS)
def test_a_frame_does_not_depend_on_the_frames_beside_it(name):
    x = features(3)
    together = bent(name, x, (0.3, 1.0, 0.6))
    alone = [bent(name, x[k : k + 1], (s,)) for k, s in enumerate((0.3, 1.0, 0.6))]
    assert torch.allclose(together, torch.cat(alone), atol=1e-6)


@pytest.mark.parametrize("name", BENDS)
def test_only_its_channels_and_places_are_bent(name):
    x = features()
    channels = np.array([1, 0, 1, 0, 1, 1], np.float32)
    half = Site("b8.conv0", channels, places=weigh_places(lambda x, y: (x < 0.5) + 0 * y, (8, 14)))
    bend = BENDS[name](half)
    y = bend(x, **signals(bend, [1.0]))
    assert torch.equal(y[:, [1, 3]], x[:, [1, 3]])
    assert torch.equal(y[..., 7:], x[..., 7:])
    left = slice(4, 7) if name == "mirror" else slice(0, 7)
    assert name == "mirror" or not torch.equal(y[:, 0, :, left], x[:, 0, :, left])


def test_translation_by_whole_cells_moves_and_mirrors_at_the_edge():
    x = features()
    bend = BENDS["translate"](site("b8.conv0", 6))
    move = {"x": torch.tensor([2 / 14]), "y": torch.tensor([0.0]), "amount": torch.tensor([1.0])}
    y = bend(x, **move)
    assert torch.allclose(y[..., 2:], x[..., :-2], atol=1e-5)
    assert torch.allclose(y[..., :2], x[..., :2].flip(3), atol=1e-5)
    back = bend(x, **{**move, "x": torch.tensor([2.0])})  # two widths on, the mirrored image is at its start
    assert torch.allclose(back, x, atol=1e-4)


def test_rotation_is_counter_clockwise_about_the_true_centre():
    x = features(high=8, width=8)
    bend = BENDS["rotate"](site("b8.conv0", 6))
    quarter = bend(x, by=torch.tensor([90.0]), amount=torch.tensor([1.0]))
    assert torch.allclose(quarter, torch.rot90(x, 1, (2, 3)), atol=1e-5)


def test_zoom_and_its_inverse_meet_in_the_middle():
    smooth = torch.nn.functional.interpolate(features(high=4, width=4), size=(32, 32), mode="bicubic")
    zoom = BENDS["zoom"](site("b8.conv0", 6))
    one = torch.tensor([1.0])
    back = zoom(zoom(smooth, by=torch.tensor([0.8]), amount=one), by=torch.tensor([1.25]), amount=one)
    assert (back - smooth)[..., 6:-6, 6:-6].abs().max() < 0.1 * smooth.std()


def test_point_wise_bends_do_what_they_say():
    x = features()
    mean, deviation = x.mean((2, 3), keepdim=True), x.std((2, 3), keepdim=True, correction=0)
    assert torch.allclose(bent("gain", x), x * 10 ** (9 / 20), atol=1e-5)
    assert torch.allclose(bent("bias", x), x + 1.5 * deviation, atol=1e-5)
    assert torch.allclose(bent("invert", x), 2 * mean - x, atol=1e-5)
    assert bent("ablate", x).abs().max() == 0
    assert torch.allclose(bent("soft_threshold", x), x.sign() * (x.abs() - deviation).relu(), atol=1e-5)
    stepped = bent("threshold", x)
    assert stepped.min() >= 0
    assert torch.allclose(stepped.amax((2, 3)), 2 * x.abs().mean((2, 3)), rtol=0.01)


def test_morphology_is_that_of_a_disc():
    x = torch.zeros(1, 1, 11, 11)
    x[..., 5, 5] = 1
    grown = bent("dilate", x)
    assert grown[0, 0, 5].tolist() == [0] * 3 + [1] * 5 + [0] * 3
    assert grown.sum() == 21  # a cross and a square: 5 x 5 without its corners
    assert bent("erode", grown).sum() == 1
    smaller, larger = (bent("dilate", features(), (s,)) for s in (0.75, 0.8))
    assert 0 < (larger - smaller).abs().mean() < 0.2


def test_channels_turn_without_losing_energy_and_come_back():
    x = features()
    turn = BENDS["rotate_channels"](site("b8.conv0", 6))
    one = torch.tensor([1.0])
    turned = turn(x, by=torch.tensor([37.0]), amount=one)
    assert torch.allclose(turned.square().sum(1), x.square().sum(1), rtol=1e-5)
    assert torch.allclose(turn(x, by=torch.tensor([360.0]), amount=one), x, atol=1e-5)
    roll = BENDS["roll_channels"](site("b8.conv0", 6))
    assert torch.allclose(roll(x, by=torch.tensor([1.0]), amount=one), x.roll(1, 1), atol=1e-6)
    assert torch.allclose(roll(x, by=torch.tensor([6.0]), amount=one), x, atol=1e-6)
    half = roll(x, by=torch.tensor([0.5]), amount=one)
    assert torch.allclose(half, (x + x.roll(1, 1)) / 2, atol=1e-6)


def test_a_blur_keeps_the_mean_and_narrows_the_spectrum():
    x = features(high=32, width=32)
    widths = [bent("blur", x, (s,)).std().item() for s in (0.25, 0.5, 1.0)]
    assert x.std() > widths[0] > widths[1] > widths[2]
    flat = torch.ones(1, 6, 8, 8)
    assert torch.allclose(bent("blur", flat), flat, atol=1e-6)
    assert torch.allclose(bent("sharpen", flat), flat, atol=1e-5)


def test_a_kaleidoscope_is_symmetric_and_tiles_repeat():
    x = features(high=24, width=24)
    four = BENDS["kaleidoscope"](site("b8.conv0", 6), sectors=4)
    y = four(x, by=torch.tensor([0.0]), amount=torch.tensor([1.0]))
    assert torch.allclose(y, torch.rot90(y, 1, (2, 3)), atol=1e-4)
    assert torch.allclose(y, y.flip(3), atol=1e-4)
    tile = BENDS["tile"](site("b8.conv0", 6))
    tiled = tile(x, by=torch.tensor([3.0]), amount=torch.tensor([1.0]))
    assert torch.allclose(tiled[..., :8, :8], tiled[..., 8:16, 16:], atol=1e-4)


def test_a_guard_keeps_the_power_of_every_channel():
    x = features()
    loud = bent("gain", x, guard=1.0)
    assert torch.allclose(loud.square().mean((2, 3)), x.square().mean((2, 3)), rtol=1e-4)
    louder = bent("gain", x, guard=0.5)
    assert (louder.square().mean() / x.square().mean()).item() == pytest.approx(
        10 ** (9 / 20), rel=1e-3
    )  # half of 9 dB in power


def test_channels_and_layers_are_found_by_what_a_patch_writes(silk):
    network = silk.network
    assert find_layers(network, "const") == ["const"]
    assert find_layers(network, "16 px") == ["b16.conv0", "b16.conv1"]
    chosen = channel_weights("30%", 100, layer="b16.conv0", seed=1)
    assert chosen.sum() == 30
    assert np.array_equal(chosen, channel_weights("30%", 100, layer="b16.conv0", seed=1))
    assert not np.array_equal(chosen, channel_weights("30%", 100, layer="b16.conv0", seed=2))
    assert math.isclose(channel_weights("4-7", 100, layer="x").sum(), 4)
    for at in ("b16.conv2", "3 px", "", "b4.torgb"):
        with pytest.raises(ModelError, match="no layer"):
            find_layers(network, at)
    for channels in ("most", "90-100", "7-3", "cluster 1", ""):
        with pytest.raises(ModelError, match="channels"):
            channel_weights(channels, 100, layer="b16.conv0")


def test_zooming_out_does_not_alias():
    stripes = torch.zeros(1, 6, 32, 32)
    stripes[..., ::2] = 1  # finer than can be shown at a third of the size: grey
    zoom, tile = (BENDS[name](site("b8.conv0", 6)) for name in ("zoom", "tile"))
    one = torch.tensor([1.0])
    for small in (zoom(stripes, by=0.29 * one, amount=one), tile(stripes, by=3.4 * one, amount=one)):
        inner = small[..., 4:-4, 4:-4]
        assert inner.mean().item() == pytest.approx(0.5, abs=0.05)
        assert inner.std() < 0.12
    assert zoom(stripes, by=2 * one, amount=one).std() > 0.24  # what bilinear sampling leaves


MOVES = ("translate", "zoom", "rotate", "shear", "mirror", "flip", "kaleidoscope", "tile")


def colours_and_noise(program, given, monkeypatch):
    """Draw, and return what the network was given."""
    seen = {}
    forward = type(program.module.network).forward

    def spy(self, ws, noise, **rest):
        seen.update(noise=dict(noise), colours=rest.get("colours") or {})
        return forward(self, ws, noise, **rest)

    monkeypatch.setattr(type(program.module.network), "forward", spy)
    with torch.inference_mode():
        image = program.module(*(given[key] for key in program.inputs))
    return image, seen


@pytest.mark.parametrize("name", MOVES)
def test_colours_and_noise_are_moved_along_or_left_where_they_are(name, small_model, monkeypatch):
    plain = Program(small_model, **SMALL)
    given = {key: torch.from_numpy(a) for key, a in seed_inputs(small_model, plain, 1, psi=1).items()}
    images = {}
    for along in (None, "colours", "noise", "all"):
        bend = BENDS[name](site("b8.conv1", 8, along=along))
        program = Program(small_model, **SMALL, taps=[bend])
        still = {f"bend/0/{key}": s for key, s in signals(bend, [0.0]).items()}
        full = {f"bend/0/{key}": s for key, s in signals(bend, [1.0]).items()}
        with torch.inference_mode():
            assert torch.equal(
                program.module(*({**given, **still}[key] for key in program.inputs)),
                plain.module(*(given[key] for key in plain.inputs)),
            )
        images[along], seen = colours_and_noise(program, {**given, **full}, monkeypatch)
        moved = {key for key, a in seen["noise"].items() if not torch.equal(a, given[f"noise/{key}"])}
        assert moved == ({"b16.conv0", "b16.conv1"} if along in {"noise", "all"} else set())
        assert set(seen["colours"]) == ({"b8.conv1"} if along in {"colours", "all"} else set())
        if moved:
            own = {key: s for key, s in signals(bend, [1.0]).items() if key != "amount"}
            wanted = bend.transform(given["noise/b16.conv0"], **own)
            assert torch.allclose(seen["noise"]["b16.conv0"], wanted, atol=1e-6)
    assert not torch.equal(images[None], images["colours"])
    assert not torch.equal(images[None], images["noise"])


def test_a_whole_translation_of_everything_moves_the_image(silk):
    """Features, colours so far and noise moved together at 8 px: the image is nearly the moved image."""
    given = seed_inputs(silk, program_of(silk, SIZE), 3, psi=0.7)

    def drawn(along, x):
        bend = BENDS["translate"](site("b8.conv0", silk.network.layers["b8.conv0"].channels, along=along))
        program = program_of(silk, SIZE, [bend])
        own = {"x": x, "y": 0.0, "amount": 1.0}
        arrays = {**given, **{f"bend/0/{key}": np.float32([value]) for key, value in own.items()}}
        with torch.inference_mode():
            return (
                program.module(*(torch.from_numpy(arrays[key]) for key in program.inputs))[0]
                .numpy()
                .astype(int)
            )

    plain, moved, ghosted = drawn("all", 0.0), drawn("all", 0.25), drawn(None, 0.25)
    gaps = [np.abs(image[:, 24:-8] - plain[:, 8:-24]).mean() for image in (moved, ghosted)]
    assert gaps[0] < 0.8 * gaps[1]
