"""Lists of seeds as a user writes them: `1-12,24`."""

import re

from clavilux.errors import SettingError
from clavilux.profile.latent_files import MAX_LATENTS

__all__ = ["parse_seeds"]

PART = re.compile(r"\s*([0-9]{1,18})\s*(?:-\s*([0-9]{1,18})\s*)?", re.ASCII)
MAX_LETTERS = 10_000


def parse_seeds(text: str) -> list[int]:
    """Read numbers and ranges, both ends included, in the order written.

    Raises:
        SettingError: they cannot be read, or are more than a palette holds.

    >>> parse_seeds("1-4, 24")
    [1, 2, 3, 4, 24]
    """
    if len(text) > MAX_LETTERS:
        raise _too_many()
    seeds: list[int] = []
    for part in text.split(","):
        match = PART.fullmatch(part)
        if match is None:
            hint = "write them like 1-12,24"
            raise SettingError(f"'{text[:80]}' is no list of numbers", where="seeds", value=text, hint=hint)
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            hint = f"write {last}-{first}"
            raise SettingError(f"'{part.strip()}' runs backwards", where="seeds", value=text, hint=hint)
        if len(seeds) + last - first >= MAX_LATENTS:
            raise _too_many()
        seeds += range(first, last + 1)
    return seeds


def _too_many() -> SettingError:
    return SettingError(
        "These are too many images", where="seeds", hint=f"a palette has at most {MAX_LATENTS}"
    )
