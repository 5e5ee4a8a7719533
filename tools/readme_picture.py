"""Draw docs/presets.webp, the moving picture of README.md: three presets side by side, on the tour's song.

python tools/readme_picture.py

It closes: the end of every video fades into its beginning.
"""

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clavilux.make.prepare import prepare
from clavilux.make.workspace import Workspace
from clavilux.metrics.flashes import FlashMeter
from clavilux.metrics.trace import cells_of
from clavilux.project.output import IMAGES, Output
from clavilux.project.project import Project
from clavilux.tour.music import compose_song

TARGET = Path(__file__).parents[1] / "docs" / "presets.webp"
SIDE, GAP, FPS, QUALITY = 256, 6, 15, 85
START, SECONDS = 36, 4
"""Two bars, with all drums and the melody."""
SHOWN = (
    Project(patch="pulse", seed=4, knobs={"punch": 0.8}),
    Project(patch="prism", model="glass", seed=1, knobs={"punch": 0.8}),
    Project(patch="stage", seed=4, knobs={"colours": "warm"}),
)


def main() -> int:
    videos = [draw(project) for project in SHOWN]
    white = np.full((len(videos[0]), SIDE, GAP, 3), 255, np.uint8)
    joined = np.concatenate([videos[0], white, videos[1], white, videos[2]], axis=2)
    first, *others = [Image.fromarray(frame) for frame in joined]
    first.save(
        TARGET,
        save_all=True,
        append_images=others,
        duration=[round(1000 * (k + 1) / FPS) - round(1000 * k / FPS) for k in range(len(joined))],
        loop=0,
        quality=QUALITY,
        method=6,
    )
    print(TARGET.stat().st_size)
    return 0


def draw(project: Project) -> NDArray[np.uint8]:
    """Draw the frames of a video, (N, SIDE, SIDE, 3)."""
    part = replace(project, start=Fraction(START), duration=Fraction(SECONDS), loop=True)
    output = Output(size=(SIDE, SIDE), fps=Fraction(FPS), codec=IMAGES)
    job = prepare(compose_song(0).audio, part, output, workspace=Workspace())
    drawn = np.concatenate(list(job.frames()))
    meter = FlashMeter(Fraction(FPS))  # images are not limited
    meter.add(cells_of(np.concatenate([drawn, drawn])))
    if not meter.found.passes:
        raise SystemExit(f"{project.patch} flashes too much: choose a lower punch.")
    return drawn


if __name__ == "__main__":
    sys.exit(main())
