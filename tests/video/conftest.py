"""Moving pictures and short segments of them."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from clavilux.video.write import Encoding, SegmentWriter

SIZE = (64, 36)


def moving(first: int, count: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """I420 frames of a bright bar that moves 2 pixels a frame over a fixed texture, so B-frames pay."""
    width, height = size
    texture = np.random.default_rng(7).integers(60, 120, (height * 3 // 2, width), dtype=np.uint8)
    frames = np.repeat(texture[None], count, axis=0)
    for index, frame in enumerate(frames):
        left = 2 * (first + index) % width
        frame[:height, left : left + max(2, width // 8)] = 220
    return frames


Segments = Callable[..., list[Path]]


@pytest.fixture(scope="session")
def make_segments(tmp_path_factory) -> Segments:
    """Write segments of the given numbers of frames, as one continuing movement."""

    def make(
        counts: Sequence[int], fps: Fraction = Fraction(24), size: tuple[int, int] = SIZE, **settings
    ) -> list[Path]:
        folder, first, paths = tmp_path_factory.mktemp("segments"), 0, []
        for index, count in enumerate(counts):
            path = folder / f"{index:05d}.mp4"
            with SegmentWriter(
                path, Encoding(size, fps, **{"gop": 4, "preset": "fast"} | settings)
            ) as writer:
                writer.write(moving(first, count, size))
            first += count
            paths.append(path)
        return paths

    return make
