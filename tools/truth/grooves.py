"""The styles songs are written in: files of mma's library, each with the tempi it suits.

A style belongs either to training (train, heavy) or to the test, so that no groove is heard in both. Names of
grooves are read from the library itself when it is there.
"""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["STYLES", "Grooves", "Style", "read_grooves", "styles_of"]

TRAIN = """
rock 96-172 stdlib/basicrock stdlib/softrock stdlib/50srock casio/rock1 casio/poprock1 casio/digitalrock
rock 96-172 pflib/rock1
rock 100-170 zoom/rock yamaha/w-rock pflib/highfive casio/shufflerock kara/K50s_rock
metal 105-200 pflib/metal1 zoom/hrk zoom/mtl own/metal own/metal own/metal
punk 140-205 zoom/thr own/punk
pop 88-132 casio/8beatpop1 casio/8beatpop3 casio/60spop casio/pop casio/electricpop casio/soulpop zoom/pop
pop 88-132 pflib/8beat1
pop 80-128 casio/16beat1 casio/16beat3 casio/worldpop zoom/beat8 zoom/beat16 kara/8beatmotown
pop 80-128 casio/popshuffle1
ballad 56-88 stdlib/rockballad stdlib/popballad stdlib/ballad casio/16beatballad1 casio/8beatballad2
ballad 56-88 zoom/bald
dance 116-148 casio/dance1 casio/dancepop1 casio/dancepop3 casio/house casio/techno casio/trance1
dance 116-148 stdlib/trance
dance 116-150 zoom/dance zoom/techno casio/8beatdance own/electronic own/electronic own/electronic
break 150-178 zoom/dnb own/break
hiphop 74-106 casio/hip-hop zoom/hiphop zoom/trip own/hiphop
funk 88-124 casio/funk1 zoom/funk casio/fusion stdlib/jazzrock casio/r+b casio/soul stdlib/bvfunk
jazz 96-210 stdlib/swing stdlib/jazzcombo stdlib/bigband casio/swing yamaha/jazztrio stdlib/easyswing
jazz 96-210 zoom/jazz
latin 92-176 stdlib/bossanova stdlib/samba stdlib/salsa stdlib/chacha casio/latinhouse zoom/latin
latin 92-176 stdlib/beguine
country 90-190 stdlib/countryswing stdlib/bluegrass stdlib/polka casio/march1 yamaha/western stdlib/folkrock
country 90-190 stdlib/slowcountry
blues 60-140 stdlib/blues stdlib/slowblues zoom/shuffle stdlib/shuffleboggie stdlib/rb
reggae 70-150 zoom/reggae zoom/ska stdlib/ska
waltz 84-190 stdlib/waltz stdlib/jazzwaltz stdlib/countrywaltz stdlib/rockwaltz casio/popwaltz
waltz 84-190 stdlib/broadwaywaltz own/waltz
waltz 84-190 stdlib/frenchwaltz yamaha/jazzwaltz stdlib/fastwaltz own/waltz zoom/rock34
"""
HEAVY = """
metal 140-212 own/metal own/metal own/metal own/metal zoom/hrk own/metal own/metal zoom/mtl
punk 150-212 own/punk own/punk zoom/thr
"""
TEST = """
rock 96-172 stdlib/60srock casio/rock2 casio/poprock2 stdlib/8beat
metal 105-195 pflib/metal2 casio/heavymetal
pop 86-130 casio/8beatpop2 casio/80spop pflib/8beat2 stdlib/twist
ballad 58-86 casio/16beatballad2 stdlib/guitarballad casio/popballad
dance 118-146 casio/dance2 casio/dancepop2 casio/trance2 casio/rave alexis/teamtechno
hiphop 76-104 alexis/hiphop casio/triphop
funk 90-122 casio/funk2 kara/Kfunk1 casio/modernrb
jazz 100-200 stdlib/fastswing casio/jazzcombo yamaha/jazzswing
latin 96-170 stdlib/mambo stdlib/rhumba kara/kbossa
country 96-180 stdlib/hillcountry casio/poppolka stdlib/westernswing
blues 66-132 casio/blues stdlib/fastblues
waltz 88-186 stdlib/latinwaltz stdlib/fastjazzwaltz casio/jazzwaltz stdlib/modernjazzwaltz zoom/bald34
waltz 88-186 stdlib/vienesewaltz
"""

IS_FILL = re.compile(r"Fill|F[AB]$|Break")
IS_INTRO = re.compile(r"Intro")
IS_END = re.compile(r"End(ing)?[A-D]?\d*$|pE$|\dE$")
STRAY = re.compile(r"Metronome|-44$|Hit|Duh|^MilIntro|Voice")


@dataclass(frozen=True)
class Style:
    """A way of playing.

    Attributes:
        kind: rock, jazz, waltz...
        file: of mma's library without its ending; `own/...` is played by players.py alone.
        slowest, fastest: bpm.
    """

    kind: str
    file: str
    slowest: int
    fastest: int

    @property
    def beats_per_bar(self) -> int:
        """The metre."""
        return 3 if self.kind == "waltz" else 4

    @property
    def own(self) -> bool:
        """Whether no groove of mma's is used at all."""
        return self.file.startswith("own/")

    @property
    def drums_only(self) -> bool:
        """Whether the grooves have drums alone."""
        return self.file.startswith("zoom/")


@dataclass(frozen=True)
class Grooves:
    """The grooves of one style, by what they are for."""

    main: tuple[str, ...]
    fill: tuple[str, ...]
    intro: tuple[str, ...]


def _parse(table: str) -> tuple[Style, ...]:
    styles = []
    for line in table.strip().splitlines():
        kind, tempi, *files = line.split()
        slowest, fastest = map(int, tempi.split("-"))
        styles += [Style(kind, file, slowest, fastest) for file in files]
    return tuple(styles)


STYLES = {"train": _parse(TRAIN), "heavy": _parse(HEAVY), "test": _parse(TEST)}
"""Heavy songs are for training too: the loudest and fastest, of which the others have few."""


def styles_of(split: str) -> tuple[Style, ...]:
    """Return styles in the order songs take them: kinds in turn, a waltz every fifth."""
    by_kind: dict[str, list[Style]] = {}
    for style in STYLES[split]:
        by_kind.setdefault(style.kind, []).append(style)
    waltzes = by_kind.pop("waltz", [])
    turns = [style for turn in range(99) for styles in by_kind.values() for style in styles[turn : turn + 1]]
    mixed = []
    for place, style in enumerate(turns):
        mixed.append(style)
        if waltzes and place % 4 == 3:
            mixed.append(waltzes[place // 4 % len(waltzes)])
    return tuple(mixed)


def read_grooves(library: Path, style: Style) -> Grooves:
    """Read the names of a style's grooves from mma's library, as mma writes them."""
    text = (library / f"{style.file}.mma").read_text(errors="replace")
    names = re.findall(r"^\s*DefGroove\s+(\S+)", text, re.IGNORECASE | re.MULTILINE)
    names = [name for name in dict.fromkeys(names) if not STRAY.search(name)]

    def written(wanted: list[str]) -> tuple[str, ...]:
        return tuple(f"{style.file}:{name}" for name in wanted)

    special = (IS_FILL, IS_INTRO, IS_END)
    return Grooves(
        written([name for name in names if not any(each.search(name) for each in special)]),
        written([name for name in names if IS_FILL.search(name)]),
        written([name for name in names if IS_INTRO.search(name)]),
    )
