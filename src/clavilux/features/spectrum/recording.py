"""One recording, a song or a stem of it, and its analysis: computed once and stored."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clavilux.arrays import F16
from clavilux.audio.sound import Audio
from clavilux.features.spectrum.analysis import Analysis, analyse
from clavilux.features.spectrum.cqt import pitch_strengths
from clavilux.features.spectrum.spectra import RATE
from clavilux.features.spectrum.stream import SampleStream
from clavilux.store import Arrays, Store

__all__ = ["VERSION", "Recording"]

VERSION = 3
"""Raised whenever the analysis changes: stored results of older versions are never used again."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Audio and its analysis.

    Results are stored under the hash of the samples. Audio is analysed at a level of its own, see ``gain``.

    >>> Recording(Audio.from_samples(np.zeros(8000), 8000), Store()).analysis.rms["mix"].max().item()
    0.0
    """

    audio: Audio
    store: Store

    @property
    def gain(self) -> float:
        """The power of two that raises the peak to [0.5, 1): half precision then suits a quiet song too."""
        return float(2.0 ** -np.frexp(self.audio.peak)[1])

    @cached_property
    def analysis(self) -> Analysis:
        """The measures of every frame, of the samples times ``gain``."""
        return Analysis.of(self.store.fetch(self.key("analysis"), lambda: analyse(self._stream()).arrays()))

    @cached_property
    def mix_pitches(self) -> F16:
        """The pitches of the whole mix, percussion included, (T, 252), of the samples times ``gain``."""

        def measure() -> Arrays:
            return {"pitches": pitch_strengths(self._stream())}

        return np.asarray(self.store.fetch(self.key("mix"), measure)["pitches"], np.float16)

    def key(self, name: str) -> str:
        """Return the store key of a result of this recording."""
        return f"{self.audio.digest}/{name}/{VERSION}{'/turned' if self.audio.turned else ''}"

    def forget(self) -> None:
        """Free the memory of what the store keeps; it is read from there when asked for again."""
        if self.store.folder is not None:
            for name in ("analysis", "mix_pitches"):
                self.__dict__.pop(name, None)

    def _stream(self) -> SampleStream:
        """Return the samples to analyse: mono, times ``gain``, without offset; nothing of silence."""
        offset, gain = np.float32(self.audio.mean), np.float32(self.gain)
        blocks = ((block - offset) * gain for block in self.audio.mono_blocks(RATE))
        return SampleStream(() if self.audio.silent else blocks, self.audio.mono_samples(RATE))
