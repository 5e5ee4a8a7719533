"""Other files than H.264, and exact loops, through the whole path."""

from contextlib import closing
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from clavilux.errors import OutputError, SettingError
from clavilux.make.video import prepare_job, render
from clavilux.make.workspace import Workspace
from clavilux.project.recipe import read_recipe
from clavilux.store import Store
from clavilux.video.probe import decode, probe


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace(Store(tmp_path_factory.mktemp("known")))


@pytest.fixture
def settings(small_file):
    return {"fps": 8, "size": (96, 54), "start": 2, "duration": 4, "model": str(small_file)}


@pytest.mark.parametrize(
    ("codec", "bits", "suffix"),
    [("hevc", 10, ".mp4"), ("av1", 8, ".mp4"), ("prores", None, ".mov"), ("ffv1", 8, ".mkv")],
)
def test_every_codec_makes_a_whole_video_with_sound_and_recipe(
    piece, settings, workspace, tmp_path, codec, bits, suffix
):
    target = tmp_path / f"video{suffix}"
    made = render(piece.audio, target, **{**settings, "codec": codec, "bits": bits}, workspace=workspace)
    info = probe(target)
    assert (info.frames, info.codec, info.size) == (32, codec, (96, 54))
    assert info.audio.rate == piece.audio.rate
    assert read_recipe(target).pixels == made.pixels
    assert read_recipe(target).output.codec == codec


def test_ffv1_keeps_the_frames_bit_for_bit(piece, settings, workspace, tmp_path):
    job = prepare_job(piece.audio, **{**settings, "codec": "ffv1"}, workspace=workspace)
    job.render(tmp_path / "exact.mkv")
    with closing(job.frames(0, 32)) as drawn:
        np.testing.assert_array_equal(
            np.stack(list(decode(tmp_path / "exact.mkv"))), np.concatenate(list(drawn))
        )


def test_images_are_resumed_and_nothing_foreign_is_touched(piece, settings, workspace, tmp_path):
    images = {**settings, "codec": "png"}
    render(piece.audio, tmp_path / "frames", **images, workspace=workspace)
    files = sorted((tmp_path / "frames").iterdir())
    assert [file.name for file in files] == [f"{number:06d}.png" for number in range(32)]
    kept = files[3].stat().st_mtime_ns
    files[5].write_bytes(files[5].read_bytes()[:-20])
    files[6].unlink()
    render(piece.audio, tmp_path / "frames", **images, workspace=workspace)
    assert files[3].stat().st_mtime_ns == kept
    for file in files:
        with Image.open(file) as image:
            assert np.asarray(image).shape == (54, 96, 3)
    with pytest.raises(OutputError, match="images of another video"):
        render(piece.audio, tmp_path / "frames", **{**images, "seed": 9}, workspace=workspace)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"codec": "h265"}, "h265"),
        ({"codec": "prores", "crf": 18}, "prores"),
        ({"codec": "prores", "bits": 8}, "bits"),
        ({"crf": 60}, "crf"),
        ({"crf": 0}, "crf"),
        ({"codec": "png", "crf": 18}, "crf"),
    ],
)
def test_what_a_codec_cannot_do_is_said_before_any_work(piece, settings, values, says):
    with pytest.raises(SettingError, match=says):
        prepare_job(piece.audio, **{**settings, **values})


def test_the_target_has_the_ending_of_its_codec(piece, settings, tmp_path):
    with pytest.raises(OutputError, match=r"\.mov"):
        render(piece.audio, tmp_path / "video.mp4", **{**settings, "codec": "prores"})


def test_a_loop_goes_on_from_its_last_frame_to_its_first_as_if_nothing_were(piece, settings, workspace):
    once = prepare_job(piece.audio, **{**settings, "fps": Fraction(24)}, workspace=workspace)
    loop = prepare_job(piece.audio, **{**settings, "fps": Fraction(24), "loop": True}, workspace=workspace)
    total = loop.timeline.frames
    numbers = loop.source.at(loop.timeline.window(0, total + 1))
    np.testing.assert_allclose(numbers["ws"][total], numbers["ws"][0], atol=1e-5)
    for name, maps in numbers.items():
        if name.startswith("noise/"):
            np.testing.assert_allclose(maps[total], maps[0], atol=1e-5)
    plain = once.source.at(once.timeline.window(0, total))
    np.testing.assert_array_equal(numbers["ws"][: total // 3], plain["ws"][: total // 3])
    layer = max(numbers, key=lambda name: numbers[name].size)
    spread = numbers[layer][total // 2 : total].std() / plain[layer][total // 2 :].std()
    assert spread == pytest.approx(1, abs=0.25)


def test_a_loop_has_its_own_plan(piece, settings, workspace):
    plans = [
        prepare_job(piece.audio, **{**settings, "loop": loop}, workspace=workspace).plan.digest
        for loop in (False, True)
    ]
    assert plans[0] != plans[1]
