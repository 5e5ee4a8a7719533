"""The figures of the post as clips: what each shows, the patch that shows it, and of which composed song.

`CLIPS` is the one table behind the tour of `clavilux demo` and docs/seed.md, in the order of the post. A
patch is a project file in `patches/`, as a user writes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clavilux.errors import SettingError, suggest
from clavilux.project.show import Show, parse_tables, read_text
from clavilux.schemas import toml_tables

__all__ = ["CLIPS", "Clip", "choose_clips"]

PATCHES = Path(__file__).parent / "patches"


@dataclass(frozen=True)
class Clip:
    """One technique, shown.

    Attributes:
        key: its name on the command line, and of its patch.
        title: the technique.
        caption: what there is to see, in one line under the video.
        about: what the technique does, in some sentences.
        without: values that the patch has where the technique is left out, by their place, such as
            `look.noise`; none is a line that it does not have.
        instead: what is then seen: words that follow 'in the lower row,'.
        curves: the signals that move it: their names in the patch, or sentences.
        music: the composed song: 'song' or 'mix'.
        bar: of the song, from 0, with which the clip begins.
    """

    key: str
    title: str
    caption: str
    about: str
    without: Mapping[str, Any]
    instead: str
    curves: tuple[str, ...] = ()
    music: str = "song"
    bar: int = 2

    @property
    def path(self) -> Path:
        """The file of the patch."""
        return PATCHES / f"{self.key}.toml"

    @property
    def cues(self) -> Path | None:
        """The cue sheet beside the patch, if it has one."""
        path = self.path.with_suffix(".csv")
        return path if path.is_file() else None

    @property
    def text(self) -> str:
        """The patch, as a project file."""
        return read_text(self.path)

    def show(self, *, plain: bool = False) -> Show:
        """Read the patch.

        Args:
            plain: leave the technique out.

        Raises:
            ClaviluxError: the first thing that is wrong with it.
        """
        tables = toml_tables(self.text)
        for place, value in self.without.items() if plain else ():
            *path, name = place.split(".")
            table: dict[str, Any] = tables
            for key in path:
                table = table.setdefault(key, {})
            if value is None:
                del table[name]
            else:
                table[name] = value
        show, errors = parse_tables(tables, self.path.parent)
        if errors:
            raise errors[0]
        assert show is not None
        return show


def choose_clips(keys: Iterable[str]) -> tuple[Clip, ...]:
    """Return the clips of some names in the order of the post; all of them where none is named.

    Raises:
        SettingError: there is no clip of a name.

    >>> [clip.title for clip in choose_clips(["wide", "chroma"])]
    ['Chords choose the image', 'Wide by mirroring']
    """
    known, wanted = {clip.key for clip in CLIPS}, list(keys)
    for key in wanted:
        if key not in known:
            hint = suggest(key, [clip.key for clip in CLIPS], otherwise="there are {}")
            raise SettingError(f"The tour has no clip '{key}'", where="clip", value=key, hint=hint)
    return tuple(clip for clip in CLIPS if not wanted or clip.key in wanted)


CLIPS = (
    Clip(
        "hpss",
        "Drums and harmony apart",
        "Notes choose the image, drums colour it; neither hears the other",
        """A song is first separated into what sustains and what strikes (median-filter separation). The
chroma of the harmonic part chooses the image, the level of the percussive part moves its colours towards
an accent. In the unseparated mix a drum sounds like all twelve notes at once, and a held chord as loud as
a drum.""",
        {
            "signals.notes": "mix.chroma().smooth(seconds=0.1).focus(notes=2, per='track')",
            "signals.hits": "mix.rms().clip_peaks(percentile=85, per='track').sharpen(by=1.5)"
            ".release(beats=0.5)",
        },
        "both are measured in the unseparated mix",
        ("notes", "hits"),
    ),
    Clip(
        "chroma",
        "Chords choose the image",
        "Twelve latents, weighted by the twelve notes that sound",
        """The chromagram says how strongly each of the twelve notes sounds. Each note has a latent of a
palette, and the image is that of their weighted sum: every chord has an image of its own, which comes
back with it.""",
        {"look.latents": "colours.loop(bars=16).toward(colours.rest, 1)"},
        "the palette's image for silence stays",
        ("notes",),
    ),
    Clip(
        "bass-and-chords",
        "Bass for shapes, chords for colours",
        "Bass notes drive the coarse layers, chords the fine ones",
        """The coarse layers of a StyleGAN draw shapes, the finer ones colour and detail. The chroma of
the bass weighs latents for the former, that of the chords for the latter.""",
        {"look.latents": "colours.weigh(notes)"},
        "the chords drive all layers",
        ("roots", "notes"),
    ),
    Clip(
        "onsets",
        "Onset envelopes by drum",
        "Orange is what strikes below 150 Hz, blue what strikes from 200 Hz to 5 kHz",
        """An onset envelope is high where a band of the spectrum suddenly grows. Two bands hear two
drums: 30 to 150 Hz the kick, which turns the colours to orange, 200 Hz to 5 kHz the snare, to blue.
`release` is how long each takes to fall.""",
        {"look.latents": "calm"},
        "the loop that both interrupt goes on",
        ("low", "high"),
    ),
    Clip(
        "kick-noise",
        "Kick into the noise",
        "Every kick makes the texture stronger and faster",
        """The noise inputs of StyleGAN draw its texture. The kick drum sets their standard deviation, and
blends slow noise into fast noise.""",
        {"look.noise": "drift(seconds=3)"},
        "noise only drifts",
        ("hit",),
    ),
    Clip(
        "snare-latents",
        "Snare between two latents",
        "Every snare moves the image to another one and back",
        """The snare's envelope mixes the latent of the moment with a second one, here the palette's
accent.""",
        {"look.latents": "colours.loop(bars=16)"},
        "the first latent drifts alone",
        ("hit",),
    ),
    Clip(
        "together",
        "Harmony and drums together",
        "Chords and bass choose the image, kick and snare strike it",
        """All of the above in one patch, a decent audio-reactive video. The preset `pulse` is made like
this.""",
        {
            "look.latents": "colours.loop(bars=16).on('coarse', shapes.loop(bars=16))",
            "look.noise": "drift(seconds=3)",
        },
        "the same palettes loop without a song",
        ("roots", "notes", "low", "high"),
        bar=10,
    ),
    Clip(
        "spatial-noise",
        "Noise in its place",
        "The kick is in the middle, the snare around it",
        """Noise has two dimensions, so each drum can have a place of its own: a mask, given once, is
resampled for the noise of every layer. White is the kick's noise, black the snare's.""",
        {"look.noise": "drift(seconds=1).scale(0.3)"},
        "noise is even and quiet",
        ("low", "high"),
    ),
    Clip(
        "network-bending",
        "Network bending",
        "Kicks enlarge the features, snares shift them, the melody is in the noise",
        """The features of a layer are transformed on their way to the next one: the snare translates
those of 16 px by an eighth of the width, the kick enlarges those of 32 px by half. That leaves the noise
to the melody.""",
        {"look.bends": []},
        "nothing is bent",
        ("low", "high", "tune"),
        bar=12,
    ),
    Clip(
        "model-rewriting",
        "Model rewriting",
        "Every snare changes the weights of the network, and its colours turn",
        """Here the weights change instead of the features: the snare multiplies each weight of the 64 px
layers by a number from a normal distribution about -1, as far as its envelope says. The model itself is
never touched.""",
        {"look.rewrites": []},
        "the model has its own weights",
        ("hit",),
    ),
    Clip(
        "rms-sections",
        "Loudness tells the sections apart",
        "The bass enters, and warm glass turns cool",
        """The moving average of the bass's level mixes two palettes, both weighted by the chords: warm
for the intro, in which there is no bass, cool for the main part.""",
        {"look.latents": "warm.weigh(notes)"},
        "one palette plays throughout",
        ("level", "notes"),
        bar=0,
    ),
    Clip(
        "wide",
        "Wide by mirroring",
        "The constant under the network is 4x4 cells, and wider by mirroring",
        """The lowest layer of the generator is a learned constant of 4x4 cells. Mirrored to more columns
it makes every layer above wider, so that any shape of image is drawn, not stretched.""",
        {"output.cells": "4x4"},
        "the square image is enlarged and cropped",
        ("notes",),
    ),
    Clip(
        "segments",
        "Sections by Laplacian segmentation",
        "Part A becomes part B, and another palette plays",
        """Sections are found from what repeats in the song, and labelled alike where they are alike
(McFee and Ellis 2014). Each label has a look, and looks are joined where sections meet.""",
        {"by_section.B": "first", "by_section.C": "first"},
        "one look plays throughout",
        ("sections",),
        bar=8,
    ),
    Clip(
        "loops",
        "Loops of bars",
        "The journey through the palette closes every 4 bars; drums stir the noise",
        """Music repeats in 4, 8 or 16 bars. Latents and noise loop with them, so the image comes back
when the song does; the onset envelope of the percussive part moves the noise.""",
        {"look.latents": "colours.loop(seconds=19)", "look.noise": "drift(seconds=2).scale(0.3 + 3 * hit)"},
        "loops know nothing of bars",
        ("hit",),
    ),
    Clip(
        "mix",
        "A long mix by cue sheet",
        "A calm track ends, an energetic one begins: other palette, faster loop, rougher noise",
        """A cue sheet says when each track of a mix begins, and how it looks. Within a track a moving
average of the level mixes calm loops with fast ones and quiet noise with strong noise, measured by its
own loud and soft parts.""",
        {"cues": None, "look": {"preset": "club"}},
        "one preset plays the whole mix",
        ("sections",),
        music="mix",
        bar=12,
    ),
    Clip(
        "seed",
        "The whole song, without tuning",
        "The preset seed: bar-long loops, chords, and onsets in the noise",
        """The post's recipe for any song. Its five knobs, cut-off frequency, strength, weighting, noise
and smoothing, are those that the post says need tuning; their defaults do.""",
        {"look.strength": 0},
        "onsets have no strength",
        ("percussive.flux(low_hz=20, high_hz=150)", "percussive.flux(low_hz=150)"),
    ),
)
"""Every clip; each technique of the post has one."""
