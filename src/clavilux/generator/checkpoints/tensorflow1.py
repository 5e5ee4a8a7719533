"""The first StyleGAN (2019) in NVIDIA's pickles of TensorFlow.

Its names are those of StyleGAN2 with a style and a noise strength below every layer. An upsampling that was
fused with its convolution has a kernel that is turned by half a circle.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from clavilux.arrays import AnyArray
from clavilux.generator.checkpoints.arrays import array_of
from clavilux.generator.checkpoints.found import Found
from clavilux.generator.checkpoints.nvidia import in_colour
from clavilux.generator.checkpoints.refusal import FETCH_AGAIN, Refusal, shown
from clavilux.generator.stylegan1_config import StyleGAN1Config

__all__ = ["STYLE_OF_2019", "find_stylegan1"]

STYLE_OF_2019 = "4x4/Const/StyleMod/weight"
"""A variable that only this network has."""

FUSED_FROM = 128
"""Feature size from which upsampling and convolution are one, unless the file says otherwise, px."""

LAYERS = {"Const": "conv0", "Conv": "conv1", "Conv0_up": "conv0", "Conv1": "conv1"}
PARTS = {"bias": "bias", "Noise/weight": "noise_strength", "StyleMod/bias": "affine.bias"}

AS_PUBLISHED: Mapping[str, Any] = {
    "nonlinearity": "lrelu",
    "use_wscale": True,
    "use_styles": True,
    "use_noise": True,
    "use_pixel_norm": False,
    "use_instance_norm": True,
    "const_input_layer": True,
    "blur_filter": [1, 2, 1],
}
"""Arguments that a network must have been made with, by default or not."""


def find_stylegan1(
    mapping: Mapping[str, AnyArray], variables: Mapping[str, AnyArray], arguments: Mapping[str, Any]
) -> Found:
    """Find the network.

    Args:
        mapping: its arrays, as those of a StyleGAN2.
        variables: of the rest, by name.
        arguments: with which the network was made.

    Raises:
        Refusal: it is of another kind, or incomplete.
    """
    for name, wanted in AS_PUBLISHED.items():
        if name in arguments and arguments[name] != wanted:
            raise Refusal(f"was trained with {name} {shown(arguments[name])}, which is not supported")
    if float(array_of(variables.get("lod", 0)).reshape(-1)[0]) > 0:
        raise Refusal("is unfinished: its training had not reached its full size", "take a later snapshot")
    # leaky ReLU without gain: the gain is in these weights, and not in the biases
    arrays = {name: array * 0.5**0.5 if name.endswith(".bias") else array for name, array in mapping.items()}
    arrays |= dict(_arrays(variables, arguments.get("fused_scale", "auto")))
    arrays |= in_colour(arrays, r"synthesis\.b\d+\.torgb\.(weight|bias)")
    rate = float(array_of(arguments.get("mapping_lrmul", StyleGAN1Config.lr_multiplier)))
    shapes = {name: array.shape for name, array in arrays.items()}
    config = StyleGAN1Config.of_shapes(shapes, lr_multiplier=rate)
    if config is None:
        raise Refusal("is damaged: its mapping or its 4 px block is missing", FETCH_AGAIN)
    return Found(config, arrays)


def _arrays(variables: Mapping[str, AnyArray], fused: Any) -> Iterator[tuple[str, AnyArray]]:
    sides = [int(found[1]) for found in (re.match(r"(\d{1,5})x", name) for name in variables) if found]
    for name, array in variables.items():
        if name == "lod" or re.fullmatch(r"ToRGB_lod[1-9]\d?/\w+", name):
            continue  # colours of smaller images, from which training grew
        if name == "4x4/Const/const":
            yield "synthesis.b4.const", array[0]
        elif found := re.fullmatch(r"noise(\d{1,2})", name):
            index = int(found[1])
            yield f"synthesis.b{4 << index // 2}.conv{index % 2}.noise_const", array[0, 0]
        elif found := re.fullmatch(r"ToRGB_lod0/(weight|bias)", name):
            kernel = array.transpose(3, 2, 0, 1) if found[1] == "weight" else array
            yield f"synthesis.b{max(sides)}.torgb.{found[1]}", kernel
        elif (found := re.fullmatch(r"(\d{1,5})x\1/(\w+)/(.+)", name)) and found[2] in LAYERS:
            own = f"synthesis.b{found[1]}.{LAYERS[found[2]]}"
            if found[3] == "weight":
                kernel = array.transpose(3, 2, 0, 1)  # (H, W, I, O) to (O, I, H, W)
                is_fused = int(found[1]) >= FUSED_FROM if fused == "auto" else bool(fused)
                turned = is_fused and found[2] == "Conv0_up"
                yield f"{own}.weight", np.flip(kernel, (2, 3)) if turned else kernel
            elif found[3] == "StyleMod/weight":
                yield f"{own}.affine.weight", array.T
            elif found[3] in PARTS:
                yield f"{own}.{PARTS[found[3]]}", array
            else:
                raise Refusal(f"has {name[:80]}, which no StyleGAN has")
        else:
            raise Refusal(f"has {name[:80]}, which no StyleGAN has")
