"""Networks of every size are surveyed at a bearable price, and whoever waits is told."""

from types import SimpleNamespace

import pytest

from clavilux.generator.stylegan2_config import StyleGAN2Config
from clavilux.generator.stylegan3_config import FilteredLayer, StyleGAN3Config
from clavilux.profile.survey import SURVEY, survey, view_of
from clavilux.store import Store


def network(config, *, repeats=True, cells=4):
    return SimpleNamespace(
        layers=config.layers, cells=(cells, cells), repeats=repeats, resolution=config.resolution
    )


def config_f(resolution, widest=512, base=32768, **more):
    sides = [4 << k for k in range(resolution.bit_length() - 2)]
    return StyleGAN2Config(512, 512, 8, tuple(min(widest, base // side) for side in sides), **more)


def test_large_networks_are_drawn_smaller_rather_than_less_often():
    view = view_of(network(config_f(1024)))
    assert (view.stop, view.cells, view.count) == (64, 4, SURVEY.count)
    assert view_of(network(config_f(256, base=16384))).stop == 256
    assert view_of(network(config_f(32))).cells == 6  # between the constant and twice that


def test_networks_with_one_image_are_drawn_less_often():
    view = view_of(network(config_f(1024, colours="resnet")))
    assert (view.stop, view.cells) == (1024, 4)
    assert SURVEY.min_count <= view.count < SURVEY.count


def test_of_fourier_features_the_middle_is_drawn():
    layers = [FilteredLayer(512, 3, 1044, 1024, 2, 2, (0, 0), 12, 12) for _ in range(3)]
    config = StyleGAN3Config(8, 8, 1, 1024, 512, 36, 16, 2.0, tuple(layers))
    view = view_of(network(config, repeats=False, cells=16))
    assert (view.cells, view.count) == (4, SURVEY.min_count)


@pytest.mark.parametrize("count", [24, 30])
def test_progress_is_told_once_for_each_batch(small_model, tmp_path, count):
    told = []
    store = Store(tmp_path)
    for _ in range(2):
        survey(small_model, store, count=count, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, count) for done in range(0, count, SURVEY.batch)]  # the second is read
