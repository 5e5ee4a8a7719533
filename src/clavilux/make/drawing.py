"""The side of a job that draws: a model, its programs, and what a patch takes from it.

PyTorch takes two seconds to import, so it is imported only where it is needed: to compile a program for the
first time, to find out something of the model that is not kept yet, to draw on a card.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clavilux.arrays import F32
from clavilux.engine.choose import needs_torch
from clavilux.engine.memory import check_memory
from clavilux.frames.bind import bind, choose_directions, choose_palettes, files_of
from clavilux.frames.bound import Bound
from clavilux.generator.canvas import check_cells, default_cells
from clavilux.generator.change import Change
from clavilux.generator.model import Model
from clavilux.generator.program import Program
from clavilux.make.changes import blended_models, changes_of
from clavilux.make.workspace import Workspace
from clavilux.patches.palette import Palette
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.patches.patch import Patch
from clavilux.pixel_formats import PixelFormat
from clavilux.profile.survey import Progress, Survey
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.signals.evaluate import Curves
from clavilux.signals.expr import Node

__all__ = ["Drawing"]


@dataclass(frozen=True)
class Drawing:
    """A model at the size of an output.

    Attributes:
        model: what draws.
        output: what is made.
        cells: rows and columns of the constant.
        workspace: where results are kept.
    """

    model: Model
    output: Output
    cells: tuple[int, int]
    workspace: Workspace

    @classmethod
    def load(
        cls, file: Path, output: Output, machine: Machine, workspace: Workspace, *, preview: int | None = None
    ) -> Drawing:
        """Load a model, and check that this machine can draw it.

        Args:
            file: the checkpoint.
            output: what is made.
            machine: where it is drawn.
            workspace: where results are kept.
            preview: height of the preview that is drawn instead, px.

        Raises:
            ClaviluxError: it cannot be read, or not drawn here.
        """
        model = workspace.model(str(file))
        cells = output.cells or default_cells(model.sizes, output.size)
        check_cells(model.sizes, cells)
        shown = output if preview is None else output.preview(preview)
        check_memory(model.sizes, shown.size, cells, machine.device)
        return cls(model, output, cells, workspace)

    def program(self, patch: Patch, pixels: PixelFormat) -> Program:
        """Return the model's program with the bends and rewrites of a patch.

        Raises:
            ClaviluxError: the model has no such layer, or a file cannot be used.
        """
        return Program(
            self.model,
            size=self.output.size,
            cells=self.cells,
            pixels=pixels,
            taps=self._changes(patch.bends),
            rewrites=self._changes(patch.rewrites),
        )

    def import_engine(self, pixels: PixelFormat, machine: Machine, *, preview: int | None = None) -> None:
        """Import PyTorch ahead, where nothing of the model is compiled at this size with whatever patch.

        Args:
            pixels: the pixel format that will be drawn.
            machine: where it is drawn.
            preview: height of the preview that is drawn instead, px.
        """
        program = Program(self.model, size=self.output.size, cells=self.cells, pixels=pixels)
        program = program if preview is None else program.preview(preview)
        if self.needs_torch(program, machine):
            import torch  # noqa: F401  # in the thread that calls this, while the song is heard

    def needs_torch(self, program: Program, machine: Machine) -> bool:
        """Return whether a program, or one with other changes, has yet to be compiled; see `needs_torch`."""
        cache = self.workspace.engine
        return needs_torch(program, device=machine.device, precision=machine.precision, cache=cache)

    def survey(self, progress: Progress) -> Survey:
        """Survey the model, or read its survey."""
        return self.workspace.survey(self.model, progress)

    def palettes(self, patch: Patch, progress: Progress) -> dict[Palette, PaletteLatents]:
        """Choose the latents of a patch's palettes; see `choose_palettes`."""
        workspace = self.workspace
        find_pool = functools.partial(self.survey, progress)
        return choose_palettes(patch, self.model, workspace.store, workspace.palettes, find_pool=find_pool)

    def directions(self, patch: Patch) -> dict[str, F32]:
        """Find the directions along which a patch pushes latents; see `choose_directions`."""
        return choose_directions(patch, self.model, self.workspace.store)

    def bind(  # everything that a bound patch is made of
        self,
        patch: Patch,
        curves: Curves,
        program: Program,
        *,
        seed: int,
        palettes: Mapping[Palette, PaletteLatents],
        directions: Mapping[str, F32],
    ) -> Bound:
        """Bind a patch to a song's curves and the model; see `clavilux.frames.bind.bind`."""
        return bind(patch, curves, self.model, program, seed=seed, palettes=palettes, directions=directions)

    def files(self, patch: Patch) -> list[Path]:
        """List the files on whose content a patch depends."""
        return files_of(patch, self.workspace.palettes)

    def blended(self, patch: Patch) -> tuple[str, ...]:
        """Return the hashes of the models that a patch mixes with this one."""
        return tuple(each.digest for each in blended_models(patch.rewrites, self.workspace.model))

    def _changes(self, nodes: Sequence[Node]) -> list[Change]:
        workspace = self.workspace
        return changes_of(nodes, self.model, self.cells, workspace.store, workspace.model)
