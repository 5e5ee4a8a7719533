"""How long the command line takes to answer, beside an interpreter that does nothing.

Wall time is what a person waits; processor time is printed as well, as it hardly depends on what else the
machine is doing. The median of several runs counts. With --imports, the slowest imports of `--help` follow.

    python benchmarks/startup.py --runs 10
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time

from figures import table

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


def run(program: str, *flags: str) -> tuple[float, float, str]:
    """Run a program in an interpreter of its own; return wall s, processor s and what it said on stderr."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *flags, "-c", program], capture_output=True, text=True, check=True)
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
    parser.add_argument("--imports", action="store_true")
    options = parser.parse_args()
    print(f"## Starting\n\nMedian of {options.runs} runs, load {os.getloadavg()[0]:.1f}.\n")
    walls, rows = {}, []
    for name, program in PROGRAMS.items():
        run(program)  # so that byte code is there
        runs = [run(program) for _ in range(options.runs)]
        walls[name], processor = (statistics.median(each[k] for each in runs) for k in (0, 1))
        best = min(each[0] for each in runs)
        rows.append([name, *(f"{taken:.3f}" for taken in (walls[name], best, processor))])
    print(table(["program", "wall s", "quickest", "CPU s"], rows) + "\n")
    taken = walls["clavilux --help"]
    print(f"- {'pass' if taken < MUST else 'MISS'}: clavilux --help {taken:.2f} s, at most {MUST} s")
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
