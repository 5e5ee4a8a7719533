"""Sound that is never whole in memory: made while it is read, from front to back.

What a long song costs should not grow with it. A `SampleStream` is sliced like an array of samples; it keeps
what was made since the beginning of the latest slice.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["SampleStream", "Sound"]

Array = NDArray[np.float32]


class Sound(Protocol):
    """Mono samples (n,): an array, or a `SampleStream`."""

    def __len__(self) -> int: ...

    def __getitem__(self, span: slice, /) -> Array: ...


class SampleStream:
    """Samples of a stream, by their place.

    No slice may begin before the one asked for last. A stream that ends early goes on in silence.

    Args:
        blocks: float32 (m,) each, in order.
        samples: how many there are of them together.

    >>> tape = SampleStream(iter([np.ones(3, np.float32), np.ones(3, np.float32)]), 8)
    >>> tape[1:4].tolist(), tape[4:9].tolist()
    ([1.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0])
    """

    def __init__(self, blocks: Iterable[Array], samples: int) -> None:
        self._blocks = iter(blocks)
        self._samples = samples
        self._start = 0
        self._kept = np.zeros(0, np.float32)

    def __len__(self) -> int:
        return self._samples

    def __getitem__(self, span: slice, /) -> Array:
        """Return samples ``span``, float32 (n,).

        Raises:
            ValueError: they begin before those asked for last.
        """
        first, last, _ = span.indices(self._samples)
        if first < self._start:
            raise ValueError(f"the tape is past sample {first}; it is at {self._start}")
        self._wind(first, max(first, last))
        return self._kept[: max(0, last - first)]

    def _wind(self, first: int, last: int) -> None:
        """Keep what there is from ``first`` on, and at least until ``last``."""
        parts, end = [self._kept], self._start + len(self._kept)
        while end < last:
            block = next(self._blocks, None)
            parts.append(np.zeros(last - end, np.float32) if block is None else block)
            end += len(parts[-1])
        self._kept, self._start = np.concatenate(parts)[first - self._start :], first
