"""Networks of the sizes that people have, with random weights: opening, surveying and drawing them.

python benchmarks/networks.py [stylegan2-512 stylegan2-1024 ...] [--frames N] [--only open]
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from figures import forget_peak, peak, table
from scipy.signal import firwin

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from clavilux import seeds
from clavilux.engine.openvino import OpenVinoRunner, capabilities
from clavilux.engine.torch import TorchRunner
from clavilux.generator.checkpoints.found import Config
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.generate import own_program, seed_inputs
from clavilux.generator.model import load_model
from clavilux.generator.stylegan2_config import StyleGAN2Config
from clavilux.generator.stylegan3_config import FilteredLayer, StyleGAN3Config
from clavilux.profile.survey import survey
from clavilux.store import Store
from foreign import rosinality, stylegan2_ada
from foreign import stylegan3 as stylegan3_pickle

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


FORMATS = ("safetensors", "pkl", "pt")
MAX_SHARE = 2.0
"""Most memory that opening a file may take, in sizes of the file."""
MAX_SURVEY_SECONDS = 60


def write(name: str, form: str, path: Path) -> None:
    config, filters = CASES[name]()
    weights = dict(arrays(config, filters))
    if form == "safetensors":
        write_native(path, weights, {}, config=config)
    elif form == "pt":
        rosinality(path, weights)
    elif isinstance(config, StyleGAN3Config):
        path.write_bytes(stylegan3_pickle(config, weights))
    else:
        path.write_bytes(stylegan2_ada(config, weights))


def opened(path: Path) -> dict[str, float]:
    """Open a file; memory is counted on top of what a tiny model has left in use."""
    load_model("silk")
    before = peak_from_here()
    start = time.perf_counter()
    load_model(path)
    return {"seconds": time.perf_counter() - start, "megabytes": peak() - before}


def peak_from_here() -> float:
    forget_peak()
    return peak()


def surveyed(path: Path) -> dict[str, float]:
    model = load_model(path)
    start = time.perf_counter()
    pool = survey(model, Store())
    return {"seconds": time.perf_counter() - start, "images": len(pool.ws)}


def drawn(path: Path, kind: str, frames: int) -> dict[str, float]:
    model = load_model(path)
    program = own_program(model, model.resolution)
    inputs = seed_inputs(model, program, 0, psi=0.7, count=frames)
    before = peak_from_here()
    runner = {
        "OpenVINO f32": lambda: OpenVinoRunner(program, batch=1, precision="f32"),
        "OpenVINO bf16": lambda: OpenVinoRunner(program, batch=1, precision="bf16"),
        "torch f32": lambda: TorchRunner(program, batch=1, precision="f32"),
    }[kind]()
    runner.run(inputs)
    start = time.perf_counter()
    runner.run(inputs)
    taken = (time.perf_counter() - start) / frames
    return {"ms": taken * 1000, "megabytes": peak(), "more": peak() - before}


def apart(task: str, *arguments: object) -> dict[str, float]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--task", task, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def open_all(folder: Path, names: list[str]) -> None:
    rows, most = [], 0.0
    for name in names:
        for form in FORMATS:
            if form == "pt" and not name.startswith("stylegan2"):
                continue
            path = folder / f"{name}.{form}"
            write(name, form, path)
            size = path.stat().st_size / 1e6
            found = apart("open", path)
            share = found["megabytes"] / size
            most = max(most, share)
            taken = f"{found['seconds']:.1f}"
            rows.append([name, form, f"{size:.0f}", taken, f"{found['megabytes']:.0f}", f"{share:.2f}"])
    print("\n## Checkpoints: opening\n\nRandom weights of the real sizes; each in a process of its own.\n")
    print(table(["network", "format", "MB", "s", "MB of memory more", "x the file"], rows))
    print(f"\n- {'pass' if most <= MAX_SHARE else 'MISS'}: {most:.2f}x the file, at most {MAX_SHARE:g}x")


def survey_all(folder: Path, names: list[str]) -> None:
    rows = []
    for name in names:
        found = apart("survey", folder / f"{name}.safetensors")
        verdict = "pass" if found["seconds"] <= MAX_SURVEY_SECONDS else "MISS"
        rows.append([name, f"{found['images']:.0f}", f"{found['seconds']:.0f}", verdict])
    print(f"\n## Surveys\n\nA survey of 1024 px takes at most {MAX_SURVEY_SECONDS} s on two cores.\n")
    print(table(["network", "images", "s", f"at most {MAX_SURVEY_SECONDS} s"], rows))


def draw_all(folder: Path, names: list[str], frames: int) -> None:
    kinds = ["OpenVINO f32", *(["OpenVINO bf16"] if "BF16" in capabilities() else []), "torch f32"]
    about = "Square RGB images at the network's own size, one at a time."
    print(f"\n## Drawing: networks of the real sizes\n\n{about}\n")
    print(table(["network", "runner", "ms/frame", "peak MB", "of it the runner's"], []))
    for name in names:
        for kind in kinds:
            found = apart("draw", folder / f"{name}.safetensors", kind, frames)
            row = [name, kind, *(f"{found[each]:.0f}" for each in ("ms", "megabytes", "more"))]
            print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--only", choices=["open", "survey", "draw"], help="measure this alone")
    parser.add_argument("--task", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        task, path, *rest = given.task
        if task == "draw":
            print(json.dumps(drawn(Path(path), rest[0], int(rest[1]))))
        else:
            print(json.dumps({"open": opened, "survey": surveyed}[task](Path(path))))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.only in {None, "open"}:
            open_all(folder, given.cases)
        for case in given.cases:
            if not (folder / f"{case}.safetensors").exists():
                write(case, "safetensors", folder / f"{case}.safetensors")
        if given.only in {None, "survey"}:
            survey_all(folder, [case for case in given.cases if case.endswith("1024")])
        if given.only in {None, "draw"}:
            draw_all(folder, given.cases, given.frames)


if __name__ == "__main__":
    main()
