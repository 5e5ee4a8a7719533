"""Generators by name: find one, read it, and ask it what a picture needs.

Latents are w (N, D), float32. A built-in is a native checkpoint like any other; only its place is known.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from clavilux.errors import ModelError
from clavilux.generator.checkpoints.native import read_card, read_native

if TYPE_CHECKING:
    from clavilux.generator.stylegan2 import StyleGAN2

__all__ = ["Extension", "Group", "Model", "builtin_models", "load_model"]

Floats = NDArray[np.float32]
Extension = Literal["mirror", "replicate", "tile"]
Group = Literal["coarse", "middle", "fine"]

BUILTIN = Path(__file__).parent / "builtin"
GROUP_LIMITS = {"coarse": 16, "middle": 64}
"""Largest feature size of a group, px; whatever is above is fine."""


@dataclass(frozen=True, eq=False)
class Model:
    """A generator, ready to draw.

    Attributes:
        name: its built-in name or its file's stem.
        network: the network, in evaluation mode.
        card: what is known of the weights: licence, source, ...
        digest: hash of the weights.
    """

    name: str
    network: StyleGAN2
    card: dict[str, str]
    digest: str

    @property
    def z_dim(self) -> int:
        """Length of a random code, Z."""
        return self.network.sizes.z_dim

    @property
    def w_dim(self) -> int:
        """Length of a latent, D."""
        return self.network.sizes.w_dim

    @property
    def num_ws(self) -> int:
        """Number of latents a picture takes, L."""
        return self.network.sizes.num_ws

    @property
    def resolution(self) -> int:
        """Side of the picture the network was trained for, px."""
        return self.network.sizes.resolution

    @property
    def w_avg(self) -> Floats:
        """The mean latent, (D,)."""
        return cast("Floats", self.network.mapping.w_avg.cpu().numpy().copy())

    @property
    def extend(self) -> Extension:
        """How the learned constant goes on beyond its edge, as the card says; otherwise mirrored."""
        told = self.card.get("extend", "mirror")
        if told not in get_args(Extension):
            raise ModelError(
                f"The card of {self.name} extends its constant by '{told}'; it is mirror, replicate or tile."
            )
        return cast("Extension", told)

    def map(self, z: Floats) -> Floats:
        """Map random codes (N, Z) to latents (N, D), untruncated.

        >>> from clavilux import seeds
        >>> model = load_model("silk")
        >>> model.map(seeds.normal(0, "example", 0, (3, model.z_dim))).shape
        (3, 128)
        """
        import torch

        if z.ndim != 2 or z.shape[1] != self.z_dim or not np.isfinite(z).all():
            raise ModelError(f"{self.name} maps finite codes of shape (N, {self.z_dim}), not {z.shape}.")
        device = self.network.mapping.w_avg.device
        with torch.inference_mode():
            w = self.network.mapping(torch.from_numpy(np.asarray(z, np.float32)).to(device))
        return cast("Floats", w.cpu().numpy())

    def group(self, name: Group) -> range:
        """Return the latents that steer a group of layers: coarse the shapes, middle, fine the colours.

        Groups go by feature size, so they mean the same in any network: coarse up to 16 px, middle up to 64,
        fine above; networks under 256 px are cut into thirds.

        >>> [load_model("silk").group(name) for name in ("coarse", "middle", "fine")]
        [range(0, 5), range(5, 9), range(9, 16)]
        """
        resolutions = self.network.sizes.resolutions
        if self.resolution < 256:
            thirds = np.array_split(np.arange(len(resolutions)), 3)
            blocks = [len(third) for third in thirds]
        else:
            coarse = sum(r <= GROUP_LIMITS["coarse"] for r in resolutions)
            middle = sum(r <= GROUP_LIMITS["middle"] for r in resolutions) - coarse
            blocks = [coarse, middle, len(resolutions) - coarse - middle]
        # Block k ends with the latent 2k of its last convolution; the very last latent is the last colours'.
        ends = [max(2 * sum(blocks[: k + 1]) - 1, 0) for k in range(3)]
        ends[2] = self.num_ws
        starts = [0, ends[0], ends[1]]
        place = get_args(Group).index(name)
        return range(starts[place], ends[place])


def builtin_models() -> dict[str, dict[str, str]]:
    """List the built-in generators: cards by name. Needs no torch.

    To each card its size in ``megabytes`` is added, and a ``preview``, a file with a strip of its pictures.

    >>> builtin_models()["silk"]["licence"]
    'CC0-1.0'
    """
    return {
        path.stem: read_card(path)
        | {"megabytes": f"{path.stat().st_size / 1e6:.1f}", "preview": str(path.with_suffix(".webp"))}
        for path in sorted(BUILTIN.glob("*.safetensors"))
    }


def load_model(name_or_path: str | Path) -> Model:
    """Load a built-in generator by name, or one from a native `.safetensors` file.

    >>> load_model("silk").resolution
    512

    Raises:
        ModelError: there is no such generator, or its file cannot be used.
    """
    path = _find(name_or_path)
    card, sizes, arrays = read_native(path)
    try:
        lr_multiplier = float(card.get("mapping_lr_multiplier", "0.01"))
    except ValueError:
        lr_multiplier = 0.0
    if not 0 < lr_multiplier <= 1:
        raise ModelError(
            f"The card of {path} gives no usable mapping_lr_multiplier, a number above 0 up to 1."
        )
    import torch

    from clavilux.generator.stylegan2 import StyleGAN2

    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    network = StyleGAN2(sizes, tensors, lr_multiplier=lr_multiplier).eval()
    return Model(path.stem, network, card, card["sha256"])


def _find(name_or_path: str | Path) -> Path:
    built_in = BUILTIN / f"{name_or_path}.safetensors"
    if isinstance(name_or_path, str) and built_in.parent == BUILTIN and built_in.is_file():
        return built_in
    path = Path(name_or_path)
    if path.is_file():
        return path
    if path.is_dir():
        raise ModelError(f"The model {path} is a folder; give the .safetensors file inside it.")
    if len(path.parts) > 1 or path.suffix:
        raise ModelError(f"There is no model file {path}; check the path.")
    names = [found.stem for found in sorted(BUILTIN.glob("*.safetensors"))]
    near = difflib.get_close_matches(str(name_or_path), names, n=1)
    hint = f"did you mean {near[0]}?" if near else "or give the path of a .safetensors file."
    raise ModelError(f"There is no built-in model '{name_or_path}'; there is {', '.join(names)}; {hint}")
