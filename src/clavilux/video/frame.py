"""FFmpeg's frames from pictures as programs draw them, and back, sample by sample.

Pictures are arrays (rows, W) as `clavilux.pixel_formats` lays them out; a frame's rows may be longer.
"""

import av
import numpy as np

from clavilux.pixel_formats import LAYOUTS, Layout, Samples

__all__ = ["Samples", "ffmpeg_name", "frame_of", "picture_of", "pixels_of"]


def ffmpeg_name(pixels: str) -> str:
    """Translate a planar pixel format into FFmpeg's name, which tells the order of a deep sample's bytes.

    >>> ffmpeg_name("yuv420p"), ffmpeg_name("yuv422p10")
    ('yuv420p', 'yuv422p10le')
    """
    return pixels if LAYOUTS[pixels].bits == 8 else f"{pixels}le"


def pixels_of(ffmpeg: str) -> str | None:
    """Translate FFmpeg's name of a pixel format back, if it is one that programs draw.

    >>> pixels_of("yuv422p10le")
    'yuv422p10'
    """
    return next((pixels for pixels in LAYOUTS if ffmpeg_name(pixels) == ffmpeg), None)


def frame_of(picture: Samples, pixels: str) -> av.VideoFrame:
    """Copy a picture into a frame, whose rows are aligned as encoders want them.

    >>> frame = frame_of(np.zeros((54, 64), np.uint8), "yuv420p")
    >>> frame.width, frame.height, frame.format.name
    (64, 36, 'yuv420p')
    """
    layout, (rows, width) = LAYOUTS[pixels], picture.shape
    frame = av.VideoFrame(width, layout.height(rows), ffmpeg_name(pixels))
    flat = np.ascontiguousarray(picture).reshape(-1)
    for plane in _planes(frame, layout):
        plane[:] = flat[: plane.size].reshape(plane.shape)
        flat = flat[plane.size :]
    return frame


def picture_of(frame: av.VideoFrame, pixels: str) -> Samples:
    """Copy a frame of this pixel format into a picture.

    >>> picture_of(frame_of(np.full((54, 64), 7, np.uint8), "yuv420p"), "yuv420p").mean()
    np.float64(7.0)
    """
    layout = LAYOUTS[pixels]
    flat = np.concatenate([plane.reshape(-1) for plane in _planes(frame, layout)])
    return flat.reshape(layout.shape((frame.width, frame.height)))


def _planes(frame: av.VideoFrame, layout: Layout) -> list[Samples]:
    return [
        np.frombuffer(plane, layout.dtype).reshape(plane.height, -1)[:, : plane.width]  # type: ignore[call-overload]
        for plane in frame.planes
    ]
