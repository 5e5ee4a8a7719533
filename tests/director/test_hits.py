"""Hits that would flash on a model go less far: by knobs that nobody turned, where hits are dense."""

import numpy as np
import pytest

from clavilux.curves import Events
from clavilux.director import hits as hits_module
from clavilux.director.decide import decide
from clavilux.director.hits import HIT_SPEC, HITS, hits_at_once, safe_gain
from clavilux.director.light import ModelLight
from clavilux.patches.presets import PRESETS
from clavilux.patches.presets.preset import Hit
from clavilux.profile.light import light_moved
from clavilux.profile.palettes import palette_images
from clavilux.profile.similarity import distances_of
from clavilux.profile.survey import Survey, survey
from clavilux.project.project import Project
from clavilux.store import Store

EVENLY = np.ones(12)


@pytest.fixture(scope="module")
def pool(silk):
    return survey(silk, Store())


@pytest.fixture
def dense(monkeypatch):
    monkeypatch.setattr(hits_module, "hits_at_once", lambda kick, snare: HIT_SPEC.per_second + 1)


def dimmer(pool, share):
    """The same images with a share of the lightness: a model whose light moves less."""
    lab = np.concatenate([share * pool.lab[..., :1], pool.lab[..., 1:]], axis=-1)
    return Survey(pool.ws, lab.astype(np.float32), pool.energy)


def gain_of(name, song, pool, **settings):
    project = Project(patch=name, **settings)
    decided = decide(project, lambda: song, lambda: pool)
    return decided.project.knobs[HITS[name].knob], decided.reasons


def test_hits_are_counted_where_they_are_densest():
    kick = Events([0.0, 1.0, 1.2, 1.4, 1.9, 3.0])
    assert hits_at_once(kick, Events([1.6, 1.95], [1.0, 0.2])) == 5  # the weak snare does not count
    assert hits_at_once(Events([]), Events([])) == 0


def test_what_hits_are_said_to_do_they_do():
    for name, hit in HITS.items():
        assert hit.knob in PRESETS[name].knobs
        assert hit.zoom or hit.shift or hit.accent
        text = str(PRESETS[name](0, **{hit.knob: 0.5}))
        assert text != str(PRESETS[name](0))
        ops = (("zoom(", hit.zoom), ("translate(", hit.shift), (".toward(", hit.accent))
        assert all(op in text for op, moved in ops if moved)


@pytest.mark.parametrize("seed", [0, 5])
def test_a_full_hit_moves_less_light_than_a_flash_in_what_is_shown(pool, song, seed, dense):
    light, palettes = ModelLight(pool, seed), [("cool", 0), ("wild", 3), ("", 1)]

    def gain(preset, shown, shares, usual=2.0):
        return safe_gain(preset, usual, shown, shares, lambda: song, lambda: light)

    punch = gain("strike", palettes, [EVENLY] * 3)
    assert 0.4 <= punch < 2
    for mood, own in palettes:
        images = palette_images(pool, distances_of(pool), seed=seed + own, mood=mood or None)
        assert light_moved(pool, 0.065 * punch)[images].mean() < 0.105
    places = [gain("strike", palettes[:1], [np.eye(12)[k]]) for k in range(12)]
    assert min(places) < gain("strike", palettes[:1], [EVENLY]) < max(places)
    assert gain("strike", palettes, [EVENLY] * 3, 0.1) == 0.1
    assert gain("tide", palettes, [EVENLY] * 3) == 2.0
    assert gain("strike", [("my own", 0)], [EVENLY]) == 2.0


def test_an_accent_moves_at_least_its_share_of_the_difference(pool):
    light = ModelLight(pool)
    half, whole = (light.moved(Hit("flash", accent=a), [("", 0)], [EVENLY]) for a in (0.5, 1.0))
    assert whole == pytest.approx(2 * half)
    lightness = pool.lab[light._accent("", 0), ..., 0].mean()
    assert lightness > pool.lab[light._of("", 0), ..., 0].mean()  # an accent is bright


@pytest.mark.parametrize("name", sorted(HITS))
def test_a_named_preset_goes_less_far_where_its_hits_would_flash(name, song, pool, dense):
    knob, usual = HITS[name].knob, PRESETS[name].knobs[HITS[name].knob].default
    gain, (said,) = gain_of(name, song, pool)
    assert HITS[name].least * usual <= gain < usual
    assert said == f"Its hits would flash on this model: {knob} {gain:g} instead of {usual:g}"
    dim, _ = gain_of(name, song, dimmer(pool, 0.6))
    assert gain <= dim
    assert gain_of(name, song, dimmer(pool, 0.2)) == (usual, ())
    assert gain_of(name, song, pool) == (gain, (said,))


def test_what_is_lowered_is_drawn_and_recorded(song, pool, dense):
    decided = decide(Project(patch="prism"), lambda: song, lambda: pool).project
    assert str(decided.shown) == str(PRESETS["prism"](0, punch=decided.knobs["punch"]))
    assert str(decided.shown) != str(PRESETS["prism"](0))
    assert decide(Project(patch=decided.shown), lambda: song, lambda: pool).project.shown == decided.shown


def test_a_knob_that_a_person_turned_stays(song, pool, dense):
    assert gain_of("prism", song, pool, knobs={"punch": 1.1}) == (1.1, ())
    assert gain_of("prism", song, pool, knobs={"drift_bars": 16})[1]


def test_wilder_goes_further_than_a_flash_and_calmer_less_far(song, pool, dense):
    calm, usual, wild = (gain_of("prism", song, pool, **w)[0] for w in ({"calmer": 1}, {}, {"wilder": 1}))
    assert usual < 1
    assert calm == pytest.approx(usual / 1.6, abs=0.01)
    assert wild == pytest.approx(usual * 1.6, abs=0.01)


def test_the_palette_that_is_shown_is_measured(song, pool, dense):
    gains = {gain_of("strike", song, pool, palette=mood)[0] for mood in ("calm", "wild", "warm", None)}
    assert len(gains) > 1
    assert gain_of("strike", song, pool, palette="my own") == (1.0, ())


def test_sparse_hits_flags_and_models_without_a_survey_leave_a_preset_as_it_is(song, pool, monkeypatch):
    def never():
        raise AssertionError

    monkeypatch.setattr(hits_module, "hits_at_once", lambda kick, snare: HIT_SPEC.per_second)
    assert decide(Project(patch="prism"), lambda: song, never).project.knobs["punch"] == 1
    monkeypatch.setattr(hits_module, "hits_at_once", lambda kick, snare: HIT_SPEC.per_second + 1)
    assert decide(Project(patch="prism"), lambda: song, lambda: None).project.knobs["punch"] == 1
    assert decide(Project(patch="prism"), never, never, tame=False).project.knobs["punch"] == 1
    assert decide(Project(patch="circle"), never, never).reasons == ()
