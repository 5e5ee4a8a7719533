"""Reads what NVIDIA's networks of torch were pickled as: modules with their state, never their source code.

A pickle is a dictionary whose `G_ema` is the generator. Every module was written as a call of
`torch_utils.persistence._reconstruct_persistent_obj` with its class's name, source code and state; a module's
state has `_parameters`, `_buffers` and `_modules`. The source code is never looked at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from clavilux.arrays import AnyArray
from clavilux.generator.checkpoints.arrays import array_of, check_shared
from clavilux.generator.checkpoints.pickles import Record
from clavilux.generator.checkpoints.refusal import FETCH_AGAIN, Missing, Refusal

__all__ = ["PERSISTENT", "Module", "read_module"]

PERSISTENT = "torch_utils.persistence._reconstruct_persistent_obj"
MAX_MODULES = 5000
MAX_DEPTH = 16
MAX_ENTRIES = 200_000
"""Attributes and arrays of all modules."""


@dataclass(frozen=True, eq=False)
class Module:
    """One module of a pickled network.

    Attributes:
        kind: the name of its class.
        values: its plain attributes.
        arrays: its parameters and buffers.
        modules: those inside it.
    """

    kind: str
    values: Mapping[str, Any]
    arrays: Mapping[str, Any]
    modules: Mapping[str, "Module"] = field(default_factory=dict)

    def __getitem__(self, name: str) -> "Module":
        """Return a module inside this one."""
        found = self.modules.get(name)
        if found is None:
            raise Missing(f"its {self.kind[:40]} has no {name[:40]}")
        return found

    def array(self, name: str) -> AnyArray:
        """Return a parameter or buffer."""
        if self.arrays.get(name) is None:
            raise Missing(f"its {self.kind[:40]} has no {name}")
        return array_of(self.arrays[name])

    def number(self, name: str, default: float | None = None) -> float:
        """Return a plain number."""
        value = self.values.get(name, default)
        if value is None:
            raise Missing(f"its {self.kind[:40]} has no {name}")
        return float(array_of(value).reshape(()))

    def whole(self, name: str, default: int | None = None) -> int:
        """Return a whole number within the bounds of any network."""
        value = self.number(name, default)
        if value != int(value) or not 0 <= value < 2**24:
            raise Refusal(f"is damaged: its {self.kind} has {name} {value}", FETCH_AGAIN)
        return int(value)

    def named_arrays(self, prefix: str = "") -> Iterator[tuple[str, AnyArray]]:
        """List every parameter and buffer by its path."""
        for name, value in self.arrays.items():
            if value is not None:
                yield f"{prefix}{name}", array_of(value)
        for name, module in self.modules.items():
            yield from module.named_arrays(f"{prefix}{name}.")


def read_module(value: Any) -> Module:
    """Read a pickled module and all inside it.

    Raises:
        Refusal: it is none, or nested without end.
    """
    modules, entries = 0, 0
    found: list[Any] = []

    def read(value: Any, depth: int) -> Module:
        nonlocal modules, entries
        kind, state = _kind_and_state(value)
        modules += 1
        parts = (state, *map(state.get, ("_parameters", "_buffers", "_modules")))
        entries += sum(len(_named(part)) for part in parts)
        if modules > MAX_MODULES or entries > MAX_ENTRIES or depth > MAX_DEPTH:
            raise Refusal("is hostile: its modules are nested without end")
        arrays = {**_named(state.get("_parameters")), **_named(state.get("_buffers"))}
        inside = {
            name: read(module, depth + 1)
            for name, module in _named(state.get("_modules")).items()
            if module is not None
        }
        found.extend(arrays.values())
        values = {name: value for name, value in state.items() if not name.startswith("_")}
        return Module(kind, values, arrays, inside)

    network = read(value, 0)
    check_shared(found)
    return network


def _kind_and_state(value: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(value, Record) and value.name == PERSISTENT and value.arguments:
        meta = value.arguments[0]
        kind, state = (meta.get("class_name"), meta.get("state")) if isinstance(meta, dict) else (None, None)
    elif isinstance(value, Record):
        kind, state = value.name.rpartition(".")[2], value.state
    else:
        kind, state = None, None
    if not isinstance(kind, str) or not isinstance(state, dict):
        raise Refusal("is damaged: it has something else where a network should be", FETCH_AGAIN)
    return kind, state


def _named(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise Refusal("is damaged: a module has no names", FETCH_AGAIN)
    return value
