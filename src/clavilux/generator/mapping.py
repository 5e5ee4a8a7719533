"""The mapping network of every StyleGAN: random codes and classes to latents.

Karras et al. 2019 (arXiv:1812.04948), section 2; classes as in Karras et al. 2020 (arXiv:2006.06676). Shapes:
z (B, Z), c (B, c_dim), w (B, D).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clavilux.errors import ModelError
from clavilux.generator.layers import SQRT2, leaky_relu, normalized
from clavilux.generator.mapping_config import MappingConfig

__all__ = ["Dense", "MappingNetwork", "check_classes", "under"]


class MappingNetwork(nn.Module):
    """Random codes and classes to latents: normalise, then dense layers with leaky ReLU."""

    def __init__(self, tensors: Mapping[str, Tensor], config: MappingConfig) -> None:
        super().__init__()
        self.w_avg = nn.Buffer(tensors["w_avg"].clone())  # (D,)
        self.c_dim = config.c_dim
        self.together = config.label == "concat"
        self.embed: Dense | None = None
        if config.c_dim:
            weight = tensors["embed.weight"]  # (E, c_dim)
            bias = tensors.get("embed.bias", torch.zeros(config.embed_dim))
            gain = config.c_dim**0.5 if self.together else 1.0  # concatenated labels are not scaled
            self.embed = Dense(weight * gain, bias)
        self.dense = nn.ModuleList(
            Dense(tensors[f"fc{k}.weight"], tensors[f"fc{k}.bias"], config.lr_multiplier)
            for k in range(config.mapping_layers)
        )

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Map z (B, Z) under classes c (B, c_dim) to w (B, D), untruncated.

        Raises:
            ModelError: classes were given and there are none, or the other way round.
        """
        check_classes(c, self.c_dim)
        if self.embed is None or c is None:
            x = normalized(z)
        elif self.together:
            x = normalized(torch.cat((z, self.embed(c)), dim=1))
        else:
            x = torch.cat((normalized(z), normalized(self.embed(c))), dim=1)
        for dense in self.dense:
            x = leaky_relu(dense(x) * SQRT2)
        return x


class Dense(nn.Module):
    """A dense layer whose runtime gains (equalised learning rate) are already multiplied in.

    The bias is the weight of inputs that are always 1: OpenVINO forgets that a layer is to stay float32 when
    it fuses a sum to it. There are enough to keep rows aligned, so that each comes out the same anywhere.
    """

    is_features = False
    ONES = 16

    def __init__(self, weight: Tensor, bias: Tensor, lr_multiplier: float = 1.0) -> None:
        super().__init__()
        weight = weight * (lr_multiplier * weight.shape[1] ** -0.5)
        share = bias[:, None] * (lr_multiplier / self.ONES)
        self.weight = nn.Buffer(torch.cat((weight, share.expand(-1, self.ONES)), dim=1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, I) to (B, O)."""
        ones = torch.ones_like(x[:, :1]).expand(-1, self.ONES)
        return F.linear(torch.cat((x, ones), dim=1), self.weight)


def check_classes(c: Tensor | None, c_dim: int) -> None:
    """Check that classes were given where a network has some.

    Raises:
        ModelError: classes were given and there are none, or the other way round.
    """
    if (c is not None) != bool(c_dim):
        hint = f"give weights of its {c_dim} classes" if c_dim else "give random codes alone"
        raise ModelError(f"This network has {c_dim or 'no'} classes", hint=hint)


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Select the tensors below a name, the name removed."""
    start = f"{prefix}."
    return {name.removeprefix(start): tensors[name] for name in tensors if name.startswith(start)}
