"""Classes that carry the visual ops as methods; their types and documentation are in the generated stub."""

from clavilux.patches import ops as _ops  # fills the op table
from clavilux.signals.table import methods_of

__all__ = [
    "EntryMethods",
    "LatentMethods",
    "MaskMethods",
    "NoiseMethods",
    "PaletteMethods",
]

assert _ops

EntryMethods = methods_of("entry")
LatentMethods = methods_of("latent")
MaskMethods = methods_of("mask")
NoiseMethods = methods_of("noise")
PaletteMethods = methods_of("palette")
