"""Scores: exact at both ends of every change, constant in power through it, equal in every window."""

from fractions import Fraction

import numpy as np
import pytest

from clavilux.errors import PatchError, SettingError, SongError
from clavilux.frames.bound import Bound, Stage
from clavilux.patches.functions import drift, palette
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.patches.patch import Patch
from clavilux.patches.score import bars, beats, by_section, scene, score, seconds
from clavilux.seeds import normal
from clavilux.signals.evaluate import evaluate
from clavilux.signals.sources import song
from clavilux.timeline import Timeline

DIM, LAYERS = 16, 8
SIZES = {"b4.conv1": (4, 7), "b64.conv1": (64, 112)}
STAGE = Stage(
    LAYERS,
    {"coarse": range(3), "middle": range(3, 6), "fine": range(6, 8)},
    SIZES,
    {"coarse": frozenset({"b4.conv1"}), "middle": frozenset(), "fine": frozenset({"b64.conv1"})},
)
W_AVG = normal(0, "avg", 0, (DIM,))
FPS = 10
FAST = Timeline(Fraction(FPS), Fraction(0), 270)


def latents_of(seed):
    return PaletteLatents(
        normal(seed, "ring", 0, (12, DIM)), normal(seed, "rest", 0, (DIM,)), normal(seed, "accent", 0, (DIM,))
    )


def look(seed, psi=1.0, name="", amount=1.0):
    return Patch(palette(seed=seed).loop(bars=4), drift(seconds=1 + seed, name=name).scale(amount), psi)


CALM, WILD, STORM = look(1), look(2), look(3, 0.3)


def bound(heard, patch):
    palettes = {node: latents_of(dict(node.params)["seed"]) for node in patch.palettes}
    return Bound(patch, evaluate(patch.signals, heard), palettes, W_AVG, STAGE, seed=5)


def at(heard, patch, moment, count=1, fps=FPS):
    """Return the inputs of the frames from a moment on."""
    window = Timeline(Fraction(fps), Fraction(moment).limit_denominator(1000), count).window(0, count)
    return bound(heard, patch).at(window)


def assert_same(first, second):
    assert list(first) == list(second)
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], name)


@pytest.mark.parametrize(
    ("until", "fade"),
    [("8", seconds(2)), ("bar 4", bars(1)), ("beat 9", beats(2)), ("B.1", bars(2)), ("0:07.5", seconds(0))],
)
def test_before_and_after_a_change_there_is_one_scene_exactly(heard, until, fade):
    from clavilux.moments import Moment

    joined = score(scene(CALM, until=until), scene(STORM, fade=fade))
    change = Moment.parse(until).seconds(heard.grid, heard.sections, heard.duration)
    length = {
        "seconds": 1,
        "beats": 60 / heard.grid.tempo,
        "bars": 60 / heard.grid.tempo * heard.grid.beats_per_bar,
    }
    half = fade.number * length[fade.unit] / 2
    before, after = max(0, change - half * 1.1 - 0.2), change + half * 1.1 + 0.05
    assert_same(at(heard, joined, before), at(heard, CALM, before))
    assert_same(at(heard, joined, after), at(heard, STORM, after))
    assert_same(at(heard, joined, 0), at(heard, CALM, 0))
    assert_same(at(heard, joined, 26), at(heard, STORM, 26))


def test_latents_cross_linearly_and_noise_at_constant_power(heard):
    joined = score(scene(CALM, until="10"), scene(WILD, fade=seconds(4)))
    source = bound(heard, joined)
    window = FAST.window(80, 41)
    share = source.curves.at(next(s for s in joined.signals if s.op == "fade"), window.edges)[:, 0]
    assert share[0] == pytest.approx(0, abs=0.01)
    assert share[-1] == 1
    assert share[20] == pytest.approx(0.5, abs=0.02)
    assert np.all(np.diff(share) >= 0)
    inputs = source.at(window)
    calm, wild = (bound(heard, each).at(window)["ws"] for each in (CALM, WILD))
    expected = calm + share[:, None, None] * (wild - calm)
    np.testing.assert_allclose(inputs["ws"], expected, atol=1e-5)
    spread = inputs["noise/b64.conv1"].std(axis=(1, 2, 3))
    np.testing.assert_allclose(spread, 1, atol=0.04)
    assert spread.mean() == pytest.approx(1, abs=0.01)


def test_one_noise_in_both_scenes_crosses_by_its_power(heard):
    quiet, loud = look(1, name="same", amount=0.5), look(1, name="same", amount=2.0)
    assert quiet.noise != loud.noise
    joined = score(scene(quiet, until="10"), scene(loud, fade=seconds(4)))
    maps = bound(heard, joined).at(FAST.window(80, 41))["noise/b64.conv1"].std(axis=(1, 2, 3))
    assert maps[0] == pytest.approx(0.5, rel=0.05)
    assert maps[-1] == pytest.approx(2, rel=0.05)
    assert maps[20] == pytest.approx(np.sqrt((0.25 + 4) / 2), rel=0.05)


def test_psi_passes_from_one_scene_to_the_other(heard):
    moving = 0.7 + 0.1 * song.mix.rms()
    first, second = look(1, 0.1), look(1, moving)
    joined = score(scene(first, until="10"), scene(second, fade=seconds(2)))
    for moment, alone in ((5, first), (12, second)):
        assert_same(at(heard, joined, moment, 3), at(heard, alone, moment, 3))
    middle = at(heard, joined, 9.95)["ws"] - W_AVG
    ends = [np.linalg.norm(at(heard, each, 9.95)["ws"] - W_AVG) for each in (first, second)]
    assert ends[0] < np.linalg.norm(middle) < ends[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: score(
            scene(CALM, until="bar 3"), scene(WILD, until="bar 6", fade=bars(1)), scene(STORM, fade=beats(1))
        ),
        lambda: by_section(A=CALM, B=WILD, otherwise=STORM, fade=bars(1)),
    ],
    ids=["score", "by_section"],
)
def test_every_split_into_windows_gives_the_same_bits(heard, make):
    whole = bound(heard, make()).at(FAST.window(0, 200))
    for parts in ([(0, 200)], [(0, 1), (1, 7), (8, 64), (72, 128)], [(k, 8) for k in range(0, 200, 8)]):
        source = bound(heard, make())
        for first, count in parts:
            for name, values in source.at(FAST.window(first, count)).items():
                np.testing.assert_array_equal(values, whole[name][first : first + count], name)


def test_what_recurs_in_the_song_recurs_in_the_image(heard):
    labels = heard.sections.labels
    repeated = next(label for label in labels if labels.count(label) > 1)
    joined = by_section(otherwise=CALM, fade=seconds(0.5), **{repeated: WILD})
    bounds = heard.sections.bounds
    for label, start, end in zip(labels, bounds, bounds[1:], strict=False):
        middle = (start + end) / 2
        assert_same(at(heard, joined, middle), at(heard, WILD if label == repeated else CALM, middle))


def test_the_loudest_section_has_its_own_patch_and_a_later_one_wins(heard):
    sections = heard.sections
    loudest = int(np.argmax(sections.energies))
    middle = float(sections.bounds[loudest : loudest + 2].mean())
    label = sections.labels[loudest]
    both = by_section(**{label: WILD, "loudest": STORM}, otherwise=CALM)
    assert_same(at(heard, both, middle), at(heard, STORM, middle))
    with pytest.raises(SongError, match="no section 'Q'"):
        at(heard, by_section(Q=WILD, otherwise=CALM), 1)


def test_a_mix_of_hundreds_of_tracks_is_bound_and_read_back(heard):
    patches = [look(k, 0.5 + k / 1000, name="same") for k in range(300)]
    joined = score(*(scene(each, until=f"{0.08 * (k + 1):.2f}") for k, each in enumerate(patches)))
    assert Patch.parse(str(joined)) == joined
    source = bound(heard, joined)
    number = 150
    window = Timeline(Fraction(100), Fraction(0), 2700).window(number * 8 + 3, 2)
    np.testing.assert_array_equal(source.at(window)["ws"], bound(heard, patches[number]).at(window)["ws"])


@pytest.mark.parametrize("name", ["latents", "noise"])
def test_the_longest_chain_there_may_be_is_drawn(heard, name):
    chain = CALM
    for k in range(200):
        other = look(k % 3)
        parts = {"latents": CALM.latents, "noise": CALM.noise}
        amount = song.kick.decay(beats=0.5)
        from clavilux.signals.expr import apply
        from clavilux.signals.table import OPS

        kind = name.removesuffix("s")
        pair = (getattr(chain, name), getattr(other, name), amount)
        parts[name] = apply(OPS[f"{kind}.switch"], pair, {}) if kind == "latent" else pair[0].scale(0.99)
        chain = Patch(parts["latents"], parts["noise"])
    assert np.isfinite(at(heard, chain, 1)["ws"]).all()


def test_scenes_are_joined_in_the_order_of_the_music():
    with pytest.raises(PatchError, match="at least one scene"):
        score()
    with pytest.raises(PatchError, match="Only the last scene"):
        score(scene(CALM), scene(WILD))
    with pytest.raises(SettingError, match="not a moment"):
        scene(CALM, until="soon!")
    with pytest.raises(PatchError, match="needs a patch"):
        by_section()
    assert score(scene(CALM)) == CALM
    assert score(scene(CALM, until="5"), scene(CALM, fade=bars(1))) == CALM
    with pytest.raises(SettingError):
        bars(-1)
    assert score(scene(CALM, until=20), scene(WILD, fade="2 bars")) == score(
        scene(CALM, until="0:20"), scene(WILD, fade=bars(2))
    )
    assert by_section(A=CALM, B=WILD, fade="2 bars") == by_section(A=CALM, B=WILD, fade=bars(2))
    with pytest.raises(SettingError, match="not a length"):
        scene(CALM, fade="soon")


def test_a_moment_past_the_end_is_named(heard):
    with pytest.raises(SongError, match="no bar 999"):
        bound(heard, score(scene(CALM, until="bar 999"), scene(WILD)))
