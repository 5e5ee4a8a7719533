"""What may be decided, checked before any work, and said once for every surface."""

from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from types import UnionType
from typing import get_args, get_origin, get_type_hints

import pytest

from clavilux.errors import PatchError, SettingError
from clavilux.features.corrections import Corrections
from clavilux.make.video import Settings, prepare_job
from clavilux.patches.patch import Patch
from clavilux.patches.presets import PRESETS
from clavilux.patches.presets.preset import Preset
from clavilux.patches.presets.pulse import pulse
from clavilux.project.machine import Machine
from clavilux.project.output import Output, parse_cells, parse_size
from clavilux.project.project import Project
from clavilux.project.setting import settings_of
from clavilux.project.show import Show, parse_show, show_text


@pytest.mark.parametrize(
    ("group", "values", "words", "where"),
    [
        (Output, {"size": (1281, 720)}, "odd; video needs even sides, such as 1282x720", "size"),
        (Output, {"size": (0, 720)}, "out of range", "size"),
        (Output, {"size": (20000, 720)}, "out of range", "size"),
        (Output, {"fps": 0}, "above 0", "fps"),
        (Output, {"fps": float("nan")}, "nan", "fps"),
        (Output, {"codec": "png", "crf": 20}, "crf", "codec"),
        (Project, {"start": -1}, "before the song", "start"),
        (Project, {"duration": 0}, "above 0 s", "duration"),
        (Project, {"psi": 3}, "psi", "psi"),
        (Project, {"psi": float("nan")}, "psi", "psi"),
        (Project, {"seed": 2**70}, "too large", "seed"),
    ],
)
def test_values_out_of_range_are_refused_in_one_sentence(group, values, words, where):
    with pytest.raises(SettingError) as caught:
        group(**values)
    assert words in str(caught.value)
    assert caught.value.where == where
    assert "\n" not in str(caught.value)


def test_an_unknown_preset_or_setting_is_named(piece):
    with pytest.raises(PatchError, match="pulse"):
        Project(patch="puls")
    with pytest.raises(TypeError, match="colour"):
        prepare_job(piece.audio, colour="red")


@pytest.mark.parametrize("text", ["1280", "axb", "1280x", "-4x4", "1280x720x3", "", "9" * 5000 + "x1"])
def test_what_is_not_a_pair_is_refused(text):
    for parse in (parse_size, parse_cells):
        with pytest.raises(SettingError, match="write it like"):
            parse(text)


def test_numbers_become_exact():
    assert Project(start=0.5).start == Fraction(1, 2)
    assert Output(fps=25).fps == Fraction(25)


@pytest.mark.parametrize("group", [Project, Output, Machine])
def test_every_setting_says_what_it_does_and_its_default(group):
    known = settings_of(group)
    assert set(known) | {"patch", "corrections"} >= {field.name for field in fields(group)}
    for name, setting in known.items():
        assert setting.about.endswith("."), name
        if setting.parse and setting.default is not None:
            assert setting.parse(setting.usual) == setting.default, name


def test_the_keywords_of_render_are_the_fields_of_the_groups():
    keywords = get_type_hints(Settings)
    held = {}
    for group in (Project, Output, Machine):  # Project names two classes that it imports only when needed
        held |= get_type_hints(group, localns=NAMES)
    assert set(keywords) == set(held)
    for name, kind in held.items():
        assert members(kind) <= members(keywords[name]), name


NAMES = {"Patch": Patch, "Preset": Preset, "Corrections": Corrections, "Mapping": Mapping}


def members(kind):
    """The types of a union, or the one type."""
    return set(get_args(kind)) if get_origin(kind) is UnionType else {kind}


@pytest.mark.parametrize(
    ("project", "output"),
    [
        (Project(seed=3, start=Fraction(1, 3), psi=0.1 + 0.2, knobs={"punch": 0.3}), Output()),
        (
            Project(patch=pulse(5, flash=0.123456789)),
            Output(fps=Fraction(30000, 1001), cells=(4, 7), crf=17.5),
        ),
        (Project(corrections=Corrections(bpm=97.5), duration=Fraction(1, 30)), Output(size=(640, 360))),
    ],
)
def test_the_text_of_a_project_gives_the_same_settings_back(project, output):
    show, errors = parse_show(show_text(Show(Path("song.mp3"), project, output)), Path())
    assert errors == []
    assert (show.project, show.output) == (project, output)


def test_a_project_shows_its_preset_with_its_seed_and_truncation():
    assert Project(seed=4).shown == pulse(4)
    assert Project(seed=4, psi=0.5).shown == pulse(4).with_psi(0.5)
    assert Project(patch=pulse(9), seed=4).shown == pulse(9)
    assert isinstance(PRESETS["pulse"](1, punch=0.5), Patch)
    with pytest.raises(PatchError, match="knob 'punsh'"):
        PRESETS["pulse"](1, punsh=0.5)
    with pytest.raises(PatchError, match="out of range"):
        PRESETS["pulse"](1, punch=5)
