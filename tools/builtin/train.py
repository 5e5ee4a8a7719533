"""Train one built-in generator: start, stop and resume with the same command.

    python tools/builtin/train.py silk --run first --start weights.safetensors --grow 250:512

Octaves beyond ``--resolution`` are added as ``--grow`` says. Then those to ``--resolution`` rest, and
the others learn on windows of 128 px, which is three times as fast as on whole images of 512 px.

Everything lives in ``--home``/FAMILY-RUN: ``latest.pt`` (every ``--save-minutes``, written whole or not at
all), ``log.csv``, ``sheets/``, ``ema/`` and ``code/`` (the copy it runs from, so that edits wait for the next
start). SIGTERM and SIGINT save and stop; SIGSTOP pauses. Each worker is one process with one thread that
generates its share of the batch; gradients are averaged between them. kimg counts thousands of images
generated, those behind the weights begun from included. Halves (bf16) are used where the hardware has them, a
GPU (with ``--workers 1``) where there is one.
"""

import argparse
import math
import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed, multiprocessing

__all__ = ["main", "parse", "scheduled"]

OUTCOMES = {0: "done", 3: "grow", 4: "stopped"}


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("family", help="which teacher: see teachers.FAMILIES")
    parser.add_argument("--run", default="1", help="name of this run")
    parser.add_argument("--home", type=Path, default=Path.home() / "clavilux-training")
    parser.add_argument("--start", type=Path, help="native weights to begin from; else from scratch")
    parser.add_argument("--resolution", type=int, default=128, help="at the beginning; a power of two")
    parser.add_argument(
        "--grow", default="", help="KIMG:RESOLUTION,... when to add octaves; those before rest"
    )
    parser.add_argument("--rest", type=int, default=0, help="octaves to this size rest, and the mapping")
    parser.add_argument("--kimg", type=float, default=10_000, help="stop after this many")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after this long")
    parser.add_argument(
        "--cool", type=float, default=0.0, help="last part of the seconds, 0 to 1, in which rates fall to 0"
    )
    parser.add_argument("--batch", type=int, default=16, help="images a step, all workers together")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save-minutes", type=float, default=5)
    parser.add_argument("--sheet-kimg", type=float, default=20)
    parser.add_argument("--warmup-kimg", type=float, default=3, help="critic alone, after a start or growth")
    parser.add_argument("--generator-rate", type=float, default=2e-3)
    parser.add_argument("--critic-rate", type=float, default=2e-4)
    parser.add_argument("--compile", action="store_true", help="minutes of compiling, then a fifth faster")
    parser.add_argument("--noise-floor", type=float, default=0.05, help="its least strength, 32 px up")
    return parser.parse_args(arguments)


def scheduled(options: argparse.Namespace, kimg: float) -> int:
    """The resolution that is due at ``kimg``."""
    resolution: int = options.resolution
    for step in filter(None, options.grow.split(",")):
        due, size = step.split(":")
        if kimg >= float(due):
            resolution = int(size)
    return resolution


def work(rank: int, options: argparse.Namespace, folder: Path) -> str:
    """Be one worker until done, stopped, or due to grow."""
    from trainer import Trainer

    torch.set_num_threads(1)
    return Trainer(options, folder, rank).run()


def work_together(rank: int, options: argparse.Namespace, folder: Path) -> None:
    """Be one of several workers; the exit code says why it ended."""
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{folder / f'meeting-{os.getppid()}'}",
        rank=rank,
        world_size=options.workers,
        timeout=timedelta(days=30),
    )
    outcome = work(rank, options, folder)
    distributed.barrier()
    distributed.destroy_process_group()
    sys.exit({name: code for code, name in OUTCOMES.items()}[outcome])


def train_until_due(options: argparse.Namespace, folder: Path) -> str:
    """Run all workers to the next growth or to the end; a single one is this process."""
    if options.workers == 1:
        return work(0, options, folder)
    (folder / f"meeting-{os.getpid()}").unlink(missing_ok=True)
    context = multiprocessing.get_context("spawn")
    jobs = [
        context.Process(target=work_together, args=(rank, options, folder)) for rank in range(options.workers)
    ]
    for job in jobs:
        job.start()
    pass_on(jobs)
    for job in jobs:
        job.join()
    (folder / f"meeting-{os.getpid()}").unlink(missing_ok=True)
    return OUTCOMES.get(jobs[0].exitcode, "failed")


def pass_on(jobs: list[multiprocessing.Process]) -> None:
    """Hand a request to stop on to every worker."""
    import signal

    def stop(_signal: int, _frame: object) -> None:
        for job in jobs:
            if job.is_alive():
                job.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def run_from_copy(folder: Path) -> None:
    """Copy this folder's code into the run's and start over from there."""
    here, copy = Path(__file__).resolve().parent, folder.resolve() / "code"
    if here == copy:
        return
    copy.mkdir(parents=True, exist_ok=True)
    for source in here.glob("*.py"):
        shutil.copy(source, copy / source.name)
    os.execv(sys.executable, [sys.executable, str(copy / "train.py"), *sys.argv[1:]])  # noqa: S606


def main() -> None:
    """Train, growing when due, until done or stopped."""
    options = parse(sys.argv[1:])
    folder = options.home / f"{options.family}-{options.run}"
    for part in ("sheets", "ema"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    run_from_copy(folder)
    while (outcome := train_until_due(options, folder)) == "grow":
        print("growing", flush=True)
    print(outcome, flush=True)
    sys.exit(0 if outcome in {"done", "stopped"} else 1)


if __name__ == "__main__":
    main()
