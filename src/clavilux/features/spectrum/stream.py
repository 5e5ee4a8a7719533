"""Mono samples that are read from front to back, so that a long song is never whole in memory.

Sample positions count from the first sample of the song; before and after the song there is silence.
"""

from collections.abc import Iterable

import numpy as np

from clavilux.arrays import F32

__all__ = ["SampleStream"]


class SampleStream:
    """Samples that arrive in blocks and can be read once, forwards, with overlaps.

    No read may begin before the previous one began: earlier samples have been dropped.

    Args:
        blocks: float32 (m,) each, in order; where they end early, silence follows.
        samples: length of the song in samples.

    >>> stream = SampleStream([np.ones(3, np.float32), np.ones(3, np.float32)], 6)
    >>> stream.read(-1, 4).tolist(), stream.read(4, 8).tolist()
    ([0.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0])
    """

    def __init__(self, blocks: Iterable[F32], samples: int) -> None:
        self._blocks = iter(blocks)
        self._samples = samples
        self._start = 0
        self._kept = np.zeros(0, np.float32)  # samples from _start on

    @classmethod
    def of(cls, samples: "F32 | SampleStream") -> "SampleStream":
        """Return a stream of an array (n,); a stream is returned as it is.

        >>> len(SampleStream.of(np.zeros(7, np.float32)))
        7
        """
        return samples if isinstance(samples, SampleStream) else cls([samples], len(samples))

    def __len__(self) -> int:
        return self._samples

    def read(self, first: int, last: int) -> F32:
        """Return samples [first, last) as float32 (last - first,), 0 outside the song.

        Raises:
            ValueError: the samples begin before those of the previous read.
        """
        low, high = (min(max(place, 0), self._samples) for place in (first, last))
        if low < self._start:
            raise ValueError(f"sample {low} has been dropped: the stream was read from {self._start} on")
        self._advance(low, high)
        samples = np.zeros(last - first, np.float32)
        samples[low - first : high - first] = self._kept[: high - low]
        return samples

    def _advance(self, first: int, last: int) -> None:
        """Drop what comes before ``first`` and collect blocks up to ``last``."""
        parts, end = [self._kept], self._start + len(self._kept)
        while end < last:
            block = next(self._blocks, None)
            parts.append(np.zeros(last - end, np.float32) if block is None else block)
            end += len(parts[-1])
        kept = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self._kept, self._start = kept[first - self._start :], first
