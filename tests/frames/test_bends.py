"""Bends in patches: text, ranges, scenes, and the program's inputs that follow from them."""

from fractions import Fraction

import numpy as np
import pytest

from clavilux.arrays import F32
from clavilux.errors import PatchError
from clavilux.frames.bind import bind
from clavilux.generator.bends import BENDS
from clavilux.generator.program import Program
from clavilux.make.changes import changes_of
from clavilux.patches import functions
from clavilux.patches.functions import disc, drift, everywhere, lfo, palette, translate, zoom
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.patches.patch import Patch
from clavilux.patches.score import scene, score, seconds
from clavilux.project.sentences import read_looks, write_patch
from clavilux.seeds import normal
from clavilux.signals.evaluate import evaluate
from clavilux.signals.sources import song
from clavilux.signals.table import OPS, Param
from clavilux.signals.text import parse, to_text
from clavilux.timeline import Timeline

KICK = song.kick.decay(beats=0.25)
COLOURS = palette(seed=1)
TIMELINE = Timeline(Fraction(10), Fraction(0), 100)


def patch(*bends):
    return Patch(COLOURS.loop(bars=8), drift(seconds=4), bends=bends)


def latents(dim) -> dict[object, PaletteLatents]:
    rows: F32 = normal(0, "ring", 0, (14, dim))
    return {COLOURS: PaletteLatents(rows[:12], rows[12], rows[13])}


def inputs(shown, heard, model):
    program = Program(
        model, size=(16, 16), cells=(4, 4), pixels="rgb24", taps=changes_of(shown.bends, model, (4, 4))
    )
    bound = bind(shown, evaluate(shown.signals, heard), model, program, palettes=latents(model.w_dim))
    found = bound.at(TIMELINE.window(0, 100))
    assert set(found) == set(program.inputs)
    return found


@pytest.mark.parametrize("name", BENDS)
def test_every_bend_is_declared_with_the_signals_its_module_takes(name, small_model):
    op = OPS[name]
    node = getattr(functions, name)(at="b8.conv0")
    (made,) = changes_of([node], small_model, (4, 4))
    assert type(made.module) is BENDS[name]
    assert (*made.inputs, "where") == op.inputs
    for signal, value in made.module.at_strength(1).items():
        limits = op.optional[signal]
        assert isinstance(limits, Param)
        assert limits.low <= value <= limits.high
    assert parse(to_text(node)) == node
    assert op.function.__doc__


def test_a_patch_with_bends_reads_as_it_is_written_also_in_a_table():
    shown = patch(
        zoom(at="b16.conv0", by=1 + 0.15 * KICK),
        translate(at="8-16 px", x=0.125 * KICK, where=disc(radius=0.2), channels="30%", seed=4),
    )
    assert Patch.parse(str(shown)) == shown
    assert (
        "zoom(by=(1 + (0.15 * s1)), amount=1, where=everywhere(), along=None, at='b16.conv0', channels='all'"
        in str(shown)
    )
    look = read_looks(write_patch(shown))
    assert look.patch == shown
    short = {"palettes": {"one": "palette(seed=1)"}, "signals": {"kick2": "kick.decay(beats=0.25)"}}
    short["look"] = {
        "latents": "one.loop(bars=8)",
        "noise": "drift(seconds=4)",
        "bends": ["zoom(at='b16.conv0', by=1 + 0.15 * kick2)"],
    }
    assert read_looks(short).patch == patch(zoom(at="b16.conv0", by=1 + 0.15 * KICK))
    assert zoom(at="b16.conv0").inputs[-1] == everywhere()


def test_a_bend_says_what_is_wrong_with_it():
    for text, words in {
        "zoom(by=2)": "needs at",
        "zoom(at='b16.conv0', by=99)": "out of range",
        "zoom(at='b16.conv0', to=2)": "no parameter 'to'",
        "zoom(at='b16.conv0', by=kick)": "events, not a curve",
        "zom(at='b16.conv0')": "did you mean 'zoom'",
        "zoom(at='b16.conv0', where=kick)": "takes mask",
    }.items():
        with pytest.raises(PatchError, match=words):
            parse(text)


def test_signals_stay_within_the_range_of_what_they_move(heard, small_model):
    shown = patch(zoom(at="b8.conv0", by=40 * lfo(seconds=2) - 10, amount=2 * lfo(seconds=2) - 0.5))
    found = inputs(shown, heard, small_model)
    assert found["bend/0/by"].min() == np.float32(0.1)
    assert found["bend/0/by"].max() == 10
    assert (found["bend/0/amount"].min(), found["bend/0/amount"].max()) == (0, 1)


def test_one_bend_at_several_layers_has_one_set_of_inputs(heard, small_model):
    shown = patch(zoom(at="4-8 px", by=1.5), translate(at="const", x=lfo(seconds=1)))
    made = changes_of(shown.bends, small_model, (4, 4))
    assert [each.layer for each in made] == ["b4.conv1", "b8.conv0", "b8.conv1", "const"]
    found = inputs(shown, heard, small_model)
    assert [name for name in found if name.startswith("bend")] == [
        "bend/0/by", "bend/0/amount", "bend/1/x", "bend/1/y", "bend/1/amount"
    ]  # fmt: skip


def test_a_bend_acts_in_its_own_scene(heard, small_model):
    here, there = zoom(at="b8.conv0", by=2), translate(at="b8.conv0", x=0.5, amount=0.5)
    both = zoom(at="b4.conv1", by=1.5)
    shown = score(
        scene(patch(here, both), until="0:04"),
        scene(patch(both, there), fade=seconds(2)),
    )
    assert len(shown.bends) == 3
    assert Patch.parse(str(shown)) == shown
    found = inputs(shown, heard, small_model)
    amounts = {str(bend.op) + dict(bend.params)["at"]: k for k, bend in enumerate(shown.bends)}
    first, second, always = (
        found[f"bend/{amounts[key]}/amount"] for key in ("zoomb8.conv0", "translateb8.conv0", "zoomb4.conv1")
    )
    assert (first[:29] == 1).all()
    assert (first[51:] == 0).all()
    assert (second[:29] == 0).all()
    assert (second[51:] == 0.5).all()
    assert 0.4 < first[40] < 0.6
    assert np.allclose(first + 2 * second, 1, atol=1e-6)
    assert (always == 1).all()


def test_a_mask_is_laid_over_the_features(small_model):
    left = zoom(at="b8.conv0", by=2, where=disc(x=0, y=0.5, radius=0.5, soft=0).invert())
    (bend,) = changes_of([left], small_model, (4, 8))
    assert bend.module.places.shape == (8, 16)
    assert bend.module.places[4, 0] == 0
    assert bend.module.places[4, 15] == 1
