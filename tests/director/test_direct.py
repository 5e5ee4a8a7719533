"""The director chooses by what is heard, explains itself, and decides nothing that a person decided."""

import pytest

from clavilux.audio.sound import Audio
from clavilux.curves import Sections
from clavilux.director.decide import decide
from clavilux.director.direct import LADDER, STRENGTH, Wishes, direct
from clavilux.errors import PatchError, SettingError
from clavilux.features.corrections import Corrections
from clavilux.features.song import Song
from clavilux.patches.muted import muted
from clavilux.patches.patch import Patch
from clavilux.patches.presets import PRESETS
from clavilux.project.project import Project
from clavilux.project.sentences import read_looks


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
    decided = decide(Project(patch="auto", seed=4), lambda: song)
    assert isinstance(decided.project.shown, Patch)
    assert decided.played.startswith("preset ")
    with pytest.raises(SettingError, match="when the song is heard"):
        _ = Project(patch="auto").shown


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
