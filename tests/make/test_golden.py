"""Golden frames: the preset on a composed piece draws what it has always drawn.

The files hold the frames of version 0.1.0, whose shapes followed the bass faster, and whose hits were not
tamed. Engines and processors differ by rounding, hence the tolerance.
After a change that is meant to be seen: `python tests/make/test_golden.py`, and say so in the changelog.
"""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from clavilux.demo.composer import compose
from clavilux.make.video import prepare_job

DATA = Path(__file__).parent / "data" / "golden.npz"
FRAMES = (16, 96)
CASES = {
    "default": {},
    "glass, seed 7, upright": {"model": "glass", "seed": 7, "size": (72, 128)},
    "loop, psi 0.7": {"loop": True, "psi": 0.7, "duration": 4},
    "rgb, cells": {"codec": "png", "cells": (5, 9), "start": 1},
}


def drawn(settings):
    piece = compose(0, bars=2, bpm=120, rate=22050)
    usual = {"size": (128, 72), "precision": "exact", "knobs": {"smooth": 0.4}, "flash_safety": "warn"}
    job = prepare_job(piece.audio, **usual | settings)
    return np.stack([_frame(job, number) for number in FRAMES])


def _frame(job, number):
    with closing(job.frames(number, number + 1)) as frames:
        return next(frames)[0]


@pytest.mark.parametrize("name", CASES)
def test_frames_are_those_of_version_0_1_0(name):
    with np.load(DATA) as golden:
        difference = np.abs(drawn(CASES[name]).astype(int) - golden[name])
    assert difference.max() <= 3
    assert difference.mean() < 0.05


if __name__ == "__main__":
    DATA.parent.mkdir(exist_ok=True)
    np.savez_compressed(DATA, **{name: drawn(settings) for name, settings in CASES.items()})
