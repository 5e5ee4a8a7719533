"""The knob `split` of presets: harmony moves one group of layers and all finer ones, and no other."""

from fractions import Fraction

import numpy as np
import pytest

from clavilux.catalogue import GROUPS
from clavilux.errors import PatchError
from clavilux.frames.bound import Bound, Stage
from clavilux.patches.muted import muted
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.patches.presets import PRESETS
from clavilux.seeds import normal
from clavilux.signals.evaluate import evaluate
from clavilux.timeline import Timeline

DIM, LAYERS = 16, 8
LAYERS_OF = {"coarse": range(3), "middle": range(3, 6), "fine": range(6, 8)}
STAGE = Stage(LAYERS, LAYERS_OF, {}, dict.fromkeys(GROUPS, frozenset()))
WHOLE_SONG = Timeline(Fraction(2), Fraction(0), 54).window(0, 54)
SPLIT = sorted(name for name, preset in PRESETS.items() if "split" in preset.knobs)


def latents_of(palette):
    ring, rest, accent = (normal(0, palette.digest, k, (12, DIM)) for k in range(3))
    return PaletteLatents(ring, rest[0], accent[0])


def latents(heard, patch):
    palettes = {palette: latents_of(palette) for palette in patch.palettes}
    curves = evaluate(patch.signals, heard)
    return Bound(patch, curves, palettes, normal(0, "avg", 0, (DIM,)), STAGE, seed=5).at(WHOLE_SONG)["ws"]


@pytest.mark.parametrize("split", GROUPS)
@pytest.mark.parametrize("name", SPLIT)
def test_harmony_moves_the_layers_from_the_split_on(name, split, heard):
    patch = PRESETS[name](3, split=split)
    still = latents(heard, muted(patch, {"chords", "bass"}))
    moved = (latents(heard, patch) != still).any(axis=(0, 2))
    np.testing.assert_array_equal(moved, np.arange(LAYERS) >= LAYERS_OF[split].start)


def test_a_split_that_nobody_turned_is_where_it_always_was():
    assert {name: PRESETS[name].knobs["split"].default for name in SPLIT} == {
        "prism": "coarse",
        "stage": "coarse",
        "strike": "fine",
    }


def test_the_form_of_strike_follows_chords_more_slowly_than_its_colours(heard):
    ws = latents(heard, PRESETS["strike"](3, split="coarse", drift_bars=1024))
    fastest = np.linalg.norm(np.diff(ws, axis=0), axis=2).max(axis=0)
    assert fastest[LAYERS_OF["coarse"]].max() < 0.75 * fastest[LAYERS_OF["fine"]].min()


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("16 px", "it is coarse, middle, fine"),
        ("midle", "did you mean 'middle'?"),
        (4.0, "coarse, middle, fine"),
    ],
)
def test_a_split_that_is_none_is_refused_in_one_sentence(wrong, hint):
    with pytest.raises(PatchError) as caught:
        PRESETS["strike"](split=wrong)
    assert caught.value.what.startswith("split of the preset strike")
    assert hint in caught.value.hint
