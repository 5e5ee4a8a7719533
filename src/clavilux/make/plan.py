"""The plan of a video: its frames, cut into segments, and how they are encoded, from the project alone."""

import json
import math
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b

from clavilux.errors import AudioError, EngineError, SettingError
from clavilux.frames.frames import BATCH
from clavilux.pixel_formats import PixelFormat
from clavilux.project.output import IMAGES, Output
from clavilux.timeline import Timeline, format_time
from clavilux.video.codecs import encoder_opens
from clavilux.video.encoding import Encoding

__all__ = ["Plan", "Segment", "encoding_of", "gop_of", "pixels_of", "timeline_of"]

GOP_SECONDS = 2
GOPS_PER_SEGMENT = 4


@dataclass(frozen=True)
class Segment:
    """Frames [first, last) of the video, encoded on their own."""

    index: int
    first: int
    last: int

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return self.last - self.first


@dataclass(frozen=True)
class Plan:
    """What will be made, in which pieces.

    Attributes:
        timeline: the frames.
        identity: everything the pixels depend on, as plain values.
    """

    timeline: Timeline
    identity: Mapping[str, object]

    @property
    def gop(self) -> int:
        """Frames per closed group of pictures: about two seconds, a multiple of the batch."""
        return gop_of(self.timeline.fps)

    @property
    def segments(self) -> list[Segment]:
        """The pieces in order; all but the last are equally long, a whole number of GOPs."""
        return list(self._cut())

    def chosen(self, members: AbstractSet[int] | None) -> list[Segment]:
        """Return the segments of some numbers; of none, all."""
        return [each for each in self.segments if members is None or each.index in members]

    @property
    def digest(self) -> str:
        """Hash of the identity: the same for the same video, whoever makes it."""
        text = json.dumps(self.identity, sort_keys=True)
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def _cut(self) -> Iterator[Segment]:
        length = self.gop * GOPS_PER_SEGMENT
        for index, first in enumerate(range(0, self.timeline.frames, length)):
            yield Segment(index, first, min(first + length, self.timeline.frames))


def gop_of(fps: Fraction) -> int:
    """Return the frames per closed group of pictures at a frame rate.

    >>> gop_of(Fraction(30)), gop_of(Fraction(24000, 1001))
    (64, 48)
    """
    return math.ceil(GOP_SECONDS * fps / BATCH) * BATCH


def timeline_of(length: Fraction, fps: Fraction, *, start: Fraction, duration: Fraction | None) -> Timeline:
    """Return the frames that show a song of `length` seconds, or a part of it.

    Raises:
        SettingError: the part begins after the song has ended.
        AudioError: the part is shorter than one frame.

    >>> timeline_of(Fraction(10), Fraction(30), start=Fraction(9), duration=Fraction(5)).frames
    30
    """
    if start >= length:
        raise SettingError(
            f"The start, {format_time(float(start))}, is past the end of the song, which lasts "
            f"{format_time(float(length))} ({float(length):.2f} s)",
            where="start",
            value=start,
        )
    shown = length - start if duration is None else min(duration, length - start)
    if shown * fps < 1:
        raise AudioError(
            f"There are only {float(shown) * 1000:.1f} ms of audio to show, less than one frame at "
            f"{float(fps):g} fps",
            where="duration",
            hint="choose a longer song or part",
        )
    return Timeline.spanning(shown, fps, start=start)


def encoding_of(output: Output, timeline: Timeline) -> Encoding | None:
    """Return how frames are encoded, and check that this machine can; none for images.

    Raises:
        EngineError: it cannot.
    """
    if output.codec == IMAGES:
        return None
    encoding = Encoding(
        output.size,
        timeline.fps,
        gop=gop_of(timeline.fps),
        codec=output.codec,
        bits=output.bits,
        crf=output.crf,
    )
    if not encoder_opens(output.codec):
        raise EngineError(
            f"The encoder {output.codec} does not open here",
            where="codec",
            value=output.codec,
            hint="choose another codec, such as h264",
        )
    return encoding


def pixels_of(encoding: Encoding | None) -> PixelFormat:
    """Return the pixel format in which frames are drawn: that of their encoding, or of images."""
    return encoding.pixels if encoding else "rgb24"
