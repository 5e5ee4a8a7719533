"""Copy-paste edits as files: what is copied, where it is pasted, and which places the rule is for.

An edit is a JSON file of seeds and masks (Bau et al. 2020, arXiv:2007.15646):

    {"object": {"seed": 7, "mask": [0.2, 0.1, 0.6, 0.5]},
     "paste": {"seed": 12, "mask": [0.4, 0.4, 0.8, 0.8]},
     "contexts": [{"seed": 12, "mask": [0.4, 0.4, 0.8, 0.8]}]}

Masks are left, top, right and bottom, shares of the image, or the name of an image beside the JSON file, such
as "hat.png", white where the mask is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clavilux.arrays import F32
from clavilux.errors import FileError
from clavilux.image_files import read_image

__all__ = ["EditPlan", "Spot", "read_edit"]


@dataclass(frozen=True)
class Spot:
    """A part of the image of a seed.

    Attributes:
        seed: of the image.
        mask: left, top, right and bottom, shares of the image; or an image, white where it is.
    """

    seed: int
    mask: tuple[float, float, float, float] | Path

    def weights(self, side: int) -> F32:
        """Return the mask over a layer of this side, (side, side), in [0, 1]; at least one cell is 1.

        Raises:
            FileError: the mask is no image that can be read, or black.
        """
        if isinstance(self.mask, Path):
            found = read_image(self.mask, "L", (side, side)).astype(np.float32)
            if not found.any():
                raise FileError(
                    f"The mask '{self.mask}' is black", where=str(self.mask), hint="paint it white"
                )
            shares: F32 = found / found.max()
            return shares
        left, top, right, bottom = (round(edge * side) for edge in self.mask)
        weights = np.zeros((side, side), np.float32)
        weights[top : max(bottom, top + 1), left : max(right, left + 1)] = 1
        return weights

    def cells(self, side: int) -> tuple[slice, slice]:
        """Return the rows and columns of a layer of this side that the mask covers by half or more."""
        rows, columns = (np.flatnonzero((self.weights(side) >= 0.5).any(axis=axis)) for axis in (1, 0))
        return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


@dataclass(frozen=True)
class EditPlan:
    """What is copied, where it is pasted, and which places the rule is for."""

    source: Spot
    paste: Spot
    contexts: tuple[Spot, ...]

    @property
    def files(self) -> list[Path]:
        """The images that are masks, once each."""
        masks = [spot.mask for spot in (self.source, self.paste, *self.contexts)]
        return list(dict.fromkeys(mask for mask in masks if isinstance(mask, Path)))


def read_edit(path: Path) -> EditPlan:
    """Read an edit from a file.

    Raises:
        FileError: it cannot be read, or lacks a part.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        source, paste = (_spot(table[name], path.parent) for name in ("object", "paste"))
        contexts = tuple(_spot(each, path.parent) for each in table.get("contexts") or [table["paste"]])
        return EditPlan(source, paste, contexts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileError(
            f"The edit {path} cannot be read ({type(error).__name__}: {error})",
            where=str(path),
            hint="it needs object, paste and contexts, each with a seed and a mask",
        ) from error


def _spot(table: Mapping[str, Any], folder: Path) -> Spot:
    if isinstance(table["mask"], str):
        return Spot(int(table["seed"]), folder / table["mask"])
    left, top, right, bottom = map(float, table["mask"])
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(f"mask {table['mask']}")
    return Spot(int(table["seed"]), (left, top, right, bottom))
