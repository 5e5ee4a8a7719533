"""How frames are encoded: everything about a video file that the user may choose, checked.

Sizes are width and height in pixels; frame rates are exact; depths are bits per sample.
"""

from dataclasses import KW_ONLY, dataclass
from fractions import Fraction

from clavilux.errors import SettingError, suggest
from clavilux.pixel_formats import LAYOUTS, Layout, PixelFormat
from clavilux.video.codecs import PRESETS, Codec, codec_of
from clavilux.video.frame import ffmpeg_name

__all__ = ["MAX_TICKS", "Encoding"]

MAX_TICKS = 2**31 - 1
"""Largest numerator or denominator of a frame rate that a container holds."""


@dataclass(frozen=True)
class Encoding:
    """How frames are encoded.

    Attributes:
        size: width and height in pixels, both even.
        fps: frames per second, exact.
        gop: frames per closed group of pictures.
        codec: a name in `clavilux.video.codecs.CODECS`.
        bits: depth, 8 or 10; the codec's usual one unless given.
        crf: quality on the codec's own scale from 1 (best); its usual one unless given. It stays None with
            codecs that have no such scale.
        preset: x264's name, from ``ultrafast`` to ``veryslow``, for every codec that has presets; the
            codec's usual one unless given. On generated video, ``veryfast`` takes a third of ``medium``'s
            time, 0.8 dB lower at equal size; bench.md compares it with the usual one.

    Raises:
        SettingError: a value that cannot be encoded.

    >>> video = Encoding((1280, 720), Fraction(30000, 1001), gop=60, codec="hevc", bits=10)
    >>> video.pixels, video.shape, video.crf, video.suffix
    ('yuv420p10', (1080, 1280), 20, '.mp4')
    """

    size: tuple[int, int]
    fps: Fraction
    _: KW_ONLY
    gop: int
    codec: str = "h264"
    bits: int | None = None
    crf: float | None = None
    preset: str = ""

    def __post_init__(self) -> None:
        codec = codec_of(self.codec)
        if self.bits is None:
            object.__setattr__(self, "bits", next(iter(codec.pixels)))
        if self.crf is None and codec.quality:
            object.__setattr__(self, "crf", codec.quality.usual)
        if not self.preset:
            object.__setattr__(self, "preset", codec.preset)
        self._check_frames()
        self._check_codec(codec)

    def _check_frames(self) -> None:
        width, height = self.size
        if (
            width % 2 or height % 2 or width <= 0 or height <= 0
        ):  # 4:2:0 has a chroma sample for 2 x 2 of luma
            raise SettingError(
                f"A video cannot be {width}x{height}",
                where="size",
                value=self.size,
                hint=f"both sides must be even, such as {_even(width)}x{_even(height)}",
                remedy="size",
            )
        if self.fps <= 0 or max(self.fps.numerator, self.fps.denominator) > MAX_TICKS:
            raise SettingError(
                f"The frame rate {self.fps} cannot be written",
                where="fps",
                value=self.fps,
                hint="try 30, 24 or 30000/1001",
            )
        if self.gop < 1:
            raise SettingError(
                f"A group of {self.gop} pictures is empty",
                where="gop",
                value=self.gop,
                hint="give at least 1",
            )

    def _check_codec(self, codec: Codec) -> None:
        if self.bits not in codec.pixels:
            depths = " or ".join(map(str, codec.pixels))
            raise SettingError(
                f"{self.codec} cannot have {self.bits} bits a sample",
                where="bits",
                value=self.bits,
                hint=f"it has {depths}",
            )
        if self.preset not in PRESETS:
            raise SettingError(
                f"There is no preset '{self.preset}'",
                where="preset",
                value=self.preset,
                hint=suggest(self.preset, PRESETS),
            )
        if codec.quality is None:
            if self.crf is not None:
                raise SettingError(
                    f"{self.codec} has no quality to choose",
                    where="crf",
                    value=self.crf,
                    hint=f"omit crf {self.crf:g}",
                )
        elif self.crf is None or not 1 <= self.crf <= codec.quality.worst:
            raise SettingError(
                f"The quality crf {self.crf} is out of range for {self.codec}",
                where="crf",
                value=self.crf,
                hint=f"it goes from 1 (best) to {codec.quality.worst:g}",
            )

    @property
    def suffix(self) -> str:
        """Suffix of the finished video's name."""
        return codec_of(self.codec).suffix

    @property
    def pixels(self) -> PixelFormat:
        """The pixel format that the program draws, as `clavilux.pixel_formats` says."""
        return codec_of(self.codec).pixels[self.bits or 8]

    @property
    def layout(self) -> Layout:
        """How a frame's samples are laid out in its array."""
        return LAYOUTS[self.pixels]

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of one frame's array."""
        return self.layout.shape(self.size)

    @property
    def surface(self) -> str:
        """FFmpeg's name of the pixel format that the encoder takes."""
        return codec_of(self.codec).surfaces.get(self.bits or 8, ffmpeg_name(self.pixels))

    @property
    def options(self) -> dict[str, str]:
        """Options of the encoder."""
        codec = codec_of(self.codec)
        options = codec.options_for(self.gop)
        if codec.quality:
            options[codec.quality.option] = f"{self.crf:g}"
        if codec.presets:
            options["preset"] = codec.presets[PRESETS.index(self.preset)]
        return options


def _even(side: int) -> int:
    return max(side + side % 2, 2)
