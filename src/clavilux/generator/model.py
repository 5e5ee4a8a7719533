"""Generators by name: find one, load it, and draw with it.

Latents are w (N, D), float32. A built-in generator is a native checkpoint like any other; only its place is
known. Importing this module, and listing the built-in ones, needs no torch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F32
from clavilux.catalogue import Group
from clavilux.errors import ModelError, suggest
from clavilux.files import is_file, is_folder, state_of
from clavilux.generator.checkpoints import Card, Checkpoint, native, read_card, read_checkpoint
from clavilux.generator.network import Extension, Network, NetworkSizes, layer_groups

if TYPE_CHECKING:
    from torch import Tensor

    from clavilux.generator.generate import Seeds

__all__ = ["BUILTIN", "BuiltinModel", "Model", "builtin_models", "find_model", "load_model", "named_models"]

BUILTIN = Path(__file__).parent / "builtin"
NATIVE_SUFFIX = ".safetensors"
FOLDERS = {"saved_model.pb": "a TensorFlow SavedModel", "model_index.json": "a diffusion model"}
"""What a folder is that has a file of this name."""
SUFFIXES = (NATIVE_SUFFIX, ".pkl", ".pt", ".pth")
"""Endings of checkpoints that are found by name."""


@dataclass(frozen=True, eq=False)
class Model:
    """A generator, ready to draw.

    Attributes:
        name: its built-in name or its file's stem.
        sizes: of its network, and its layers.
        w_avg: the mean latent, (D,).
        card: what is known of the weights: licence, source, ...
        digest: hash of the weights.
        build: returns the network, always the same one; what only needs sizes never calls it.
        file: where the weights were read from.
    """

    name: str
    sizes: NetworkSizes
    w_avg: F32
    card: Card
    digest: str
    build: Callable[[], Network]
    file: Path | None = None

    @classmethod
    def of_network(cls, name: str, network: Network, card: Card) -> Model:
        """Return a model of a network that is there already; from now on its weights must stay the same."""
        state = cast("Any", network).state_dict()
        weights = {key: tensor.cpu().numpy() for key, tensor in state.items()}
        w_avg = cast("F32", network.w_avg.cpu().numpy().copy())
        return cls(name, network.config, w_avg, card, native.digest(weights), lambda: network)

    @property
    def network(self) -> Network:
        """The network, in evaluation mode; PyTorch is imported to build it."""
        return self.build()

    @property
    def z_dim(self) -> int:
        """Length of a random code, Z."""
        return self.sizes.z_dim

    @property
    def w_dim(self) -> int:
        """Length of a latent, D."""
        return self.sizes.w_dim

    @property
    def num_ws(self) -> int:
        """Number of latents an image takes, L."""
        return self.sizes.num_ws

    @property
    def resolution(self) -> int:
        """Side of the image the network was trained for, px."""
        return self.sizes.resolution

    @property
    def extend(self) -> Extension:
        """How the learned constant is continued beyond its edge."""
        return self.card.extend

    @property
    def c_dim(self) -> int:
        """Number of classes; 0 where the model has none."""
        return self.sizes.c_dim

    def classes_of(self, z: F32) -> F32:
        """Choose a class for each of some random codes (N, Z), always the same one; (N, c_dim), one-hot."""
        digests = [blake2b(code.tobytes(), digest_size=8).digest() for code in np.asarray(z, np.float32)]
        chosen = [int.from_bytes(digest, "little") % self.c_dim for digest in digests]
        return np.eye(self.c_dim, dtype=np.float32)[chosen]

    def map(self, z: F32, classes: F32 | None = None) -> F32:
        """Map random codes (N, Z) to latents (N, D), untruncated.

        Args:
            z: the codes.
            classes: weights of the model's classes, (N, c_dim), one-hot or a blend; by default every code has
                a class of its own where there are any.

        Raises:
            ModelError: codes or classes of another shape, or that are not finite.

        >>> from clavilux import seeds
        >>> model = load_model("silk")
        >>> model.map(seeds.normal(0, "example", 0, (3, model.z_dim))).shape
        (3, 128)
        """
        import torch

        if z.ndim != 2 or z.shape[1] != self.z_dim or not np.isfinite(z).all():
            hint = f"give finite codes of shape (N, {self.z_dim})"
            raise ModelError(f"{self.name} cannot map codes of shape {z.shape}", value=z.shape, hint=hint)
        if classes is None and self.c_dim:
            classes = self.classes_of(z)
        if classes is not None and (classes.shape != (len(z), self.c_dim) or not np.isfinite(classes).all()):
            what = f"{self.name} cannot map codes under classes of shape {classes.shape}"
            hint = (
                f"give weights of shape (N, {self.c_dim})" if self.c_dim else "it has no classes: give none"
            )
            raise ModelError(what, where="classes", value=classes.shape, hint=hint)
        device = self.network.w_avg.device
        given = [
            torch.from_numpy(np.asarray(x, np.float32)).to(device) for x in (z, classes) if x is not None
        ]
        with torch.inference_mode():
            w = self.network.map(*given)
        return cast("F32", w.cpu().numpy())

    def truncate(self, w: F32, psi: float) -> F32:
        """Truncate latents (..., D): move them towards the mean (Karras et al. 2019, appendix B)."""
        return self.w_avg + psi * (w - self.w_avg)

    def group(self, name: Group) -> range:
        """Return the latents that style a group of layers; see `layer_groups`.

        >>> [load_model("silk").group(name) for name in ("coarse", "middle", "fine")]
        [range(0, 5), range(5, 9), range(9, 16)]
        """
        return layer_groups(self.sizes.layers)[name]

    def generate(
        self,
        seed: Seeds = 0,
        *,
        psi: float = 0.8,
        size: tuple[int, int] | None = None,
        cells: tuple[int, int] | None = None,
    ) -> NDArray[np.uint8]:
        """Draw the image of a seed, or those of several; always the same ones.

        Args:
            seed: one seed or a sequence of seeds.
            psi: truncation; 0 is the mean image, 1 the model's full variety.
            size: width and height, px; by default the size the model was trained for.
            cells: rows and columns of its constant; by default what the size wants.

        Returns:
            RGB, (H, W, 3), or (N, H, W, 3) for a sequence.

        Raises:
            SettingError: a size or cells that cannot be drawn.

        >>> load_model("silk").generate(3, size=(96, 64)).shape
        (64, 96, 3)
        """
        from clavilux.generator.generate import generate

        return generate(self, seed, psi=psi, size=size, cells=cells)


@dataclass(frozen=True)
class BuiltinModel:
    """A generator that comes with Clavilux.

    Attributes:
        card: what is known of it.
        megabytes: size of its file.
        preview: a file with a strip of its images.
    """

    card: Card
    megabytes: float
    preview: Path

    def to_dict(self) -> dict[str, str]:
        """Return everything that is known as lines of text."""
        return self.card.to_dict() | {"megabytes": f"{self.megabytes:.1f}", "preview": str(self.preview)}


def builtin_models() -> dict[str, BuiltinModel]:
    """List the built-in generators by name. Needs no torch.

    >>> builtin_models()["silk"].card.licence
    'CC0-1.0'
    """
    return {
        path.stem: BuiltinModel(read_card(path), path.stat().st_size / 1e6, path.with_suffix(".webp"))
        for path in sorted(BUILTIN.glob("*.safetensors"))
    }


def load_model(name_or_path: str | Path, *, folder: Path | None = None) -> Model:
    """Load a generator: a built-in one, one of a folder, or one from a checkpoint file of any known format.

    Args:
        name_or_path: a name or a file.
        folder: where named checkpoints are, beside the built-in ones.

    Raises:
        ModelError: there is no such generator, or its file cannot be used.

    >>> load_model("silk").resolution
    512
    """
    path = find_model(name_or_path, folder)
    checkpoint = read_checkpoint(path)
    return Model(
        path.stem,
        checkpoint.config,
        checkpoint.w_avg,
        checkpoint.card,
        checkpoint.digest,
        _Builder(checkpoint, path),
        path,
    )


def named_models(folder: Path | None) -> dict[str, Path]:
    """Find the checkpoints of a folder by name; a native file goes before others of its name."""
    found: dict[str, Path] = {}
    if folder is not None and is_folder(folder):
        with contextlib.suppress(OSError):
            for path in sorted(folder.iterdir(), key=lambda path: (path.suffix != NATIVE_SUFFIX, path.name)):
                if path.suffix in SUFFIXES and is_file(path) and not path.name.startswith("."):
                    found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def find_model(name_or_path: str | Path, folder: Path | None = None) -> Path:
    """Find the file of a generator: built-in, of a folder, or anywhere.

    Raises:
        ModelError: there is none.
    """
    named = named_models(folder) | named_models(BUILTIN)
    if name_or_path in named:
        return named[str(name_or_path)]
    path = Path(name_or_path)
    if is_file(path):
        return path
    if is_folder(path):
        kind = next((kind for name, kind in FOLDERS.items() if is_file(path / name)), "a folder")
        what, hint = f"The model {path} is {kind}", "give the checkpoint file of a StyleGAN"
    elif len(path.parts) > 1 or path.suffix:
        what, hint = f"There is no model file {path}", "check the path"
    else:
        what = f"There is no model '{name_or_path}'"
        hint = suggest(str(name_or_path), named, otherwise="there is {}, or give the path of a checkpoint")
    raise ModelError(what, where="model", value=str(name_or_path), hint=hint, remedy="model")


class _Builder:
    """Builds a checkpoint's network once, when it is first asked for, and lets go of the checkpoint.

    Until then the weights are still in the file, which must not be written to; a new file in its place, or
    none, leaves the old one as it was.
    """

    def __init__(self, checkpoint: Checkpoint, path: Path) -> None:
        self._checkpoint: Checkpoint | None = checkpoint
        self._network: Network | None = None
        self._lock = Lock()
        self._path, self._state = path, state_of(path)

    def __call__(self) -> Network:
        with self._lock:
            if self._checkpoint is not None:
                now = state_of(self._path)
                if now[:1] == self._state[:1] and now != self._state:
                    what = f"The file of the model {self._path.stem} has changed since it was opened"
                    raise ModelError(what, where=str(self._path), hint="start again")
                self._network, self._checkpoint = _build(self._checkpoint), None
        return cast("Network", self._network)


def _build(checkpoint: Checkpoint) -> Network:
    from clavilux.generator.fastgan import FastGAN
    from clavilux.generator.r3gan import R3GAN
    from clavilux.generator.stylegan1 import StyleGAN1
    from clavilux.generator.stylegan2 import StyleGAN2
    from clavilux.generator.stylegan3 import StyleGAN3

    kinds: tuple[type[Any], ...] = (StyleGAN1, StyleGAN2, StyleGAN3, FastGAN, R3GAN)
    networks = {kind.__annotations__["config"]: kind for kind in kinds}
    network: Network = networks[type(checkpoint.config)](checkpoint.config, _Tensors(checkpoint.tensors))
    return network.eval()  # type: ignore[no-any-return]


class _Tensors(Mapping[str, "Tensor"]):
    """Arrays as tensors that share their memory; networks keep copies, in an order of their own."""

    def __init__(self, arrays: Mapping[str, F32]) -> None:
        self._arrays = arrays

    def __getitem__(self, name: str) -> Tensor:
        import torch

        array = self._arrays[name]
        plain = array.flags.writeable and all(step >= 0 for step in array.strides)
        return torch.from_numpy(array if plain else array.copy())

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)
