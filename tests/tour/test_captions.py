"""A caption is seen, fits, and changes nothing but its band."""

import numpy as np
import pytest

from clavilux.pixel_formats import LAYOUTS
from clavilux.tour.captions import draw_caption
from clavilux.tour.clips import CLIPS
from clavilux.video.frame import to_ffmpeg


def grey(size, pixels="yuv420p", count=1):
    layout = LAYOUTS[pixels]
    return np.full((count, *layout.shape(size)), 2 ** (layout.bits - 1), layout.dtype)


def rgb(frame, pixels):
    shown = to_ffmpeg(frame, pixels).reformat(format="rgb24", src_colorspace="ITU709", src_color_range="MPEG")
    return shown.to_ndarray()


@pytest.mark.parametrize("pixels", LAYOUTS)
def test_words_are_white_on_a_dark_band_at_the_lower_edge(pixels):
    before = grey((320, 180), pixels)
    frame = draw_caption("Chroma", "Every chord has its image", (320, 180), pixels).on(before)[0]
    assert frame.dtype == before.dtype
    shown, plain = rgb(frame, pixels).astype(int), rgb(before[0], pixels).astype(int)
    assert (shown[:140] == plain[:140]).all()
    band = shown[150:]
    assert band.max() > 235
    assert band.min() < plain.min() - 30
    assert np.ptp(band, axis=-1).max() <= 6  # grey stays grey


@pytest.mark.parametrize("size", [(1280, 720), (1080, 1920), (256, 144), (64, 36), (16, 16)])
@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.key)
def test_every_caption_fits_any_size(clip, size):
    width, height = size
    caption = draw_caption(clip.title, clip.caption, size)
    frame = caption.on(grey(size))[0][:height]
    assert (frame != 128).any()
    if min(size) >= 144:
        words = frame > 200
        assert words[:, -width // 60 :].sum() == 0
        assert words[: height // 2].sum() == 0


def test_a_caption_is_the_same_on_every_frame():
    caption = draw_caption("Chroma", "Every chord has its image", (128, 72))
    frames = np.random.default_rng(0).integers(16, 235, (5, 108, 128)).astype(np.uint8)
    assert (caption.on(frames)[3] == caption.on(frames[3:4])[0]).all()
