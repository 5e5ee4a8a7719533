"""The codecs that a video can be written in: one table, read by everything that writes or joins.

A codec is an encoder of FFmpeg's with what it is told, the pixel formats it is given by depth in bits, and
the ending of its files. Words in braces are filled in: ``{gop}`` is the length of a closed group of pictures.

NVENC's encoders are codecs of their own and never stand in for another: their pictures differ at the same
number, so a video that chose by itself would depend on the machine. `encoders` tells which open here.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext

from clavilux.errors import SettingError
from clavilux.pixel_formats import PixelFormat

__all__ = ["CODECS", "PRESETS", "Codec", "Quality", "codec_of", "encoders", "maker_of", "opens", "suffix_of"]

PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)
"""Names of effort, x264's; every codec that knows effort knows them."""

Pixels = Mapping[int, PixelFormat]

SUBSAMPLED: Pixels = {8: "yuv420p", 10: "yuv420p10"}
NVENC_SURFACES: Mapping[int, str] = {8: "yuv420p", 10: "p010le"}
NVENC_PRESETS = ("p1", "p1", "p2", "p3", "p3", "p4", "p5", "p6", "p7")
SVT_PRESETS = ("12", "11", "10", "9", "8", "6", "5", "4", "3")
PROBE_SIDE, PROBE_GOP = 256, 30


@dataclass(frozen=True)
class Quality:
    """How an encoder is told the quality: its option's name, the usual value, the smallest file's value."""

    option: str
    usual: float
    last: float


@dataclass(frozen=True)
class Codec:
    """A codec as Clavilux writes it.

    Attributes:
        encoder: FFmpeg's name of the encoder.
        family: FFmpeg's name of what it makes, as a file tells it.
        suffix: ending of the files.
        pixels: the program's pixel format by depth in bits; the first is usual.
        options: what the encoder is told.
        quality: how it is told the quality; none where there is nothing to choose.
        presets: its own names for `PRESETS`; empty where it knows one effort only.
        surfaces: FFmpeg's pixel format by depth, where the encoder wants another arrangement.
        segment: FFmpeg's name of the container of segments.
        tag: the four letters of the codec in an mp4; empty leaves them to FFmpeg.
        environment: variables that the encoder's library reads.
    """

    encoder: str
    family: str
    suffix: str
    pixels: Pixels
    options: Mapping[str, str]
    quality: Quality | None = None
    presets: Sequence[str] = ()
    surfaces: Mapping[int, str] = field(default_factory=dict)
    segment: str = "mp4"
    tag: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def told(self, gop: int) -> dict[str, str]:
        """Fill in the options for groups of this many pictures.

        >>> CODECS["hevc_nvenc"].told(gop=60)["g"]
        '60'
        """
        return {name: value.format(gop=gop) for name, value in self.options.items()}


def _nvenc(family: str, quality: Quality, tag: str = "") -> Codec:
    """NVIDIA's encoder; groups are closed because no picture refers to a later one."""
    depths = (8,) if family == "h264" else (8, 10)
    return Codec(
        encoder=f"{family}_nvenc",
        family=family,
        suffix=".mp4",
        pixels={bits: SUBSAMPLED[bits] for bits in depths},
        options={"g": "{gop}", "bf": "0", "forced-idr": "1", "no-scenecut": "1", "rc": "vbr", "b": "0"},
        quality=quality,
        presets=NVENC_PRESETS,
        surfaces=NVENC_SURFACES,
        tag=tag,
    )


CODECS: Mapping[str, Codec] = {
    "h264": Codec(
        encoder="libx264",
        family="h264",
        suffix=".mp4",
        pixels=SUBSAMPLED,
        options={"x264-params": "keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0"},
        quality=Quality("crf", 18, 51),
        presets=PRESETS,
    ),
    "hevc": Codec(
        encoder="libx265",
        family="hevc",
        suffix=".mp4",
        pixels=SUBSAMPLED,
        options={"x265-params": "keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:log-level=none"},
        quality=Quality("crf", 20, 51),
        presets=PRESETS,
        tag="hvc1",  # the only one that Apple's players take
    ),
    "av1": Codec(
        encoder="libsvtav1",
        family="av1",
        suffix=".mp4",
        pixels=SUBSAMPLED,
        options={"g": "{gop}", "svtav1-params": "irefresh-type=2:scd=0"},
        quality=Quality("crf", 26, 63),
        presets=SVT_PRESETS,
        environment={"SVT_LOG": "0"},  # otherwise it writes thirty lines to the terminal
    ),
    "prores": Codec(
        encoder="prores_ks",
        family="prores",
        suffix=".mov",
        pixels={10: "yuv422p10"},
        options={"profile": "hq", "vendor": "apl0"},
        segment="mov",
    ),
    "ffv1": Codec(
        encoder="ffv1",
        family="ffv1",
        suffix=".mkv",
        pixels={8: "yuv444p", 10: "yuv444p10"},
        options={"level": "3", "g": "1", "slices": "16", "slicecrc": "1"},
    ),
    "h264_nvenc": _nvenc("h264", Quality("cq", 20, 51)),
    "hevc_nvenc": _nvenc("hevc", Quality("cq", 22, 51), tag="hvc1"),
    "av1_nvenc": _nvenc("av1", Quality("cq", 28, 63)),
}


def codec_of(name: str) -> Codec:
    """Look a codec up.

    Raises:
        SettingError: no codec of that name; says the nearest.

    >>> codec_of("hevc").encoder
    'libx265'
    """
    if name not in CODECS:
        near = get_close_matches(name.lower(), CODECS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}? " if near else ""
        raise SettingError(f"There is no codec '{name}'; {hint}Choose one of {', '.join(CODECS)}.")
    return CODECS[name]


def maker_of(family: str) -> Codec | None:
    """Find the first codec that makes what a file calls itself, if it is one of ours.

    >>> maker_of("av1").encoder
    'libsvtav1'
    """
    return next((codec for codec in CODECS.values() if codec.family == family), None)


def suffix_of(name: str) -> str:
    """Tell the ending of a codec's files.

    Raises:
        SettingError: no codec of that name.

    >>> suffix_of("prores")
    '.mov'
    """
    return codec_of(name).suffix


def opens(name: str) -> bool:
    """Find out whether a codec's encoder opens on this machine, by opening it.

    Raises:
        SettingError: no codec of that name.

    >>> opens("h264")
    True
    """
    codec = codec_of(name)
    os.environ.update(codec.environment)
    try:
        context = cast("VideoCodecContext", VideoCodecContext.create(codec.encoder, "w"))
        context.width = context.height = PROBE_SIDE
        context.time_base, context.framerate = Fraction(1, 30), Fraction(30)
        context.pix_fmt = next(iter(codec.surfaces.values()), next(iter(codec.pixels.values())))
        context.options = codec.told(gop=PROBE_GOP)
        context.open()
    except (av.FFmpegError, OSError, ValueError):
        return False
    return True


def encoders() -> list[str]:
    """List the codecs whose encoders open on this machine.

    >>> {"h264", "hevc", "av1", "prores", "ffv1"} <= set(encoders())
    True
    """
    return [name for name in CODECS if opens(name)]
