"""How long a whole video takes, against inputs, drawing and encoding alone on the same frames.

These overlap in a render, so with all cores busy its wall time is about their processor time, shared among
the cores. Other work on the machine takes cores away; on Linux it
is counted, and the time as on an idle machine is printed beside the time measured.

    python benchmarks/render.py --seconds 60 --models silk 256px
"""

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from figures import table
from hearing_speed import write_song

from clavilux import seeds
from clavilux.frames.frames import BATCH
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.stylegan2_config import StyleGAN2Config
from clavilux.make.job import Job
from clavilux.make.video import prepare_job
from clavilux.make.workspace import Workspace
from clavilux.project.recipe import Recipe
from clavilux.video.write import SegmentWriter

MUST = 1.10
"""Wall time of a render over the processor time of inputs, drawing and encoding, shared among the cores."""
REAL_TIME = {("bf16", 1280): 0.85, ("f32", 1280): 0.5, ("bf16", 1920): 0.55}
"""Times real time that a render with silk must reach on two cores, by precision and width."""


SIZES: Mapping[str, StyleGAN2Config] = {
    "tiny": StyleGAN2Config(6, 8, 2, (12, 8, 6)),
    "256px": StyleGAN2Config(128, 128, 4, (128, 128, 128, 128, 64, 32, 16)),
}


def write_untrained(folder: Path, name: str) -> Path:
    """Write an untrained network of one of the `SIZES` that draws something of normal contrast."""
    sizes = SIZES[name]
    arrays = {key: seeds.normal(0, key, 0, shape) for key, shape in sizes.shapes().items()}
    for key, array in arrays.items():
        if key.endswith("affine.bias"):
            array[...] += 1
        if key.endswith("torgb.weight"):
            array[...] *= 0.3
        if ".fc" in key:
            array[...] *= 100
    path = folder / f"{name}.safetensors"
    write_native(path, arrays, {"licence": "CC0-1.0"})
    return path


@dataclass
class Spent:
    """Seconds by the clock, of the processors on this, and of the processors on everything else."""

    wall: float = 0.0
    processor: float = 0.0
    others: float = 0.0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Add what is spent inside."""
        before = self._now()
        yield
        wall, processor, busy = (after - start for after, start in zip(self._now(), before, strict=True))
        self.wall += wall
        self.processor += processor
        self.others += max(0.0, busy - processor)

    @property
    def alone(self) -> float:
        """The wall time without the cores that other work took, s."""
        return max(self.wall - self.others / cores(), self.processor / cores())

    @staticmethod
    def _now() -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), busy_seconds()


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def busy_seconds() -> float:
    """Return the processor time the whole machine has spent since it started; 0 where it is not known."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    user, nice, system, _idle, _wait, interrupt, soft, steal = map(int, path.read_text().split()[1:9])
    return (user + nice + system + interrupt + soft + steal) / os.sysconf("SC_CLK_TCK")


def draw_alone(job: Job, path: Path) -> tuple[Spent, Spent, np.ndarray]:
    """Compute inputs and draw, window by window, into a file; return what each took, and the frames."""
    inputs, drawing, frames = Spent(), Spent(), None
    for window in job.timeline.windows(0, job.timeline.frames, BATCH):
        with inputs.counted():
            numbers = job.source.at(window)
        with drawing.counted():
            drawn = job.runner.run(numbers)
        if frames is None:
            shape = (job.timeline.frames, *drawn.shape[1:])
            frames = np.lib.format.open_memmap(path, "w+", drawn.dtype, shape)
        last = min(window.first + window.count, job.timeline.frames)
        frames[window.first : last] = drawn[: last - window.first]
    return inputs, drawing, frames


def encode_alone(job: Job, frames: np.ndarray, folder: Path) -> Spent:
    """Encode frames that are there already, in a render's segments."""
    spent = Spent()
    for segment in job.plan.segments:
        with spent.counted(), SegmentWriter(folder / f"{segment.index}.segment", job.encoding) as writer:
            for first in range(segment.first, segment.last, BATCH):
                writer.write(frames[first : min(first + BATCH, segment.last)])
    return spent


def measure(song: Path, settings: Mapping[str, object], folder: Path) -> None:
    """Make a video part by part, then whole, and print both.

    Exits where the frames of the two differ.
    """
    preparing, whole = Spent(), Spent()
    with preparing.counted():
        job = prepare_job(song, workspace=Workspace(), **settings)
    job.runner.run(job.source.at(job.timeline.window(0, BATCH)))
    inputs, drawing, frames = draw_alone(job, folder / "frames.npy")
    encoding = encode_alone(job, frames, folder)
    with whole.counted():
        made = job.render(folder / f"{job.model.name}.mp4")
    check_same(job, frames, made.pixels)
    rows = {"preparing": preparing, "inputs alone": inputs, "drawing alone": drawing}
    show(job, rows | {"encoding alone": encoding, "whole": whole})


def check_same(job: Job, frames: np.ndarray, pixels: str) -> None:
    """Exit unless the whole render drew the very frames that were drawn alone."""
    alone = [
        blake2b(np.ascontiguousarray(frames[segment.first : segment.last]).data, digest_size=16).hexdigest()
        for segment in job.plan.segments
    ]
    if Recipe.pixels_of(alone) != pixels:
        raise SystemExit("The render's frames are not those drawn alone: its times mean nothing.")


def show(job: Job, rows: dict[str, Spent]) -> None:
    """Print what each part took, and how the whole compares with them and with the song."""
    count, fps = job.timeline.frames, float(job.timeline.fps)
    width, height = job.program.size
    cells = "x".join(map(str, job.program.cells))
    label = getattr(job.runner, "label", type(job.runner).__name__)
    print(f"\n## Rendering: {job.model.name}, {job.model.resolution} px, cells {cells}\n")
    print(
        f"{count} frames of {width}x{height} at {fps:g} fps, drawn by {label}."
        " Preparing is done once a song.\n"
    )
    lines = []
    for name, spent in rows.items():
        each = ["", ""]
        if name != "preparing":
            each = [f"{spent.processor / count * 1e3:.1f}", f"{count / spent.wall:.1f}"]
        lines.append([name, *(f"{s:.2f}" for s in (spent.wall, spent.processor, spent.others)), *each])
    print(table(["part", "wall s", "CPU s", "CPU s of others", "CPU ms/frame", "frames/s"], lines) + "\n")
    parts = ("inputs alone", "drawing alone", "encoding alone")
    ideal = sum(rows[part].processor for part in parts) / cores()
    whole, wanted = rows["whole"], REAL_TIME.get((job.runner.precision, width), 0.0)
    for wall, when in ((whole.wall, "as measured"), (whole.alone, "less what others took")):
        print(
            f"- {'pass' if wall <= MUST * ideal else 'MISS'}: wall time {when} {wall / ideal:.2f}x the CPU"
            f" time of inputs, drawing and encoding / {cores()} cores, at most {MUST}x"
        )
        speed = count / fps / wall
        print(f"- {'pass' if speed >= wanted else 'MISS'}: {speed:.2f}x real time {when}, at least {wanted}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of music; 60 for the full measure")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720))
    parser.add_argument("--models", nargs="+", default=["silk", "256px"])
    options = parser.parse_args()
    print(f"{options.seconds:g} s of music, load {os.getloadavg()[0]:.1f}.")
    with TemporaryDirectory() as folder:
        song = Path(folder, "song.wav")
        write_song(song, options.seconds)
        for name in options.models:
            model = str(write_untrained(Path(folder), name)) if name in SIZES else name
            settings = {"fps": Fraction(options.fps), "size": tuple(options.size), "model": model}
            settings |= {"patch": "auto", "flash_safety": "warn"}  # counted, but no frame is drawn twice
            measure(song, settings, Path(folder))


if __name__ == "__main__":
    main()
