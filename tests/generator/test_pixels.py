"""Pixels equal a plain float reference and FFmpeg's own conversion, and the dither is fair."""

import av
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from clavilux import seeds
from clavilux.generator.pixels import Pixels, halve, resample
from clavilux.pixel_formats import LAYOUTS, Layout


def smooth_image(height: int, width: int, seed: int = 0) -> torch.Tensor:
    """Colours that vary slowly, some beyond [-1, 1]."""
    coarse = torch.from_numpy(1.5 * seeds.normal(seed, "image", 0, (1, 3, 4, 5)))
    return F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=True).clamp(-1.3, 1.3)


def frames(*indices: int) -> torch.Tensor:
    return torch.tensor(indices)


def reference_yuv(rgb: np.ndarray, layout: Layout) -> list[np.ndarray]:
    """BT.709, limited range, chroma sited left; rgb (3, H, W) in [0, 1], written out sample by sample."""
    r, g, b = rgb.astype(np.float64)
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    chroma = []
    for difference in ((b - luma) / 1.8556, (r - luma) / 1.5748):
        thin = difference
        if layout.across == 2:
            wide = np.pad(thin, ((0, 0), (1, 1)), mode="edge")
            thin = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:])[:, ::2] / 4
        if layout.down == 2:
            thin = (thin[::2] + thin[1::2]) / 2
        chroma.append(128 + 224 * thin)
    return [plane * 2 ** (layout.bits - 8) for plane in (16 + 219 * luma, *chroma)]


def planes(
    pixels: np.ndarray, width: int, height: int, layout: Layout = LAYOUTS["yuv420p"]
) -> list[np.ndarray]:
    flat, less = pixels.reshape(-1).astype(np.float64), (height // layout.down, width // layout.across)
    ends = np.cumsum([height * width, less[0] * less[1]])
    shapes = ((height, width), less, less)
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True)]


@pytest.mark.parametrize("pixels", LAYOUTS)
def test_yuv_equals_the_float_reference_within_rounding(pixels):
    image, layout = smooth_image(48, 64), LAYOUTS[pixels]
    out = Pixels((48, 64), (64, 48), pixels)(image, frames(7)).numpy()
    assert (out.shape, out.dtype) == ((1, *layout.shape((64, 48))), layout.dtype)
    wanted = reference_yuv((image[0].clamp(-1, 1).numpy() + 1) / 2, layout)
    for found, exact in zip(planes(out[0], 64, 48, layout), wanted, strict=True):
        assert np.abs(found - exact).max() < 1.001
        assert abs((found - exact).mean()) < 0.1  # the dither is fair


@pytest.mark.parametrize("pixels", ["yuv420p10", "yuv422p10", "yuv444p10"])
def test_10_bits_lie_on_a_grid_four_times_as_fine(pixels):
    image = smooth_image(48, 64, seed=1)
    coarse, fine = LAYOUTS["yuv420p"], LAYOUTS[pixels]
    luma8 = planes(Pixels((48, 64), (64, 48), "yuv420p")(image, frames(2)).numpy(), 64, 48, coarse)[0]
    luma10 = planes(Pixels((48, 64), (64, 48), pixels)(image, frames(2)).numpy(), 64, 48, fine)[0]
    assert np.abs(luma10 - 4 * luma8).max() < 5
    assert set(luma10.reshape(-1) % 4) == {0, 1, 2, 3}


def test_scaling_and_cropping_come_before_every_format():
    image = smooth_image(16, 40)
    lumas = {
        pixels: planes(Pixels((16, 40), (48, 32), pixels)(image, frames(0)).numpy(), 48, 32, layout)[0]
        / 2 ** (layout.bits - 8)
        for pixels, layout in LAYOUTS.items()
    }
    for luma in lumas.values():
        assert np.abs(luma - lumas["yuv444p"]).max() <= 1


@pytest.fixture
def columns() -> torch.Tensor:
    """An image whose columns are equal, since FFmpeg sites chroma between columns and we do not."""
    return 0.6 * smooth_image(96, 128, seed=2)[..., 50:51].expand(-1, -1, -1, 128)


def test_yuv_equals_ffmpegs_conversion(columns):
    rgb = (
        ((columns[0].clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    )
    theirs = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format="yuv420p", dst_colorspace="ITU709", src_color_range="JPEG", dst_color_range="MPEG"
    )
    ours = Pixels((96, 128), (128, 96), "yuv420p")(columns, frames(3)).numpy()[0]
    for found, wanted in zip(planes(ours, 128, 96), planes(theirs.to_ndarray(), 128, 96), strict=True):
        assert np.abs(found - wanted).max() <= 2
        assert abs((found - wanted).mean()) < 0.3


@pytest.mark.parametrize(
    "colour", [(1, 1, 1), (0.3, 0.3, 0.3), (0.5, -0.2, 0.7), (-0.6, 0.4, -0.1), (-1, -1, -1)]
)
def test_ffmpeg_reads_the_yuv_as_the_same_colour(colour):
    image = torch.tensor(colour)[None, :, None, None].expand(1, 3, 16, 16).float()
    out = Pixels((16, 16), (16, 16), "yuv420p")(image, frames(0)).numpy()[0]
    spaces = {"src_colorspace": "ITU709", "src_color_range": "MPEG", "dst_color_range": "JPEG"}
    rgb = av.VideoFrame.from_ndarray(out, format="yuv420p").reformat(format="rgb24", **spaces).to_ndarray()
    exact = (np.array(colour) + 1) * 127.5
    assert np.abs(rgb.mean(axis=(0, 1)) - exact).max() < 1.75  # FFmpeg rounds down


@pytest.mark.parametrize("pixels", [*LAYOUTS, "rgb24"])
def test_values_stay_in_their_range(pixels):
    image = torch.from_numpy(5 * seeds.normal(0, "wild", 0, (2, 3, 16, 24)))
    out = Pixels((16, 24), (96, 64), pixels)(image, frames(0, 1)).numpy()
    if pixels == "rgb24":
        assert out.shape == (2, 64, 96, 3)
        assert (out.min(), out.max()) == (0, 255)
    else:
        luma, chroma, step = out[:, :64], out[:, 64:], 2 ** (LAYOUTS[pixels].bits - 8)
        assert (luma.min(), luma.max()) == (16 * step, 235 * step)
        assert 16 * step <= chroma.min() < 60 * step
        assert 200 * step < chroma.max() <= 240 * step


@pytest.mark.parametrize("pixels", LAYOUTS)
@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_black_and_white_are_not_dithered(value, pixels):
    out = Pixels((8, 8), (16, 8), pixels)(torch.full((1, 3, 8, 8), value), frames(5)).numpy()
    step = 2 ** (LAYOUTS[pixels].bits - 8)
    assert (out[:, :8] == (16 if value < 0 else 235) * step).all()
    assert (np.abs(out[:, 8:].astype(int) - 128 * step) <= 1).all()


@pytest.mark.parametrize("grey", [-0.8, -0.1234, 0.3, 0.777])
def test_dither_keeps_the_mean_in_space_and_in_time(grey):
    converter = Pixels((64, 64), (64, 64), "rgb24")
    image = torch.full((1, 3, 64, 64), grey)
    exact = (grey + 1) * 127.5
    stack = np.stack([converter(image, frames(n)).numpy()[0] for n in range(64)]).astype(np.float64)
    assert np.abs(stack.mean(axis=(1, 2)) - exact).max() < 0.03
    assert np.abs(stack.mean(axis=0) - exact).max() < 0.05
    assert np.abs(stack - exact).max() < 1


def test_dither_changes_from_frame_to_frame_and_is_the_same_again():
    converter = Pixels((16, 16), (16, 16), "yuv420p")
    image = smooth_image(16, 16)
    first, second, again = (converter(image, frames(n)) for n in (10, 11, 10))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("target", [(30, 50), (64, 100), (90, 131), (400, 333)])
def test_resampling_equals_torchs_antialiased_cubic(target):
    image = torch.from_numpy(seeds.normal(0, "p", 0, (1, 1, 64, 100)))
    wanted = F.interpolate(image, size=target, mode="bicubic", antialias=True)[0, 0].numpy()
    rows, columns = resample(64, target[0], target[0] / 64), resample(100, target[1], target[1] / 100)
    found = rows @ image[0, 0].numpy() @ columns.T
    assert np.abs(found - wanted).max() < 1e-4


@pytest.mark.parametrize(
    ("size", "target", "scale"), [(40, 20, 1.0), (40, 20, 2.0), (4, 64, 16.5), (64, 7, 0.25)]
)
def test_resampling_keeps_constants_and_the_centre(size, target, scale):
    matrix = resample(size, target, scale)
    assert np.allclose(matrix.sum(axis=1), 1)
    assert np.allclose(matrix, matrix[::-1, ::-1])


def test_halving_a_ramp_samples_it_at_the_left_site():
    ramp = np.arange(10.0)
    assert np.allclose((halve(10, (0.25, 0.5, 0.25)) @ ramp)[1:], ramp[::2][1:])
    assert np.allclose(halve(10, (0.5, 0.5)) @ ramp, ramp[::2] + 0.5)
