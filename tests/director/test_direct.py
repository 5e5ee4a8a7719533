"""The director chooses by what is heard, explains itself, and decides nothing that a person decided."""

from itertools import combinations

import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.curves import Sections
from clavilux.director.decide import decide
from clavilux.director.direct import LADDER, SPEC, STRENGTH, Wishes, direct
from clavilux.director.hits import HIT_SPEC
from clavilux.director.light import LightSpec, ModelLight
from clavilux.errors import PatchError, SettingError
from clavilux.features.corrections import Corrections
from clavilux.features.harmony.key import Key
from clavilux.features.song import Song
from clavilux.patches.muted import muted
from clavilux.patches.patch import Patch
from clavilux.patches.presets import PRESETS
from clavilux.profile.palettes import palette_images
from clavilux.profile.similarity import distances_of
from clavilux.profile.survey import Survey, survey
from clavilux.project.project import Project
from clavilux.project.sentences import read_looks
from clavilux.store import Store


def test_a_song_with_drums_gets_a_look_for_each_kind_of_section(song):
    found = direct(song)
    assert found.preset in {"strike", "stage"}
    looks, by_section = found.tables["looks"], found.tables["by_section"]
    assert set(song.sections.labels) <= set(by_section)
    assert looks[by_section[song.sections.loudest]]["colours"] == "wild"
    assert len({(look["colours"], look["seed"]) for look in looks.values()}) == len(looks)
    read = read_looks(found.tables)
    assert not read.errors
    assert isinstance(read.patch, Patch)
    assert len(read.patch.bends) == len(PRESETS[found.preset]().bends)  # shared by all sections
    assert len(found.reasons) == 2
    assert found.preset in found.reasons[0]


def test_the_same_song_gets_the_same_choice(song):
    assert direct(song) == direct(song)


def test_silence_and_noise_drift():
    assert direct(Song(Audio.from_samples([0.0] * 44100, 22050))).preset == "tide"


def test_a_mix_plays_club(composed):
    mix = Song(composed.audio, corrections=Corrections(tracks=Sections([0.0, 12.0, 24.0], ("one", "two"))))
    assert direct(mix).preset == "club"


def test_calmer_and_wilder_go_a_step_and_less_or_more_far(song):
    calm, usual, wild = (direct(song, Wishes(energy)) for energy in (-1, 0, 1))
    steps = [LADDER.index(each.preset) for each in (calm, usual, wild)]
    assert steps[0] < steps[1] < steps[2]
    bars = [next(iter(each.tables["looks"].values())).get("drift_bars", 0) for each in (usual, wild)]
    assert bars[1] < bars[0]
    strongest = [
        max(STRENGTH.index(look["colours"]) for look in each.tables["looks"].values())
        for each in (calm, usual)
    ]
    assert strongest[0] < strongest[1]


def test_what_a_person_decided_stays(song):
    found = direct(song, Wishes(palette="cool", knobs={"punch": 0.25}))
    assert {(look["colours"], look["punch"]) for look in found.tables["looks"].values()} == {("cool", 0.25)}
    with pytest.raises(PatchError, match="no knob 'punsh'"):
        direct(song, Wishes(knobs={"punsh": 1}))


def shown_with(found):
    (split,) = {look["split"] for look in found.tables["looks"].values()}
    return split


@pytest.mark.parametrize("energy", [0, 1])
def test_harmony_moves_the_form_but_where_drums_lead_without_a_key(song, energy, monkeypatch):
    def found(drums, confidence):
        monkeypatch.setattr("clavilux.director.direct.drums_of", lambda song: drums)
        monkeypatch.setattr(Song, "key", Key("A minor", confidence))
        return direct(song, Wishes(energy))

    tonal, atonal, soft = (
        found(*heard) for heard in (("strong", SPEC.tonal), ("strong", SPEC.tonal - 0.01), ("soft", 0.0))
    )
    assert [shown_with(each) for each in (tonal, atonal, soft)] == ["coarse", "fine", "coarse"]
    assert tonal.reasons[0].startswith("Drums lead, the key is clear: preset ")
    assert tonal.reasons[1].endswith("; harmony moves form and colours")
    assert atonal.reasons[0].startswith("Drums lead, hardly a key: preset ")
    assert atonal.reasons[1].endswith("; harmony moves colours alone")
    shown = [read_looks(each.tables).patch for each in (tonal, atonal)]
    assert all(isinstance(patch, Patch) for patch in shown)
    assert shown[0] != shown[1]


def test_a_split_that_a_person_decided_stays(song):
    found = direct(song, Wishes(knobs={"split": "middle"}))
    assert shown_with(found) == "middle"
    assert found.reasons[1].endswith("; harmony moves details and colours")
    with pytest.raises(PatchError, match=r"split of the preset .* cannot be 'fien'"):
        direct(song, Wishes(knobs={"split": "fien"}))


def test_a_preset_that_is_named_is_not_heard_for_and_takes_the_wishes():
    def never():
        raise AssertionError

    usual = decide(Project(patch="strike"), never).project
    wild = decide(Project(patch="strike", wilder=True, palette="warm"), never).project
    assert wild.knobs["punch"] > usual.knobs["punch"]
    assert wild.knobs["drift_bars"] < usual.knobs["drift_bars"]
    assert wild.knobs["colours"] == "warm"
    assert (
        decide(Project(patch="strike", wilder=True, knobs={"punch": 0.5}), never).project.knobs["punch"]
        == 0.5
    )
    assert decide(Project(), never).project.shown == Project().shown
    with pytest.raises(SettingError, match="both calmer and wilder"):
        Project(calmer=True, wilder=True)


def test_auto_is_decided_when_the_song_is_heard(song):
    told = []
    decided = decide(Project(patch="auto", seed=4), lambda: song, likely=told.append)
    assert [patch.bends for patch in told] == [Project(patch=direct(song).preset, seed=4).shown.bends]
    assert isinstance(decided.project.shown, Patch)
    assert decided.played.startswith("preset ")
    with pytest.raises(SettingError, match="when the song is heard"):
        _ = Project(patch="auto").shown


def test_auto_measures_on_the_survey_from_the_seed_of_the_project(song, pool):
    project = Project(patch="auto", seed=4)
    decided = decide(project, lambda: song, lambda: pool)
    assert decided.tables == direct(song, find_light=lambda: ModelLight(pool, 4)).tables
    assert decided.tables != decide(project, lambda: song).tables
    assert decide(project, lambda: song, lambda: None) == decide(project, lambda: song)


def test_auto_surveys_the_model_only_where_it_compares_palettes(song, monkeypatch):
    monkeypatch.setattr("clavilux.director.hits.hits_at_once", lambda kick, snare: HIT_SPEC.per_second + 1)
    asked = []

    def refused():
        asked.append(1)

    for project in (
        Project(patch="auto", palette="my own"),
        Project(patch="auto", knobs={"colours": "my own"}),
        Project(patch="circle"),
    ):
        decide(project, lambda: song, refused)
    assert not asked
    decide(Project(patch="auto"), lambda: song, refused)
    assert asked == [1]


def test_drums_push_as_far_as_the_palette_that_is_wished_for_allows(song, pool, monkeypatch):
    monkeypatch.setattr("clavilux.director.hits.hits_at_once", lambda kick, snare: HIT_SPEC.per_second + 1)
    bright, measured = ModelLight(brighter(pool)), []
    moved = ModelLight.moved

    def noting(self, hit, palettes, shares):
        measured.extend(palettes)
        return moved(self, hit, palettes, shares)

    monkeypatch.setattr(ModelLight, "moved", noting)
    found = direct(song, Wishes(knobs={"colours": "calm"}), lambda: bright)
    assert set(measured) == {("calm", 0)}
    assert found.tables["look"]["colours"] == "calm"
    assert found.reasons[1].startswith("Palettes calm;")


@pytest.mark.parametrize("part", ["kick", "snare", "hats", "chords", "bass"])
def test_a_muted_part_moves_nothing(part, song):
    from clavilux.signals.evaluate import evaluate

    patch = PRESETS["pulse"](1)
    silent = muted(patch, {part})
    assert silent != patch
    assert Patch.parse(str(silent)) == silent
    evaluate(silent.signals, song)  # zeros of as many channels as before


def test_solo_mutes_the_rest_and_names_are_checked():
    decided = decide(Project(patch="strike", solo="kick"), lambda: None).project
    assert decided.shown == muted(
        Project(patch="strike").shown, {"snare", "hats", "bass", "chords", "melody"}
    )
    assert decided.solo == ""
    with pytest.raises(PatchError, match="did you mean 'kick'"):
        Project(mute="kik")


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_is_written_and_read(name):
    patch = PRESETS[name](3)
    assert Patch.parse(str(patch)) == patch
    assert PRESETS[name].about.endswith(".")


@pytest.fixture(scope="module")
def pool(silk):
    return survey(silk, Store())


def brighter(pool):
    """The same images with twice the lightness: a model whose light moves more."""
    lab = np.concatenate([np.minimum(2 * pool.lab[..., :1], 100), pool.lab[..., 1:]], axis=-1)
    return Survey(pool.ws, lab.astype(np.float32), pool.energy)


def test_drums_push_a_bright_model_less_far_and_a_sparse_song_as_before(song, pool, monkeypatch):
    def punch_of(light):
        looks = direct(song, Wishes(energy=0), lambda: light).tables["looks"].values()
        return {look["punch"] for look in looks}

    monkeypatch.setattr("clavilux.director.hits.hits_at_once", lambda kick, snare: HIT_SPEC.per_second + 1)
    (free,), (own,), (bright,) = (
        punch_of(light) for light in (None, ModelLight(pool), ModelLight(brighter(pool)))
    )
    assert bright < own <= free
    monkeypatch.setattr("clavilux.director.hits.hits_at_once", lambda kick, snare: HIT_SPEC.per_second)
    assert punch_of(ModelLight(brighter(pool))) == {free}


def test_drums_push_as_far_as_ever_where_flashes_are_not_limited(song, pool, monkeypatch):
    monkeypatch.setattr("clavilux.director.hits.hits_at_once", lambda kick, snare: HIT_SPEC.per_second + 1)
    bright = ModelLight(brighter(pool))
    usual, free = (direct(song, Wishes(tame=tame), lambda: bright).tables["looks"] for tame in (True, False))
    assert [look | {"punch": 0} for look in usual.values()] == [look | {"punch": 0} for look in free.values()]
    assert max(look["punch"] for look in usual.values()) < min(look["punch"] for look in free.values())


MOODS_OF_FOUR = ["cool", "warm", "warm", "wild"]
EVENLY = [np.full(12, 1 / 48)] * 4


def images_of(pool, seeds):
    return [
        palette_images(pool, distances_of(pool), seed=seed, mood=mood)
        for mood, seed in zip(MOODS_OF_FOUR, seeds, strict=True)
    ]


def test_palettes_of_sections_lie_farther_apart_than_those_of_the_first_seeds(pool):
    def nearest(seeds):
        distances, images = distances_of(pool), images_of(pool, seeds)
        return min(
            2
            * distances[np.ix_(a, b)].mean()
            / (distances[np.ix_(a, a)].mean() + distances[np.ix_(b, b)].mean())
            for a, b in combinations(images, 2)
        )

    seeds = ModelLight(pool).choose(MOODS_OF_FOUR, EVENLY)
    assert seeds == ModelLight(pool).choose(MOODS_OF_FOUR, EVENLY)
    assert nearest(seeds) > nearest(range(4)) + 0.05
    assert nearest(seeds) > 1.2  # 1 would be as one


def test_hits_move_what_is_shown_evenly(pool, monkeypatch):
    def uneven(seeds):
        return np.log(pool.energy[np.concatenate(images_of(pool, seeds))]).std()

    evenly = ModelLight(pool).choose(MOODS_OF_FOUR, EVENLY)
    monkeypatch.setattr("clavilux.director.light.LIGHT", LightSpec(evenness=0))
    assert uneven(evenly) < 0.95 * uneven(ModelLight(pool).choose(MOODS_OF_FOUR, EVENLY))


def test_the_choice_depends_on_which_images_are_shown(pool):
    places = [np.eye(12)[place] / 4 for place in range(12)]
    chosen = {tuple(ModelLight(pool).choose(MOODS_OF_FOUR, [place] * 4)) for place in places}
    assert len(chosen) > 1


def test_no_two_sections_have_one_palette(pool):
    seeds = ModelLight(pool).choose(["cool"] * 4, EVENLY)
    rings = {frozenset(palette_images(pool, distances_of(pool), seed=seed, mood="cool")) for seed in seeds}
    assert len(rings) == 4


def test_the_drift_of_a_fast_song_takes_more_bars(composed):
    slow, fast = (Song(composed.audio, corrections=Corrections(bpm=bpm)) for bpm in (90, 180))
    bars = [next(iter(direct(each).tables["looks"].values()))["drift_bars"] for each in (slow, fast)]
    assert bars[1] >= 2 * bars[0] * 0.99
    assert bars[1] * 4 * 60 / 180 >= SPEC.drift_seconds
