"""Errors in the command line's own terms: what the library leaves to its surface becomes an option."""

from collections.abc import Mapping

from clavilux.errors import ClaviluxError, Remedy

__all__ = ["as_table", "explain"]

REMEDIES: Mapping[Remedy, str] = {
    "overwrite": "add --force to replace it, or choose another name",
    "target": "choose another place",
    "stems": "name the right folder with --stems",
    "model": "name its file with --model",
}
"""What to type instead of the error's own hint, where the hint is of use only in Python."""

OPTIONS: Mapping[Remedy, str] = {
    "seed": "--seed",
    "tempo": "--bpm or --tempo",
    "device": "--device",
    "precision": "--precision",
    "size": "--size",
}
"""The option that an error's own hint is about."""


def explain(error: ClaviluxError) -> str:
    """Return the whole sentence: what is wrong, and what to type."""
    if error.remedy is None or error.hint.startswith("did you mean"):
        return str(error)
    if error.remedy in REMEDIES:
        return error.explain(REMEDIES[error.remedy])
    return error.explain(
        f"{error.hint} ({OPTIONS[error.remedy]})" if error.hint else f"see {OPTIONS[error.remedy]}"
    )


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
