"""Frames as arrays become FFmpeg's frames, and back, sample by sample.

The arrays are (rows, W) as `clavilux.pixel_formats` lays them out; FFmpeg may pad the rows of its own.
"""

import av
import numpy as np

from clavilux.pixel_formats import LAYOUTS, Layout, Samples

__all__ = ["Samples", "ffmpeg_name", "from_ffmpeg", "pixels_of", "to_ffmpeg"]


def ffmpeg_name(pixels: str) -> str:
    """Return FFmpeg's name of a planar pixel format, which includes the byte order of deep samples.

    >>> ffmpeg_name("yuv420p"), ffmpeg_name("yuv422p10")
    ('yuv420p', 'yuv422p10le')
    """
    return pixels if LAYOUTS[pixels].bits == 8 else f"{pixels}le"


def pixels_of(ffmpeg: str) -> str | None:
    """Return the pixel format that FFmpeg calls so, if it is one that programs draw.

    >>> pixels_of("yuv422p10le")
    'yuv422p10'
    """
    return next((pixels for pixels in LAYOUTS if ffmpeg_name(pixels) == ffmpeg), None)


def to_ffmpeg(samples: Samples, pixels: str) -> av.VideoFrame:
    """Copy an array into a frame of FFmpeg's, whose rows are aligned as encoders need them.

    >>> frame = to_ffmpeg(np.zeros((54, 64), np.uint8), "yuv420p")
    >>> frame.width, frame.height, frame.format.name
    (64, 36, 'yuv420p')
    """
    layout, (rows, width) = LAYOUTS[pixels], samples.shape
    frame = av.VideoFrame(width, layout.height(rows), ffmpeg_name(pixels))
    flat = np.ascontiguousarray(samples).reshape(-1)
    for plane in _planes(frame, layout):  # Y, then Cb, then Cr
        plane[:] = flat[: plane.size].reshape(plane.shape)
        flat = flat[plane.size :]
    return frame


def from_ffmpeg(frame: av.VideoFrame, pixels: str) -> Samples:
    """Copy a frame of FFmpeg's, which has this pixel format, into an array.

    >>> from_ffmpeg(to_ffmpeg(np.full((54, 64), 7, np.uint8), "yuv420p"), "yuv420p").mean()
    np.float64(7.0)
    """
    layout = LAYOUTS[pixels]
    flat = np.concatenate([plane.reshape(-1) for plane in _planes(frame, layout)])
    return flat.reshape(layout.shape((frame.width, frame.height)))


def _planes(frame: av.VideoFrame, layout: Layout) -> list[Samples]:
    """Return views (height, width) of a frame's planes, without the padding of their rows."""
    return [
        np.frombuffer(plane, layout.dtype).reshape(plane.height, -1)[:, : plane.width]  # type: ignore[call-overload]
        for plane in frame.planes
    ]
