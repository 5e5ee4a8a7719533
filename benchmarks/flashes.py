"""What counting and limiting flashes adds to a frame, beside limiting every pixel by itself.

    python benchmarks/flashes.py [--size 1280 720]

Both forms must give cells of the same light; a difference larger than its bound ends the run with an error.
"""

import argparse

import numpy as np
from figures import must, seconds, table

from clavilux import seeds
from clavilux.colour import bt709, srgb_to_linear
from clavilux.metrics.trace import cells_of
from clavilux.video.relight import relight
from clavilux.video.small import shrink

FRAMES, REPETITIONS = 8, 3
PIXELS = "yuv420p"
MAX_APART = 0.002
"""Mean difference of the cells' light, 0 to 1."""
MIN_FASTER = 3.0


def frames_of(size: tuple[int, int]) -> np.ndarray:
    """Draw clouds of colour with fine noise, (N, rows, W) of yuv420p."""
    width, height = size
    made = []
    for k in range(FRAMES):
        coarse = seeds.normal(0, "clouds", k, (3, 9, 16))
        planes = [np.clip(128 + 50 * enlarged(each, (height, width)), 16, 235) for each in coarse]
        planes[0] = planes[0] + 4 * seeds.normal(0, "grain", k, (height, width))
        small = [plane[::2, ::2] for plane in planes[1:]]
        made.append(np.concatenate([planes[0].ravel(), *(plane.ravel() for plane in small)]))
    return np.clip(np.stack(made), 16, 235).astype(np.uint8).reshape(FRAMES, -1, width)


def enlarged(cells: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Interpolate cells (gh, gw) linearly between their centres; the outer ones hold."""
    for axis, side in enumerate(size):
        count = cells.shape[axis]
        place = np.clip((np.arange(side) + 0.5) * count / side - 0.5, 0, count - 1)
        low = np.minimum(place.astype(int), count - 2)
        share = np.expand_dims(place - low, 1 - axis).astype(np.float32)
        cells = cells.take(low, axis) * (1 - share) + cells.take(low + 1, axis) * share
    return cells


def by_pixels(frame: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Blend every pixel in linear light towards black and white, at full size: the plain form."""
    width = frame.shape[1]
    height = len(frame) * 2 // 3
    flat, matrix = frame.reshape(-1).astype(np.float32), bt709()
    chroma = flat[height * width :].reshape(2, height // 2, width // 2).repeat(2, 1).repeat(2, 2)
    codes = np.concatenate([flat[: height * width].reshape(1, height, width), chroma])
    rgb = np.tensordot(np.linalg.inv(matrix[:, :3]), codes - matrix[:, 3, None, None], 1)
    light = srgb_to_linear(np.clip(rgb, 0, 1))
    dark = np.minimum(after / np.maximum(before, 1e-6), 1)
    bright = np.clip((after - before) / np.maximum(1 - before, 1e-6), 0, 1)
    for k in range(3):
        light[k] *= enlarged(dark[..., k], (height, width))
        light[k] += enlarged(bright[..., k], (height, width)) * (1 - light[k])
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    made = np.tensordot(matrix[:, :3], srgb, 1) + matrix[:, 3, None, None]
    small = made[1:].reshape(2, height // 2, 2, width // 2, 2).mean(axis=(2, 4))
    return np.rint(np.concatenate([made[0].ravel(), small.ravel()])).astype(np.uint8).reshape(frame.shape)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720))
    width, height = parser.parse_args().size
    frames = frames_of((width, height))
    before = cells_of(shrink(frames, PIXELS))
    after = (before + 0.7 * (before.mean(axis=0) - before)).astype(np.float32)

    def plain() -> np.ndarray:
        return np.stack([by_pixels(*each) for each in zip(frames, before, after, strict=True)])

    acts = {
        "light of the cells": lambda: cells_of(shrink(frames, PIXELS)),
        "limiting, every pixel by itself": plain,
        "limiting, as a render does": lambda: relight(frames, PIXELS, before, after),
    }
    cells = [cells_of(shrink(act(), PIXELS)) for act in list(acts.values())[1:]]
    apart = float(np.abs(cells[0] - cells[1]).mean())
    if apart > MAX_APART:
        raise SystemExit(f"The two forms' cells are {apart:.4f} apart, at most {MAX_APART}.")
    taken = {name: each / FRAMES * 1000 for name, each in seconds(acts, REPETITIONS).items()}
    print(f"\n## Flashes: {width}x{height}\n\nThe cells' light differs by {apart:.5f} in the mean.\n")
    print(table(["part", "ms/frame"], [(name, f"{each:.1f}") for name, each in taken.items()]))
    _, reference, own = taken.values()
    print("\n" + must("limiting against every pixel by itself", reference / own, MIN_FASTER, "x"))


if __name__ == "__main__":
    main()
