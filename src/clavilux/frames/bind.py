"""The one place where patch, song and model meet: symbols become arrays."""

from collections.abc import Iterator
from dataclasses import dataclass

from clavilux.features.song import Song
from clavilux.frames.inputs import BoundLatents, BoundNoise
from clavilux.generator.model import Model
from clavilux.generator.program import FrameInputs, Program
from clavilux.patch.latents import GROUPS, LatentField, Loop, Mix, On, Palette, Toward, Weigh
from clavilux.patch.patch import Patch
from clavilux.profile.palettes import choose_palette
from clavilux.profile.survey import survey
from clavilux.signals.evaluate import Evaluation
from clavilux.store import Store
from clavilux.timeline import Window

__all__ = ["BoundPatch", "bind"]


@dataclass(frozen=True)
class BoundPatch:
    """A patch ready to be drawn: frame numbers in, everything that varies out."""

    latents: BoundLatents
    noise: BoundNoise

    def inputs(self, window: Window) -> FrameInputs:
        """Compute what a program needs for the frames of a window."""
        noise = {f"noise/{layer}": maps for layer, maps in self.noise.at(window).items()}
        return {"ws": self.latents.at(window), **noise, "frame": window.indices}


def bind(
    patch: Patch, song: Song, model: Model, program: Program, *, seed: int = 0, store: Store | None = None
) -> BoundPatch:
    """Resolve a patch for a song and a model.

    Palettes become latents of the model, layer groups its layers, signals curves of the song.

    Args:
        patch: what to show.
        song: what is heard.
        model: what draws.
        program: gives the sizes of the noise.
        seed: chooses the noise.
        store: keeps the model's survey, from which palettes are chosen.

    Raises:
        PatchError: the song or the model has no such part.
    """
    evaluation = Evaluation(song)
    known = survey(model, store or Store())
    palettes = {
        palette: choose_palette(known, seed=palette.seed, mood=palette.mood)
        for palette in dict.fromkeys(_palettes(patch.latents))
    }
    groups: dict[str, range] = {name: model.group(name) for name in GROUPS}
    latents = BoundLatents(patch.latents, evaluation, palettes, groups, model.num_ws, model.w_avg, patch.psi)
    shapes = {
        name.removeprefix("noise/"): (spec.shape[1], spec.shape[2])
        for name, spec in program.inputs.items()
        if name.startswith("noise/")
    }
    return BoundPatch(latents, BoundNoise(patch.noise, evaluation, shapes, seed))


def _palettes(field: LatentField) -> Iterator[Palette]:
    match field:
        case Weigh() | Loop():
            yield field.palette
        case Mix():
            yield from _palettes(field.first)
            yield from _palettes(field.second)
        case On():
            yield from _palettes(field.base)
            yield from _palettes(field.other)
        case Toward():
            yield from _palettes(field.base)
            yield field.entry.palette
