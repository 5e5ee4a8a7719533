"""One setting: its default, what it does, and how it is written, defined once for every surface.

A dataclass field made by `setting` carries what a command line, a project file or a form needs to offer it.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clavilux.errors import SettingError

__all__ = ["Setting", "check", "setting", "settings_of"]

KEY = "clavilux"


@dataclass(frozen=True)
class Setting:
    """What a surface needs to know of a setting.

    Attributes:
        name: the field's.
        about: what it does, in a sentence.
        default: its value unless it is given.
        placeholder: what stands for its value in help texts, such as WxH; empty for switches.
        parse: reads it from text; none where the text is the value, or a plain number.
        usual: what the default amounts to, in words; empty where the value itself is clear.
        type: int, float, str or bool, of the value or of the text that is parsed; list for one that is given
            several times.
        option: its name on the command line, where that is not the field's.
    """

    name: str
    about: str
    default: Any
    placeholder: str = ""
    parse: Callable[[Any], Any] | None = None
    usual: str = ""
    type: type = str
    option: str = ""


def setting(  # noqa: PLR0913  # the fields of `Setting`
    default: Any,
    about: str,
    *,
    placeholder: str = "",
    parse: Callable[[Any], Any] | None = None,
    usual: str = "",
    type: type = str,  # noqa: A002  # what it is
    option: str = "",
) -> Any:
    """Declare a dataclass field as a setting; the arguments are those of `Setting`."""
    known = Setting("", about, default, placeholder, parse, usual, type, option)
    return dataclasses.field(default=default, metadata={KEY: known})


def settings_of(group: Any) -> dict[str, Setting]:
    """Return the settings of a dataclass by name; other fields are not among them."""
    return {
        field.name: dataclasses.replace(field.metadata[KEY], name=field.name)
        for field in dataclasses.fields(group)
        if KEY in field.metadata
    }


def check(fine: bool, what: str, *, where: str, value: object, hint: str) -> None:
    """Refuse a value.

    Raises:
        SettingError: it is not fine.
    """
    if not fine:
        raise SettingError(what, where=where, value=value, hint=hint)
