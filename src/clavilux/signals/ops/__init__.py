"""The signal operations, by what they do: read a song, shape events, shape curves, combine curves.

Every op works on float64 arrays (T, C) on the 100 Hz control clock and returns a new one; some also get the
`Song`. Filters look both ways in time, so nothing lags, and the end of the song never wraps into its
beginning.
"""

from clavilux.signals.ops import combine, envelopes, shapes, sources

__all__ = ["combine", "envelopes", "shapes", "sources"]
