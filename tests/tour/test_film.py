"""The tour is its clips, captioned, in sync with their music; what is finished is never drawn again."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from clavilux.audio.sound import open_audio
from clavilux.errors import OutputError
from clavilux.make.prepare import prepare
from clavilux.make.workspace import Workspace
from clavilux.project.output import Output
from clavilux.store import Store
from clavilux.tour import film
from clavilux.tour.clips import choose_clips
from clavilux.tour.film import make_tour
from clavilux.tour.music import compose_song
from clavilux.video.probe import decode, probe

CLIPS = choose_clips(["chroma", "kick-noise"])
OUTPUT = Output(size=(128, 72), fps=Fraction(10))
SECONDS = Fraction(5, 4)
FRAMES = 13


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    return Workspace(Store(folder / "known"), renders=folder / "renders")


@pytest.fixture(scope="module")
def song():
    return compose_song(0)


@pytest.fixture
def change(small_file):
    return lambda project: replace(project, model=str(small_file), duration=SECONDS)


def tour(target, change, workspace, **how):
    return make_tour(target, CLIPS, change, OUTPUT, workspace=workspace, **how)


@pytest.fixture
def made(change, workspace, tmp_path):
    return tour(tmp_path / "tour.mp4", change, workspace)


def test_clips_follow_each_other_as_chapters(made, workspace):
    assert (made.frames, probe(made.path).frames) == (2 * FRAMES, 2 * FRAMES)
    assert [chapter.start for chapter in made.chapters] == [0, Fraction(FRAMES, 10)]
    with av.open(str(made.path)) as container:
        assert [each["metadata"]["title"] for each in container.chapters()] == [clip.title for clip in CLIPS]
    assert list(workspace.renders.iterdir()) == []


def test_a_clip_is_the_render_of_its_patch_above_the_caption(made, song, change, workspace, tmp_path):
    project = replace(change(CLIPS[1].show().project), start=Fraction(4), duration=Fraction(FRAMES, 10))
    alone = prepare(song.audio, project, OUTPUT, workspace=workspace).render(tmp_path / "alone.mp4")
    clean, shown = (np.stack(list(decode(path))).astype(int) for path in (alone.path, made.path))
    above, below = np.abs(shown[FRAMES:] - clean)[:, :54], np.abs(shown[FRAMES:] - clean)[:, 58:72]
    assert above.mean() < 3
    assert below.mean() > 10


def test_the_music_is_in_sync(made, song):
    heard, song = open_audio(made.path), song.audio
    length = round(FRAMES / 10 * song.rate)
    for first in (0, length):
        here, there = heard.read(first, length).mean(0), song.read(4 * song.rate, length).mean(0)
        assert np.corrcoef(here[2000:-2000], there[2000:-2000])[0, 1] > 0.98


def test_a_tour_that_stopped_goes_on_with_the_next_clip(change, workspace, tmp_path, monkeypatch):
    drawn, draw = [], film._draw

    def first_only(work, *others):
        if drawn:
            raise KeyboardInterrupt
        drawn.append(work.clip.key)
        draw(work, *others)

    monkeypatch.setattr(film, "_draw", first_only)
    with pytest.raises(KeyboardInterrupt):
        tour(tmp_path / "tour.mp4", change, workspace)
    assert not (tmp_path / "tour.mp4").exists()

    def others(work, *how):
        drawn.append(work.clip.key)
        draw(work, *how)

    monkeypatch.setattr(film, "_draw", others)
    tour(tmp_path / "tour.mp4", change, workspace)
    assert drawn == [clip.key for clip in CLIPS]


def test_an_other_setting_is_another_tour(change, song, workspace):
    def plan(output, clips=CLIPS, seed=0):
        works = [film._Work(clip, replace(change(clip.show().project), seed=seed), song) for clip in clips]
        return film._plan(works, output, film.Machine(), workspace).digest

    digests = [plan(OUTPUT), plan(replace(OUTPUT, crf=30.0)), plan(OUTPUT, seed=1), plan(OUTPUT, CLIPS[:1])]
    assert len(set(digests)) == 4
    assert plan(OUTPUT) == digests[0]


def test_a_file_that_is_there_is_kept(change, workspace, tmp_path):
    (tmp_path / "tour.mp4").write_bytes(b"mine")
    with pytest.raises(OutputError, match="already there"):
        tour(tmp_path / "tour.mp4", change, workspace)
    assert (tmp_path / "tour.mp4").read_bytes() == b"mine"
