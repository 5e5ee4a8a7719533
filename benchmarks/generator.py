"""How fast a generator draws: the plain published form, scale-conv-scale in torch, and OpenVINO.

    python benchmarks/generator.py            the cases of bench.md
    python benchmarks/generator.py --small    one small network, to check that all forms agree

Every form must draw the same images: one that is further from torch fp32 than its bound ends the run with an
error.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from figures import must, seconds, table
from torch import Tensor
from torch.nn import functional as F

from clavilux.engine import openvino
from clavilux.engine.openvino import OpenVinoRunner, capabilities, load_openvino
from clavilux.engine.torch import TorchRunner
from clavilux.generator.checkpoints import Card
from clavilux.generator.model import Model
from clavilux.generator.program import FrameInputs, Program
from clavilux.generator.program_module import ProgramModule
from clavilux.generator.stylegan2 import StyleGAN2
from clavilux.generator.stylegan2_config import StyleGAN2Config

THREADS = 2
FIXED = ((512, 32), (128, 128))
"""Channels and side of the convolutions with fixed weights that give the best rate."""

MIN_EXACT_DB, MIN_BF16_DB = 60.0, 35.0
"""Least PSNR against torch fp32: of float32 forms one level here and there, of bf16 about 1 %."""

REFERENCE = "reference: weights per sample, grouped, torch fp32"
TORCH, TORCH_BF16 = "scale-conv-scale, torch fp32", "scale-conv-scale, torch bf16"
PLAIN, F32, BF16 = "OpenVINO f32, convolutions as they are", "OpenVINO f32", "OpenVINO bf16"


@dataclass(frozen=True)
class Case:
    """A network and how it is timed."""

    title: str
    resolution: int
    channel_base: int
    batch: int
    repetitions: int
    shares: Mapping[str, float]
    """Percent of the machine's best rate of convolutions that OpenVINO must reach, by precision."""


CASES = (
    Case("256 px, channel_base 16384", 256, 16384, 4, 5, {"bf16": 75, "f32": 75}),
    Case("1024 px config-f, channel_base 32768", 1024, 32768, 1, 3, {"bf16": 80, "f32": 90}),
)
SMALL = Case("64 px, channel_base 2048", 64, 2048, 2, 1, {"bf16": 75, "f32": 75})


def program_of(case: Case) -> Program:
    """A network of random weights whose images have normal contrast."""
    blocks = range(2, case.resolution.bit_length())
    config = StyleGAN2Config(512, 512, 2, tuple(min(case.channel_base >> k, 512) for k in blocks))
    random = torch.Generator().manual_seed(0)
    tensors = {name: torch.randn(shape, generator=random) for name, shape in config.shapes().items()}
    for name, tensor in tensors.items():
        if name.endswith("affine.bias"):
            tensor.add_(1)
        elif name.endswith(("torgb.weight", "noise_strength", "bias")):
            tensor.mul_(0.1)
    model = Model.of_network("random", StyleGAN2(config, tensors).eval(), Card())
    side = case.resolution
    return Program(model, size=(side, side), cells=(4, 4), pixels="rgb24")


def inputs_of(program: Program, batch: int) -> FrameInputs:
    random, network = np.random.default_rng(0), program.module.network
    ws = np.repeat(random.standard_normal((batch, 1, network.w_dim), np.float32), network.num_ws, axis=1)
    noise = {
        name: random.standard_normal((batch, *spec.shape), np.float32)
        for name, spec in program.inputs.items()
        if name.startswith("noise/")
    }
    return {"ws": ws, **noise, "frame": np.arange(batch)}


def gflop(program: Program) -> float:
    """Multiplications and additions of the plain convolutions of a frame, in thousand millions."""
    total, (rows, columns) = 0, program.cells
    for resolution, block in zip(
        program.module.network.config.resolutions, program.module.network.blocks, strict=True
    ):
        for conv in block.convs:
            side = resolution // 2 if conv.up else resolution
            total += 2 * conv.weight.numel() * (rows * side // 4) * (columns * side // 4)
        total += 2 * block.torgb.weight.numel() * (rows * resolution // 4) * (columns * resolution // 4)
    return total / 1e9


def plain_conv(x: Tensor, weight: Tensor, style: Tensor, *, up: bool, demodulate: bool = True) -> Tensor:
    """Convolve each sample with weights of its own, as one convolution in groups (Karras et al. 2020).

    Weights are made in float32, and convolve in the precision of x.
    """
    batch, into, high, wide = x.shape
    own = weight[None] * style[:, None, :, None, None]
    if demodulate:
        own = own * (own.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    own, kernel = own.to(x.dtype), own.shape[-1]
    x = x.reshape(1, -1, high, wide)
    if up:
        own = own.transpose(1, 2).reshape(batch * into, -1, kernel, kernel)
        y = F.conv_transpose2d(x, own, stride=2, groups=batch)
        return filtered(y.reshape(batch, -1, *y.shape[2:]), (1, 1, 1, 1))
    y = F.conv2d(x, own.reshape(-1, into, kernel, kernel), padding=kernel // 2, groups=batch)
    return y.reshape(batch, -1, *y.shape[2:])


def filtered(y: Tensor, padding: tuple[int, int, int, int]) -> Tensor:
    taps = torch.tensor([0.25, 0.75, 0.75, 0.25], dtype=y.dtype, device=y.device)
    channels = y.shape[1]
    return F.conv2d(F.pad(y, padding), torch.outer(taps, taps).expand(channels, 1, 4, 4), groups=channels)


def plain_image(
    program: ProgramModule, ws: Tensor, noise: list[Tensor], dtype: torch.dtype = torch.float32
) -> Tensor:
    """Draw as the published code does without compiled extensions: the form that speed is compared with.

    Features are in `dtype`, colours in float32.
    """
    x, image, index = program.const.to(dtype).expand(len(ws), -1, -1, -1), torch.zeros(()), 0
    for block in program.network.blocks:
        for conv in block.convs:
            x = plain_conv(x, conv.weight, conv.affine(ws[:, index]), up=conv.up)
            x = x + (noise[index] * conv.noise_strength).to(dtype)
            x = F.leaky_relu(x + conv.bias[:, None, None].to(dtype), 0.2) * 2**0.5
            index += 1
        style = block.torgb.affine(ws[:, index])  # its gain, the root of 1 / channels, is in the weights
        colour = plain_conv(x, block.torgb.weight, style, up=False, demodulate=False).float()
        colour = colour + block.torgb.bias[:, None, None]
        if image.ndim:
            spread = image.new_zeros(len(ws), 3, 2 * image.shape[2], 2 * image.shape[3])
            spread[:, :, ::2, ::2] = image
            colour = colour + filtered(spread, (2, 1, 2, 1))
        image = colour
    return image


def reference(program: Program, inputs: FrameInputs) -> Callable[[], np.ndarray]:
    arrays = {name: torch.from_numpy(array) for name, array in inputs.items()}
    noise = [array for name, array in arrays.items() if name.startswith("noise/")]
    module = program.module

    def draw() -> np.ndarray:
        with torch.inference_mode():
            return module.pixels(plain_image(module, arrays["ws"], noise), arrays["frame"]).numpy()

    return draw


def drawers(program: Program, inputs: FrameInputs, batch: int) -> dict[str, Callable[[], np.ndarray]]:
    """Every way of drawing that this processor knows."""
    runners = {
        TORCH: TorchRunner(program, batch=batch),
        F32: OpenVinoRunner(program, batch=batch, precision="f32", threads=THREADS),
    }
    use_winograd, openvino.use_winograd = openvino.use_winograd, lambda _model: 0
    runners[PLAIN] = OpenVinoRunner(program, batch=batch, precision="f32", threads=THREADS)
    openvino.use_winograd = use_winograd
    if "BF16" in capabilities():
        runners[TORCH_BF16] = TorchRunner(program, batch=batch, precision="bf16")
        runners[BF16] = OpenVinoRunner(program, batch=batch, precision="bf16", threads=THREADS)
    drawing = {name: (lambda runner=runner: runner.run(inputs)) for name, runner in runners.items()}
    return {REFERENCE: reference(program, inputs)} | drawing


def fixed_convolutions(precision: str, batch: int) -> dict[str, tuple[Callable[[], object], float]]:
    """Convolutions whose weights never change, with their GFLOP: nothing but the multiplying."""
    ov = load_openvino()
    import openvino.opset13 as ops

    random, found = np.random.default_rng(0), {}
    for channels, side in FIXED:
        x = random.standard_normal((batch, channels, side, side), np.float32)
        weight = random.standard_normal((channels, channels, 3, 3), np.float32)
        into = ops.parameter(list(x.shape), np.float32)
        model = ov.Model([ops.convolution(into, weight, [1, 1], [1, 1], [1, 1], [1, 1])], [into], "fixed")
        config = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": THREADS}
        request = ov.Core().compile_model(model, "CPU", config).create_infer_request()
        work = 2 * weight.size * side**2 * batch / 1e9
        name = f"fixed convolution {channels}->{channels} at {side} px, OpenVINO {precision}"
        found[name] = (lambda request=request, x=x: request.infer([x], share_inputs=True)), work
    return found


def measure(case: Case) -> str:
    """Time everything of one case in turns."""
    program = program_of(case)
    inputs = inputs_of(program, case.batch)
    draw, work = drawers(program, inputs, case.batch), gflop(program)
    apart = differences({name: thing() for name, thing in draw.items()})
    fixed = fixed_convolutions("f32", 4) | (fixed_convolutions("bf16", 4) if BF16 in draw else {})
    taken = seconds(draw | {name: thing for name, (thing, _) in fixed.items()}, case.repetitions)
    rates = {name: much / taken[name] for name, (_, much) in fixed.items()}
    frame = {name: taken[name] / case.batch for name in draw}
    best = {
        kind: max((r for name, r in rates.items() if name.endswith(kind)), default=0)
        for kind in ("f32", "bf16")
    }

    def row(name: str) -> list[str]:
        top = best["bf16" if "bf16" in name else "f32"]
        return [
            name,
            f"{1000 * frame[name]:.0f}",
            f"{frame[REFERENCE] / frame[name]:.2f}",
            f"{work / frame[name]:.0f}",
            f"{100 * work / frame[name] / top:.0f} %",
            f"{apart[name].max():.0f}, {apart[name].mean():.4f}",
            f"{psnr(apart[name]):.1f}" if apart[name].any() else "equal",
        ]

    columns = [
        "form",
        "ms/frame",
        "x reference",
        "GFLOP/s",
        "of the best rate",
        "levels apart: most, mean",
        "PSNR dB",
    ]
    lines = [
        f"## Drawing: {case.title}",
        f"{work:.0f} GFLOP a frame, batch {case.batch}, {THREADS} cores, {case.repetitions} repetitions; "
        "whole programs with 8-bit RGB out, compared with torch fp32. GFLOP/s count the plain form's "
        "arithmetic; OpenVINO f32 needs less of it (`engine/winograd.py`), so it may exceed the best rate.",
        table(columns, [row(name) for name in sorted(draw, key=lambda name: -frame[name])]),
        table(["best rate", "GFLOP/s"], [(name, f"{rate:.0f}") for name, rate in rates.items()]),
        musts(case, frame, work, best),
    ]
    return "\n\n".join(lines)


def differences(pixels: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """How far each form's pixels are from torch's, in levels.

    Raises:
        SystemExit: one is further than its bound; then the forms do not draw the same, and no time counts.
    """
    apart = {name: np.abs(image.astype(float) - pixels[TORCH]) for name, image in pixels.items()}
    for name, levels in apart.items():
        least = MIN_BF16_DB if "bf16" in name else MIN_EXACT_DB
        if levels.any() and psnr(levels) < least:
            raise SystemExit(f"{name}: {psnr(levels):.1f} dB from {TORCH}; at least {least:g} dB are needed.")
    return apart


def psnr(levels: np.ndarray) -> float:
    """Peak signal-to-noise ratio, 10 log10(255^2 / mean squared difference), dB."""
    return 10 * np.log10(255**2 / (levels**2).mean())


def musts(case: Case, frame: dict[str, float], work: float, best: dict[str, float]) -> str:
    """Compare with what was promised."""
    lines = [must("OpenVINO f32 against the reference", frame[REFERENCE] / frame[F32], 2.8, "x")]
    lines += [
        must(f"OpenVINO {kind}, share of the best rate", 100 * work / frame[name] / best[kind], share, " %")
        for (kind, share), name in zip(case.shares.items(), (BF16, F32), strict=True)
        if name in frame
    ]
    if BF16 in frame:
        lines.append(must("OpenVINO bf16 against the reference", frame[REFERENCE] / frame[BF16], 5, "x"))
    else:
        lines.append(
            "- not measured: OpenVINO bf16 against the reference, at least 5x; this processor has no bf16 "
            f"(OpenVINO sees {', '.join(capabilities())}), so `--precision auto` draws in f32"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--small", action="store_true", help="one small network alone")
    torch.set_num_threads(THREADS)
    for case in (SMALL,) if parser.parse_args().small else CASES:
        print(measure(case), end="\n\n")


if __name__ == "__main__":
    main()
