"""One piece of sound, a song or a stem of it, and what was heard in it: found once and kept."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clavilux.audio.sound import Audio
from clavilux.features.spectrum.analysis import Analysis, analyse
from clavilux.features.spectrum.cqt import pitch_strengths
from clavilux.features.spectrum.spectra import RATE, Half
from clavilux.features.spectrum.stream import SampleStream
from clavilux.store import Arrays, Store

__all__ = ["VERSION", "Recording"]

VERSION = 3
"""Raised whenever what is heard, or how, changes: entries of older versions are never met again."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Sound, and what was heard in it.

    What is kept in the store goes by the hash of the samples. Sound is heard at its own level, see ``gain``.

    >>> Recording(Audio.from_samples(np.zeros(8000), 8000), Store()).analysis.rms["mix"].max().item()
    0.0
    """

    audio: Audio
    store: Store

    @property
    def gain(self) -> float:
        """The power of two that lifts the peak to full scale: few bits keep a quiet song as well."""
        return float(2.0 ** -np.frexp(self.audio.peak)[1])

    @cached_property
    def analysis(self) -> Analysis:
        """The measures of every frame, of the sound times ``gain``."""
        return Analysis.of(self.store.fetch(self.key("analysis"), lambda: analyse(self._sound()).arrays()))

    @cached_property
    def mix_pitches(self) -> Half:
        """The pitches of everything, strokes included, (T, 252), of the sound times ``gain``."""

        def listen() -> Arrays:
            return {"pitches": pitch_strengths(self._sound())}

        return np.asarray(self.store.fetch(self.key("mix"), listen)["pitches"], np.float16)

    def key(self, name: str) -> str:
        """Under which something found in this sound is kept."""
        return f"{self.audio.digest}/{name}/{VERSION}"

    def forget(self) -> None:
        """Let go of what the store keeps; asked again, it is read from there."""
        if self.store.folder is not None:
            for name in ("analysis", "mix_pitches"):
                self.__dict__.pop(name, None)

    def _sound(self) -> SampleStream:
        """What is heard of it: mono, loud, without its constant offset; of silence, nothing."""
        offset, gain = np.float32(self.audio.mean), np.float32(self.gain)
        blocks = ((block - offset) * gain for block in self.audio.mono_blocks(RATE))
        return SampleStream(() if self.audio.silent else blocks, self.audio.mono_samples(RATE))
