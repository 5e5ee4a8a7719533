"""Read trained weights, from a run's snapshot or from the native format."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from network import Generator, Sizes

__all__ = ["load_generator"]


def load_generator(path: Path) -> Generator:
    """Load a generator from ``latest.pt``, an ``ema/*.pt`` snapshot, or native ``.safetensors``."""
    if path.suffix == ".safetensors":
        state: dict[str, Tensor] = load_file(path)
    else:
        state = torch.load(path, weights_only=True, map_location="cpu")
        state = state.get("average", state)
    generator = Generator(sizes_of(state))
    generator.load_state_dict({name: value.float() for name, value in state.items()})
    return generator.eval().requires_grad_(False)


def sizes_of(state: dict[str, Tensor]) -> Sizes:
    """Read the sizes off the shapes."""
    resolution = max(int(name.split(".")[1][1:]) for name in state if name.startswith("synthesis.b"))
    w_dim, z_dim = state["mapping.fc0.weight"].shape
    return Sizes(
        resolution,
        z_dim=z_dim,
        w_dim=w_dim,
        mapping_layers=sum(name.startswith("mapping.fc") for name in state) // 2,
        channel_base=resolution * state[f"synthesis.b{resolution}.conv1.bias"].shape[0],
        channel_max=state["synthesis.b4.const"].shape[0],
    )
