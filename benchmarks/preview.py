"""How long a preview of a whole song takes, from the command to its three files.

Each is a process of its own, with the built-in model: of a song never heard with nothing kept, of a new
song with the model's own results kept, of a song already heard, and of a project file. What was made is
checked: an image for every section, and two videos of their length. Slow is a MISS; wrong is exit code 1.

    python benchmarks/preview.py --minutes 3 --runs 3
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from figures import table
from hearing_speed import write_song
from PIL import Image

from clavilux.make.preview import SPEC
from clavilux.video.probe import probe

MUST = 10.0
"""Seconds that a preview may take on two idle cores."""


def clavilux(cache: Path, *arguments: object) -> str:
    """Run a command in a process of its own; return what it prints."""
    environment = {**os.environ, "CLAVILUX_CACHE": str(cache)}
    command = [sys.executable, "-m", "clavilux", *map(str, arguments)]
    return subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout


def preview(shown: Path, cache: Path, folder: Path) -> float:
    """Make a preview of a song or project in a process of its own, and return how many seconds it took."""
    began = time.perf_counter()
    clavilux(cache, "preview", shown, "-o", folder / "a", "-q", "--force")
    return time.perf_counter() - began


def wrong(song: Path, cache: Path, folder: Path) -> list[str]:
    """Return what is wrong with the files of a preview: an image for every section, and videos of 3 s."""
    sections = json.loads(clavilux(cache, "analyse", song, "--json"))["sections"]
    expected = min(len(sections), SPEC.max_images)
    with Image.open(folder / "a-preview.png") as sheet:
        found = images_on(np.asarray(sheet.convert("RGB")))
    said = [] if found == expected else [f"The sheet has {found} images for {expected} sections."]
    for part in ("loudest", "quietest"):
        frames = probe(folder / f"a-{part}.mp4").frames
        if frames != SPEC.fps * SPEC.seconds:
            said.append(f"The video of the {part} part has {frames} frames.")
    return said


def images_on(sheet: np.ndarray) -> int:
    """Count the images on a sheet (H, W, 3): the places whose lower half is not all paper."""
    width, height = 256, 144  # of 16:9 at the preview's area
    across, down = width + SPEC.gap, height + SPEC.curve_height + 24 + SPEC.gap
    places = [
        sheet[y + down - SPEC.gap - height // 2 : y + down - SPEC.gap, x : x + width]
        for y in range(SPEC.gap, len(sheet) - SPEC.gap, down)
        for x in range(SPEC.gap, sheet.shape[1] - SPEC.gap, across)
    ]
    return sum(bool((place != sheet[0, 0]).any()) for place in places)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(f"## Previews\n\n{options.minutes:g} minutes of music, median of {options.runs} runs.\n")
    taken: dict[str, list[float]] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        song, other, project = (folder / file for file in ("song.wav", "other.wav", "song.toml"))
        cache, errors = folder / "cache", []
        write_song(song, 60 * options.minutes)
        for _ in range(options.runs):
            shutil.rmtree(cache, ignore_errors=True)
            for case, heard in (
                ("nothing kept", song),
                ("another song", other),
                ("the same song", song),
                ("a project file", project),
            ):
                if heard is other:  # the same music, a moment of silence later: another song
                    content = song.read_bytes()
                    other.write_bytes(content[:44] + bytes(22048) + content[44:-22048])
                if heard is project:
                    clavilux(cache, "new", song, "-o", project, "--patch", "pulse", "--force")
                taken.setdefault(case, []).append(preview(heard, cache, folder))
                errors += [
                    f"{case}: {each}" for each in wrong(other if heard is other else song, cache, folder)
                ]
    medians = {case: statistics.median(each) for case, each in taken.items()}
    print(table(["preview", "wall s"], [[case, f"{value:.1f}"] for case, value in medians.items()]) + "\n")
    for case, value in medians.items():
        print(f"- {'pass' if value <= MUST else 'MISS'}: {case} {value:.1f} s, at most {MUST:g} s")
    print(f"\nLoad {os.getloadavg()[0]:.1f}.")
    if errors:
        raise SystemExit("\n".join(errors))


if __name__ == "__main__":
    main()
