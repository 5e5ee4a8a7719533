"""Peak memory of making a video: of thirty minutes against one of three, and in the usual sizes.

A tiny generator draws small images a few times a second, so that what grows with the song shows. Each video
is made in a process of its own; on Linux the peak is given for each stage of the work. What a stage
finds already in memory counts for it too. In the usual sizes the built-in model draws two seconds of three
minutes: of a song never heard with nothing kept, and again.

    python benchmarks/memory.py --minutes 3 30 --again
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from figures import forget_peak, peak, table
from hearing_speed import write_song
from render import write_untrained

SIZE, FPS = (128, 72), 2
MORE_SHARE, MORE_MB = 1.10, 50
"""How much more memory a long video may take than a short one."""

AIMS = {"1280x720": 400, "1920x1080": 600, "3840x2160": 1200}
"""MB that a render of this size may take at most."""


class Peaks:
    """A reporter that notes how much memory each stage of the work takes at most, in MB."""

    def __init__(self) -> None:
        self.peaks: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self._stage, self._began = "Importing", time.monotonic()

    def begin(self, stage: str, total: int | None = None) -> None:  # noqa: ARG002  # as reporters are
        self.peaks[self._stage] = peak()
        self.seconds[self._stage] = time.monotonic() - self._began
        self._stage, self._began = stage, time.monotonic()
        forget_peak()

    def advance(self, count: int) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def cancelled(self) -> bool:
        return False


def measure(song: Path, known: Path, settings: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Make the video of a song, and return the peak and the time of each stage."""
    from clavilux.make.video import render
    from clavilux.make.workspace import Workspace
    from clavilux.store import Store
    from clavilux.video.probe import probe

    peaks = Peaks()
    workspace = Workspace(Store(known), peaks, engine=known / "engine")
    target = song.with_suffix(".mp4")
    made = render(song, target, overwrite=True, workspace=workspace, **settings)
    if probe(target).frames != made.frames:
        raise SystemExit(f"{target} does not have the frames that were drawn.")
    peaks.begin("Done")
    return {"peaks": peaks.peaks, "seconds": peaks.seconds}


def in_its_own_process(song: Path, known: Path, settings: dict[str, Any]) -> dict[str, dict[str, float]]:
    command = [sys.executable, __file__, "--measure", str(song), str(known), json.dumps(settings)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def show(title: str, minutes: list[float], runs: list[dict[str, dict[str, float]]]) -> None:
    """Print each stage's peak for each length, and whether the longest keeps within its bounds."""
    peaks = [run["peaks"] | {"altogether": max(run["peaks"].values())} for run in runs]
    seconds = [run["seconds"] | {"altogether": sum(run["seconds"].values())} for run in runs]
    columns = [f"{each:g} min: {what}" for each in minutes for what in ("peak MB", "s")]
    rows = [
        [
            stage,
            *(
                f"{n:.{k}f}"
                for mb, s in zip(peaks, seconds, strict=True)
                for k, n in enumerate((mb[stage], s[stage]))
            ),
        ]
        for stage in peaks[0]
    ]
    print(f"\n## Memory: {title}\n\n{table(['stage', *columns], rows)}\n")
    for stage in peaks[0]:
        most = peaks[0][stage] * MORE_SHARE + MORE_MB
        print(
            f"- {'pass' if peaks[-1][stage] <= most else 'MISS'}: {stage} {peaks[-1][stage]:.0f} MB,"
            f" at most {most:.0f} MB"
        )


def show_sizes(folder: Path, sizes: list[str]) -> None:
    """Print the peak of renders of a song never heard and heard before, in some sizes."""
    song, rows, misses = folder / "song.wav", [], []
    write_song(song, 180)
    for size in sizes:
        settings = {"size": [int(side) for side in size.split("x")], "start": 60, "duration": 2}
        settings["patch"] = "auto"  # as on the command line
        shutil.rmtree(folder / "known", ignore_errors=True)
        runs = [in_its_own_process(song, folder / "known", settings) for _ in range(2)]
        peaks = [max(run["peaks"].values()) for run in runs]
        rows.append([size, *(f"{peak:.0f}" for peak in peaks)])
        if size in AIMS:
            word = "pass" if max(peaks) <= AIMS[size] else "MISS"
            misses.append(f"- {word}: {size} {max(peaks):.0f} MB, at most {AIMS[size]} MB")
    print("\n## Memory: renders with the built-in model\n")
    print(table(["size", "never heard: peak MB", "heard before: peak MB"], rows) + "\n")
    print("\n".join(misses))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="*", default=[3.0, 30.0])
    parser.add_argument("--again", action="store_true", help="measure also what is heard already")
    parser.add_argument("--sizes", nargs="*", default=list(AIMS), help="of the renders, such as 1280x720")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        song, known, settings = options.measure
        print(json.dumps(measure(Path(song), Path(known), json.loads(settings))))
        return
    print(f"{SIZE[0]}x{SIZE[1]} at {FPS} fps, load {os.getloadavg()[0]:.1f}.")
    with TemporaryDirectory() as folder:
        tiny = {
            "model": str(write_untrained(Path(folder), "tiny")),
            "fps": FPS,
            "size": SIZE,
            "cells": (4, 7),
        }
        songs = [Path(folder, f"{minutes:g}.wav") for minutes in options.minutes]
        for song, minutes in zip(songs, options.minutes, strict=True):
            write_song(song, 60 * minutes)
        titles = ["a song never heard before", *(["the same song again"] if options.again else [])]
        for title in titles if songs else ():
            runs = [in_its_own_process(song, Path(folder, "known"), tiny) for song in songs]
            show(title, options.minutes, runs)
        show_sizes(Path(folder), options.sizes)


if __name__ == "__main__":
    main()
