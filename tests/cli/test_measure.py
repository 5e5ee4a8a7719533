"""`clavilux measure` on a video that Clavilux could have made, and renders that measure themselves."""

import json
from fractions import Fraction

import numpy as np
import pytest
import soundfile
from PIL import Image

from clavilux.cli import main
from clavilux.make import measure as make_measure
from clavilux.make import prepare as make_prepare
from clavilux.metrics.flashes import Flashes
from clavilux.video.join import join
from clavilux.video.write import Encoding, SegmentWriter

FPS, SIZE = 12, (64, 36)


@pytest.fixture(scope="module")
def video(tmp_path_factory, piece):
    """Ten seconds of the piece whose picture brightens slowly."""
    folder = tmp_path_factory.mktemp("measured")
    levels = np.linspace(60, 200, 10 * FPS).astype(np.uint8)
    with SegmentWriter(folder / "part.mp4", Encoding(SIZE, Fraction(FPS), gop=12)) as writer:
        writer.write(np.broadcast_to(levels[:, None, None], (len(levels), 54, 64)).copy())
    join([folder / "part.mp4"], folder / "a.mp4", audio=piece.audio, start=Fraction(2), duration=Fraction(10))
    return folder / "a.mp4"


def run(*arguments, command="measure"):
    with pytest.raises(SystemExit) as caught:
        main([command, *map(str, arguments)])
    return caught.value.code


def test_a_calm_video_is_measured_and_drawn(video, tmp_path, capsys):
    assert run(video, "--json", "--page", tmp_path / "page.png") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["frames"] == 120
    assert found["flashes"]["wcag"] == found["flashes"]["itu"] == "pass"
    assert found["flashes"]["rate"] <= 1
    assert set(found["drums"]) == {"kick", "snare", "hat"}
    assert found["rhythmic"]["lift"] < 0.3
    with Image.open(tmp_path / "page.png") as image:
        assert image.size == (1080, 1920)


def test_too_many_flashes_end_with_exit_code_1(video, monkeypatch, capsys):
    def strobe(_):
        for n in range(60):
            yield np.full((36, 64, 3), 255 * (n % 2), np.uint8)

    monkeypatch.setattr(make_measure, "decode_small", strobe)
    assert run(video, "-q", "--json") == 1
    assert json.loads(capsys.readouterr().out)["flashes"]["wcag"] == "fail"
    assert run(video) == 1
    assert "more than WCAG 2.3.1 and BT.1702 allow" in capsys.readouterr().out


def test_what_cannot_be_measured_is_said(tmp_path, video, capsys):
    assert run(tmp_path / "none.mp4") == 2
    assert "There is no video" in capsys.readouterr().err
    assert run(video, "--page", video) == 2


SMALL = ["--size", "64x36", "--cells", "4x7", "--fps", "10", "-q"]


@pytest.fixture(scope="module")
def tune(tmp_path_factory, piece):
    """Four seconds of the piece."""
    path = tmp_path_factory.mktemp("songs") / "tune.wav"
    soundfile.write(path, piece.audio.read(22050 * 8, 22050 * 4).T, 22050)
    return path


def render(*arguments):
    return run(*arguments, command="render")


def test_a_render_is_measured_where_that_is_asked_for(tune, small_file, place, capsys):
    options = [tune, *SMALL, "--model", small_file, "--json", "-o", "a.mp4"]
    assert render(*options) == 0
    assert "measures" not in json.loads(capsys.readouterr().out)
    assert render(*options, "--force", "--measure") == 0
    found = json.loads(capsys.readouterr().out)["measures"]
    assert run("a.mp4", "--json") == 0
    assert found.keys() == json.loads(capsys.readouterr().out).keys()
    assert render(*options, "--force", "--page", "page.png") == 0
    assert json.loads(capsys.readouterr().out)["measures"] == found
    with Image.open("page.png") as image:
        assert image.size == (1080, 1920)


def test_a_measured_render_that_flashes_too_much_ends_with_exit_code_1(
    tune, small_file, place, capsys, monkeypatch
):
    monkeypatch.setattr(Flashes, "passes_wcag", False)
    options = [tune, *SMALL[:-1], "--model", small_file, "--flash-safety", "warn"]
    assert render(*options, "--measure", "-o", "a.mp4") == 1
    assert "more than WCAG 2.3.1 allow" in (said := capsys.readouterr().err)
    assert "Rhythm: lift" in said
    assert render(*options, "-o", "b.mp4") == 0
    assert "more than WCAG 2.3.1 allow" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--page", "page.jpg"], "should end in .png"),
        (["--page", "kept.png"], "already there"),
        (["--page", "no/page.png"], "does not exist"),
        (["--page", "tune.png", "--force"], "never replaced"),
        (["--page", "old.png", "-o", "old.mp4", "--force"], "never replaced"),
        (["--page", "page.png", "--codec", "png", "-o", "images"], "images are not measured"),
        (["--measure", "--codec", "png", "-o", "images"], "images are not measured"),
    ],
)
def test_a_page_that_cannot_be_is_an_error_before_anything_is_drawn(
    tune, place, tmp_path, options, said, capsys, monkeypatch
):
    (tmp_path / "kept.png").write_text("mine")
    (tmp_path / "tune.png").hardlink_to(tune)
    (tmp_path / "old.mp4").write_text("mine too")
    (tmp_path / "old.png").symlink_to("old.mp4")
    there = set(tmp_path.iterdir())
    monkeypatch.setattr(make_prepare, "prepare", lambda *_, **__: pytest.fail("all was prepared"))
    assert render(tune, *SMALL, *options) == 2
    assert said in (error := capsys.readouterr().err)
    assert "-o" not in error.partition(";")[2]  # that names the video
    assert set(tmp_path.iterdir()) == there
    assert (tmp_path / "old.mp4").read_text() == "mine too"
