"""All measures of a video and its song, as one value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clavilux.curves import Curve
from clavilux.features.song import Song
from clavilux.metrics.colours import chromatic, section_contrast
from clavilux.metrics.rhythm import Blind, Lift, drum_responses, rhythmic, tell_apart
from clavilux.metrics.trace import Trace

__all__ = ["Measures", "measure", "onset_strength"]


@dataclass(frozen=True, eq=False)
class Measures:
    """How a video follows its song, and whether it flashes too much.

    Attributes:
        trace: what was seen of every frame.
        start: where in the song the video begins, s.
        rhythmic: motion against onset strength; none without sound.
        chromatic: colours against harmony.
        drums: for kick, snare and hat, what moves at their hits, in standard deviations.
        kick_or_snare: how well kick and snare are told apart from pixels; none where either is too rare.
        contrast: of sections; none where there are no two.
    """

    trace: Trace
    start: float = 0.0
    rhythmic: Lift | None = None
    chromatic: Lift | None = None
    drums: Mapping[str, Mapping[str, float]] | None = None
    kick_or_snare: Blind | None = None
    contrast: float | None = None

    def to_dict(self) -> dict[str, object]:
        """Return plain values for other programs; curves are left out."""
        flashes, trace = self.trace.flashes, self.trace
        found: dict[str, object] = {
            "frames": len(trace),
            "fps": float(trace.fps),
            "start": self.start,
            "flashes": {
                "wcag": "pass" if flashes.passes_wcag else "fail",
                "itu": "pass" if flashes.passes_itu else "fail",
                "rate": flashes.rate,
                "red_rate": flashes.red_rate,
                "area": round(flashes.area, 4),
                "screen_area": round(flashes.screen_area, 4),
                "at": round(flashes.at, 3),
            },
            "sharpness": _mean(trace.sharpness),
            "motion": _mean(trace.motion * float(trace.fps)),
        }
        for name, lift in (("rhythmic", self.rhythmic), ("chromatic", self.chromatic)):
            if lift is not None:
                found[name] = {
                    "lift": round(lift.lift, 4),
                    "value": round(lift.value, 4),
                    "chance": round(lift.chance, 4),
                    "percentile": round(lift.percentile, 1),
                }
        if self.drums is not None:
            found["drums"] = {
                name: {channel: round(value, 3) for channel, value in each.items()}
                for name, each in self.drums.items()
            }
        if self.kick_or_snare is not None:
            found["kick_or_snare"] = {
                "accuracy": round(self.kick_or_snare.accuracy, 4),
                "hits": self.kick_or_snare.hits,
            }
        if self.contrast is not None:
            found["section_contrast"] = round(self.contrast, 3)
        return found


def measure(trace: Trace, song: Song | None, start: float = 0.0, others: Sequence[Curve] = ()) -> Measures:
    """Measure a video against its song.

    Args:
        trace: of the video.
        song: what sounds; none for a silent video, of which only the picture is measured.
        start: where in the song the video begins, s.
        others: CENS chroma of other songs, as controls.
    """
    if song is None or len(trace) < 2:
        return Measures(trace, start)
    drums = {"kick": song.kick, "snare": song.snare, "hat": song.hat}
    return Measures(
        trace,
        start,
        rhythmic(trace, onset_strength(song), start, song.grid),
        chromatic(trace, song.chroma("harmonic", kind="cens"), start, others),
        drum_responses(trace, drums, start),
        tell_apart(trace, song.kick, song.snare, start),
        section_contrast(trace, song.sections, start),
    )


def onset_strength(song: Song) -> Curve:
    """Return the onset strength of the drums, by which motion is measured."""
    return song.flux("drums", 30, 11000)


def _mean(values: np.ndarray) -> float:
    return round(float(values.mean()), 5) if len(values) else 0.0
