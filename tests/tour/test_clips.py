"""The tour's patches are project files that play, and each shows its technique."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from clavilux.colour import srgb_to_lab
from clavilux.errors import SettingError
from clavilux.make.prepare import prepare
from clavilux.make.workspace import Workspace
from clavilux.project.output import Output
from clavilux.project.show import check_show
from clavilux.store import Store
from clavilux.tour.clips import CLIPS, PATCHES, choose_clips
from clavilux.tour.music import MUSIC
from clavilux.video.small import shrink

VISIBLE = 4.0
"""Mean CIELAB difference of two images that nobody takes for the same."""
MOMENTS = tuple(Fraction(k, 2) + Fraction(1, 20) for k in range(16))
"""Of a clip, s: its eighth notes."""

CLIP = pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.key)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace(Store(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def music():
    return {name: composed(0) for name, composed in MUSIC.items()}


def test_there_is_a_clip_for_every_technique_and_a_patch_for_every_clip():
    assert len({clip.key for clip in CLIPS}) == len({clip.title for clip in CLIPS}) == 16
    used = {clip.path for clip in CLIPS} | {clip.cues for clip in CLIPS} - {None}
    assert used == set(PATCHES.iterdir())


@CLIP
def test_a_patch_is_a_project_file_without_a_mistake(clip):
    assert check_show(clip.path) == []
    assert clip.show().song.name == f"{clip.music}.mp3"


@CLIP
def test_a_technique_is_seen(clip, music, workspace):
    song = music[clip.music]
    start = Fraction(float(song.bars[clip.bar])).limit_denominator(1000)

    def images(*, plain):
        show = clip.show(plain=plain)
        output = Output(size=(192, 144), cells=show.output.cells, fps=Fraction(4))
        project = replace(show.project, start=start)
        job = prepare(song.audio, project, output, workspace=workspace, preview=144).preview(144)
        return np.concatenate([shrink(each, job.program.spec.pixels) for each in job.frames(0, 32)])[1::4]

    shown, plain = images(plain=False), images(plain=True)
    differences = np.linalg.norm(srgb_to_lab(shown / 255) - srgb_to_lab(plain / 255), axis=-1).mean((1, 2))
    assert differences.max() > VISIBLE


def test_clips_are_chosen_by_name_in_the_order_of_the_post():
    assert [clip.key for clip in choose_clips(["seed", "hpss"])] == ["hpss", "seed"]
    assert choose_clips([]) == CLIPS
    with pytest.raises(SettingError, match="did you mean 'chroma'"):
        choose_clips(["croma"])


def test_the_mix_begins_calm_and_goes_on_with_drums(music):
    audio, bars = music["mix"].audio, music["mix"].bars
    assert np.allclose(np.diff(bars), 2)
    change = round(bars[15] * audio.rate)  # a bar of intro has no bass yet
    before, after = audio.read(change - 8 * audio.rate, 8 * audio.rate), audio.read(change, 8 * audio.rate)
    assert after.std() > 1.5 * before.std()
    assert audio.peak <= 1
