"""What bends and rewrites add to a frame of a large network: 256 px, 512 channels, 30 GFLOP, untrained.

python benchmarks/bends.py [threads] [rounds]      medians on OpenVINO, float32

All programs draw the same latents and noise at the same size. In every round each is run once, in an order
that moves on by one, so none always follows the same neighbour; a change is the median over rounds of its
time by that of the plain program in the same round.
"""

import sys
import time

import numpy as np
import torch

from clavilux import seeds
from clavilux.engine.openvino import OpenVinoRunner
from clavilux.generator.bends import BENDS
from clavilux.generator.checkpoints import Card
from clavilux.generator.model import Model
from clavilux.generator.program import Program
from clavilux.generator.rewrites import Mute, Scale, styled_convs
from clavilux.generator.sites import Place, Site
from clavilux.generator.stylegan2 import StyleGAN2
from clavilux.generator.stylegan2_config import StyleGAN2Config

CHANNELS = (512, 512, 512, 512, 256, 128, 64)
ROUNDS = 25


def network() -> Model:
    config = StyleGAN2Config(512, 512, 8, CHANNELS)
    tensors = {
        name: torch.from_numpy(
            np.asarray(seeds.normal(0, name, 0, shape) + name.endswith("affine.bias"), "f4")
        )
        for name, shape in config.shapes().items()
    }
    return Model.of_network("large", StyleGAN2(config, tensors).eval(), Card())


def main() -> None:
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    model = network()
    convs = styled_convs(model.network)

    def bend(name: str, layer: str) -> dict:
        count = model.network.layers[layer].channels
        return {"taps": [BENDS[name](Site(layer, np.ones(count, np.float32)))]}

    context = torch.stack([torch.ones(512), torch.ones(512) / 512])
    rows = {
        "plain": {},
        "zoom at 16 px": bend("zoom", "b16.conv0"),
        "zoom at 64 px": bend("zoom", "b64.conv0"),
        "dilate at 16 px": bend("dilate", "b16.conv0"),
        "kaleidoscope at const": bend("kaleidoscope", "const"),
        "mute at 32 px": {"rewrites": [Mute(Place("b32.conv1"), convs["b32.conv1"].weight, context)]},
        "scale at 16 px": {"rewrites": [Scale(Place("b16.conv1"), convs["b16.conv1"].weight)]},
    }
    runners, inputs, times = {}, {}, {name: [] for name in rows}
    for name, given in rows.items():
        program = Program(model, size=(256, 256), cells=(4, 4), **given)
        runners[name] = OpenVinoRunner(program, batch=1, precision="f32", threads=threads)
        inputs[name] = {
            key: np.full((1, *spec.shape), 0.7, spec.dtype)
            if "/" in key and not key.startswith("noise")
            else np.zeros((1, *spec.shape), spec.dtype)
            if key == "frame"
            else seeds.normal(0, key, 0, (1, *spec.shape))
            for key, spec in program.inputs.items()
        }
        runners[name].run(inputs[name])
    names = list(rows)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            start = time.perf_counter()
            runners[name].run(inputs[name])
            times[name].append(time.perf_counter() - start)
    base = np.median(times["plain"])
    for name, each in times.items():
        ratios = np.median(np.array(each) / np.array(times["plain"]))
        change = f"{np.median(each) * 1e3:7.1f} ms  {(ratios - 1) * 100:+5.1f} %"
        print(f"{name:24} {change}  (plain {base * 1e3:.1f})")


if __name__ == "__main__":
    main()
