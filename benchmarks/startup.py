"""How long the command line takes to answer, beside an interpreter that does nothing, and to draw.

The first frame of a render and a still are of three minutes of music, with the built-in model and all
defaults: never heard with an empty cache, and heard before. Wall time is what a person waits; processor time
is printed as well, as it hardly depends on what else the machine is doing. The median of several runs counts.
With --imports, the slowest imports of `--help` follow.

    python benchmarks/startup.py --runs 10 --songs 3
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import table
from hearing_speed import write_song

MUST = 0.4
"""Seconds that `clavilux --help` may take on an idle machine."""

CLI = "from clavilux.cli import main; main({})"
PROGRAMS = {
    "python -c pass": "pass",
    "import clavilux": "import clavilux",
    "clavilux --help": CLI.format(["--help"]),
    "clavilux render --help": CLI.format(["render", "--help"]),
    "clavilux --version": CLI.format(["--version"]),
}

FIRST = """
import os
from clavilux.make import work
drawn = work.frames
def first(*given):
    for _ in drawn(*given):
        os._exit(0)
work.frames = first
"""
"""Ends a render when its first frame is drawn."""

AIMS = {"first frame, never heard": 8.0, "first frame, heard before": 2.0, "still, heard before": 2.0}
"""Seconds on two idle cores."""


def first_frames(runs: int) -> dict[str, list[tuple[float, float, str]]]:
    """Draw the first frame of three minutes of music, with nothing kept and again, and a still of it."""
    found: dict[str, list[tuple[float, float, str]]] = {case: [] for case in AIMS}
    with TemporaryDirectory() as name:
        song, cache, still = (Path(name, each) for each in ("song.wav", "cache", "still.png"))
        write_song(song, 180)
        os.environ["CLAVILUX_CACHE"] = str(cache)
        render = FIRST + CLI.format(["render", str(song), "-o", str(song.with_suffix(".mp4")), "-q"])
        image = CLI.format(["still", str(song), "-o", str(still), "-q", "--force"])
        for _ in range(runs):
            shutil.rmtree(cache, ignore_errors=True)
            found["first frame, never heard"].append(run(render))
            found["first frame, heard before"].append(run(render))
            run(image)  # its program draws RGB and is compiled once
            found["still, heard before"].append(run(image))
            if not still.is_file():
                raise SystemExit("The still was not drawn.")
    return found


def run(program: str, *flags: str) -> tuple[float, float, str]:
    """Run a program in an interpreter of its own; return wall s, processor s and what it said on stderr.

    It may keep the modules it has compiled, as it does on any user's machine.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, *flags, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, processor, done.stderr


def slowest_imports(program: str, count: int = 15) -> list[str]:
    """Name the modules that take longest to import themselves, with what they import in brackets."""
    lines = [
        line.removeprefix("import time:").split("|")
        for line in run(program, "-X", "importtime")[2].splitlines()
    ]
    times = [(int(own), int(whole), name.strip()) for own, whole, name in lines[1:]]
    return [
        f"{own / 1e3:7.1f} ms ({whole / 1e3:6.1f}) {name}"
        for own, whole, name in sorted(times)[: -count - 1 : -1]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--songs", type=int, default=3, help="runs of first frames; 0 omits them")
    parser.add_argument("--imports", action="store_true")
    options = parser.parse_args()
    print(f"## Starting\n\nMedian of {options.runs} runs, load {os.getloadavg()[0]:.1f}.\n")
    walls, rows = {}, []
    for program in PROGRAMS.values():
        run(program)  # so that byte code is there
    measured = {name: [run(program) for _ in range(options.runs)] for name, program in PROGRAMS.items()}
    for name, runs in (measured | (first_frames(options.songs) if options.songs else {})).items():
        walls[name], processor = (statistics.median(each[k] for each in runs) for k in (0, 1))
        best = min(each[0] for each in runs)
        rows.append([name, *(f"{taken:.3f}" for taken in (walls[name], best, processor))])
    print(table(["program", "wall s", "quickest", "CPU s"], rows) + "\n")
    taken = walls["clavilux --help"]
    print(f"- {'pass' if taken < MUST else 'MISS'}: clavilux --help {taken:.2f} s, at most {MUST} s")
    for case, aim in AIMS.items() if options.songs else ():
        print(f"- {'pass' if walls[case] <= aim else 'MISS'}: {case} {walls[case]:.1f} s, at most {aim:g} s")
    heavy = (
        "import sys, clavilux; print(*{'torch', 'scipy', 'numpy', 'av'} & set(sys.modules), file=sys.stderr)"
    )
    loaded = run(heavy)[2].strip()
    print(f"- import clavilux loads of torch, scipy, numpy, av: {loaded or 'none'}")
    if options.imports:
        print(*slowest_imports(PROGRAMS["clavilux --help"]), sep="\n")
    if loaded:
        raise SystemExit(f"import clavilux loads {loaded}.")


if __name__ == "__main__":
    main()
