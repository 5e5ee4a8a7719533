"""What identifies the sound of a lossy file: the coded packets that its decoder is given.

Decoders of mp3, AAC, Opus and Vorbis compute in floating point and may round differently: the samples of one
file differ by about 1e-6 of full scale between processors and FFmpeg builds. Its coded packets do not. They
hold the sound and nothing else, so new tags, another name or another place change nothing.
"""

from hashlib import blake2b

from av.audio.stream import AudioStream
from av.packet import Packet

__all__ = ["PacketHash", "decodes_exactly"]

MPEG_AUDIO = ("mp1", "mp2", "mp3")


def decodes_exactly(stream: AudioStream) -> bool:
    """Return whether every decoder gives the same samples: PCM and the codecs that are always lossless.

    WavPack counts too: FFmpeg lists it as lossy for its hybrid mode, which is decoded in integers as well.
    """
    codec = stream.codec_context.codec
    exact = codec.canonical_name.startswith("pcm_") or codec.canonical_name == "wavpack"
    return exact or (codec.lossless and not codec.lossy)


class PacketHash:
    """The hash of a stream's coded packets, updated while they are decoded.

    Where one packet ends and the next begins does not count, as containers may cut a stream differently.
    """

    def __init__(self, stream: AudioStream) -> None:
        self._codec = stream.codec_context.codec.canonical_name
        self._hash = blake2b(digest_size=16, person=b"coded packets")
        self._hash.update(_setup(self._codec, stream.codec_context.extradata or b""))

    def update(self, packet: "Packet[AudioStream]") -> None:
        """Add the next packet of the stream."""
        if not packet.size:  # the empty packet that ends every stream
            return
        data = memoryview(packet)
        if self._codec in MPEG_AUDIO and not _begins_frame(data):  # tags or padding behind the last frame
            return
        self._hash.update(data)

    def digest(self, rate: int, channels: int, samples: int) -> str:
        """Return the hash of codec, setup, packets and what they were decoded to, as hexadecimal.

        The number of samples counts because a container may cut off a part of its packets: an encoder's
        priming and padding, or what an editor trimmed without encoding again.
        """
        whole = self._hash.copy()
        whole.update(f"{self._codec} {rate} Hz {channels} channels {samples} samples".encode())
        return whole.hexdigest()


def _begins_frame(data: memoryview) -> bool:
    """Return whether MPEG audio begins here, with the 11 set bits of its frame header."""
    return len(data) > 1 and data[0] == 0xFF and data[1] >= 0xE0


def _setup(codec: str, extradata: bytes) -> bytes:
    """Return what a decoder needs before the first packet, without tags.

    Vorbis puts three headers there, identification, comment and setup, and the tags are the comment:
    a count of 2, the lengths of the first two in bytes of up to 255 each (Xiph lacing), then all three.
    """
    if codec != "vorbis" or extradata[:1] != b"\x02":
        return extradata
    place, lengths = 1, []
    for _ in range(2):
        length = 0
        while place < len(extradata) and extradata[place] == 0xFF:
            length, place = length + 0xFF, place + 1
        length, place = length + sum(extradata[place : place + 1]), place + 1
        lengths.append(length)
    identification, comment = lengths
    return extradata[place : place + identification] + extradata[place + identification + comment :]
