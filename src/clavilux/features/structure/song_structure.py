"""The structure of one song: sections on several levels of detail, tracks and loop length, found once.

Sections depend on the beats and bars they are cut at, so each grid has a store key of its own.
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

from clavilux.curves import Grid, Sections
from clavilux.errors import SongError
from clavilux.features.spectrum.recording import Recording
from clavilux.features.spectrum.sources import versioned
from clavilux.features.structure.find import Structure, find_structure
from clavilux.store import Arrays

__all__ = ["VERSION", "SongStructure"]

VERSION = 0
"""Of the stored structure; raise it when the method changes."""


@dataclass(frozen=True, eq=False)
class SongStructure:
    """The structure of a song.

    Attributes:
        mix: the song.
        grid: its beats and bars.
        tuning: semitones from A4 = 440 Hz.
        duration: s.
    """

    mix: Recording
    grid: Grid
    tuning: float
    duration: float

    @cached_property
    def found(self) -> Structure:
        """The structure on every level of detail."""
        grid = self.grid
        beats = blake2b(grid.beats.tobytes() + grid.bars.tobytes(), digest_size=8).hexdigest()

        def find() -> Arrays:
            return find_structure(self.mix.analysis, grid, self.tuning, self.duration).arrays()

        key = self.mix.key(versioned(f"structure/{beats}", VERSION))
        return Structure.of(self.mix.store.fetch(key, find))

    def at_detail(self, detail: int) -> Sections:
        """Return the sections with at most ``detail`` different labels, 2 to 10.

        Raises:
            SongError: there is no such detail.
        """
        levels = self.found.levels
        if not 2 <= detail <= len(levels) + 1:
            raise SongError(
                f"There is no level of detail {detail}",
                value=detail,
                hint=f"the detail of sections goes from 2 to {len(levels) + 1}",
            )
        return levels[detail - 2]
