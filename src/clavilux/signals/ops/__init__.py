"""The signal operations, by what they do: read a song or a file, and shape events and curves.

Every op works on float64 arrays (T, C) on the 100 Hz control clock and returns a new one; some also get the
`Song`. A signal that is one number is (1, C). Averages look both ways in time, so they do not lag, and the
end of the song never wraps into its beginning; the ops in `motion` look back alone.
"""

from clavilux.signals.ops import (
    clocks,
    combine,
    envelopes,
    events,
    files,
    levels,
    motion,
    sections,
    shapes,
    sources,
)

__all__ = [
    "clocks",
    "combine",
    "envelopes",
    "events",
    "files",
    "levels",
    "motion",
    "sections",
    "shapes",
    "sources",
]
