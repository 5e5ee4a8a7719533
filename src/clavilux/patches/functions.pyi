# Written by scripts/docs from the op table; change it there.
from typing import Literal

from clavilux.moments import Moment
from clavilux.patches.bend import Bend
from clavilux.patches.noise import Mask, Noise
from clavilux.patches.palette import Palette
from clavilux.patches.rewrite import Rewrite
from clavilux.signals.expr import Events, Signal

def ablate(
    *, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Set to zero."""

def bias(
    *, by: Signal | float = 0, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Add a constant."""

def blur(
    *, by: Signal | float = 1, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Blur."""

def curve(path: str, *, column: str = "") -> Signal:
    """Follow a curve from a file, rows of a time and a value; (T, 1), linear between them, the ends hold.

    `column` names the values' column; without it they are the first that is not the time.

    Raises:
        FileError: the file cannot be read; names the line.
    """

def dilate(
    *, radius: Signal | float = 1, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Let the bright grow: the maximum within a radius."""

def disc(*, x: float = 0.5, y: float = 0.5, radius: float = 0.3, soft: float = 0.1) -> Mask:
    """Keep a disc: x and y from the left and the top, 0 to 1; radius and soft edge in image sides."""

def drift(*, seconds: float | None = None, bars: float | None = None, name: str = "") -> Noise:
    """Begin with noise that has half changed after so many seconds or bars; one name is one noise."""

def energy() -> Signal:
    """Follow the energy of the section that plays, 1 in the loudest, averaged over a second; (T, 1)."""

def erode(
    *, radius: Signal | float = 1, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Let the dark grow: the minimum within a radius."""

def events(path: str) -> Events:
    """Take events from a file, rows of a time and, if there is one, a strength from 0 to 1.

    Labels of other programs are read too. Events past the end of the song are dropped.

    Raises:
        FileError: the file cannot be read; names the line.
    """

def everywhere() -> Mask:
    """Keep all of the image."""

def fade(
    at: str | Moment, *, seconds: float | None = None, beats: float | None = None, bars: float | None = None
) -> Signal:
    """Rise smoothly from 0 to 1 within a length centred on a moment of the song; (T, 1)."""

def flip(
    *, amount: Signal | float = 1, where: Mask = ..., axis: Literal["x", "y"] = "x", along: Literal["colours", "noise", "all"] | None = None, at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Exchange left and right, or top and bottom."""

def from_classes(numbers: str, *, seed: int = 0) -> Palette:
    """Take one image of each of a conditional model's classes, such as '3,7'; classes count from 0.

    All are of one random code, so that between two of them only the class changes: weighing them is a mix of
    classes, and `mix(from_classes('3').loop(bars=4), from_classes('7').loop(bars=4), kick)` another.
    """

def from_image(path: str, *, seed: int = 0) -> Palette:
    """Choose images in the colours of an image file, such as a record's cover."""

def from_latents(path: str, *, space: Literal["w", "z"] = "w") -> Palette:
    """Read latents w, or random codes z, from an .npy, .npz or .pt file, in their order.

    Files of `clavilux project` hold a latent for each layer, as those of W+ do.
    """

def from_seeds(numbers: str) -> Palette:
    """Take the images of some seeds, such as '1-12,24'; they lie along the circle of fifths, from C."""

def gain(
    *, db: Signal | float = 0, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Amplify."""

def gate(start: str | Moment, end: str | Moment = "end") -> Signal:
    """Hold 1 between two moments of the song and 0 elsewhere; (T, 1)."""

def gradient(*, degrees: float = 0) -> Mask:
    """Rise evenly from 0 to 1 across the image, from left to right at 0 degrees, downwards at 90."""

def half(*, side: Literal["left", "right", "top", "bottom"] = "left", soft: float = 0.1) -> Mask:
    """Keep one half of the image: left, right, top or bottom."""

def image(path: str) -> Mask:
    """Keep what is white in an image file and remove what is black; it is stretched over the whole image."""

def in_section(
    name: str, *, unless: str = "", seconds: float | None = None, beats: float | None = None, bars: float = 1
) -> Signal:
    """Hold 1 in the sections of a label and 0 elsewhere, with crossfades centred on their bounds; (T, 1).

    'loudest' and 'quietest' are the labels of the loudest and the quietest section, 'energy 1', 'energy 2'
    and so on the labels by their loudest section, the loudest first; a song with fewer labels has 0. The
    curves of all labels sum to 1. Where one of the names in `unless`, with semicolons between them, means the
    same label, that one is played instead: 0.

    Raises:
        SongError: the song has no section of that label.
    """

def invert(
    *, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Turn every channel upside down about its mean."""

def kaleidoscope(
    *, by: Signal | float = 0, amount: Signal | float = 1, where: Mask = ..., sectors: int = 6, along: Literal["colours", "noise", "all"] | None = None, at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Fill the image with mirror images of one sector."""

def lfo(
    *, shape: Literal["sine", "triangle", "square", "saw"] = "sine", seconds: float | None = None, beats: float | None = None, bars: float | None = None, phase: float = 0
) -> Signal:
    """Oscillate between 0 and 1, once in a length and locked to bar 1; (T, 1).

    Sine, triangle and saw start at 0 and rise; the square is 1 for the first half. `phase` starts it later in
    its cycle, 0.5 half-way.
    """

def midi(path: str, *, track: int | None = None, note: int | None = None) -> Events:
    """Take the beginnings of the notes in a MIDI file as events, as strong as their velocity.

    Of all tracks and notes, or of one track, counted from 1, or one note number, 36 for most kick drums.

    Raises:
        FileError: the file cannot be read, or has no such track.
    """

def mirror(
    *, amount: Signal | float = 1, where: Mask = ..., axis: Literal["x", "y"] = "x", along: Literal["colours", "noise", "all"] | None = None, at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Replace the right half by the left's mirror image, or the lower by the upper's."""

def palette(*, mood: Literal["warm", "cool", "calm", "wild"] | None = None, seed: int = 0) -> Palette:
    """Choose twelve latents of whatever model draws that belong together, by mood and seed."""

def phase(*, seconds: float | None = None, beats: float | None = None, bars: float | None = None) -> Signal:
    """Rise evenly from 0 to 1 within a length and start again; (T, 1), 0 on the first beat of bar 1.

    In seconds it starts with the song.
    """

def ramp(start: str | Moment, end: str | Moment = "end") -> Signal:
    """Rise evenly from 0 to 1 between two moments of the song; (T, 1), 0 before and 1 after.

    Where the end is not after the start, it steps to 1 at the start.
    """

def ring(
    *, x: float = 0.5, y: float = 0.5, radius: float = 0.35, width: float = 0.1, soft: float = 0.1
) -> Mask:
    """Keep a ring of a radius and a width, in image sides."""

def roll_channels(
    *, by: Signal | float = 0, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Hand every channel's image on to the channel so many places further; fractions blend."""

def rotate(
    *, by: Signal | float = 0, amount: Signal | float = 1, where: Mask = ..., along: Literal["colours", "noise", "all"] | None = None, at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Turn counter-clockwise about the centre."""

def rotate_channels(
    *, by: Signal | float = 0, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Turn pairs of channels into one another; 360 is back at the start."""

def saved(name: str) -> Palette:
    """Use a palette saved with `clavilux palette new`."""

def sharpen(
    *, by: Signal | float = 1, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Exaggerate what differs from its surroundings."""

def shear(
    *, x: Signal | float = 0, y: Signal | float = 0, amount: Signal | float = 1, where: Mask = ..., along: Literal["colours", "noise", "all"] | None = None, at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Slant: x moves the rows apart sideways, y the columns up and down."""

def soft_threshold(
    *, by: Signal | float = 0, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Shrink all towards zero by so much, and set to zero what is smaller."""

def threshold(
    *, level: Signal | float = 0, amount: Signal | float = 1, where: Mask = ..., at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Leave two values only: the power of the channel above a level, none below."""

def tile(
    *, by: Signal | float = 2, amount: Signal | float = 1, where: Mask = ..., along: Literal["colours", "noise", "all"] | None = None, at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Repeat the image so many times along each side."""

def translate(
    *, x: Signal | float = 0, y: Signal | float = 0, amount: Signal | float = 1, where: Mask = ..., along: Literal["colours", "noise", "all"] | None = None, at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Move right by x of the width and down by y of the height; edges mirror, so 2 is back at the start."""

def wander(
    *, seconds: float | None = None, beats: float | None = None, bars: float | None = None, seed: int = 0
) -> Signal:
    """Pass smoothly through random values between 0 and 1, another after each length; (T, 1).

    Another seed is another curve. In beats and bars, the values lie on the grid.
    """

def zoom(
    *, by: Signal | float = 1, amount: Signal | float = 1, where: Mask = ..., along: Literal["colours", "noise", "all"] | None = None, at: str, channels: str = "all", seed: int = 0, guard: float = 0, reach: Literal["subtle", "medium", "strong"] | None = None
) -> Bend:
    """Enlarge about the centre, 2 to twice the size."""

class rewrite:
    """The operations called rewrite.NAME."""

    @staticmethod
    def blend(*, amount: Signal | float = 1, where: Mask = ..., model: str, at: str) -> Rewrite:
        """Turn layers into those of another model of the same architecture and size, given by its name or file. Here `at` may also be a group of layers, 'coarse', 'middle' or 'fine', or 'all'."""

    @staticmethod
    def boost(
        *, amount: Signal | float = 1, where: Mask = ..., context: str, gain: float = 2, at: str
    ) -> Rewrite:
        """Exaggerate what a context is drawn with, at amount 1 by the gain."""

    @staticmethod
    def edit(*, amount: Signal | float = 1, where: Mask = ..., path: str, rank: int = 1, at: str) -> Rewrite:
        """Paste what one image shows into the places of others: seeds and masks from a JSON file."""

    @staticmethod
    def mute(*, amount: Signal | float = 1, where: Mask = ..., context: str, at: str) -> Rewrite:
        """Let what a context is drawn with fade."""

    @staticmethod
    def scale(
        *, turn: Signal | float = 0, amount: Signal | float = 1, where: Mask = ..., spread: float = 0.31, seed: int = 0, at: str
    ) -> Rewrite:
        """Turn every weight into itself times N, normal about -1: at 1 the network paints in negative, on the way the weights are random. `turn` moves N, in a circle of 1."""

    @staticmethod
    def swap(*, amount: Signal | float = 1, where: Mask = ..., context: str, to: str, at: str) -> Rewrite:
        """Where one context appears, draw what another would be."""
