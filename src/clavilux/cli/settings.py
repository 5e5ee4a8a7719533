"""Options from settings: the fields of a dataclass become the options of a command, defined once.

Typer has no option groups from dataclasses, so `takes` writes them into the signature that typer reads.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Annotated, Any, TypeVar

import typer

from clavilux.project.setting import Setting, settings_of

__all__ = ["Chosen", "takes"]

R = TypeVar("R")


@dataclass(frozen=True)
class Chosen:
    """What the options of a command were set to, read from their text.

    Attributes:
        values: by group and name of the setting.
        typed: names of those that were typed; the others have their defaults.
    """

    values: Mapping[type, Mapping[str, Any]] = field(default_factory=dict)
    typed: frozenset[str] = frozenset()

    def group(self, kind: type[R], **others: Any) -> R:
        """Make the dataclass of a group.

        Raises:
            SettingError: a value is out of its range.
        """
        return kind(**{**self.values.get(kind, {}), **others})

    def over(self, given: R, *, omit: tuple[str, ...] = (), **others: Any) -> R:
        """Return a group with what was typed in place of its own values.

        Raises:
            SettingError: a value is out of its range.
        """
        typed = {
            name: value
            for name, value in self.values.get(type(given), {}).items()
            if name in self.typed and name not in omit
        }
        return dataclasses.replace(given, **{**typed, **others})  # type: ignore[type-var]


def takes(*groups: type, omit: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add an option to a command for every setting of some dataclasses.

    The command gets them as its argument `chosen`, whose place in its signature they take.

    Args:
        groups: dataclasses whose fields are made by `clavilux.project.setting.setting`.
        omit: settings that this command does without.
    """
    listed = [
        (group, known) for group in groups for name, known in settings_of(group).items() if name not in omit
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(ctx: typer.Context, **given: Any) -> None:
            values: dict[type, dict[str, Any]] = {group: {} for group in groups}
            for group, known in listed:
                values[group][known.name] = _read(known, given.pop(known.name))
            names = [known.name for _, known in listed]
            typed = frozenset(name for name in names if _is_typed(ctx, name))
            command(chosen=Chosen(values, typed), **given)

        context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        parameters = [context]
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            options = [_option(known) for _, known in listed]
            parameters += options if parameter.name == "chosen" else [parameter]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _option(known: Setting) -> inspect.Parameter:
    """Write a setting as typer reads it; what is parsed from text is text."""
    word = known.option or known.name.replace("_", "-")
    name = f"--{word}/--no-{word}" if known.type is bool else f"--{word}"
    many = known.type is list
    kind: Any = list[str] | None if many else known.type
    if known.default is None and not many:
        kind = kind | None
    shown: Any = known.usual or (known.default is not None and not many)
    default = None if known.default is None or many else known.default
    if known.parse is not None and default is not None:
        default = known.usual  # the default as text
        shown = True
    option = typer.Option(name, metavar=known.placeholder or None, help=known.about, show_default=shown)
    return inspect.Parameter(
        known.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def _read(known: Setting, value: Any) -> Any:
    return known.parse(value) if known.parse is not None and value is not None else value
