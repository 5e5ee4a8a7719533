"""Short noise, and files of it in any codec."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 44100


def noise(seed: int = 0, seconds: float = 1.3) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (2, round(seconds * RATE))).astype(np.float32)


def encode(path: Path, codec: str, samples: np.ndarray, bit_rate: int = 128_000, **tags: str) -> Path:
    rate = 48000 if codec == "libopus" else RATE
    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        options = {"strict": "-2"} if codec == "vorbis" else {}
        stream = container.add_stream(codec, rate=rate, layout="stereo", options=options)
        stream.bit_rate = bit_rate
        if codec == "alac":
            stream.codec_context.format = "s16p"
        packed = np.ascontiguousarray(samples.T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
