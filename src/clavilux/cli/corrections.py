"""Corrections of what was detected in a song, as options."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clavilux.project.setting import setting

if TYPE_CHECKING:
    from clavilux.features.corrections import Corrections

__all__ = ["CorrectionOptions"]


def _time(text: str) -> float:
    from clavilux.timeline import parse_time

    return float(parse_time(text))


@dataclass(frozen=True)
class CorrectionOptions:
    """Tempo, bars and sections of a song, given by the user.

    Attributes:
        bpm: tempo in beats per minute.
        tempo: half or double of the detected tempo.
        first_downbeat: where a bar begins, seconds.
        beats_per_bar: beats in a bar.
        labels: files with beats and sections.
    """

    bpm: float | None = setting(
        None,
        "The song's tempo in beats per minute, 20 to 400.",
        placeholder="N",
        usual="as detected",
        type=float,
    )
    tempo: str | None = setting(
        None,
        "half or double: the detected tempo, halved or doubled.",
        placeholder="NAME",
        usual="as detected",
    )
    first_downbeat: float | None = setting(
        None,
        "Where a bar of the song begins: 0.52 or 0:00.52.",
        placeholder="TIME",
        parse=_time,
        usual="as detected",
    )
    beats_per_bar: int | None = setting(
        None, "Beats in a bar, 2 to 7.", placeholder="N", usual="as detected", type=int
    )
    labels: list[str] | None = setting(
        None,
        "Beats and sections from a label track of Audacity or a table exported here; may be repeated.",
        placeholder="FILE",
        type=list,
    )

    @property
    def files(self) -> list[Path]:
        """The label files."""
        return [Path(name) for name in self.labels or ()]

    @property
    def given(self) -> "Corrections":
        """Tempo and bars, checked together.

        Raises:
            SettingError: one of them cannot be, or two contradict each other.
        """
        from clavilux.annotations.sidecar import TEMPI
        from clavilux.errors import SettingError
        from clavilux.features.corrections import Corrections

        if self.tempo is not None and self.tempo not in TEMPI:
            hint = f"it is {' or '.join(TEMPI)}; for a number use --bpm"
            raise SettingError(f"The tempo cannot be '{self.tempo}'", where="tempo", hint=hint)
        return Corrections(
            bpm=self.bpm,
            tempo_factor=TEMPI[self.tempo] if self.tempo else 1.0,
            first_downbeat=self.first_downbeat,
            beats_per_bar=self.beats_per_bar,
        )

    @property
    def labelled(self) -> "Corrections":
        """Beats and sections of the label files.

        Raises:
            FileError: one cannot be used.
        """
        from clavilux.annotations.sidecar import read_labels

        return read_labels(self.files)

    def applied_to(self, song: Path) -> "Corrections":
        """What is kept beside a song, overridden by what is given now.

        Raises:
            FileError, SettingError: a file cannot be used, or what is given contradicts itself.
        """
        from clavilux.annotations.sidecar import corrected

        return corrected(song, self.given, self.files)
