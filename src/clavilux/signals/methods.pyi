# Written by scripts/docs from the op table; change it there.
from typing import Literal

from clavilux.moments import Moment
from clavilux.signals.expr import Events, Signal

class StemMethods:
    """Ops on stem."""

    def chroma(self, *, kind: Literal["plain", "repeated", "cens"] = "plain") -> Signal:
        """Follow how strongly each of the 12 pitch classes sounds, C first; (T, 12), sum about 1 where loud.

        'repeated' leaves out what is played only once; 'cens' is smoothed over a second and ignores loudness.
        """

    def flux(self, *, low_hz: float = 30, high_hz: float = 11000) -> Signal:
        """Follow the onset strength of a band: how much new energy arrives at every moment; (T, 1), from 0 up."""

    def rms(self, *, low_hz: float = 0, high_hz: float = 11025) -> Signal:
        """Follow the level of a band as root mean square amplitude; (T, 1), 0 to 1."""

    def brightness(self) -> Signal:
        """Follow how bright the timbre is: the spectral centroid on the mel scale; (T, 1) in [0, 1].

        0 is 20 Hz, and also silence; 1 is 11 kHz.
        """

    def loudness(self) -> Signal:
        """Follow the momentary loudness over 0.4 s (ITU-R BS.1770); (T, 1) LUFS, -70 in silence."""

    def pitch(self) -> Signal:
        """Follow the pitch of the melody or the bass; (T, 1) MIDI number, 69 = A4, held through rests."""

    def change(self) -> Signal:
        """Follow how much the harmony changes; (T, 1) in [0, 1], clear changes of chord near 1."""

    def onsets(self, *, low_hz: float = 30, high_hz: float = 11000) -> Events:
        """Find the onsets in a band: the peaks of `flux` that stand out, clear ones with strength 1."""

    def notes(self) -> Events:
        """Find the onsets of the notes of the melody or the bass."""

class EventsMethods:
    """Ops on events."""

    def decay(
        self, *, seconds: float | None = None, beats: float | None = None, bars: float | None = None
    ) -> Signal:
        """Jump to each event's strength, then fall to a tenth of it within the given time; (T, 1) in [0, 1]."""

    def pulse(
        self, *, seconds: float | None = None, beats: float | None = None, bars: float | None = None
    ) -> Signal:
        """Hold each event's strength for a length, then 0; (T, 1) in [0, 1]. It lasts 10 ms at least."""

    def adsr(
        self, *, attack: float = 0.02, decay: float = 0.1, sustain: float = 0.5, hold: float = 0.2, release: float = 0.4
    ) -> Signal:
        """Play a synthesizer's envelope at each event; (T, 1) in [0, 1].

        It rises to the event's strength within `attack`, falls to `sustain` of it within `decay`, stays there for
        `hold` as if a key were held, and falls to 0 within `release`, every stage on a straight line.
        """

    def count(self, of: int) -> Signal:
        """Rise by one step at each event, from 0 over 1/of and 2/of up to (of - 1)/of, and again; (T, 1)."""

    def toggle(self) -> Signal:
        """Switch between 0 and 1 at each event, beginning with 0; (T, 1)."""

    def every(self, count: int, *, offset: int = 0) -> Events:
        """Keep one of `count` events, beginning with the first, or with the one `offset` events later."""

    def strongest(self, *, percent: float = 50) -> Events:
        """Keep the strongest events, so many percent of all, rounded up; of equal ones the earlier."""

    def between(self, start: str | Moment, end: str | Moment = "end") -> Events:
        """Keep the events between two moments of the song."""

    def delay(
        self, *, seconds: float | None = None, beats: float | None = None, bars: float | None = None
    ) -> Events:
        """Move every event later by a length; those past the end of the song are dropped."""

    def quantize(self, *, beats: float) -> Events:
        """Move every event to the nearest of every so many beats, counted from bar 1.

        Events that meet become one, as strong as the strongest; those outside of the song are dropped.
        """

    def skip_close(
        self, *, seconds: float | None = None, beats: float | None = None, bars: float | None = None
    ) -> Events:
        """Drop the events that come sooner than a length after one that is kept."""

class SignalMethods:
    """Ops on signal."""

    def mix(self, second: Signal | float, amount: Signal | float) -> Signal:
        """Blend from the first to the second as `amount` rises from 0 to 1."""

    def min(self, other: Signal | float) -> Signal:
        """Take the lower of two signals at every moment."""

    def max(self, other: Signal | float) -> Signal:
        """Take the higher of two signals at every moment."""

    def release(
        self, *, seconds: float | None = None, beats: float | None = None, bars: float | None = None
    ) -> Signal:
        """Rise at once with the curve, then fall no faster than to a tenth within the given time."""

    def clip(self, *, low: float = 0, high: float = 1) -> Signal:
        """Limit to the range from `low` to `high`."""

    def compress(self, *, threshold: float = 0.5, ratio: float = 4) -> Signal:
        """Weaken what is above the threshold: of what exceeds it, one part in `ratio` is left."""

    def expand(self, *, threshold: float = 0.5, ratio: float = 2) -> Signal:
        """Push what is below the threshold `ratio` times as far below it, but not past 0."""

    def threshold(self, *, level: float = 0.5, soft: float = 0) -> Signal:
        """Switch from 0 to 1 at a level, or pass smoothly in a range around it that is `soft` wide."""

    def quantize(self, steps: int) -> Signal:
        """Round to the nearest of so many steps from 0 to 1, and on beyond them."""

    def map_range(self, *, low: float = 0, high: float = 1, to_low: float = 0, to_high: float = 1) -> Signal:
        """Map the range from `low` to `high` evenly onto another; values outside are those at its ends.

        Either range may be upside down. One of no width is a step: `to_low` below it, `to_high` from it on.
        """

    def ease(self, *, shape: Literal["in", "out", "in_out"] = "in_out", by: float = 2) -> Signal:
        """Ease the way from 0 to 1 as animators do: slow at its start ('in'), at its end, or at both.

        `by` is the power of the curve, 1 a straight line. Values outside of 0 to 1 are clipped.
        """

    def lag(
        self, *, seconds: float | None = None, beats: float | None = None, bars: float | None = None
    ) -> Signal:
        """Follow a jump late and ever more slowly: nine tenths of it within the length."""

    def follow(self, *, attack: float = 0.05, release: float = 0.5) -> Signal:
        """Rise as fast as `attack` and fall as slowly as `release`, an envelope follower without jumps.

        Each is the time for nine tenths of the way. It falls towards the curve's lowest value.
        """

    def hold(
        self, *, seconds: float | None = None, beats: float | None = None, bars: float | None = None
    ) -> Signal:
        """Hold every peak for a length: the highest value since that long ago."""

    def delay(
        self, *, seconds: float | None = None, beats: float | None = None, bars: float | None = None
    ) -> Signal:
        """Repeat the curve later by a length; until then its first value holds."""

    def sample_hold(
        self, *, seconds: float | None = None, beats: float = 1, bars: float | None = None
    ) -> Signal:
        """Take the curve's value once in a length, locked to bar 1, and hold it until the next."""

    def accumulate(self) -> Signal:
        """Add the curve up over time, its integral in seconds from 0 on: from a speed to the way travelled."""

    def fold(self) -> Signal:
        """Fold into the range from 0 to 1 as two mirrors do: 1.2 becomes 0.8, 2.1 becomes 0.1."""

    def smooth(
        self, *, seconds: float = 0.2, beats: float | None = None, bars: float | None = None
    ) -> Signal:
        """Average around each moment, as wide as a moving average over a length, without corners or lag."""

    def clip_peaks(self, *, percentile: float = 90, per: Literal["song", "track"] = "song") -> Signal:
        """Scale so that a percentile of the curve's own peaks becomes 1, and clip to [0, 1].

        A percentile of local maxima, unlike one of all samples, means the same on sparse and on dense music. Per
        track, each track of a mix has its own peaks, and the scale changes over 2 s where one track follows
        another.
        """

    def normalize(
        self, *, low: float = 10, percentile: float = 97.5, per: Literal["song", "track"] = "song"
    ) -> Signal:
        """Stretch so that the quietest `low` percent become 0 and a percentile of the peaks becomes 1, clipped.

        A curve that does not change becomes 0. Per track, each track of a mix has its own levels, which change
        over 2 s where one track follows another.
        """

    def sharpen(self, *, by: float = 2) -> Signal:
        """Raise to a power: above 1, strong stays strong and weak becomes weaker."""

    def focus(self, *, notes: float = 2.5, per: Literal["song", "track"] = "song") -> Signal:
        """Sharpen a chroma until about so many pitch classes sound at once; each moment keeps its sum.

        In a dense mix all twelve sound equally strong, in a bare melody one. Shares p_i become p_i^a / sum p_j^a,
        with one power a for the whole song, or for each track of a mix: the one at which the effective number of
        notes, 1 / sum p_i^2, has the median `notes` over the loud moments.
        """

    def turn(self, *, bars: float = 64) -> Signal:
        """Rotate a chroma along the circle of fifths, once round in so many bars: what C showed, G shows next.

        A palette's neighbours on that circle look alike, so the whole palette drifts, locked to the bars.

        Raises:
            PatchError: the signal does not have twelve channels.
        """
