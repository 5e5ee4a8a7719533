"""What recipes may hold: every value's type and bounds, checked before any of it is used.

The schemas of projects and outputs are made from the settings' own dataclasses, so a new setting is known
here at once. A key that is missing has the setting's default; one that is unknown is refused.
"""

import types
from collections.abc import Mapping
from fractions import Fraction
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from clavilux.errors import FileError
from clavilux.features.corrections import Corrections
from clavilux.patches.patch import Patch
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.schemas import MAX_ROWS, Count, Name, Seconds, converted

__all__ = ["MadeTable", "check_group", "check_made", "types_of"]

Side = Annotated[int, Meta(ge=1, le=100_000)]
Ratio = Annotated[str, Meta(max_length=80, pattern=r"^-?\d{1,30}(\.\d{1,30})?(/0*[1-9]\d{0,29})?$")]
MAX_DEPTH = 8
Group = TypeVar("Group", Project, Output, Machine)


class PatchTable(Struct, forbid_unknown_fields=True):
    """A patch by its exact text."""

    text: Annotated[str, Meta(max_length=200_000)]


class BeatsTable(Struct, forbid_unknown_fields=True):
    """Beats given by the user."""

    times: Annotated[list[Seconds], Meta(max_length=MAX_ROWS)]
    bars: Annotated[list[Count], Meta(max_length=MAX_ROWS)] | UnsetType = UNSET
    beats_per_bar: Annotated[int, Meta(ge=1, le=64)] | UnsetType = UNSET
    each: Literal["beat", "bar"] | UnsetType = UNSET


class SectionsTable(Struct, forbid_unknown_fields=True):
    """Sections given by the user."""

    bounds: Annotated[list[Seconds], Meta(max_length=MAX_ROWS)]
    labels: Annotated[list[Name], Meta(max_length=MAX_ROWS)]


class CorrectionsTable(Struct, forbid_unknown_fields=True):
    """What the user corrected."""

    bpm: float | UnsetType = UNSET
    first_downbeat: Seconds | UnsetType = UNSET
    beats_per_bar: Count | UnsetType = UNSET
    tempo_factor: float | UnsetType = UNSET
    beats: BeatsTable | UnsetType = UNSET
    sections: SectionsTable | UnsetType = UNSET
    tracks: SectionsTable | UnsetType = UNSET


WIRE: Mapping[Any, Any] = {
    Fraction: Ratio,
    int: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)],
    float: Annotated[float, Meta(ge=-1e12, le=1e12)],
    str: Name,
    bool: bool,
    type(None): None,
    Patch: PatchTable,
    Corrections: CorrectionsTable,
}
"""How values of a type are written in a file."""


class MadeTable(Struct):
    """How a video was made."""

    version: Annotated[str, Meta(max_length=100)]
    precision: Annotated[str, Meta(max_length=100)]
    engines: Annotated[list[Name], Meta(max_length=100)]
    identity: dict[Name, Any]
    pixels: Name


def check_made(values: Mapping[str, Any]) -> MadeTable:
    """Check what a recipe says of how a video was made.

    Raises:
        FileError: a value is missing, of another type or out of its bounds.
    """
    table: MadeTable = converted(values, MadeTable)
    _check_depth(table.identity)
    return table


def check_group(group: type[Group], values: Mapping[str, Any]) -> dict[str, Any]:
    """Check the plain values of a group of settings; return those that are there.

    Raises:
        FileError: a value is unknown, of another type or out of its bounds.

    >>> check_group(Output, {"size": [1280, 720]})
    {'size': (1280, 720)}
    """
    fields = [(name, _wire(kind) | UnsetType, UNSET) for name, kind in types_of(group).items()]
    schema = msgspec.defstruct(group.__name__, fields, forbid_unknown_fields=True, kw_only=True)
    found: dict[str, Any] = msgspec.to_builtins(converted(values, schema))
    return found


def types_of(group: type[Group]) -> dict[str, Any]:
    """Return the type of every setting of a group.

    >>> types_of(Output)["fps"]
    <class 'fractions.Fraction'>
    """
    names = {"Patch": Patch, "Preset": Patch, "Corrections": Corrections, "Mapping": Mapping}
    return get_type_hints(group, localns=names)


def _wire(kind: Any) -> Any:
    if get_origin(kind) in {types.UnionType, Union}:
        return reduce(or_, [_wire(each) for each in get_args(kind)])
    if get_origin(kind) is Mapping:
        return dict[Name, reduce(or_, [_wire(each) for each in get_args(get_args(kind)[1])])]  # type: ignore[misc]
    if get_origin(kind) is tuple:
        return tuple[(Side,) * len(get_args(kind))]  # type: ignore[misc]
    return WIRE[kind]


def _check_depth(value: object, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise FileError(f"it is nested more than {MAX_DEPTH} deep")
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inside:
        _check_depth(each, depth + 1)
