# Written by scripts/docs from the op table; change it there.
from clavilux.signals.expr import Events, Signal

class StemMethods:
    """Ops on stem."""

    def chroma(self) -> Signal:
        """Follow how strongly each of the 12 pitch classes sounds, C first; (T, 12), sum about 1 where loud."""

    def flux(self, *, low_hz: float = 30, high_hz: float = 11000) -> Signal:
        """Follow the onset strength of a band: how much new energy arrives at every moment; (T, 1), from 0 up."""

    def rms(self, *, low_hz: float = 0, high_hz: float = 11025) -> Signal:
        """Follow the level of a band as root mean square amplitude; (T, 1), 0 to 1."""

    def loudness(self) -> Signal:
        """Follow the momentary loudness over 0.4 s (ITU-R BS.1770); (T, 1) LUFS, -70 in silence."""

    def pitch(self) -> Signal:
        """Follow the pitch of the melody or the bass; (T, 1) MIDI number, 69 = A4, held through rests."""

    def change(self) -> Signal:
        """Follow how much the harmony changes; (T, 1) in [0, 1], clear changes of chord near 1."""

    def notes(self) -> Events:
        """Find the onsets of the notes of the melody or the bass."""

class EventsMethods:
    """Ops on events."""

    def decay(self, *, seconds: float | None = None, beats: float | None = None) -> Signal:
        """Jump to each event's strength, then fall to a tenth of it within the given time; (T, 1) in [0, 1]."""

class SignalMethods:
    """Ops on signal."""

    def mix(self, second: Signal | float, amount: Signal | float) -> Signal:
        """Blend from the first to the second as `amount` rises from 0 to 1."""

    def release(self, *, seconds: float | None = None, beats: float | None = None) -> Signal:
        """Rise at once with the curve, then fall no faster than to a tenth within the given time."""

    def smooth(self, *, seconds: float = 0.2) -> Signal:
        """Average around each moment, as wide as a moving average over `seconds`, without corners or lag."""

    def clip_peaks(self, *, percentile: float = 90) -> Signal:
        """Scale so that a percentile of the curve's own peaks becomes 1, and clip to [0, 1].

        A percentile of local maxima, unlike one of all samples, means the same on sparse and on dense music.
        """

    def normalize(self, *, low: float = 10, percentile: float = 97.5) -> Signal:
        """Stretch so that the quietest `low` percent become 0 and a percentile of the peaks becomes 1, clipped.

        A curve that does not change becomes 0.
        """

    def sharpen(self, *, by: float = 2) -> Signal:
        """Raise to a power: above 1, strong stays strong and weak becomes weaker."""

    def focus(self, *, notes: float = 2.5) -> Signal:
        """Sharpen a chroma until about so many pitch classes sound at once; each moment keeps its sum.

        In a dense mix all twelve sound equally strong, in a bare melody one. Shares p_i become p_i^a / sum p_j^a,
        with one power a for the whole song: the one at which the effective number of notes, 1 / sum p_i^2, has
        the median `notes` over the loud moments.
        """

    def turn(self, *, bars: float = 64) -> Signal:
        """Rotate a chroma along the circle of fifths, once round in so many bars: what C showed, G shows next.

        A palette's neighbours on that circle look alike, so the whole palette drifts, locked to the bars.

        Raises:
            PatchError: the signal does not have twelve channels.
        """
