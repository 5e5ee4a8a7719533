"""A render with two models remembers both, so that it is recreated with the same ones only."""

from dataclasses import replace

import pytest

from clavilux import Output, Patch, Project, Workspace, prepare
from clavilux.errors import ClaviluxError
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.model import load_model
from clavilux.generator.stylegan2_config import StyleGAN2Config
from clavilux.patches.functions import drift, palette, rewrite
from clavilux.project.recipe import Recipe

CONFIG = StyleGAN2Config(6, 8, 2, (12, 8, 6))


@pytest.fixture
def second(tmp_path, random_arrays):
    path = tmp_path / "second.safetensors"
    write_native(path, random_arrays(CONFIG, 5), {"licence": "CC0-1.0"})
    return path


def job_of(piece, first, second, workspace):
    blend = rewrite.blend(at="coarse", model=str(second), amount=0.5)
    patch = Patch(palette(seed=1).loop(bars=4), drift(seconds=4), rewrites=[blend])
    project = Project(model=str(first), patch=patch, duration=1)
    return prepare(piece.audio, project, Output(size=(32, 32), fps=4), workspace=workspace)


def test_both_models_are_part_of_a_recipe(piece, small_file, second, random_arrays):
    workspace = Workspace()
    job = job_of(piece, small_file, second, workspace)
    assert job.identity["model"] == load_model(small_file).digest
    assert job.identity["blended"] == [load_model(second).digest]
    recipe = Recipe.from_text(job.recipe([], [job.runner.label]).to_text())
    assert recipe.project.shown == job.bound.patch
    recipe.check(job.identity)
    write_native(second, random_arrays(CONFIG, 6), {"licence": "CC0-1.0"})
    other = job_of(piece, small_file, second, workspace)
    assert other.identity["blended"] != job.identity["blended"]
    with pytest.raises(ClaviluxError, match="blended"):
        recipe.check(other.identity)


def test_a_render_of_one_model_has_no_other(piece, small_file):
    patch = Patch(palette(seed=1).loop(bars=4), drift(seconds=4))
    project = Project(model=str(small_file), patch=patch, duration=1)
    job = prepare(piece.audio, project, Output(size=(32, 32), fps=4))
    assert "blended" not in job.identity
    assert replace(job, blended=("x",)).identity["blended"] == ["x"]
