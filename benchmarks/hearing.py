"""How accurate the analysis is, beside librosa's, on songs of known truth; written into docs/hearing.md.

The test songs are made when they are missing (tools/truth; that needs a Debian and the truth extra), four
recorded songs are fetched. librosa's answers are kept, ours are worked out anew each time.

    python benchmarks/hearing.py --only beats,drums --songs 12
    python benchmarks/hearing.py --markdown
"""

import argparse
import json
import os
import re
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from figures import table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools" / "truth"))

from make import Work, make, song_names  # noqa: E402  # found through the line above
from packages import Packages, default_folder  # noqa: E402
from recorded import RECORDED, record  # noqa: E402
from scores import QUANTITIES, Scores  # noqa: E402
from truth import load_truth  # noqa: E402

PAGE = ROOT / "docs" / "hearing.md"
SONGS = 44

WHO = {"ours": "Clavilux", "dsp": "without the event network", "librosa": "librosa"}

TARGETS = {
    "rendered": """
        beat F 0.92 0.97|CMLt|AMLt|downbeat F 0.85 0.93|metre|tempo acc1 0.90 0.97|tempo acc2
        kick F 0.80 0.90|snare F 0.75 0.88|hat F 0.80 0.88
        chroma cosine, plain 0.78 0.85|chroma cosine, repeated 0.78 0.85|chroma cosine, cens
        bass pitch class 0.75 0.88|melody RPA|melody RCA|key|key, weighted
        sections F@0.5 0.65 0.85|sections F@3 0.80 0.92|sections pairwise F 0.75 0.88|sections V
        sections F@3, best level|sections pairwise F, best level""",
    "recorded": """
        beat F 0.75 0.87|beat F, 20-80 s 0.75 0.87|CMLt|AMLt 0.80 0.93
        downbeat F 0.55 0.75|downbeat F, 20-80 s 0.55 0.75|metre|tempo acc1|tempo acc2""",
}
"""The figures of each group of songs; what some must be, and what is aimed at."""

WORST = ("beat F", "downbeat F", "kick F", "snare F", "hat F", "chroma cosine, repeated", "sections F@3")


@dataclass(frozen=True)
class Heard:
    """One song's scores, for each of the analyses compared."""

    name: str
    group: str
    style: str
    scores: dict[str, Scores]


def hear(path: Path, who: tuple[str, ...], only: tuple[str, ...], kept: Path) -> Heard:
    """Score each analysis of one song."""
    from listeners import Clavilux, Librosa, WithoutEventNet

    truth, ours = load_truth(path), Clavilux(path)
    listeners = {"ours": ours, "dsp": WithoutEventNet(ours), "librosa": Librosa(path, kept)}
    scores = {}
    for name in who:
        wanted = [each for each in only if name != "dsp" or each in {"beats", "drums"}]
        scores[name] = {k: v for each in wanted for k, v in QUANTITIES[each](truth, listeners[name]).items()}
    group = "recorded" if truth.split == "real" else "rendered"
    return Heard(truth.name, group, truth.style, scores)


def songs_of(options: argparse.Namespace) -> list[Path]:
    """The songs to analyse, made where they are missing."""
    packages = Packages(options.folder / "packages")
    works = [
        Work(options.split, name, number, options.folder, packages.folder)
        for name, number in song_names(options.split, options.songs)
    ]
    packages.fetch_all()
    with ProcessPoolExecutor(options.workers) as pool:
        list(pool.map(make, [work for work in works if not work.done]))
    recorded = [record(name, packages, options.folder) for name in RECORDED] if options.recorded else []
    return [work.audio for work in works] + recorded


def hear_all(paths: list[Path], options: argparse.Namespace) -> list[Heard]:
    """Score each analysis of all songs, each song in a task of its own, and print the progress."""
    who, only = tuple(options.who.split(",")), tuple(options.only.split(","))
    heard = []
    with ProcessPoolExecutor(options.workers) as pool:
        tasks = {pool.submit(hear, path, who, only, options.folder): path for path in paths}
        for count, task in enumerate(as_completed(tasks), 1):
            heard.append(task.result())
            first = next(iter(heard[-1].scores.values()))
            found = ", ".join(f"{name} {score:.2f}" for name, score in list(first.items())[:4])
            print(f"{count}/{len(paths)} {heard[-1].name} ({heard[-1].style}): {found}", file=sys.stderr)
    return sorted(heard, key=lambda each: each.name)


def means(heard: list[Heard], group: str, who: str) -> dict[str, tuple[float, int]]:
    """The mean over songs of each figure, and over how many."""
    found: dict[str, list[float]] = {}
    for each in heard:
        for name, score in each.scores.get(who, {}).items() if each.group == group else ():
            found.setdefault(name, []).append(score)
    return {name: (statistics.fmean(scores), len(scores)) for name, scores in found.items()}


def board(heard: list[Heard], group: str, who: list[str]) -> str:
    """Write the table of one group of songs."""
    found = {name: means(heard, group, name) for name in who}
    rows = []
    for figure, must, aim in targets(group):
        found = [found[name].get(figure) for name in who]
        if any(found):
            written = ["" if mean is None else f"{mean[0]:.3f}" for mean in found]
            songs = max(mean[1] for mean in found if mean)
            rows.append([figure, *written, must, aim, verdict(found[0], must), songs])
    return table(["figure", *(WHO[name] for name in who), "must", "aim", "", "songs"], rows)


def targets(group: str) -> list[tuple[str, str, str]]:
    """Each figure of a group with what it must be and what is aimed at; empty where nothing is asked."""
    listed = re.split(r"\||\n", TARGETS[group].strip())
    matches = [re.fullmatch(r"(.*?)(?: (0\.\d\d) (0\.\d\d))?", each.strip()) for each in listed]
    return [(match[1], match[2] or "", match[3] or "") for match in matches if match]


def verdict(mean: tuple[float, int] | None, must: str) -> str:
    """Return whether the mean reaches what it must."""
    if mean is None or not must:
        return ""
    return "pass" if mean[0] >= float(must) else "MISS"


def worst(heard: list[Heard], count: int = 4) -> str:
    """List the songs that fare worst, for some figures."""
    lines = []
    for figure in WORST:
        having = [each for each in heard if figure in each.scores.get("ours", {})]
        lowest = sorted(having, key=lambda each: each.scores["ours"][figure])[:count]
        found = ", ".join(f"{each.name} ({each.style}) {each.scores['ours'][figure]:.2f}" for each in lowest)
        if found:
            lines.append(f"- {figure}: {found}")
    return "\n".join(lines)


def write_page(parts: dict[str, str]) -> None:
    """Put each part between its markers on the page; the prose around stays."""
    text = PAGE.read_text()
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n\n{part}\n\n{end}{rest.split(end)[1]}"
    PAGE.write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default=",".join(QUANTITIES), help="quantities, separated by commas")
    parser.add_argument("--who", default=",".join(WHO), help="whose analysis: ours, dsp, librosa")
    parser.add_argument("--split", choices=["test", "train"], default="test")
    parser.add_argument("--songs", type=int, default=SONGS, help="how many rendered songs")
    parser.add_argument("--no-recorded", dest="recorded", action="store_false", help="rendered songs alone")
    parser.add_argument("--folder", type=Path, default=default_folder())
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--markdown", action="store_true", help="write the figures into docs/hearing.md")
    parser.add_argument("--json", type=Path, help="also write every song's scores here")
    options = parser.parse_args()
    heard = hear_all(songs_of(options), options)
    who = options.who.split(",")
    parts = {group: board(heard, group, who) for group in TARGETS} | {"worst": worst(heard)}
    for name, part in parts.items():
        print(f"\n## {name.capitalize()}\n\n{part}")
    if options.json:
        options.json.write_text(json.dumps([vars(each) for each in heard], indent=1))
    if options.markdown:
        write_page(parts)
    if "| MISS |" in "".join(parts.values()):
        raise SystemExit("A figure is below what it must be.")


if __name__ == "__main__":
    main()
