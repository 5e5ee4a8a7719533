"""How much memory drawing takes, estimated before anything is built, beside what the machine has.

Measured with silk at 4x7 to 16x28 cells: both engines hold about five times the largest layer's features in
float32, beside the frames, noise and inputs that are on their way between the threads of a render.
"""

from contextlib import suppress
from pathlib import Path

import psutil

from clavilux.engine.choose import PASS_FRAMES
from clavilux.engine.devices import choose_device
from clavilux.errors import RenderError
from clavilux.generator.network import Layer, NetworkSizes

__all__ = ["available_bytes", "check_memory", "needed_bytes"]

BASE_BYTES = 600 * 10**6
"""The libraries, the song's curves and the network."""

LAYER_COPIES = 5.3
WAITING_FRAMES = 32
"""Frames whose noise is in memory: two windows of 8, and the knots they are made from."""

PIXEL_BYTES = 130
"""For each pixel of the output: frames in four windows, the resize, and the encoder's own."""

FLOAT_BYTES = 4
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
USES = (Path("/sys/fs/cgroup/memory.current"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"))
"""What a container may use and uses, in both versions of Linux's control groups."""


def needed_bytes(network: NetworkSizes, size: tuple[int, int], cells: tuple[int, int], batch: int) -> int:
    """Estimate the memory that a render takes.

    Args:
        network: the generator.
        size: width and height of the output, px.
        cells: rows and columns of the constant.
        batch: frames in one pass.

    >>> from clavilux.generator.model import load_model
    >>> needed_bytes(load_model("silk").sizes, (1280, 720), (4, 7), 1) // 10**6
    954
    """
    places = {name: _places(network, layer, cells) for name, layer in network.layers.items()}
    features = max(
        places[name] * layer.channels * layer.oversampling**2 for name, layer in network.layers.items()
    )
    noise = sum(places[name] for name, layer in network.layers.items() if layer.takes_noise)
    width, height = size
    floats = LAYER_COPIES * batch * features + WAITING_FRAMES * noise
    return round(BASE_BYTES + floats * FLOAT_BYTES + PIXEL_BYTES * width * height)


def available_bytes(device: str = "cpu") -> int:
    """Return the memory that is free on a device, within the limits of a container."""
    if device.startswith("cuda"):
        import torch  # it is here: it has seen the card

        return int(torch.cuda.mem_get_info(device)[0])
    free = [int(psutil.virtual_memory().available)]
    for limit, use in zip(LIMITS, USES, strict=True):
        with suppress(OSError, ValueError):
            free.append(int(limit.read_text()) - int(use.read_text()))
    return max(0, min(free))


def check_memory(
    network: NetworkSizes, size: tuple[int, int], cells: tuple[int, int], device: str = "auto"
) -> None:
    """Check that the machine has the memory to draw.

    Raises:
        EngineError: there is no such device.
        RenderError: it has too little; says how many cells would fit.
    """
    chosen = choose_device(device)
    kind = chosen.partition(":")[0]
    batch = PASS_FRAMES["openvino" if kind == "cpu" else kind]
    need, have = needed_bytes(network, size, cells, batch), available_bytes(chosen)
    if need <= have:
        return
    least = network.cells[0]
    scale = max(0.0, (have - needed_bytes(network, size, (1, 1), batch)) / need) ** 0.5
    rows, columns = (max(least, int(side * scale)) for side in cells)
    width, height = size
    raise RenderError(
        f"A video of {width}x{height} px with {cells[0]}x{cells[1]} cells takes about {need / 1e9:.1f} GB of"
        f" memory, and {have / 1e9:.1f} GB are free",
        where="size",
        value=size,
        hint=f"choose fewer cells, such as {rows}x{columns}, or a smaller or less narrow size",
        remedy="size",
    )


def _places(network: NetworkSizes, layer: Layer, cells: tuple[int, int]) -> int:
    """Count the places of a layer's features."""
    high, wide = network.canvas(cells)
    scale = layer.resolution / network.resolution
    return round(high * scale) * round(wide * scale)
