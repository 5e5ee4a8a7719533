"""The mapping of networks that have none: a latent is a random code, with its class behind it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clavilux.generator.layers import normalized
from clavilux.generator.mapping import check_classes
from clavilux.generator.plain_config import PlainConfig

__all__ = ["CodeMapping"]


class CodeMapping(nn.Module):
    """Random codes (B, Z) and classes to latents (B, Z + E).

    Args:
        config: the network's sizes.
        embed: a vector for each class, (E, c_dim).
        on_sphere: scale codes to unit second moment.
    """

    is_features = False

    def __init__(self, config: PlainConfig, embed: Tensor | None, *, on_sphere: bool) -> None:
        super().__init__()
        self.on_sphere = on_sphere
        self.embed = None if embed is None else nn.Buffer(embed.clone())
        mean = config.mean_latent(None if embed is None else embed.numpy())
        self.w_avg = nn.Buffer(torch.from_numpy(mean))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Map z (B, Z) under classes c (B, c_dim) to latents.

        Raises:
            ModelError: classes were given and there are none, or the other way round.
        """
        check_classes(c, 0 if self.embed is None else self.embed.shape[1])
        z = normalized(z) if self.on_sphere else z
        return z if self.embed is None or c is None else torch.cat((z, F.linear(c, self.embed)), dim=1)
