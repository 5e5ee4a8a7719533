"""Which layers and channels a change acts on, from how a patch writes them.

Layers are named by name ('b16.conv0', 'const') or by feature size ('16 px', '8-64 px'); channels by 'all', a
seeded random share ('30%'), a range from 0 ('0-63', or '5' alone), or a cluster of a layer ('cluster 2').
Weights of channels are (C,) float32, 0 or 1.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np

from clavilux import seeds
from clavilux.arrays import F32, I64
from clavilux.errors import ModelError, suggest
from clavilux.generator.network import NetworkSizes, bendable

__all__ = ["ClustersOf", "channel_weights", "find_layers"]

ClustersOf = Callable[[str], Sequence[I64]]
"""From a layer's name to the channels of each of its clusters."""

SIZES = re.compile(r"(\d+)(?:\s*-\s*(\d+))?\s*px")
SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
RANGE = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")
CLUSTER = re.compile(r"cluster\s+(\d+)")


def find_layers(network: NetworkSizes, at: str, known: Sequence[str] | None = None) -> list[str]:
    """Find the layers that a change names.

    Args:
        network: whose layers they are.
        at: a layer's name, a feature size such as '16 px', or several, '8-64 px'.
        known: the layers that can be changed; by default all that can be bent.

    Raises:
        ModelError: there is none; names the nearest.

    >>> from clavilux.generator.model import load_model
    >>> find_layers(load_model("silk").network, "8-16 px")
    ['b8.conv0', 'b8.conv1', 'b16.conv0', 'b16.conv1']
    """
    known = bendable(network.layers) if known is None else known
    if at in known:
        return [at]
    sizes = SIZES.fullmatch(at.strip())
    if sizes:
        low, high = int(sizes[1]), int(sizes[2] or sizes[1])
        found = [name for name in known if low <= network.layers[name].resolution <= high and name != "const"]
        if found:
            return found
    hint = suggest(at, known, otherwise="there are {}")
    raise ModelError(f"The network has no layer '{at}' to change", where="at", value=at, hint=hint)


def channel_weights(
    channels: str, count: int, *, layer: str, seed: int = 0, clusters: ClustersOf | None = None
) -> F32:
    """Return the weight of each of a layer's channels, (C,).

    Args:
        channels: 'all', '30%', '0-63', '5' or 'cluster 2'.
        count: the layer's channels, C.
        layer: its name; random shares differ from layer to layer.
        seed: chooses random shares.
        clusters: gives the clusters of a layer; without it there are none.

    Raises:
        ModelError: the channels cannot be read, or the layer does not have them.

    >>> channel_weights("2-3", 6, layer="b4.conv1").tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    >>> channel_weights("50%", 6, layer="b4.conv1").sum()
    np.float32(3.0)
    """
    weights = np.zeros(count, np.float32)
    words = channels.strip().lower()
    if words == "all":
        weights[:] = 1
    elif share := SHARE.fullmatch(words):
        chosen = round(count * min(float(share[1]), 100) / 100)
        weights[seeds.generator(seed, f"bend/channels/{layer}").permutation(count)[:chosen]] = 1
    elif span := RANGE.fullmatch(words):
        first, last = int(span[1]), int(span[2] or span[1])
        if not first <= last < count:
            hint = f"they go from 0 to {count - 1}"
            raise ModelError(
                f"The layer '{layer}' has no channels {channels}", where="channels", value=channels, hint=hint
            )
        weights[first : last + 1] = 1
    elif (cluster := CLUSTER.fullmatch(words)) and clusters is not None:
        found = clusters(layer)
        if int(cluster[1]) >= len(found):
            hint = f"it has clusters 0 to {len(found) - 1}"
            raise ModelError(
                f"The layer '{layer}' has no {words}", where="channels", value=channels, hint=hint
            )
        weights[found[int(cluster[1])]] = 1
    else:
        raise ModelError(
            f"The channels '{channels}' cannot be read",
            where="channels",
            value=channels,
            hint="write 'all', a share such as '30%', a range such as '0-63', or 'cluster 2'",
        )
    return weights
