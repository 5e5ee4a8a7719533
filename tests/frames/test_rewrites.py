"""Rewrites in patches: text, several layers of one sentence, scenes."""

import pytest

import clavilux
from clavilux.errors import PatchError
from clavilux.generator.program import Program
from clavilux.generator.rewrites import REWRITES, Scale
from clavilux.make.changes import changes_of
from clavilux.patches.functions import drift, palette
from clavilux.patches.patch import Patch
from clavilux.patches.score import scene, score
from clavilux.project.sentences import read_looks, write_patch
from clavilux.signals.sources import song
from clavilux.signals.table import OPS
from clavilux.signals.text import parse

LEVEL = song.bass.rms().smooth(seconds=2).normalize()


def patch(*rewrites):
    return Patch(palette(seed=1).loop(bars=8), drift(seconds=4), rewrites=rewrites)


def test_a_rewrite_reads_as_it_is_written():
    shown = patch(clavilux.rewrite.scale(at="8-64 px", amount=LEVEL))
    assert "rewrite.scale(turn=0, amount=" in str(shown)
    assert Patch.parse(str(shown)) == shown
    assert read_looks(write_patch(shown)).patch == shown
    with pytest.raises(PatchError, match=r"did you mean 'rewrite\.scale'"):
        parse("rewrite.scales(at='b8.conv0')")


def test_every_rewrite_is_declared_with_the_signals_its_module_takes():
    for name, kind in REWRITES.items():
        assert (*kind.moved, "amount", "where") == OPS[name].inputs


def test_one_sentence_rewrites_every_layer_of_its_sizes(small_model):
    made = changes_of(patch(clavilux.rewrite.scale(at="4-8 px")).rewrites, small_model, (4, 4))
    assert [each.layer for each in made] == ["b4.conv1", "b8.conv0", "b8.conv1"]
    program = Program(small_model, size=(16, 16), cells=(4, 4), rewrites=made)
    assert [name for name in program.inputs if "rewrite" in name] == ["rewrite/0/turn", "rewrite/0/amount"]


def test_two_scenes_may_rewrite_one_layer(small_model):
    first, second = (clavilux.rewrite.scale(at="b8.conv0", seed=seed) for seed in (1, 2))
    shown = score(scene(patch(first), until="0:04"), scene(patch(second)))
    assert len(shown.rewrites) == 2
    made = changes_of(shown.rewrites, small_model, (4, 4))
    assert all(isinstance(each.module, Scale) for each in made)
    program = Program(small_model, size=(16, 16), cells=(4, 4), rewrites=made)
    assert sum(name.endswith("/amount") for name in program.inputs) == 2
