"""Networks of the sizes that people have, with random weights: time and memory of reading and drawing them.

python benchmarks/networks.py [stylegan2-512 stylegan2-1024 stylegan3-t-1024 ...] [--frames N]
"""

import argparse
import math
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.signal import firwin

from clavilux import seeds
from clavilux.engine.openvino import OpenVinoRunner
from clavilux.engine.torch import TorchRunner
from clavilux.generator.checkpoints.found import Config
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.generate import own_program, seed_inputs
from clavilux.generator.model import load_model
from clavilux.generator.stylegan2_config import StyleGAN2Config
from clavilux.generator.stylegan3_config import FilteredLayer, StyleGAN3Config

SAMPLES = 14
"""Layers of a StyleGAN3, without the one of colours."""


def stylegan2(resolution: int) -> StyleGAN2Config:
    """The sizes of configuration F."""
    sides = [4 << k for k in range(int(math.log2(resolution)) - 1)]
    return StyleGAN2Config(512, 512, 8, tuple(min(512, 32768 // side) for side in sides), clamp=256.0)


def stylegan3(resolution: int, *, radial: bool) -> tuple[StyleGAN3Config, dict[str, np.ndarray]]:
    """The sizes of configurations T and R, and their filters (Karras et al. 2021, section 3.2, appendix)."""
    base, widest = (65536, 1024) if radial else (32768, 512)
    place = np.minimum(np.arange(SAMPLES + 1) / (SAMPLES - 2), 1)  # the last two are critically sampled
    cutoffs = 2 * (resolution / 2 / 2) ** place
    stopbands = 2**2.1 * (resolution / 2 * 2**0.3 / 2**2.1) ** place
    rates = np.exp2(np.ceil(np.log2(np.minimum(2 * stopbands, resolution)))).astype(int)
    widths = np.maximum(stopbands, rates / 2) - cutoffs
    sizes = np.append(rates[:-2] + 20, [resolution] * 2)
    channels = np.rint(np.minimum(base / 2 / cutoffs, widest)).astype(int)
    layers, filters = [], {}
    for k in range(SAMPLES + 1):
        before, last = max(k - 1, 0), k == SAMPLES
        tmp = max(rates[before], rates[k]) * (1 if last else 2)
        up, down = tmp // rates[before], tmp // rates[k]
        taps = [0 if last else 6 * factor for factor in (up, down)]
        kernel = 1 if radial or last else 3
        total = (sizes[k] - 1) * down + 1 - (sizes[before] + kernel - 1) * up
        total += max(taps[0], 1) + max(taps[1], 1) - 2
        low = (total + up) // 2
        disc = radial and not last and k < SAMPLES - 2
        layers.append(
            FilteredLayer(
                3 if last else int(channels[k]), kernel, int(sizes[k]), int(rates[k]), int(up), int(down),
                (int(low), int(total - low)), int(taps[0]), int(taps[1]), disc,
            )
        )  # fmt: skip
        name = f"synthesis.{'torgb' if last else f'L{k}'}"
        if taps[0]:
            filters[f"{name}.up_filter"] = firwin(taps[0], cutoffs[before], width=2 * widths[before], fs=tmp)
        if taps[1]:
            line = firwin(taps[1], cutoffs[k], width=2 * widths[k], fs=tmp)
            filters[f"{name}.down_filter"] = np.outer(line, line) if disc else line
    sizes_of_input = (int(channels[0]), int(sizes[0]), int(rates[0]))
    return StyleGAN3Config(512, 512, 2, resolution, *sizes_of_input, 2.0, tuple(layers), clamp=256.0), filters


CASES: dict[str, Callable[[], tuple[Config, dict[str, np.ndarray]]]] = {
    "stylegan2-512": lambda: (stylegan2(512), {}),
    "stylegan2-1024": lambda: (stylegan2(1024), {}),
    "stylegan3-t-512": lambda: stylegan3(512, radial=False),
    "stylegan3-t-1024": lambda: stylegan3(1024, radial=False),
    "stylegan3-r-512": lambda: stylegan3(512, radial=True),
}


def arrays(config: Config, filters: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    for name, shape in config.shapes().items():
        if name in filters:
            yield name, filters[name].astype(np.float32)
        elif name.endswith("magnitude_ema"):
            yield name, np.ones(shape, np.float32)
        elif name.endswith("transform"):
            yield name, np.eye(3, dtype=np.float32)
        elif name.endswith("input.affine.bias"):
            yield name, np.float32([1, 0, 0, 0])
        else:
            array = seeds.normal(0, name, 0, shape)
            yield name, array * (100 if ".fc" in name else 1) + (1 if name.endswith("affine.bias") else 0)


def resident() -> float:
    """Megabytes in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def peak() -> float:
    """Most megabytes that were in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def timed(frames: int, draw: Callable[[], object]) -> float:
    draw()
    start = time.perf_counter()
    draw()
    return (time.perf_counter() - start) / frames * 1000


def bench(name: str, frames: int) -> None:
    config, filters = CASES[name]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        write_native(path, dict(arrays(config, filters)), {}, config=config)
        megabytes = path.stat().st_size / 1e6
        before, start = resident(), time.perf_counter()
        model = load_model(path)
        seconds = time.perf_counter() - start
        print(f"{name}: {megabytes:.0f} MB, opened in {seconds:.1f} s, {resident() - before:.0f} MB more")
        program = own_program(model, model.resolution)
        inputs = seed_inputs(model, program, 0, psi=0.7, count=frames)
        for runner in (
            lambda: OpenVinoRunner(program, batch=1, precision="f32"),
            lambda: OpenVinoRunner(program, batch=1),
            lambda: TorchRunner(program, batch=1),
        ):
            made = runner()
            taken = timed(frames, lambda made=made: made.run(inputs))
            print(f"  {made.label:60} {taken:7.0f} ms/frame, peak {peak():.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--frames", type=int, default=2)
    given = parser.parse_args()
    for name in given.cases:
        bench(name, given.frames)


if __name__ == "__main__":
    main()
