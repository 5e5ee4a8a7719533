"""Plugins: packages that add operations and presets, under a name of their own.

A plugin is an installed package with an entry point in the group `clavilux.plugins`, whose module declares
its operations. They are called by the plugin's name, `kick.acme.stutter()`; no built-in one can be replaced.
A plugin is code: it is loaded only where a patch, a preset or a command names something that is not built in.
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from clavilux.errors import PatchError
from clavilux.signals.table import OPS

__all__ = ["GROUP", "find_plugins", "is_namespace", "load_plugins"]

GROUP = "clavilux.plugins"


def find_plugins() -> list[EntryPoint]:
    """List the installed plugins, without loading them."""
    return sorted(entry_points(group=GROUP), key=lambda point: point.name)


@cache
def load_plugins() -> None:
    """Load every installed plugin, once.

    Raises:
        PatchError: one cannot be imported.
    """
    for point in find_plugins():
        try:
            point.load()
        except (Exception, SystemExit) as error:  # code of somebody else
            raise PatchError(
                f"The plugin '{point.name}' cannot be loaded ({type(error).__name__}: {error})",
                where=point.name,
                hint="update it, or remove its package",
            ) from error


def is_namespace(name: str) -> bool:
    """Whether a plugin of this name, or the built-in namespace of rewrites, has operations."""
    if not _has_operations(name):
        load_plugins()
    return _has_operations(name)


def _has_operations(name: str) -> bool:
    return any(op.name.startswith(f"{name}.") for op in OPS.values())
