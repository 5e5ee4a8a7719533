"""Palettes of seeds, files and an image's colours, and variants: which latents they are, what is refused."""

import io
import os
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from clavilux.catalogue import FIFTHS
from clavilux.errors import FileError, ModelError, PatchError, SettingError
from clavilux.generator.generate import own_program, seed_inputs
from clavilux.generator.model import load_model
from clavilux.patches.palette_latents import PaletteLatents, on_ring
from clavilux.profile.latent_files import MAX_LATENTS, read_latents
from clavilux.profile.matched import distinct_latents
from clavilux.profile.model_palettes import ModelPalettes
from clavilux.profile.photo import read_colours
from clavilux.profile.seed_lists import parse_seeds
from clavilux.profile.similarity import distances_of
from clavilux.profile.survey import Survey, describe
from clavilux.seeds import normal
from clavilux.store import Store


@pytest.fixture(scope="module")
def source(silk, tmp_path_factory):
    return ModelPalettes(silk, Store(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def small(small_model, tmp_path_factory):
    return ModelPalettes(small_model, Store(tmp_path_factory.mktemp("store")))


def members(source, palette):
    """Numbers of a palette's images in the survey."""
    known = {latent.tobytes(): k for k, latent in enumerate(source.pool.ws)}
    return [known[latent.tobytes()] for latent in (*palette.ring, palette.rest, palette.accent)]


def same(first, second):
    return first.digest == second.digest


# --- lists of latents


@pytest.mark.parametrize("count", [1, 2, 5, 12, 13, 40])
def test_any_number_of_latents_is_spread_over_the_ring_in_their_order(count):
    images = np.arange(count, dtype=np.float32)[:, None]
    tour = on_ring(images)[list(FIFTHS), 0]
    assert tour[0] == 0
    assert set(np.diff(tour)) <= {0, 1}
    sizes = np.unique(tour, return_counts=True)[1]
    assert len(sizes) == min(count, 12)
    assert sizes.max() - sizes.min() <= 1


def test_seeds_are_the_images_that_the_model_draws_for_them(source, silk):
    palette = source.from_seeds("5,9-11")
    program = own_program(silk, 64)
    for name, seed in (("1", 5), ("2", 9), ("4", 11)):
        shown = seed_inputs(silk, program, seed, psi=1)["ws"][0, 0]
        np.testing.assert_allclose(palette.entry(name), shown, atol=1e-5)
    np.testing.assert_array_equal(palette.entry("C"), palette.entry("1"))
    np.testing.assert_array_equal(palette.entry("F"), palette.entry("4"))
    assert len(np.unique(distinct_latents(palette), axis=0)) == 6  # rest and accent are others
    assert same(palette, source.from_seeds("5, 9, 10, 11"))


def test_all_of_many_latents_have_names_and_the_first_twelve_the_ring(small):
    palette = small.from_seeds("1-30")
    np.testing.assert_array_equal(palette.entry("30"), small.of_seeds([30])[0])
    np.testing.assert_array_equal(palette.ring[list(FIFTHS)], small.of_seeds(list(range(1, 13))))


def test_rest_is_calmer_and_accent_brighter_than_a_list(source, silk):
    palette = source.from_seeds("1-12")
    looks = describe(silk, np.stack([*palette.ring, palette.rest, palette.accent]), source.store)
    lightness, contrast = looks.lab[..., 0].mean(axis=(1, 2)), looks.lab[..., 0].std(axis=(1, 2))
    assert contrast[12] < contrast[:12].mean()
    assert lightness[13] > lightness[:12].mean()


@pytest.mark.parametrize(
    "text", ["", "x", "1,", "3-", "-3", "2-1", "1-257", "1-999999999", "1e3", "²", "9" * 400]
)
def test_lists_of_seeds_that_cannot_be(text):
    with pytest.raises(SettingError):
        parse_seeds(text)


# --- names


def test_entries_by_name(small):
    palette = small.from_seeds("1,2")
    assert {"rest", "accent", "C", "F#", "1", "2"} <= set(palette.names)
    assert all(palette.entry(name).shape == (small.model.w_dim,) for name in palette.names)
    with pytest.raises(PatchError, match="did you mean 'accent'"):
        palette.entry("acent")
    with pytest.raises(PatchError, match="there are rest, accent, C"):
        palette.entry("9")


def test_latents_are_saved_whole(small):
    palette = small.from_seeds("1-3")
    again = PaletteLatents.from_arrays(palette.arrays())
    assert again == palette
    assert again.names == palette.names
    assert PaletteLatents(palette.ring, palette.rest, palette.accent) != palette


# --- files


def packed(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def array(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def torched(value):
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


WS = normal(0, "ws", 0, (3, 8))  # the small model's D is 8, its Z is 6
ZS = normal(0, "zs", 0, (3, 6))
LAYERS = normal(0, "layers", 0, (3, 4, 8))


@pytest.fixture
def read(small_model, tmp_path):
    def reader(name, content, space="w"):
        (tmp_path / name).write_bytes(content)
        return read_latents(tmp_path / name, small_model, space)

    return reader


GOOD = {
    "npy": ("a.npy", array(WS), WS),
    "one": ("a.npy", array(WS[0]), WS[:1]),
    "double": ("a.npy", array(WS.astype(np.float64)), WS),
    "Fortran": ("a.npy", array(np.asfortranarray(WS)), WS),
    "big-endian": ("a.npy", array(WS.astype(">f4")), WS),
    "layers": ("a.npy", array(LAYERS), LAYERS.mean(axis=1)),
    "npz": ("a.npz", packed(other=np.zeros(3), ws=WS), WS),
    "npz of any name": ("a.npz", packed(mine=WS), WS),
    "pt": ("a.pt", torched(torch.from_numpy(WS)), WS),
    "pt, half": ("a.pt", torched(torch.from_numpy(WS).bfloat16()), None),
    "pt, table": ("a.PT", torched({"latents": torch.from_numpy(WS), "step": 3}), WS),
    "pt, gradient": ("a.pt", torched({"w": torch.from_numpy(WS).requires_grad_()}), WS),
}


@pytest.mark.parametrize("case", GOOD)
def test_latents_of_every_kind_of_file(read, case):
    name, content, expected = GOOD[case]
    found = read(name, content)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, WS if expected is None else expected, atol=0.02, rtol=0.02)


def test_codes_are_mapped_whether_the_file_says_so_or_the_patch(read, small_model):
    expected = small_model.map(ZS)
    np.testing.assert_array_equal(read("a.npy", array(ZS), "z"), expected)
    np.testing.assert_array_equal(read("a.npz", packed(z=ZS)), expected)
    np.testing.assert_array_equal(read("a.pt", torched({"latents": torch.from_numpy(ZS)}), "z"), expected)
    np.testing.assert_array_equal(read("a.npz", packed(w=WS), "z"), WS)


def bomb():
    """A small file that unpacks to 100 MB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("ws.npy", array(np.zeros((3_125_000, 8), np.float32)))
    return file.getvalue()


class Evil:
    def __reduce__(self):
        return os.system, ("touch executed",)


def huge_header():
    content = bytearray(array(WS))
    return bytes(content.replace(b"(3, 8), }       ", b"(99999999999,8)}"))


BAD = {
    "nothing": ("a.npy", b"", "cannot be read"),
    "nonsense": ("a.npz", b"nonsense", "cannot be read"),
    "nonsense, torch": ("a.pt", b"nonsense", "cannot be read"),
    "cut": ("a.npz", packed(ws=WS)[:-30], "cannot be read"),
    "cut, torch": ("a.pt", torched(torch.from_numpy(WS))[:-300], "cannot be read"),
    "a header of terabytes": ("a.npy", huge_header(), "cannot be read"),
    "a bomb": ("a.npz", bomb(), "cannot be read"),
    "code": ("a.pt", torched({"ws": Evil()}), "cannot be read"),
    "pickled": ("a.npy", array(np.array([{}], object)), "cannot be read"),
    "repeated": ("a.pt", torched(torch.zeros(1).as_strided((9_999_999, 8), (0, 0))), "cannot be read"),
    "words": ("a.npz", packed(ws=np.array(["a"])), "cannot be read"),
    "complex": ("a.pt", torched(torch.zeros(3, 8, dtype=torch.complex64)), "cannot be read"),
    "sparse": ("a.pt", torched(torch.eye(8).to_sparse()), "cannot be read"),
    "another model's": (
        "a.npy",
        array(np.zeros((5, 512))),
        r"shape \(5, 512\), but latents of small have length 8",
    ),
    "codes": ("a.npy", array(ZS), "length 8"),
    "a number": ("a.npy", array(np.float32(3)), r"shape \(\)"),
    "none": ("a.npy", array(np.zeros((0, 8))), r"\(0, 8\)"),
    "many": ("a.npy", array(np.zeros((MAX_LATENTS + 1, 8))), "at most 256"),
    "infinite": ("a.npy", array(WS * np.inf), "not finite"),
    "NaN": ("a.npy", array(WS * np.nan), "not finite"),
    "huge": ("a.npy", array(WS * 1e30), "not finite, or huge"),
    "several": ("a.npz", packed(a=WS, b=WS), "holds no latents but a, b"),
    "no tensors": ("a.pt", torched({"step": 3}), "holds no latents but nothing"),
    "another ending": ("a.txt", b"", "npy, .npz or .pt"),
}


@pytest.mark.parametrize("case", BAD)
def test_files_that_hold_no_latents_of_this_model(read, case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, content, message = BAD[case]
    with pytest.raises(FileError, match=message) as caught:
        read(name, content)
    assert name in str(caught.value)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", ["missing.npy", "a\0b.npy", "folder.npy"])
def test_files_that_are_not_there(small_model, tmp_path, name):
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(FileError):
        read_latents(tmp_path / name, small_model)


def test_any_damage_to_a_file_is_one_error(read):
    for name, content, _ in GOOD.values():
        random = np.random.default_rng(0)
        for _ in range(40):
            damaged = bytearray(content)
            for position in random.integers(len(content), size=3):
                damaged[position] = random.integers(256)
            with suppress(FileError):
                assert np.isfinite(read(name, bytes(damaged))).all()


# --- an image's colours


def image_file(path, upper, lower=None, **how):
    pixels = np.zeros((60, 90, 3), np.uint8)
    pixels[:30], pixels[30:] = upper, upper if lower is None else lower
    Image.fromarray(pixels).save(path, **how)
    return path


def test_an_image_chooses_images_in_its_colours(source, tmp_path):
    orange = image_file(tmp_path / "a.png", (230, 120, 20), (60, 20, 10))
    blue = image_file(tmp_path / "b.jpg", (20, 60, 200), (10, 10, 40))
    palettes = [source.from_image(str(path), 0) for path in (orange, blue)]
    hue = source.pool.lab[..., 2].mean(axis=(1, 2))  # b*: yellow above 0, blue below
    warm, cool = (hue[members(source, each)[:12]] for each in palettes)
    assert warm.min() > np.median(hue) > cool.max()
    for palette in palettes:
        assert len(set(members(source, palette))) == 14
    assert same(palettes[1], source.from_image(str(blue), 0))
    others = {tuple(sorted(members(source, source.from_image(str(blue), seed)))) for seed in range(4)}
    assert len(others) > 1


def test_an_image_of_the_survey_is_its_own_nearest(source, silk):
    from clavilux.profile.matched import match_colours

    chosen = [
        members(source, match_colours(source.pool, source.pool.lab[[7]], seed=seed))[:12] for seed in range(8)
    ]
    assert sum(7 in each for each in chosen) >= 4  # each is one of twelve among sixteen


def test_orientation_transparency_and_kind_of_an_image_do_not_matter(tmp_path):
    plain = read_colours(image_file(tmp_path / "a.png", (200, 40, 40)))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = read_colours(image_file(tmp_path / "b.png", (200, 40, 40), exif=exif))
    np.testing.assert_array_equal(plain, turned)
    for mode in ("P", "RGBA", "CMYK"):
        file = tmp_path / f"c.{'tif' if mode == 'CMYK' else 'png'}"
        Image.open(tmp_path / "a.png").convert(mode).save(file)
        np.testing.assert_allclose(read_colours(file), plain, atol=8)  # P is dithered
    assert plain.shape == (1, 16, 16, 3)


def png_of(width, height):
    """The header of a PNG that claims a size."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"words", "cannot be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "cannot be read"),
        (b"P6 2 2 255\n" + bytes(12), "cannot be read"),  # an image, but of no format that is let in
        (png_of(100, 100), "cannot be read"),
        (png_of(9000, 9000), "too many"),
        (png_of(2**31 - 1, 2**31 - 1), "cannot be read"),
    ],
)
def test_images_that_cannot_be_read(tmp_path, content, message):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(FileError, match=message):
        read_colours(tmp_path / "a.png")


# --- variants


def test_a_variant_has_other_images_of_the_same_scene(source):
    palette = source.automatic("warm", 0)
    before = members(source, palette)
    distances = distances_of(source.pool)
    variants = [members(source, source.variant(palette, seed)) for seed in range(3)]
    for after in variants:
        assert not set(after) & set(before)
        assert len(set(after)) == 14
        gaps = distances[before, after]
        assert gaps.mean() < 0.75 * distances[before].mean()
    assert len(set(map(tuple, variants))) == 3
    assert same(source.variant(palette, 1), source.variant(palette, 1))


def test_a_variant_keeps_names_and_what_was_the_same(source):
    palette = source.from_seeds("1-3")
    varied = source.variant(palette, 0)
    assert varied.names == palette.names
    np.testing.assert_array_equal(varied.entry("1"), varied.entry("C"))
    np.testing.assert_array_equal(varied.entry("C"), varied.entry("G"))
    assert not same(varied, palette)
    assert not same(source.variant(varied, 0), varied)


def test_variants_of_many_latents_and_of_a_model_that_draws_one_image(small):
    many = small.variant(small.from_seeds("1-256"), 0)
    assert len(many.named) == 256
    from clavilux.profile.matched import match_palette, palette_of_list

    def flat(ws):
        return Survey(ws, np.zeros((len(ws), 16, 16, 3), np.float32), np.zeros(len(ws), np.float32))

    pool = flat(normal(0, "ws", 0, (40, 5)))
    images = normal(1, "ws", 0, (2, 5))
    palette = palette_of_list(pool, flat(images), images)
    assert len(match_palette(pool, flat(distinct_latents(palette)), palette).ring) == 12


CHECKPOINTS = Path(__file__).parents[1] / "generator" / "data" / "checkpoints"


def test_classes_are_images_of_one_code_under_each():
    model = load_model(str(CHECKPOINTS / "ada64_cond.pkl"))
    palette = ModelPalettes(model).from_classes("0,2", seed=3)
    code = normal(3, "palette/classes", 0, (1, model.z_dim))
    for place, number in enumerate((0, 2), 1):
        wanted = model.map(code, np.eye(model.c_dim, dtype=np.float32)[[number]])[0]
        np.testing.assert_allclose(palette.entry(str(place)), wanted, atol=1e-5)
    with pytest.raises(ModelError, match=f"classes are 0 to {model.c_dim - 1}"):
        ModelPalettes(model).from_classes("0,99", seed=3)


def test_a_model_without_classes_says_so(small_model):
    with pytest.raises(ModelError, match="it has no classes"):
        ModelPalettes(small_model).from_classes("0", seed=0)
