"""A patch without some of the song's parts: what follows them stays at zero, the rest plays on."""

from collections.abc import Collection
from typing import Any

from clavilux.errors import PatchError, suggest
from clavilux.patches.patch import Patch
from clavilux.signals.expr import Node, Signal
from clavilux.signals.table import OPS

__all__ = ["AUDIBLE", "muted", "parts_to_mute"]

AUDIBLE = ("kick", "snare", "hats", "bass", "chords", "melody")
"""The parts of a song that can be muted, or be heard alone."""
DRUMS = frozenset({"kick", "snare", "hats"})
KICK_BELOW_HZ, HATS_ABOVE_HZ = 250.0, 5000.0
"""Bands of the drums that count as kick and as hats; snare is what lies between."""
STEMS = {
    "bass": {"bass"},
    "chords": {"chords"},
    "melody": {"melody"},
    "harmonic": {"chords", "bass", "melody"},
}


def parts_to_mute(*, mute: str, solo: str) -> frozenset[str]:
    """Read which parts are muted; 'drums' are kick, snare and hats.

    Args:
        mute: names, with commas between them.
        solo: names of those that are heard alone.

    Raises:
        PatchError: there is no such part.

    >>> sorted(parts_to_mute(mute="drums", solo="")), sorted(parts_to_mute(mute="", solo="kick,bass"))
    (['hats', 'kick', 'snare'], ['chords', 'hats', 'melody', 'snare'])
    """
    alone = _read(solo)
    return _read(mute) | (frozenset(AUDIBLE) - alone if alone else frozenset())


def muted(patch: Patch, parts: Collection[str]) -> Patch:
    """Return a patch whose signals that follow some parts of the song are 0.

    >>> from clavilux.patches.presets.strike import strike
    >>> silent = muted(strike(1), {"kick"})
    >>> silent == strike(1), muted(silent, {"melody"}) == silent
    (False, True)
    """
    made: dict[Node, Any] = {}
    for node in patch.nodes:
        inputs = tuple(made[each] for each in node.inputs)
        again: Any = Node.make(OPS[node.op], inputs, node.params) if inputs != node.inputs else node
        heard = _parts_of(node)
        made[node] = again * 0.0 if isinstance(node, Signal) and heard and heard <= set(parts) else again
    roots = {name: made[root] for name, root in patch.roots.items()}
    bends, rewrites = (
        tuple(root for name, root in roots.items() if name.startswith(kind) and name[len(kind) :].isdigit())
        for kind in ("bend", "rewrite")
    )
    places = {made[node].digest: patch.places[node.digest] for node in made if node.digest in patch.places}
    return Patch(roots["latents"], roots["noise"], roots["psi"], bends, rewrites, places)


def _parts_of(node: Node) -> set[str]:
    """Return the parts of the song that an expression is measured in, if it is."""
    found: set[str] = set()
    for source in node.inputs:
        name = str(dict(source.params).get("name", ""))
        if source.op == "detected":
            found |= {"hats" if name == "hat" else name}
        elif source.op == "stem" and name in {"drums", "percussive"}:
            found |= _drums_in(dict(node.params))
        elif source.op == "stem":
            found |= STEMS.get(name, set())
    return found


def _drums_in(band: dict[str, Any]) -> set[str]:
    """Return the drums that are in a band."""
    low, high = (float(band.get(end, usual)) for end, usual in (("low_hz", 0), ("high_hz", 24000)))
    found = {"snare"} if low < HATS_ABOVE_HZ and high > KICK_BELOW_HZ else set()
    return found | ({"kick"} if low < 100 else set()) | ({"hats"} if high > 8000 else set())


def _read(names: str) -> frozenset[str]:
    found: set[str] = set()
    for name in filter(None, (part.strip() for part in names.split(","))):
        known = {"drums": DRUMS, "hat": {"hats"}, **{each: {each} for each in AUDIBLE}}
        if name not in known:
            hint = suggest(name, ("drums", *AUDIBLE), otherwise="there are {}")
            raise PatchError(f"There is no part '{name}' to mute", where="mute", value=name, hint=hint)
        found |= set(known[name])
    return frozenset(found)
