"""All randomness: numbers that are a function of (seed, name, index) and of nothing else.

The counter-based generator Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") is
keyed by a hash of seed and name, and its counter begins at the index. So call order, batch size and device
never matter, and any part of a video can be rendered again alone.
"""

from hashlib import blake2b

import numpy as np

from clavilux.arrays import F32

__all__ = ["generator", "normal", "uniform"]


def generator(seed: int, name: str, index: int = 0) -> np.random.Generator:
    """Return the random number generator of (seed, name, index); any integers.

    >>> a, b = generator(1, "noise", 5), generator(1, "noise", 5)
    >>> a.random() == b.random()
    True
    """
    key = blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
    # the counter has 4 words of 64 bits and numpy counts in the lowest: streams are 2^192 steps apart
    counter = np.array([0, 0, 0, index % 2**64], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=np.frombuffer(key, np.uint64), counter=counter))


def normal(seed: int, name: str, index: int, shape: tuple[int, ...], *, out: F32 | None = None) -> F32:
    """Draw standard normal numbers of ``shape``, float32, into ``out`` where it is given."""
    return generator(seed, name, index).standard_normal(shape, dtype=np.float32, out=out)


def uniform(seed: int, name: str, index: int, shape: tuple[int, ...]) -> F32:
    """Draw uniform numbers in [0, 1) of ``shape``, float32."""
    return generator(seed, name, index).random(shape, dtype=np.float32)
