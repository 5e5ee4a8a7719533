"""StyleGAN of 2019, FastGAN and R3GAN, written as their papers and published descriptions state them.

One operation after the other, with the names that the programs' files have; what Clavilux draws is checked
against these.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from clavilux import seeds
from foreign import Name


def normal(name, *shape):
    return torch.from_numpy(seeds.normal(0, name, 0, shape))


def normalised(x):
    return x / (x.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()


# StyleGAN, 2019


def stylegan1_variables(resolution, *, classes=0, width=12, z_dim=8, w_dim=10):
    blocks = [4 << k for k in range(resolution.bit_length() - 2)]
    synthesis = {"lod": np.float32(0), "4x4/Const/const": normal("const", 1, width, 4, 4).numpy()}
    for k, side in enumerate(blocks):
        for own, layer in enumerate(("Const", "Conv") if side == 4 else ("Conv0_up", "Conv1")):
            name = f"{side}x{side}/{layer}"
            shapes = {"bias": (width,), "Noise/weight": (width,)}
            shapes |= {"StyleMod/weight": (w_dim, 2 * width), "StyleMod/bias": (2 * width,)}
            if layer != "Const":
                shapes["weight"] = (3, 3, width, width)
            synthesis |= {f"{name}/{part}": normal(name + part, *s).numpy() for part, s in shapes.items()}
            noise = f"noise{2 * k + own}"
            synthesis[noise] = normal(noise, 1, 1, side, side).numpy()
        lod = len(blocks) - 1 - k
        synthesis[f"ToRGB_lod{lod}/weight"] = normal(f"rgb{lod}", 1, 1, width, 3).numpy()
        synthesis[f"ToRGB_lod{lod}/bias"] = normal(f"rgb{lod}b", 3).numpy()
    mapping = {}
    into = 2 * z_dim if classes else z_dim
    if classes:
        mapping["LabelConcat/weight"] = normal("label", classes, z_dim).numpy()
    for k in range(3):
        mapping[f"Dense{k}/weight"] = normal(f"dense{k}", into, w_dim).numpy() * 100
        mapping[f"Dense{k}/bias"] = normal(f"dense{k}b", w_dim).numpy() * 30
        into = w_dim
    top = {"lod": np.float32(0), "dlatent_avg": normal("avg", w_dim).numpy() * 0.1}
    return top, {"mapping": mapping, "synthesis": synthesis}


def stylegan1_map(mapping, z, c):
    x = z if c is None else torch.cat((z, c @ torch.from_numpy(mapping["LabelConcat/weight"])), dim=1)
    x = normalised(x)
    for k in range(3):
        weight, bias = (torch.from_numpy(mapping[f"Dense{k}/{part}"]) for part in ("weight", "bias"))
        x = F.leaky_relu(x @ weight * (2 / weight.shape[0]) ** 0.5 * 0.01 + bias * 0.01, 0.2)
    return x


def stylegan1_draw(variables, ws, resolution, *, fused):
    """Repeat, correlate, blur; or spread by the summed kernel where both steps were one."""
    get = {name: torch.from_numpy(np.asarray(array)) for name, array in variables.items()}
    x = get["4x4/Const/const"].expand(len(ws), -1, -1, -1)
    layers = [(4, "Const"), (4, "Conv")]
    layers += [(8 << k, own) for k in range(resolution.bit_length() - 3) for own in ("Conv0_up", "Conv1")]
    for k, (side, layer) in enumerate(layers):
        name = f"{side}x{side}/{layer}"
        if layer != "Const":
            weight = get[f"{name}/weight"]
            kernel = (weight * (2 / weight[..., 0].numel()) ** 0.5).permute(3, 2, 0, 1)
            if layer == "Conv0_up" and side >= fused:
                padded = F.pad(kernel, (1, 1, 1, 1))
                summed = padded[..., 1:, 1:] + padded[..., :-1, 1:]
                summed = summed + padded[..., 1:, :-1] + padded[..., :-1, :-1]
                x = F.conv_transpose2d(x, summed.transpose(0, 1), stride=2, padding=1)
            else:
                x = x.repeat_interleave(2, 2).repeat_interleave(2, 3) if layer == "Conv0_up" else x
                x = F.conv2d(x, kernel, padding=1)
            if layer == "Conv0_up":
                taps = torch.tensor([1.0, 2, 1]) / 4
                channels = x.shape[1]
                blurring = torch.outer(taps, taps).expand(channels, 1, 3, 3)
                x = F.conv2d(x, blurring, padding=1, groups=channels)
        x = x + get[f"noise{k}"] * get[f"{name}/Noise/weight"][:, None, None]
        x = F.leaky_relu(x + get[f"{name}/bias"][:, None, None], 0.2)
        x = F.instance_norm(x, eps=1e-8)
        weight = get[f"{name}/StyleMod/weight"]
        style = ws[:, k] @ weight * weight.shape[0] ** -0.5 + get[f"{name}/StyleMod/bias"]
        scale, shift = style.reshape(len(ws), 2, -1, 1, 1).unbind(1)
        x = x * (scale + 1) + shift
    weight = get["ToRGB_lod0/weight"]
    colours = F.conv2d(x, weight.permute(3, 2, 0, 1) * weight.shape[2] ** -0.5)
    return colours + get["ToRGB_lod0/bias"][:, None, None]


# FastGAN, as projected GANs have it


class GLU(nn.Module):
    pickled_as = Name("pg_modules.blocks", "GLU")

    def forward(self, x):
        some, others = x.chunk(2, dim=1)
        return some * torch.sigmoid(others)


class Swish(nn.Module):
    pickled_as = Name("pg_modules.blocks", "Swish")

    def forward(self, x):
        return x * torch.sigmoid(x)


DRAWN = []
"""The noise that the reference has added, in order."""


class NoiseInjection(nn.Module):
    pickled_as = Name("pg_modules.blocks", "NoiseInjection")

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1))

    def forward(self, x):
        noise = normal(f"drawn{len(DRAWN)}", 1, 1, *x.shape[2:])
        DRAWN.append(noise)
        return x + self.weight * noise


class CCBN(nn.Module):
    pickled_as = Name("pg_modules.blocks", "CCBN")

    def __init__(self, channels, wide):
        super().__init__()
        self.gain, self.bias = (spectral_norm(nn.Linear(wide, channels)) for _ in range(2))
        self.eps = 1e-5
        self.register_buffer("stored_mean", torch.randn(channels))
        self.register_buffer("stored_var", torch.rand(channels) + 0.5)

    def forward(self, x, y):
        x = F.batch_norm(x, self.stored_mean, self.stored_var, None, None, False, 0.1, self.eps)
        return x * (1 + self.gain(y))[:, :, None, None] + self.bias(y)[:, :, None, None]


def conv(*sizes, **more):
    return spectral_norm(nn.Conv2d(*sizes, **more))


def normalising(channels):
    norm = nn.BatchNorm2d(channels)
    for name in ("weight", "bias", "running_mean"):
        getattr(norm, name).data.normal_()
    norm.running_var.uniform_(0.5, 2)
    return norm


def up_block(into, out, *, twice):
    parts = [nn.Upsample(scale_factor=2, mode="nearest"), conv(into, 2 * out, 3, 1, 1, bias=False)]
    parts += [NoiseInjection()] if twice else []
    parts += [normalising(2 * out), GLU()]
    if twice:
        parts += [conv(out, 2 * out, 3, 1, 1, bias=False), NoiseInjection(), normalising(2 * out), GLU()]
    return nn.Sequential(*parts)


class UpBlockCond(nn.Module):
    pickled_as = Name("pg_modules.blocks", "UpBlockCond")

    def __init__(self, into, out, wide, *, twice):
        super().__init__()
        self.twice, self.act = twice, GLU()
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        for end in ("1", "2") if twice else ("",):
            setattr(self, f"conv{end}", conv(out if end == "2" else into, 2 * out, 3, 1, 1, bias=False))
            setattr(self, f"bn{end}", CCBN(2 * out, wide))
        if twice:
            self.noise = NoiseInjection()

    def forward(self, x, y):
        x = self.up(x)
        for end in ("1", "2") if self.twice else ("",):
            x = getattr(self, f"conv{end}")(x)
            x = self.noise(x) if self.twice else x
            x = self.act(getattr(self, f"bn{end}")(x, y))
        return x


class InitLayer(nn.Module):
    pickled_as = Name("pg_modules.blocks", "InitLayer")

    def __init__(self, z_dim, out):
        super().__init__()
        first = spectral_norm(nn.ConvTranspose2d(z_dim, 2 * out, 4, 1, 0, bias=False))
        self.init = nn.Sequential(first, normalising(2 * out), GLU())

    def forward(self, z):
        return self.init(z[:, :, None, None])


class SEBlock(nn.Module):
    pickled_as = Name("pg_modules.blocks", "SEBlock")

    def __init__(self, into, out):
        super().__init__()
        first, last = conv(into, out, 4, 1, 0, bias=False), conv(out, out, 1, 1, 0, bias=False)
        self.main = nn.Sequential(nn.AdaptiveAvgPool2d(4), first, Swish(), last, nn.Sigmoid())

    def forward(self, small, big):
        return big * self.main(small)


class DummyMapping(nn.Module):
    pickled_as = Name("pg_modules.networks_fastgan", "DummyMapping")


class FastganSynthesis(nn.Module):
    pickled_as = Name("pg_modules.networks_fastgan", "FastganSynthesis")

    def __init__(self, z_dim, resolution, classes):
        super().__init__()
        self.sides = [8 << k for k in range(resolution.bit_length() - 3)]
        width = {side: max(16 // side, 1) * 4 for side in (4, *self.sides)}
        self.init = InitLayer(z_dim, width[4])
        for k, side in enumerate(self.sides):
            sizes, twice = (width[side // 2], width[side]), k % 2 == 0
            made = UpBlockCond(*sizes, z_dim, twice=twice) if classes else up_block(*sizes, twice=twice)
            setattr(self, f"feat_{side}", made)
            if 64 <= side <= 512:
                setattr(self, f"se_{side}", SEBlock(width[side // 16], width[side]))
        self.to_big = conv(width[resolution], 3, 3, 1, 1, bias=True)
        if classes:
            self.embed = nn.Embedding(classes, z_dim)

    def forward(self, z, c):
        more = (self.embed(c.argmax(1)),) if c is not None else ()
        features = {4: self.init(normalised(z))}
        for side in self.sides:
            x = getattr(self, f"feat_{side}")
            before = features[side // 2]
            features[side] = x(before, *more) if more else x(before)
            if 64 <= side <= 512:
                features[side] = getattr(self, f"se_{side}")(features[side // 16], features[side])
        return self.to_big(features[self.sides[-1]])


class FastganGenerator(nn.Module):
    pickled_as = Name("pg_modules.networks_fastgan", "Generator")

    def __init__(self, z_dim, resolution, classes=0):
        super().__init__()
        self.z_dim, self.c_dim, self.img_resolution = z_dim, classes, resolution
        self.mapping = DummyMapping()
        self.synthesis = FastganSynthesis(z_dim, resolution, classes)

    def forward(self, z, c=None):
        return self.synthesis(z, c)


# R3GAN


class Convolution(nn.Module):
    pickled_as = Name("R3GAN.Networks", "Convolution")

    def __init__(self, into, out, kernel, groups=1):
        super().__init__()
        self.Layer = nn.Conv2d(into, out, kernel, padding=kernel // 2, groups=groups, bias=False)

    def forward(self, x):
        return self.Layer(x)


class BiasedActivation(nn.Module):
    pickled_as = Name("R3GAN.FusedOperators", "BiasedActivation")

    def __init__(self, channels):
        super().__init__()
        self.Bias = nn.Parameter(torch.randn(channels))

    def forward(self, x):
        return F.leaky_relu(x + self.Bias[:, None, None], 0.2)


class ResidualBlock(nn.Module):
    pickled_as = Name("R3GAN.Networks", "ResidualBlock")

    def __init__(self, channels, inside, groups):
        super().__init__()
        self.LinearLayer1 = Convolution(channels, inside, 1)
        self.LinearLayer2 = Convolution(inside, inside, 3, groups)
        self.LinearLayer3 = Convolution(inside, channels, 1)
        self.NonLinearity1, self.NonLinearity2 = BiasedActivation(inside), BiasedActivation(inside)

    def forward(self, x):
        y = self.NonLinearity1(self.LinearLayer1(x))
        return x + self.LinearLayer3(self.NonLinearity2(self.LinearLayer2(y)))


class InterpolativeUpsampler(nn.Module):
    pickled_as = Name("R3GAN.Resamplers", "InterpolativeUpsampler")

    def __init__(self):
        super().__init__()
        taps = torch.tensor([1.0, 3, 3, 1]) / 8
        self.register_buffer("Kernel", torch.outer(taps, taps))

    def forward(self, x):
        channels = x.shape[1]
        kernel = 4 * self.Kernel.expand(channels, 1, 4, 4)
        return F.conv_transpose2d(x, kernel, stride=2, padding=1, groups=channels)


class UpsampleLayer(nn.Module):
    pickled_as = Name("R3GAN.Networks", "UpsampleLayer")

    def __init__(self, into, out):
        super().__init__()
        self.Resampler = InterpolativeUpsampler()
        if into != out:
            self.LinearLayer = Convolution(into, out, 1)

    def forward(self, x):
        return self.Resampler(self.LinearLayer(x) if hasattr(self, "LinearLayer") else x)


class GenerativeBasis(nn.Module):
    pickled_as = Name("R3GAN.Networks", "GenerativeBasis")

    def __init__(self, into, out):
        super().__init__()
        self.Basis = nn.Parameter(torch.randn(out, 4, 4))
        self.LinearLayer = nn.Linear(into, out, bias=False)

    def forward(self, x):
        return self.Basis * self.LinearLayer(x)[:, :, None, None]


class GeneratorStage(nn.Module):
    pickled_as = Name("R3GAN.Networks", "GeneratorStage")

    def __init__(self, first, channels, inside, groups, count):
        super().__init__()
        self.Layers = nn.ModuleList([first, *(ResidualBlock(channels, inside, groups) for _ in range(count))])
        self.DataType = torch.bfloat16

    def forward(self, x):
        for layer in self.Layers:
            x = layer(x)
        return x


class R3ganNetwork(nn.Module):
    pickled_as = Name("R3GAN.Networks", "Generator")

    def __init__(self, z_dim, classes):
        super().__init__()
        embedded = 5 if classes else 0
        stages = [GeneratorStage(GenerativeBasis(z_dim + embedded, 8), 8, 16, 4, 2)]
        stages += [GeneratorStage(UpsampleLayer(8, 8), 8, 16, 4, 1)]
        stages += [GeneratorStage(UpsampleLayer(8, 6), 6, 12, 2, 2)]
        self.MainLayers = nn.ModuleList(stages)
        self.AggregationLayer = Convolution(6, 3, 1)
        if classes:
            self.EmbeddingLayer = nn.Linear(classes, embedded, bias=False)

    def forward(self, x, c):
        x = x if c is None else torch.cat((x, self.EmbeddingLayer(c)), dim=1)
        for layer in self.MainLayers:
            x = layer(x)
        return self.AggregationLayer(x)


class R3ganGenerator(nn.Module):
    pickled_as = Name("training.networks", "Generator")

    def __init__(self, z_dim, classes):
        super().__init__()
        self.z_dim, self.c_dim, self.img_resolution = z_dim, classes, 16
        self.Model = R3ganNetwork(z_dim, classes)

    def forward(self, z, c=None):
        return self.Model(z, c)
