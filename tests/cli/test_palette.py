"""`clavilux palette`: from numbered pictures to a saved palette, and one sentence for everything else."""

import json
import os

import numpy as np
import pytest
from commands import run
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from clavilux.generator.generate import generate, seed_latents
from clavilux.make.pictures import images_of_latents, images_of_seeds
from clavilux.profile.model_palettes import ModelPalettes
from clavilux.profile.saved import SavedPalette

pytestmark = pytest.mark.usefixtures("place")

FEW = settings(max_examples=25, suppress_health_check=list(HealthCheck))


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "data" / "palettes"


@pytest.fixture
def small(small_file):
    return ["--model", small_file]


def test_pictures_are_drawn_picked_saved_shown_and_listed(small, kept, small_model, tmp_path, capsys):
    assert run("palette", "new", "drop", "--sheet", "--count", 10, *small) == 0
    assert "--pick 1,2,3" in capsys.readouterr().err
    with Image.open(tmp_path / "drop-pictures.png") as image:
        assert image.width > image.height > 300
    assert (
        run("palette", "new", "drop", "--pick", "3,7,9-10", "--names", "flash=7,rest=2,sky=40", *small) == 0
    )
    assert "saved('drop')" in capsys.readouterr().err
    saved = SavedPalette.load(kept / "drop.npz")
    for index, seed in enumerate((3, 7, 9, 10)):
        np.testing.assert_array_equal(saved.images[index], seed_latents(small_model, seed)[0])
    for latent, seed in ((saved.named["flash"], 7), (saved.rest, 2), (saved.named["sky"], 40)):
        np.testing.assert_array_equal(latent, seed_latents(small_model, seed)[0])
    assert (saved.model, saved.model_digest) == (small_model.name, small_model.digest)
    assert run("palette", "show", "drop", "--json", *small) == 0
    said = json.loads(capsys.readouterr().out)
    assert {"rest", "accent", "C", "F#", "1", "4", "flash", "sky"} <= set(said["entries"])
    with Image.open(tmp_path / "drop.png") as image:
        assert np.asarray(image).std() > 5
    assert run("palette", "list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["palettes"]
    assert row == {"name": "drop", "model": "small", "images": 4, "names": ["flash", "sky"]}
    assert run("palette", "list") == 0
    assert "flash, sky" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "drop-pictures.png", "drop.png"]
    assert [path.name for path in kept.iterdir()] == ["drop.npz"]


def test_a_number_is_the_same_image_whatever_else_is_asked(small, small_model, capsys):
    assert run("palette", "new", "a", "--sheet", "--mood", "warm", "--count", 24, "--json", *small) == 0
    warm = json.loads(capsys.readouterr().out)["numbers"]
    assert run("palette", "new", "b", "--sheet", "--mood", "cool", "--count", 24, "--json", *small) == 0
    cool = json.loads(capsys.readouterr().out)["numbers"]
    assert len(warm) == 24
    assert warm == sorted(warm)
    shown = [np.stack([*images_of_seeds(small_model, each, 16)]).astype(float) for each in (warm, cool)]
    warmth = [(images[..., 0] - images[..., 2]).mean() for images in shown]  # red less blue
    assert warmth[0] > warmth[1] + 5
    assert run("palette", "new", "c", "--sheet", "--seed", 100, "--count", 3, "--json", *small) == 0
    assert json.loads(capsys.readouterr().out)["numbers"] == [100, 101, 102]
    drawn = list(images_of_seeds(small_model, [5, 9], 32))
    for image, seed in zip(drawn, (5, 9), strict=True):
        assert np.abs(image.astype(int) - generate(small_model, seed, size=(32, 32), cells=(4, 4))).max() <= 8


def test_a_palette_s_images_are_drawn_from_its_latents(small_model):
    ws = np.concatenate([seed_latents(small_model, seed) for seed in (3, 3, 4)])
    first, again, other = (image.astype(int) for image in images_of_latents(small_model, ws, 32))
    np.testing.assert_allclose(first, again, atol=1)
    assert np.abs(first - other).mean() > 1


def test_a_mood_is_shown(tmp_path, small, capsys):
    assert run("palette", "show", "calm", "-o", "calm ring.png", "--seed", 3, *small) == 0
    assert (tmp_path / "calm ring.png").exists()
    assert run("palette", "show", "calm", "-o", "calm ring.png", *small) == 2
    assert "--force" in capsys.readouterr().err


def test_nothing_is_replaced_unasked(small, small_file, kept, tmp_path, capsys):
    assert run("palette", "new", "drop", "--pick", "1", *small) == 0
    before = (kept / "drop.npz").read_bytes()
    assert run("palette", "new", "drop", "--pick", "2", *small) == 2
    assert "already a palette 'drop'; add --force" in capsys.readouterr().err
    assert (kept / "drop.npz").read_bytes() == before
    assert run("palette", "new", "drop", "--pick", "2", "--force", *small) == 0
    assert (kept / "drop.npz").read_bytes() != before
    model = tmp_path / "model.png"
    model.write_bytes(small_file.read_bytes())
    assert run("palette", "new", "a", "--sheet", "-o", model, "--model", model, "--force") == 2
    assert "never replaced" in capsys.readouterr().err
    assert run("palette", "show", "drop", "-o", model, "--model", model, "--force") == 2
    assert model.read_bytes() == small_file.read_bytes()


def test_a_palette_that_appears_meanwhile_stays(small, kept, capsys, monkeypatch):
    choose = ModelPalettes.of_list

    def slowly(self, images):
        kept.mkdir(parents=True)
        (kept / "drop.npz").write_bytes(b"another's")
        return choose(self, images)

    monkeypatch.setattr(ModelPalettes, "of_list", slowly)
    assert run("palette", "new", "drop", "--pick", "1", *small) == 2
    assert "already a palette" in capsys.readouterr().err
    assert (kept / "drop.npz").read_bytes() == b"another's"
    assert [path.name for path in kept.iterdir()] == ["drop.npz"]


def test_a_render_never_replaces_a_palette_s_files(tmp_path, small_file, piece):
    from clavilux import OutputError, Patch, drift, from_image, prepare
    from clavilux.project.output import Output
    from clavilux.project.project import Project

    Image.new("RGB", (32, 32), "red").save(tmp_path / "cover.png")
    (tmp_path / "cover.png").rename(tmp_path / "cover.mp4")
    patch = Patch(from_image("cover.mp4").loop(bars=4), drift(seconds=4))
    project = Project(patch=patch, duration=1, model=str(small_file))
    job = prepare(piece.audio, project, Output(size=(64, 36), cells=(4, 7)))
    with pytest.raises(OutputError, match="never replaced"):
        job.render("cover.mp4", overwrite=True)


def test_a_folder_that_cannot_be_written_is_said(small, tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("CLAVILUX_DATA", str(tmp_path / "file"))
    assert run("palette", "new", "drop", "--pick", "1", *small) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert run("palette", "list") == 0
    assert "No saved palettes" in capsys.readouterr().out


def test_what_cannot_be_read_is_listed_as_that(kept, capsys):
    kept.mkdir(parents=True)
    (kept / "broken.npz").write_bytes(b"words")
    (kept / "a\nb.npz").write_bytes(b"words")
    os.mkfifo(kept / "pipe.npz")
    assert run("palette", "list") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "broken" in said
    assert "a\\nb" in said
    assert run("palette", "show", "broken") == 2
    assert "holds no palette" in capsys.readouterr().err
    assert run("palette", "show", "pipe") == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["new", "drop"], "--sheet"),
        (["new", "drop", "--sheet", "--pick", "1"], "--sheet"),
        (["new", "../drop", "--pick", "1"], "cannot be called"),
        (["new", "a/b", "--sheet"], "cannot be called"),
        (["new", "a\x1b[31m", "--sheet"], "cannot be called"),
        (["new", "warm", "--pick", "1"], "mood"),
        (["new", "drop", "--pick", "1-999999999"], "at most 256"),
        (["new", "drop", "--pick", "x"], "1-12,24"),
        (["new", "drop", "--pick", ""], "1-12,24"),
        (["new", "drop", "--pick", "1", "--names", "flash"], "flash=7"),
        (["new", "drop", "--pick", "1", "--names", "C=1"], "pitch class"),
        (["new", "drop", "--pick", "1", "--names", "a=1,a=2"], "twice"),
        (["new", "drop", "--pick", "1", "--model", "silc"], "silk"),
        (["new", "drop", "--sheet", "--mood", "wram"], "warm"),
        (["new", "drop", "--sheet", "--count", "0"], "--count"),
        (["new", "drop", "--sheet", "--count", "99999999"], "--count"),
        (["new", "drop", "--sheet", "--seed", "-1"], "--seed"),
        (["new", "drop", "--sheet", "--seed", "9" * 400], "--seed"),
        (["new", "drop", "--sheet", "-o", "drop.jpg"], ".png"),
        (["show", "drop"], "warm"),
        (["show", "wram"], "did you mean 'warm'"),
        (["show", "../../etc/passwd"], "There is no palette"),
        (["show", "warm", "-o", "no/such/folder.png"], "does not exist"),
    ],
)
def test_options_that_cannot_be_are_named(tmp_path, capsys, arguments, says):
    assert run("palette", *arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_palette_of_another_model_is_refused(small, capsys):
    assert run("palette", "new", "drop", "--pick", "1-3", *small) == 0
    assert run("palette", "show", "drop", "--model", "glass") == 2
    assert "is of the model small, and cannot be used with glass" in capsys.readouterr().err
    assert run("palette", "show", "drop") == 2  # its own model is a file: which one is said with --model
    assert "There is no model 'small'; name its file with --model" in capsys.readouterr().err


@FEW
@given(st.text(max_size=12), st.text("0123456789-, x", max_size=10), st.text(max_size=12))
@example("drop", "1-12", "flash=3")
@example("drop", "9" * 17, "flash=3")
@example("nul", "1", "A=1")
def test_any_name_and_any_picks(small_file, capsys, name, pick, names):
    arguments = [f"--pick={pick}", f"--names={names}", "--model", small_file, "--force", "--", name]
    assert run("palette", "new", *arguments) in {0, 2}
    said = capsys.readouterr().err
    assert "Traceback" not in said
