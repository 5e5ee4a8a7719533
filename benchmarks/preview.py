"""How long a preview of a whole song takes, from the command to its three files.

Each is a process of its own, with the built-in model: of a song never heard with nothing kept, of a new
song with the model's own results kept, and of a song already heard. What was made is checked: a sheet of
images, and two videos of their length.

    python benchmarks/preview.py --minutes 3 --runs 3
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import table
from hearing_speed import write_song
from PIL import Image

from clavilux.video.probe import probe

MUST = 10.0
"""Seconds that a preview may take on two idle cores."""


def preview(song: Path, cache: Path, folder: Path) -> float:
    """Make a preview in a process of its own, check it, and return how many seconds it took."""
    environment = {**os.environ, "CLAVILUX_CACHE": str(cache)}
    command = [
        sys.executable,
        "-m",
        "clavilux",
        "preview",
        str(song),
        "-o",
        str(folder / "a"),
        "-q",
        "--force",
    ]
    began = time.perf_counter()
    subprocess.run(command, check=True, env=environment)
    taken = time.perf_counter() - began
    with Image.open(folder / "a-preview.png") as sheet:
        if min(sheet.size) < 200:
            raise SystemExit(f"The sheet is only {sheet.size}.")
    for part in ("loudest", "quietest"):
        if (frames := probe(folder / f"a-{part}.mp4").frames) != 45:
            raise SystemExit(f"The video of the {part} part has {frames} frames, not 45.")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(f"## Previews\n\n{options.minutes:g} minutes of music, median of {options.runs} runs.\n")
    taken: dict[str, list[float]] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        song, other = folder / "song.wav", folder / "other.wav"
        write_song(song, 60 * options.minutes)
        for _ in range(options.runs):
            shutil.rmtree(folder / "cache", ignore_errors=True)
            for case, heard in (
                ("nothing kept", song),
                ("another song", other),
                ("the same song", song),
            ):
                if heard is other:  # the same music, a moment of silence later: another song
                    content = song.read_bytes()
                    other.write_bytes(content[:44] + bytes(22048) + content[44:-22048])
                taken.setdefault(case, []).append(preview(heard, folder / "cache", folder))
    medians = {case: statistics.median(each) for case, each in taken.items()}
    print(table(["preview", "wall s"], [[case, f"{value:.1f}"] for case, value in medians.items()]) + "\n")
    for case, value in medians.items():
        print(f"- {'pass' if value <= MUST else 'MISS'}: {case} {value:.1f} s, at most {MUST:g} s")
    print(f"\nLoad {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
