"""What was measured of a video, in a few lines for people."""

from collections.abc import Iterator

from clavilux.metrics.flashes import Flashes
from clavilux.metrics.measures import Measures
from clavilux.timeline import format_time

__all__ = ["flashes_in_words", "measures_in_words"]


def measures_in_words(measures: Measures) -> list[str]:
    """Return the measures, a line each."""
    return list(_lines(measures))


def flashes_in_words(flashes: Flashes) -> str:
    """Return how many flashes there are and whether they are too many, in one line."""
    red = f", red {flashes.red_rate:g}" if flashes.red_rate > 0 else ""
    most = f"at most {flashes.rate:g} a second{red}"
    if flashes.passes:
        return f"Flashes: {most}; within WCAG 2.3.1 and BT.1702, as measured here"
    failed = "WCAG 2.3.1" if flashes.passes_itu else "WCAG 2.3.1 and BT.1702"
    return f"Flashes: {most}, at {format_time(flashes.at)}; more than {failed} allow"


def _lines(measures: Measures) -> Iterator[str]:
    for name, lift in (("Rhythm", measures.rhythmic), ("Colour and harmony", measures.chromatic)):
        if lift is not None:
            yield (
                f"{name}: lift {lift.lift:.2f} ({lift.value:.2f}, by chance {lift.chance:.2f}), "
                f"above {lift.percentile:.0f}% of controls"
            )
    if measures.kick_or_snare is not None:
        yield f"Kick and snare: told apart by sight {measures.kick_or_snare.accuracy:.0%} of the time"
    if measures.contrast is not None:
        yield f"Sections: {measures.contrast:.1f} times as far apart as the halves of one"
    yield flashes_in_words(measures.trace.flashes)
