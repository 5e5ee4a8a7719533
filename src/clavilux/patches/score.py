"""Scores: which patch plays when. A score is one patch, made of others and of curves that rise at changes.

Scenes follow one another (`score`), or every section of the song plays the patch of its label (`by_section`).
Between two scenes latents cross linearly and noise at constant power, so a crossfade neither dips nor swells.
Bends and rewrites act in their own scenes: their `amount` crosses over with the scene.

>>> from clavilux.patches.presets.pulse import pulse
>>> calm, wild = pulse(1, punch=0.2), pulse(2, punch=1.5)
>>> set_of_two = score(scene(calm, until="bar 17"), scene(wild, fade=bars(2)))
>>> print(set_of_two.noise.op, set_of_two.latents.op)
noise.switch latent.switch
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from clavilux.errors import PatchError
from clavilux.moments import Fade, Moment
from clavilux.patches.patch import Patch
from clavilux.signals.expr import Node, Signal, apply, as_signal
from clavilux.signals.table import OPS

__all__ = ["Scene", "bars", "beats", "by_section", "scene", "score", "seconds"]

T = TypeVar("T", bound=Node)
CUT, END = Fade(0, "seconds"), Moment("end")


@dataclass(frozen=True)
class Scene:
    """A patch, and when it ends.

    Attributes:
        patch: what is shown.
        until: the moment it ends; the last scene's does not matter.
        fade: how long the change to it takes, centred on its beginning.
    """

    patch: Patch
    until: Moment = END
    fade: Fade = CUT


def seconds(number: float) -> Fade:
    """Return a length in seconds."""
    return Fade(number, "seconds")


def beats(number: float) -> Fade:
    """Return a length in beats."""
    return Fade(number, "beats")


def bars(number: float) -> Fade:
    """Return a length in bars."""
    return Fade(number, "bars")


def scene(patch: Patch, *, until: str | float | Moment = END, fade: str | Fade = CUT) -> Scene:
    """Show a patch until a moment: a time, a bar, a beat, a section such as 'B.2', or the end.

    Args:
        patch: what is shown.
        until: when it ends; a number is seconds.
        fade: how long the change from the scene before takes, such as '2 bars', centred on the moment of the
            change.

    Raises:
        SettingError: `until` is no moment, or `fade` no length.
    """
    return Scene(patch, until if isinstance(until, Moment) else Moment.parse(str(until)), _fade_of(fade))


def score(*scenes: Scene) -> Patch:
    """Join scenes, in order, into one patch.

    Raises:
        PatchError: there is no scene, or one before the last has no end.
    """
    if not scenes:
        raise PatchError("A score needs at least one scene", where="score", hint="write scene(...) in it")
    for before in scenes[:-1]:
        if before.until.unit == "end":
            raise PatchError(
                "Only the last scene lasts until the end",
                where="until",
                value=str(before.until),
                hint="say when the ones before end",
            )
    return _joined_scenes(scenes)


def by_section(*, fade: str | Fade = CUT, otherwise: Patch | None = None, **patches: Patch) -> Patch:
    """Play a patch in every section of a label, so that what recurs in the song recurs in the image.

    Args:
        fade: how long each change takes, centred on the sections' bounds.
        otherwise: plays where no label fits; the first patch unless given.
        **patches: by label: A=calm, B=garden; `loudest` and `quietest` are the labels of those sections.
            A later one replaces an earlier one where both fit.

    Raises:
        PatchError: there is no patch.
        SettingError: `fade` is no length.
    """
    length = _fade_of(fade)
    if not patches:
        raise PatchError("A score by section needs a patch", where="by_section", hint="write A=..., B=...")
    names = list(patches)
    if otherwise is None:
        otherwise, names = patches[names[0]], names[1:]
    gates = []
    for number, name in enumerate(names):
        later = ";".join(names[number + 1 :])
        params = {"name": name, "unless": later, length.unit: length.number}
        gates.append(apply(OPS["in_section"], (), params))
    # Scene k is laid over the ones before it, so that each has its own share g_k of the whole:
    # a_k = g_k / (g_0 + ... + g_k), g_0 = 1 - g_1 - ... - g_n
    shown = as_signal(1.0)
    for gate in gates:
        shown = shown - gate
    shown = shown.max(0.0)
    whole = otherwise
    for name, gate in zip(names, gates, strict=True):
        shown = shown + gate
        whole = _switched(whole, patches[name], gate / shown)
    return whole


def _fade_of(fade: str | Fade) -> Fade:
    return fade if isinstance(fade, Fade) else Fade.parse(str(fade))


def _joined_scenes(scenes: Sequence[Scene]) -> Patch:
    """Change from the first half of the scenes to the second, each joined likewise: a mix has hundreds."""
    if len(scenes) == 1:
        return scenes[0].patch
    middle = len(scenes) // 2
    before, after = scenes[middle - 1], scenes[middle]
    params = {"at": str(before.until), after.fade.unit: after.fade.number}
    changed = apply(OPS["fade"], (), params)
    return _switched(_joined_scenes(scenes[:middle]), _joined_scenes(scenes[middle:]), changed)


def _switched(first: Patch, second: Patch, amount: Signal) -> Patch:
    """Change from one patch to another as `amount` rises from 0 to 1."""
    if first == second:
        return first
    changes: dict[str, Any] = {
        kind: apply(OPS[f"{kind}.switch"], (a, b, amount), {}) if a != b else a
        for kind, a, b in (
            ("latent", first.latents, second.latents),
            ("noise", first.noise, second.noise),
        )
    }
    psi = as_signal(first.psi)
    if first.psi != second.psi:
        psi = psi * (1 - amount) + as_signal(second.psi) * amount  # exact at 0 and 1, as a + t (b - a) is not
    bends = _joined(first.bends, second.bends, amount)
    rewrites = _joined(first.rewrites, second.rewrites, amount)
    places = first.places if first.places is second.places else {**second.places, **first.places}
    gated = {made.digest: places.get(own.digest, "") for made, own in (bends | rewrites).items()}
    places = {**{digest: place for digest, place in gated.items() if place}, **places}
    return Patch(changes["latent"], changes["noise"], psi, tuple(bends), tuple(rewrites), places)


def _joined(first: Sequence[T], second: Sequence[T], amount: Signal) -> dict[T, T]:
    """Let changes of one of two patches act in it alone; those of both go on. Returns made -> given."""
    return {
        **{each if each in second else _gated(each, 1 - amount): each for each in first},
        **{each if each in first else _gated(each, amount): each for each in second},
    }


def _gated(change: T, gate: Signal) -> T:
    """Multiply the strength of a bend or rewrite; one without an `amount` acts throughout."""
    op = OPS[change.op]
    if "amount" not in op.inputs:
        return change
    inputs: list[Any] = list(change.inputs)
    place = op.inputs.index("amount")
    inputs[place] = gate if inputs[place] == as_signal(1.0) else inputs[place] * gate
    made: Any = Node.make(op, tuple(inputs), change.params)
    return made  # type: ignore[no-any-return]
