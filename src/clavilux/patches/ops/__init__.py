"""The operations of what is shown: palettes, latents, masks, noise, bends and rewrites."""

from clavilux.patches.ops import bends, latents, masks, noise, palettes, rewrites

__all__ = ["bends", "latents", "masks", "noise", "palettes", "rewrites"]
