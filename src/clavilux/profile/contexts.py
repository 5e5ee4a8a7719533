"""Contexts of rules: directions of a layer's input that a cluster of features stands for.

Known without PyTorch where they are kept; see `context_search` for how they are found.
"""

import numpy as np

from clavilux.arrays import F32
from clavilux.errors import ModelError
from clavilux.generator.model import Model
from clavilux.generator.network import bendable
from clavilux.store import Store

__all__ = ["find_context", "layer_before"]

VERSION = 2


def layer_before(model: Model, layer: str) -> str:
    """Return the layer whose features a convolution takes.

    Raises:
        ModelError: no layer is before it.

    >>> from clavilux.generator.model import load_model
    >>> layer_before(load_model("silk"), "b16.conv0")
    'b8.conv1'
    """
    names = bendable(model.sizes.layers)
    place = names.index(layer) if layer in names else 0
    if place == 0:
        raise ModelError(f"No layer is before '{layer}'", where="at", value=layer, hint="name a convolution")
    return names[place - 1]


def find_context(model: Model, store: Store, layer: str, context: str) -> F32:
    """Return the mean key and the direction of a context at a layer, (2, I); their product is 1.

    Args:
        model: the generator.
        store: keeps the contexts under the model's digest.
        layer: a styled convolution.
        context: a cluster of the features that it takes, such as 'cluster 2'.

    Raises:
        ModelError: there is no such context.
    """

    def found() -> dict[str, F32]:
        from clavilux.profile.context_search import search_contexts  # it needs PyTorch

        return {"contexts": search_contexts(model, store, layer)}

    word, _, number = context.strip().partition(" ")
    kept = store.fetch(
        f"generator/contexts/{VERSION}/{model.digest}/{layer}",
        found,
    )["contexts"]
    if word != "cluster" or not number.isdigit() or int(number) >= len(kept):
        hint = f"there are 'cluster 0' to 'cluster {len(kept) - 1}'"
        raise ModelError(
            f"The layer '{layer}' has no context '{context}'", where="context", value=context, hint=hint
        )
    return np.asarray(kept[int(number)], np.float32)
