"""`clavilux measure` on a video that Clavilux could have made; what flashes stays an array."""

import json
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from clavilux.cli import main
from clavilux.make import measure as make_measure
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


def run(*arguments):
    with pytest.raises(SystemExit) as caught:
        main(["measure", *map(str, arguments)])
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
