"""Audio and video files are opened as what they are, and as nothing that names other files.

FFmpeg would follow a text called `song.mp3` that lists other files or addresses (concat, HLS, DASH, SDP,
image sequences, subtitles). Only the formats of audio and film files are let in, and no protocol but the file
itself, so that nothing else on this machine or the network is ever opened.
"""

import errno
from pathlib import Path

import av
from av.container import InputContainer

__all__ = ["open_media", "reason"]

FORMATS = (
    "3dostr,aa,aac,ac3,ac4,aiff,amr,amrnb,amrwb,ape,asf,asf_o,ast,au,avi,caf,codec2,dsf,dts,dtshd,dv,eac3,"
    "f4v,flac,flv,gxf,iamf,iff,ircam,latm,loas,m4a,matroska,mlp,mov,mp2,mp3,mp4,mpc,mpc8,mpeg,mpegts,mpegvideo,"
    "mxf,nut,ogg,oma,qoa,rm,rso,shn,sox,spx,tak,truehd,tta,voc,vqf,w64,wav,webm,wv,xa,xwma,wtv"
)
"""FFmpeg's names of the formats of audio and film files; every one holds its data itself."""

REFUSED = 22
"""The error number (EINVAL) of a format that is not among them."""


def open_media(path: Path) -> InputContainer:
    """Open an audio or video file for reading.

    Raises:
        av.FFmpegError, OSError, ValueError: it cannot be opened; `reason` says why.
    """
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise OSError(errno.EOPNOTSUPP, "it is not an ordinary file")
    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    return av.open(f"file:{path}", metadata_errors="replace", options=options)


def reason(error: BaseException) -> str:
    """Return in a few words why a file cannot be opened.

    >>> reason(OSError(13, "Permission denied"))
    'permission denied'
    """
    if isinstance(error, av.InvalidDataError):
        return "it is no audio file, or it is damaged at its beginning"
    if getattr(error, "errno", None) == REFUSED:
        return "it is no audio or film file, but a list of others, an image or text"
    return str(getattr(error, "strerror", None) or error).lower()
