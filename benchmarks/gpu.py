"""Whether a CUDA card draws what a processor draws, and how fast.

    python benchmarks/gpu.py            the tables of bench-cuda.md, within 6 minutes
    python benchmarks/gpu.py --quick    small networks alone: does everything run?

Every form that is timed must draw the same images: one further from float32 on the processor than its bound
ends the run with an error. The video at the end is left out where a library that it takes is not installed.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from figures import must, table
from generator import MIN_EXACT_DB, Case, gflop, inputs_of, plain_image, program_of, psnr
from networks import arrays, stylegan3

from clavilux.engine import torch as engine
from clavilux.engine.choose import PASS_FRAMES
from clavilux.engine.torch import TorchRunner
from clavilux.generator.bends import BENDS
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.generate import seed_inputs
from clavilux.generator.model import Model, load_model
from clavilux.generator.program import FrameInputs, Program
from clavilux.generator.program_module import ProgramModule
from clavilux.generator.rewrites import Scale, styled_convs
from clavilux.generator.sites import Place, Site

MIN_HALF_DB = 40.0
"""Least PSNR of float16 against float32 on the processor."""

MIN_FRAMES_PER_SECOND = 250
"""Of the 1024 px network of configuration F, on an H100."""

BATCHES = (1, 2, 4, 8, 16, 32)
PASSES = 4
"""Passes drawn one after the other where copies are timed."""

CASES = (Case("256 px, channel_base 16384", 256, 16384, 8, 5), Case("1024 px config-f", 1024, 32768, 8, 5))
SMALL = Case("64 px, channel_base 2048", 64, 2048, 8, 1)
SECONDS, VIDEO = 10.0, (1920, 1080)
FORMS: dict[Literal["f32", "fp16"], tuple[str, float]] = {
    "f32": ("exact", MIN_EXACT_DB),
    "fp16": ("half precision", MIN_HALF_DB),
}


@dataclass(frozen=True)
class Drawn:
    """A program with the inputs of some frames."""

    title: str
    program: Program
    inputs: FrameInputs


def built_ins(*, quick: bool) -> Iterator[Drawn]:
    """Built-in models as a video is drawn, and with every bend and a rewrite at once."""
    size = (160, 96) if quick else (1280, 720)
    for name in ("silk", "glass"):
        model = load_model(name)
        program = Program(model, size=size)
        yield Drawn(f"{name}, {size[0]}x{size[1]} yuv420p", program, given(model, program))
    model = load_model("silk")
    yield changed(model, list(BENDS), size)


def changed(model: Model, bends: list[str], size: tuple[int, int]) -> Drawn:
    """A program with bends at half their strength, and a rewrite."""
    layer = "b16.conv0"
    ones = np.ones(model.network.layers[layer].channels, np.float32)
    taps = [BENDS[name](Site(layer, ones)) for name in bends]
    weight = styled_convs(model.network)["b8.conv1"].weight
    program = Program(model, size=size, taps=taps, rewrites=[Scale(Place("b8.conv1"), weight)])
    inputs = given(model, program)
    count = len(inputs["ws"])
    for k, tap in enumerate(taps):
        for name, value in type(tap).at_strength(0.05).items():
            inputs[f"bend/{k}/{name}"] = np.full(count, value, np.float32)
    for name in program.inputs:
        if name.startswith("rewrite/"):
            inputs[name] = np.full(count, 0.2, np.float32)
    return Drawn(f"silk with {len(taps)} bends and a rewrite", program, inputs)


def given(model: Model, program: Program) -> dict[str, np.ndarray]:
    return dict(seed_inputs(model, program, 0, psi=0.7, count=3))


def filtered_network(resolution: int) -> Drawn:
    """A StyleGAN3 of random weights."""
    config, filters = stylegan3(resolution, radial=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "stylegan3.safetensors")
        write_native(path, dict(arrays(config, filters)), {}, config=config)
        model = load_model(path)
    program = Program(model, size=(resolution, resolution), cells=model.network.cells, pixels="rgb24")
    return Drawn(f"StyleGAN3-T, {resolution} px", program, given(model, program))


def random_network(case: Case, frames: int) -> Drawn:
    program = program_of(case)
    return Drawn(case.title, program, inputs_of(program, frames))


def agreement(drawn: Drawn) -> list[str]:
    """Draw on the processor and on the card, with a graph and without; return a row of the table.

    Raises:
        SystemExit: they do not draw the same.
    """
    wanted = TorchRunner(drawn.program, batch=1).run(drawn.inputs).astype(float)
    row = [drawn.title]
    for precision, (_, least) in FORMS.items():
        runner = TorchRunner(drawn.program, batch=2, device="cuda", precision=precision)
        found = runner.run(drawn.inputs)
        if not np.array_equal(found, without_graph(drawn, precision)):
            raise SystemExit(f"{drawn.title}, {precision}: a graph draws other pixels than its operations.")
        levels = np.abs(found - wanted)
        if levels.any() and psnr(levels) < least:
            raise SystemExit(f"{drawn.title}, {precision}: {psnr(levels):.1f} dB, at least {least:g} dB.")
        row.append(f"{psnr(levels):.1f}" if levels.any() else "equal")
    return row


def without_graph(drawn: Drawn, precision: Literal["f32", "fp16"]) -> np.ndarray:
    """Draw on the card operation by operation."""
    recorded, engine.recorded = engine.recorded, lambda draw, _device: draw
    try:
        return TorchRunner(drawn.program, batch=2, device="cuda", precision=precision).run(drawn.inputs)
    finally:
        engine.recorded = recorded


def plain_form(program: Program, inputs: FrameInputs) -> Callable[[], torch.Tensor]:
    """The published form without compiled operations, its convolutions in float16, on the card.

    Raises:
        SystemExit: it does not draw what the processor draws.
    """
    on_card = program_of_card(program)
    tensors = {name: torch.from_numpy(array).cuda() for name, array in inputs.items()}
    noise = [tensor for name, tensor in tensors.items() if name.startswith("noise/")]

    def draw() -> torch.Tensor:
        with torch.inference_mode():
            image = plain_image(on_card, tensors["ws"], noise, dtype=torch.float16)
            return on_card.pixels(image, tensors["frame"])

    few = {name: array[:1] for name, array in inputs.items()}
    levels = np.abs(TorchRunner(program, batch=1).run(few) - draw()[:1].cpu().numpy().astype(float))
    if psnr(levels) < MIN_HALF_DB:
        raise SystemExit(f"the reference form is {psnr(levels):.1f} dB from torch f32 on the processor.")
    return draw


def program_of_card(program: Program) -> ProgramModule:
    return engine._own_copy(program.module, torch.device("cuda"), "f32")  # as a runner puts it there


def seconds_on_card(draw: Callable[[], object], repetitions: int) -> float:
    """Time work on the card by its own clock; the median, s."""
    taken = []
    for _ in range(3):
        draw()
    for _ in range(repetitions):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        draw()
        end.record()
        end.synchronize()
        taken.append(start.elapsed_time(end) / 1000)
    return statistics.median(taken)


def speed(case: Case, batches: tuple[int, ...]) -> str:
    """Time drawing at every size of a pass, beside the plain reference form in float16."""
    program = program_of(case)
    work = gflop(program)
    timed = {batch: timing(program, batch, case.repetitions) for batch in batches}
    rows = [
        [
            batch,
            *(f"{seconds * 1000:.2f}" for seconds in (each.reference, each.f32, each.fp16, each.copied)),
            f"{1 / each.fp16:.0f}",
            f"{each.reference / each.fp16:.1f}",
            f"{work / each.fp16 / 1000:.0f}",
            f"{each.gigabytes:.1f}",
        ]
        for batch, each in timed.items()
    ]
    head = ["frames a pass", "reference fp16, ms/frame", "f32", "fp16", "fp16 with copies"]
    lines = [
        f"## CUDA: {case.title}",
        f"{work:.0f} GFLOP a frame; square RGB images. A render draws {PASS_FRAMES['cuda']} frames a pass.",
        table([*head, "fp16 frames/s", "x reference", "TFLOP/s", "GB of the card"], rows),
    ]
    if case is CASES[-1]:
        best = max(1 / each.fp16 for each in timed.values())
        lines.append(must("fp16 at its best size of a pass, frames/s", best, MIN_FRAMES_PER_SECOND))
    return "\n\n".join(lines)


@dataclass(frozen=True)
class Timing:
    """Seconds a frame of every form, and the memory that float16 takes."""

    reference: float
    f32: float
    fp16: float
    copied: float
    gigabytes: float


def timing(program: Program, batch: int, repetitions: int) -> Timing:
    inputs = inputs_of(program, batch)
    reference = seconds_on_card(plain_form(program, inputs), repetitions)
    f32, _, _ = runner_timing(program, inputs, "f32", repetitions)
    fp16, copied, gigabytes = runner_timing(program, inputs, "fp16", repetitions)
    return Timing(*(each / batch for each in (reference, f32, fp16, copied)), gigabytes)


def runner_timing(
    program: Program, inputs: FrameInputs, precision: Literal["f32", "fp16"], repetitions: int
) -> tuple[float, float, float]:
    """Return the seconds of a pass, without copies and with them, and the memory, GB."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    runner = TorchRunner(program, batch=len(inputs["ws"]), device="cuda", precision=precision)
    alone = seconds_on_card(runner._replay, repetitions)
    gigabytes = torch.cuda.max_memory_allocated() / 1e9
    passes = {name: np.concatenate([array] * PASSES) for name, array in inputs.items()}
    return alone, wall(lambda: runner.run(passes), repetitions) / PASSES, gigabytes


def wall(act: Callable[[], object], repetitions: int) -> float:
    act()
    taken = []
    for _ in range(repetitions):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def video(*, quick: bool) -> None:
    """Make a whole video, part by part and at once."""
    try:
        from hearing_speed import write_song
        from render import measure
    except ImportError as error:
        print(f"## CUDA: a whole video\n\nNot measured: {error}.")
        return
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder, "song.wav")
        write_song(song, 2.0 if quick else SECONDS)
        settings = {"size": (160, 96) if quick else VIDEO, "device": "cuda", "flash_safety": "warn"}
        measure(song, settings, Path(folder))


def card() -> str:
    """Name the card and its software."""
    major, minor = torch.cuda.get_device_capability()
    memory = torch.cuda.get_device_properties(0).total_memory / 1e9
    name = torch.cuda.get_device_name()
    return (
        f"{name}, {memory:.0f} GB, compute capability {major}.{minor}; torch {torch.__version__},"
        f" CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small networks alone")
    parser.add_argument("--only", choices=["agreement", "speed", "video"], help="measure this alone")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("torch sees no CUDA card here.")
    print(f"\n## CUDA\n\n{card()}\n", flush=True)
    cases = (SMALL,) if options.quick else CASES
    if options.only in {None, "agreement"}:
        drawn = [*built_ins(quick=options.quick), *(random_network(case, 3) for case in cases)]
        rows = [agreement(each) for each in (*drawn, filtered_network(64 if options.quick else 256))]
        print("PSNR against float32 on the processor, dB; graphs and single operations are bit-equal.\n")
        print(table(["drawn", *(title for title, _ in FORMS.values())], rows), flush=True)
    if options.only in {None, "speed"}:
        for case in cases:
            print(f"\n{speed(case, BATCHES[:2] if options.quick else BATCHES)}", flush=True)
    if options.only in {None, "video"}:
        video(quick=options.quick)


if __name__ == "__main__":
    main()
