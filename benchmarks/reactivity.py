"""How well each preset follows real songs, and whether it flashes too much: presets x songs x models.

Frames are drawn at low resolution and measured as they are drawn, before anything is limited; `limited` is
what the limiter leaves of the flashes, computed on the same cells. Chance levels are beside every figure:
shifted songs for rhythm, the other songs' harmony for colours.

    python benchmarks/reactivity.py song1.ogg song2.ogg --presets auto strike --models silk glass
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from figures import table

from clavilux.arrays import F32
from clavilux.features.song import Song
from clavilux.make.job import Job
from clavilux.make.prepare import prepare
from clavilux.make.workspace import Workspace
from clavilux.metrics.flashes import Flashes, FlashMeter
from clavilux.metrics.limit import blend, blending, steady_cells
from clavilux.metrics.measures import Measures, measure
from clavilux.metrics.trace import Tracer, cells_of
from clavilux.patches.presets import PRESETS
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.video.small import shrink

HEIGHT = 144
"""Of the previews that are measured, px."""

MUST = {"lift": 0.6, "least lift": 0.4, "contrast": 1.5, "kick or snare": 0.8}


@dataclass(frozen=True)
class Cells:
    """The cells of a drawn part of a video."""

    cells: F32

    def read(self, first: int, last: int) -> F32:
        return self.cells[first:last]


@dataclass(frozen=True)
class Row:
    model: str
    preset: str
    song: str
    measures: Measures
    limited: Flashes
    blended: float


def drawn(job: Job) -> Iterator[np.ndarray]:
    for samples in job.frames():
        yield shrink(samples, job.program.spec.pixels)


def measured(song: Path, project: Project, args: argparse.Namespace, others: list[Song]) -> Row:
    fps = Fraction(args.fps)
    workspace = Workspace.of_user()
    job = prepare(song, project, Output(fps=fps), workspace=workspace, preview=HEIGHT).preview(HEIGHT)
    tracer, cells = Tracer(fps), []
    for frames in drawn(job):
        tracer.add(frames)
        cells.append(cells_of(frames))
    whole = Cells(np.concatenate(cells))
    count = len(whole.cells)
    amounts = blending(whole, count, fps)
    meter = FlashMeter(fps)
    meter.add(blend(*steady_cells(whole, 0, count, count, fps), amounts))
    wrong = [other.chroma("harmonic", kind="cens") for other in others if other.digest != job.song.digest]
    found = measure(tracer.trace, job.song, float(job.timeline.start), wrong)
    return Row(
        project.model,
        str(project.patch),
        song.parent.name[:8] + "/" + song.stem,
        found,
        meter.found,
        float(amounts.mean()),
    )


def columns(row: Row) -> list[str]:
    m, flashes = row.measures, row.measures.trace.flashes
    assert m.rhythmic is not None
    assert m.chromatic is not None
    return [
        row.model,
        row.preset,
        row.song,
        f"{m.rhythmic.lift:.2f}",
        f"{m.rhythmic.percentile:.0f}",
        f"{m.chromatic.value:.2f}",
        f"{m.chromatic.chance:.2f}",
        f"{m.chromatic.percentile:.0f}",
        "" if m.contrast is None else f"{m.contrast:.2f}",
        "" if m.kick_or_snare is None else f"{m.kick_or_snare.accuracy:.0%}",
        f"{max(flashes.rate, flashes.red_rate):g}" + ("" if flashes.passes else " fails"),
        f"{max(row.limited.rate, row.limited.red_rate):g}" + ("" if row.limited.passes else " fails"),
        f"{row.blended:.2f}",
    ]


HEAD = ["model", "preset", "song", "lift", "pct", "colour", "chance", "pct", "contrast", "kick/snare",
        "flashes", "limited", "blended"]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("songs", nargs="+", type=Path)
    parser.add_argument("--presets", nargs="+", default=["auto", *PRESETS])
    parser.add_argument("--models", nargs="+", default=["silk"])
    parser.add_argument("--start", type=float, default=0.0, help="seconds into each song")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each song")
    parser.add_argument("--fps", type=int, default=15)
    args = parser.parse_args()
    workspace = Workspace.of_user()
    songs = [Song(workspace.audio(path), workspace.store) for path in args.songs]
    rows = []
    for model in args.models:
        for preset in args.presets:
            for path in args.songs:
                length = float(Song(workspace.audio(path), workspace.store).duration)
                start = min(args.start, max(length - args.seconds, 0.0))
                project = Project(patch=preset, model=model, start=start, duration=args.seconds)
                rows.append(measured(path, project, args, songs))
                print(" ".join(columns(rows[-1])), flush=True)
    print()
    print(table(HEAD, [columns(row) for row in rows]))
    for preset in args.presets:
        own = [row for row in rows if row.preset == preset]
        lifts = [row.measures.rhythmic.lift for row in own if row.measures.rhythmic is not None]
        failed = sum(not row.limited.passes for row in own)
        print(
            f"{preset}: mean lift {np.mean(lifts):.2f} (must {MUST['lift']}), least {min(lifts):.2f}; "
            f"{failed} of {len(own)} fail the flash limit after limiting"
        )


if __name__ == "__main__":
    main()
