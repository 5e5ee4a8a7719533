"""A preview: three files, small, of any song, and nothing that is read is replaced."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from clavilux.audio.sound import Audio
from clavilux.errors import ClaviluxError, OutputError
from clavilux.generator.program import Program
from clavilux.make.prepare import prepare
from clavilux.make.preview import SPEC, draw_preview, preview_targets
from clavilux.make.workspace import Workspace
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.store import Store
from clavilux.video.probe import probe


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace(Store(tmp_path_factory.mktemp("store")))


@pytest.fixture
def draw(small_file, workspace, tmp_path):
    """Preview some audio, and return what was made."""

    def preview(audio, *, size=(640, 360), name="song", overwrite=False, reads=(), **settings):
        project = Project(model=str(small_file), **settings)
        targets = preview_targets(tmp_path / name)
        output = Output(size=size)
        return draw_preview(
            audio, targets, project, output, Machine(), workspace=workspace, overwrite=overwrite, reads=reads
        )

    return preview


def sound(seconds, level=0.3, rate=8000):
    return Audio.from_samples(level * np.sin(np.arange(round(seconds * rate)) * 0.3), rate)


def test_a_song_gives_a_sheet_of_its_sections_and_two_videos(draw, piece, heard):
    made = draw(piece.audio)
    assert [path.name for path in (made.sheet, made.loudest, made.quietest)] == [
        "song-preview.png",
        "song-loudest.mp4",
        "song-quietest.mp4",
    ]
    with Image.open(made.sheet) as sheet:
        sections = len(heard.sections.labels)
        columns = min(SPEC.columns, sections)
        assert sheet.width == columns * (256 + SPEC.gap) + SPEC.gap
        rows = -(-sections // columns)
        assert sheet.height == rows * (144 + SPEC.curve_height + 24 + SPEC.gap) + SPEC.gap
        pixels = np.asarray(sheet.convert("RGB"))
    assert pixels[SPEC.gap + 24 + SPEC.curve_height :][:144, SPEC.gap : SPEC.gap + 256].std() > 5
    for path in (made.loudest, made.quietest):
        assert (probe(path).size, probe(path).fps, probe(path).frames) == ((256, 144), 15, 45)
        assert probe(path).audio is not None
    assert made.loudest.read_bytes() != made.quietest.read_bytes()


def test_the_shape_is_that_of_the_output_and_it_is_never_enlarged(draw):
    for size, expected in (((360, 640), (144, 256)), ((64, 36), (64, 36)), ((1000, 1000), (192, 192))):
        made = draw(sound(1), size=size, overwrite=True)
        assert probe(made.loudest).size == expected


@pytest.mark.parametrize(
    ("seconds", "settings", "frames"),
    [
        (1.0, {}, 15),
        (0.07, {}, 2),
        (10, {"start": Fraction(2), "duration": Fraction(1)}, 15),
        (10, {"start": Fraction("9.5")}, 8),
        (3.0, {}, 45),
        (3.004, {}, 45),
        (10, {"duration": Fraction(1, 15)}, 1),
    ],
)
def test_a_short_part_gives_short_videos_of_nothing_outside_it(draw, seconds, settings, frames):
    made = draw(sound(seconds), **settings)
    assert [probe(path).frames for path in (made.loudest, made.quietest)] == [frames, frames]


def test_silence_and_a_song_of_one_section_are_shown(draw):
    for name, audio in (("silent", sound(5, level=0)), ("even", sound(5))):
        made = draw(audio, name=name)
        with Image.open(made.sheet) as sheet:
            assert sheet.width == 256 + 2 * SPEC.gap
        assert probe(made.quietest).frames == 45


def test_the_loudest_part_is_the_loud_one(draw, workspace, small_file, monkeypatch):
    from clavilux.make import preview

    seen = []
    extremes = preview._extremes
    monkeypatch.setattr(preview, "_extremes", lambda *given: seen.append(extremes(*given)) or seen[-1])
    rate = 8000
    level = np.repeat([0.0, 0.05, 0.6, 0.1], [rate * 2, rate * 5, rate * 4, rate * 4])
    draw(Audio.from_samples(level * np.sin(np.arange(len(level)) * 0.3), rate))
    ((loudest, quietest),) = seen
    assert 6.5 <= loudest <= 8.5
    assert 0 <= quietest <= 4.5


def test_nothing_is_replaced_unless_allowed_and_nothing_that_is_read_ever(draw, tmp_path):
    for end in ("-preview.png", "-loudest.mp4", "-quietest.mp4"):
        (tmp_path / f"song{end}").write_text("mine")
        with pytest.raises(OutputError, match="already there"):
            draw(sound(1))
        with pytest.raises(OutputError, match="never replaced"):
            draw(sound(1), overwrite=True, reads=[tmp_path / f"song{end}"])
        assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
        (tmp_path / f"song{end}").unlink()


@pytest.mark.parametrize("name", [".", "/", ""])
def test_a_name_that_names_nothing_is_refused(name):
    with pytest.raises(OutputError, match="begins with"):
        preview_targets(Path(name))


def test_a_long_name_is_cut_as_the_disk_needs_it():
    made = preview_targets(Path("x" * 255))
    assert len(made.sheet.name) == 255
    assert made.sheet.name.endswith("-preview.png")


def test_a_part_past_the_end_is_refused(draw):
    with pytest.raises(ClaviluxError, match="past the end"):
        draw(sound(2), start=Fraction(3))


@pytest.mark.parametrize(
    ("size", "height", "stop"), [((64, 36), 36, 16), ((64, 36), 20, 8), ((36, 64), 30, 8)]
)
def test_a_frame_of_a_preview_is_that_of_the_plain_network(piece, workspace, small_file, size, height, stop):
    machine = Machine(precision="exact")
    project = Project(model=str(small_file), patch="pulse", loop=True, duration=Fraction(2))
    job = prepare(piece.audio, project, Output(size=size, codec="ffv1"), machine, workspace=workspace)
    small = job.preview(height)
    assert small.output == job.output.preview(height)
    assert small.program.cells == job.program.cells
    window = small.timeline.window(8, 8)
    inputs = small.source.at(window)
    plain = Program(
        small.model,
        size=small.output.size,
        cells=job.program.cells,
        stop=stop,
    )
    with torch.inference_mode():
        expected = plain.module(*(torch.from_numpy(inputs[name]) for name in plain.inputs)).numpy()
    drawn = np.concatenate(list(small.frames(8, 16)))
    assert np.abs(drawn.astype(int) - expected).max() <= 1
    assert drawn.std() > 5
    whole = job.source.at(window)
    for name in inputs.keys() - {"frame"}:  # a preview shows the same moment of the same piece
        assert np.array_equal(inputs[name], whole[name])


def test_only_the_engine_of_the_preview_is_started(piece, small_file):
    started = []

    class Counting(Workspace):
        def runner(self, program, machine):
            started.append(program.size)
            return super().runner(program, machine)

    project = Project(model=str(small_file), patch="pulse")
    job = prepare(piece.audio, project, Output(size=(128, 72)), workspace=Counting(), preview=36)
    next(job.preview(36).frames(0, 1))
    assert set(started) == {(64, 36)}
