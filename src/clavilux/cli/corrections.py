"""What a person says about a song on the command line, in numbers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clavilux.features.corrections import Corrections

__all__ = ["corrections_from"]


def corrections_from(
    *, bpm: float | None, tempo: str | None, first_downbeat: str | None, beats_per_bar: int | None
) -> "Corrections":
    """Read the options that correct tempo and bars, and check all of them together.

    Raises:
        SettingError: one of them cannot be, or two contradict each other.
    """
    from clavilux.annotations.sidecar import TEMPI
    from clavilux.errors import SettingError
    from clavilux.features.corrections import Corrections
    from clavilux.timeline import parse_time

    if tempo is not None and tempo not in TEMPI:
        raise SettingError(f"The tempo can be {' or '.join(TEMPI)}, not '{tempo}'; for a number use --bpm.")
    return Corrections(
        bpm=bpm,
        tempo_factor=TEMPI[tempo] if tempo else 1.0,
        first_downbeat=None if first_downbeat is None else float(parse_time(first_downbeat)),
        beats_per_bar=beats_per_bar,
    )
