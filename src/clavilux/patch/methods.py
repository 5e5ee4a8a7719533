"""Classes that carry the visual ops as methods, and the ops that begin an expression, as functions.

Their types and documentation are in the generated stub.
"""

from clavilux.patch import ops as _ops  # fills the op table
from clavilux.signals.expr import maker
from clavilux.signals.table import methods_of

__all__ = [
    "EntryMethods",
    "LatentMethods",
    "MaskMethods",
    "NoiseMethods",
    "PaletteMethods",
    "disc",
    "drift",
    "gradient",
    "half",
    "palette",
    "ring",
]

assert _ops

EntryMethods = methods_of("entry")
LatentMethods = methods_of("latent")
MaskMethods = methods_of("mask")
NoiseMethods = methods_of("noise")
PaletteMethods = methods_of("palette")
palette, drift = maker("palette"), maker("drift")
disc, ring, half, gradient = maker("disc"), maker("ring"), maker("half"), maker("gradient")
