"""The codecs that a video can be written in: one table, read by everything that writes or joins.

A codec is an encoder of FFmpeg's with its options, the pixel formats it takes by depth in bits, and the
suffix of its files. ``{gop}`` in an option is replaced by the length of a closed group of pictures (GOP).

NVENC's encoders are codecs of their own and never stand in for another: their images differ at the same
quality number, so a video that chose by itself would depend on the machine. `encoders` lists those that open
on this one.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext

from clavilux.errors import SettingError, suggest
from clavilux.pixel_formats import PixelFormat

__all__ = [
    "CODECS",
    "PRESETS",
    "Codec",
    "Quality",
    "codec_for_family",
    "codec_of",
    "encoder_opens",
    "encoders",
]

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
"""x264's presets, fastest first; every codec that has presets takes these names."""

Pixels = Mapping[int, PixelFormat]

SUBSAMPLED: Pixels = {8: "yuv420p", 10: "yuv420p10"}
NVENC_SURFACES: Mapping[int, str] = {8: "yuv420p", 10: "p010le"}
NVENC_PRESETS = ("p1", "p1", "p2", "p3", "p3", "p4", "p5", "p6", "p7")
SVT_PRESETS = ("12", "11", "10", "9", "8", "6", "5", "4", "3")

TRIAL_SIDE, TRIAL_FPS, TRIAL_GOP = 256, 30, 30
"""What an encoder is opened with to find out whether it opens: every encoder takes such video."""


@dataclass(frozen=True)
class Quality:
    """An encoder's scale of constant quality, from 1 (best).

    Attributes:
        option: name of the encoder's option.
        usual: value used unless another is given.
        worst: end of the scale: the smallest file.
    """

    option: str
    usual: float
    worst: float


@dataclass(frozen=True)
class Codec:
    """A codec as Clavilux writes it.

    Attributes:
        encoder: FFmpeg's name of the encoder.
        family: FFmpeg's name of the format it writes, as files name it.
        suffix: of the files.
        pixels: the program's pixel format (`clavilux.pixel_formats`) by depth in bits; the first is usual.
        options: of the encoder.
        quality: its quality scale; none where there is nothing to choose.
        preset: of `PRESETS`, used unless another is given.
        presets: its own names for `PRESETS`; empty where it has none.
        surfaces: FFmpeg's pixel format by depth, where the encoder takes another than the program's.
        segment: FFmpeg's name of the container of segments.
        tag: the codec's four letters (FourCC) in an mp4; empty for FFmpeg's choice.
        environment: variables that the encoder's library reads.
    """

    encoder: str
    family: str
    suffix: str
    pixels: Pixels
    options: Mapping[str, str]
    quality: Quality | None = None
    preset: str = "veryfast"
    presets: Sequence[str] = ()
    surfaces: Mapping[int, str] = field(default_factory=dict)
    segment: str = "mp4"
    tag: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def options_for(self, gop: int) -> dict[str, str]:
        """Return the encoder's options for closed groups of this many pictures.

        >>> CODECS["hevc_nvenc"].options_for(gop=60)["g"]
        '60'
        """
        return {name: value.format(gop=gop) for name, value in self.options.items()}


def _nvenc(family: str, quality: Quality, tag: str = "") -> Codec:
    """Return NVIDIA's encoder; without B-frames no frame refers to a later one, so every GOP is closed."""
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
        # without cpu-independent, its AVX-512 code reads what was in memory: other bytes at every run
        # superfast with macroblock trees: at equal SSIM 56 % of veryfast's time, a quarter more bytes
        options={
            "x264-params": "keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:cpu-independent=1"
            ":mbtree=1:rc-lookahead=10"
        },
        preset="superfast",
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
        tag="hvc1",  # the only tag that Apple's players take
    ),
    "av1": Codec(
        encoder="libsvtav1",
        family="av1",
        suffix=".mp4",
        pixels=SUBSAMPLED,
        options={"g": "{gop}", "svtav1-params": "irefresh-type=2:scd=0"},
        quality=Quality("crf", 26, 63),
        presets=SVT_PRESETS,
        environment={"SVT_LOG": "0"},  # otherwise it prints thirty lines
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
    """Return a codec by its name.

    Raises:
        SettingError: no codec of that name.

    >>> codec_of("hevc").encoder
    'libx265'
    """
    if name not in CODECS:
        raise SettingError(
            f"There is no codec '{name}'", where="codec", value=name, hint=suggest(name.lower(), CODECS)
        )
    return CODECS[name]


def codec_for_family(family: str) -> Codec | None:
    """Return the first codec that writes a format, if there is one.

    >>> codec_for_family("av1").encoder
    'libsvtav1'
    """
    return next((codec for codec in CODECS.values() if codec.family == family), None)


def encoder_opens(name: str) -> bool:
    """Return whether a codec's encoder opens on this machine, by opening it.

    Raises:
        SettingError: no codec of that name.

    >>> encoder_opens("h264")
    True
    """
    codec = codec_of(name)
    os.environ.update(codec.environment)
    try:
        context = cast("VideoCodecContext", VideoCodecContext.create(codec.encoder, "w"))
        context.width = context.height = TRIAL_SIDE
        context.time_base, context.framerate = Fraction(1, TRIAL_FPS), Fraction(TRIAL_FPS)
        context.pix_fmt = next(iter(codec.surfaces.values()), next(iter(codec.pixels.values())))
        context.options = codec.options_for(gop=TRIAL_GOP)
        context.open()
    except (av.FFmpegError, OSError, ValueError):
        return False
    return True


def encoders() -> list[str]:
    """List the codecs whose encoders open on this machine.

    >>> {"h264", "hevc", "av1", "prores", "ffv1"} <= set(encoders())
    True
    """
    return [name for name in CODECS if encoder_opens(name)]
