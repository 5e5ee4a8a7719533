"""Which layers of the network follow the harmony: the knob `split` of presets."""

from clavilux.patches.latent import Latent

__all__ = ["split_layers"]


def split_layers(still: Latent, harmony: Latent, split: str, *, form: Latent | None = None) -> Latent:
    """Use the latents of the harmony from one group of layers on, and others below it.

    Args:
        still: latents below the split, which follow no harmony.
        harmony: latents from the split on.
        split: the coarsest group of layers that follows the harmony.
        form: of the coarse layers, where they follow the harmony too; as the others unless given.

    >>> from clavilux.patches.functions import palette
    >>> still, chords = palette().loop(bars=32), palette(seed=1).loop(bars=2)
    >>> split_layers(still, chords, "middle") == chords.on("coarse", still)
    True
    """
    if split == "fine":
        return still.on("fine", harmony)
    below = still if split == "middle" else form
    return harmony if below is None else harmony.on("coarse", below)
