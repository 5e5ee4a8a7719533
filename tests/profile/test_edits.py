"""Copy-paste edits: the pasted part comes near its goal, other images change less."""

import itertools
import json

import numpy as np
import pytest
import torch
from PIL import Image

import clavilux
from clavilux.errors import FileError, ModelError
from clavilux.frames.bind import files_of
from clavilux.generator.generate import seed_latents
from clavilux.generator.model import load_model
from clavilux.generator.rewrites import Edit, styled_convs
from clavilux.generator.sites import Place
from clavilux.make.changes import changes_of
from clavilux.profile import edits
from clavilux.profile.edit_files import read_edit
from clavilux.profile.probe import PSI, colours, draw

TABLE = {
    "object": {"seed": 3, "mask": [0.25, 0.25, 0.5, 0.5]},
    "paste": {"seed": 8, "mask": [0.5, 0.5, 0.75, 0.75]},
    "contexts": [{"seed": 8, "mask": [0.5, 0.5, 0.75, 0.75]}],
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "edit.json"
    path.write_text(json.dumps(TABLE))
    return path


class Bound:
    """A rewrite at one amount, as a side branch."""

    own = None
    others = ()

    def __init__(self, edit, amount):
        self.edit, self.amount = edit, torch.tensor([amount])

    @property
    def weight(self):
        return self.edit.weight

    def keys(self, x):
        return self.edit.keys(x, amount=self.amount)

    def power(self, style):
        return self.edit.power(style, amount=self.amount)


def output(model, layer, seed, edit=None, amount=1.0):
    kept = []
    taps = {layer: lambda x: kept.append(x.clone()) or x}
    w = model.truncate(seed_latents(model, seed), PSI)
    draw(model, w, taps=taps, rewrites={} if edit is None else {layer: Bound(edit, amount)}, stop=32)
    return kept[0]


@pytest.mark.parametrize("rank", [1, 4])
def test_the_pasted_part_comes_near_its_goal(silk, file, rank):
    layer, plan = "b16.conv1", read_edit(file)
    content, directions = edits.solve_edit(silk, layer, plan, rank=rank)
    edit = Edit(Place(layer), styled_convs(silk.network)[layer].weight, content, directions)
    before, source = output(silk, layer, 8), output(silk, layer, 3)
    wanted, box = edits._pasted(source, before, plan, 16)
    after = output(silk, layer, 8, edit)
    part = (slice(None), slice(None), *box)
    gap = ((after - wanted)[part].norm() / (before - wanted)[part].norm()).item()
    assert gap < (0.75 if rank == 1 else 0.5)
    assert torch.equal(output(silk, layer, 8, edit, 0.0), before)


def test_an_edit_is_written_in_a_patch(small_model, file):
    (made,) = changes_of([clavilux.rewrite.edit(at="b8.conv1", path=str(file), rank=2)], small_model, (4, 4))
    assert isinstance(made.module, Edit)
    assert np.isfinite(made.module.weight.numpy()).all()
    with pytest.raises(ModelError, match=r"choose 'b8.conv1'"):
        edits.solve_edit(small_model, "b8.conv0", read_edit(file))


@pytest.mark.parametrize("broken", ["{", "{}", '{"object": 3, "paste": 4}', "[]"])
def test_a_broken_edit_is_an_error_of_the_file(tmp_path, broken):
    path = tmp_path / "edit.json"
    path.write_text(broken)
    with pytest.raises(FileError, match="needs object, paste"):
        read_edit(path)


def test_a_painted_mask_means_what_a_box_of_the_same_places_means(silk, file, tmp_path):
    painted = np.zeros((64, 64), np.uint8)
    painted[16:32, 16:32] = 255
    Image.fromarray(painted).save(tmp_path / "mask.png")
    table = {**TABLE, "object": {"seed": 3, "mask": "mask.png"}}
    path = tmp_path / "painted.json"
    path.write_text(json.dumps(table))
    boxed, masked = read_edit(file), read_edit(path)
    assert masked.files == [tmp_path / "mask.png"]
    assert boxed.files == []
    solved = [edits.solve_edit(silk, "b16.conv1", plan)[0] for plan in (boxed, masked)]
    assert torch.equal(*solved)
    painted[16:24, 16:24] = 0  # a corner is left as it was
    Image.fromarray(painted).save(tmp_path / "mask.png")
    before, source = output(silk, "b16.conv1", 8), output(silk, "b16.conv1", 3)
    wanted, box = edits._pasted(source, before, masked, 16)
    assert torch.equal(wanted[:, :, box[0], box[1]][:, :, :2, :2], before[:, :, box[0], box[1]][:, :, :2, :2])
    assert not torch.equal(wanted[:, :, box[0], box[1]], before[:, :, box[0], box[1]])
    Image.fromarray(0 * painted).save(tmp_path / "mask.png")
    with pytest.raises(FileError, match="is black"):
        edits.solve_edit(silk, "b16.conv1", masked)


def test_a_render_depends_on_the_masks_of_its_edits(file, tmp_path):
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / "mask.png")
    path = tmp_path / "painted.json"
    path.write_text(json.dumps({**TABLE, "object": {"seed": 3, "mask": "mask.png"}}))
    patch = clavilux.Patch(
        clavilux.palette().loop(bars=8),
        clavilux.drift(seconds=4),
        rewrites=[clavilux.rewrite.edit(at="b8.conv1", path=str(path))],
    )
    assert files_of(patch, None) == [path, tmp_path / "mask.png"]


@pytest.mark.parametrize("name", ["silk", "glass", "ink"])
@pytest.mark.parametrize(("layer", "rank"), [("b16.conv1", 1), ("b32.conv1", 4)])
def test_an_edit_is_seen_where_it_was_pasted_and_does_not_jump(name, layer, rank, file):
    model = load_model(name)
    content, directions = edits.solve_edit(model, layer, read_edit(file), rank=rank)
    edit = Edit(Place(layer), styled_convs(model.network)[layer].weight, content, directions)
    w = model.truncate(seed_latents(model, 8), PSI)
    amounts = np.linspace(0, 1, 21)
    drawn = [colours(draw(model, w, rewrites={layer: Bound(edit, a)}, stop=64)) for a in amounts]
    change = np.linalg.norm(drawn[-1] - drawn[0], axis=-1)[0]  # (64, 64)
    inside = np.zeros((64, 64), bool)
    inside[32:48, 32:48] = True
    assert change[inside].mean() > 12
    assert change[inside].mean() > 3 * change[~inside].mean()
    steps = np.array([np.linalg.norm(b - a, axis=-1).mean() for a, b in itertools.pairwise(drawn)])
    assert steps.max() < 3 * steps.mean()
