"""Checkpoints that are no StyleGAN that can be drawn: recognised by their names, and named to the user."""

from collections.abc import Iterable
from typing import Any

__all__ = ["family_of"]

FAMILIES = (
    (("lora_", "lora.", ".lora"), "a LoRA, a small change of a diffusion model"),
    (("model.diffusion_model.", "unet.", "down_blocks.", "first_stage_model."), "a diffusion model"),
    (("double_blocks.", "single_blocks.", "joint_blocks.", "transformer_blocks."), "a diffusion transformer"),
    (("GAN.S.", "GAN.G.", "GE.blocks", "G.blocks"), "a StyleGAN of lucidrains, whose layers are its own"),
    (("generator.blocks.", "generator.linear."), "a BigGAN"),
    (("encoder.", "decoder."), "an autoencoder"),
)
"""Beginnings or parts of names of arrays, and whose they are."""


def family_of(names: Iterable[Any]) -> str:
    """Return what a checkpoint with arrays of these names is; empty where that is not known.

    >>> family_of(["model.diffusion_model.input_blocks.0.0.weight"])
    'a diffusion model'
    """
    known = [name for name in names if isinstance(name, str)]
    for signs, family in FAMILIES:
        if any(name.startswith(sign) or f".{sign}" in name for name in known for sign in signs):
            return family
    return ""
