"""Errors in the command line's own terms: what the library leaves to its surface becomes an option."""

from collections.abc import Mapping

from clavilux.errors import ClaviluxError, Remedy

__all__ = ["as_table", "explain"]

REMEDIES: Mapping[Remedy, str] = {
    "overwrite": "add --force to replace it, or choose another name with -o",
    "target": "choose another place with -o",
    "stems": "name the right folder with --stems",
    "model": "name its file with --model",
    "seed": "choose another --seed",
    "tempo": "use --bpm or --tempo",
    "device": "choose another --device",
    "precision": "use --precision auto or exact",
}
"""The option that helps, where it says more than the error's own hint; a size keeps its own hint."""


def explain(error: ClaviluxError) -> str:
    """Return the whole sentence: what is wrong, and what to type."""
    remedy = REMEDIES.get(error.remedy) if error.remedy else None
    return error.explain(remedy) if remedy else str(error)


def as_table(error: ClaviluxError) -> dict[str, object]:
    """Return an error's fields as plain values, for programs that asked for JSON."""
    value = error.value if isinstance(error.value, str | int | float | None) else str(error.value)
    return {
        "error": {
            "kind": type(error).__name__,
            "what": error.what,
            "where": error.where,
            "value": value,
            "hint": error.hint,
            "sentence": explain(error),
        }
    }
