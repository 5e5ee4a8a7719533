"""Model rewriting: changes of a convolution's weights by amounts per frame, in side branches.

`REWRITES` has the module of every rewrite by the name that patches call it.
"""

from collections.abc import Mapping

from clavilux.generator.rewrites.blend import Blend, BlendBeside, blend_at
from clavilux.generator.rewrites.layers import styled_convs, styled_layers
from clavilux.generator.rewrites.rewrite import Crossed, Rewrite
from clavilux.generator.rewrites.rules import Boost, Edit, Mute, Rule, Scale, Swap

__all__ = [
    "REWRITES",
    "Blend",
    "BlendBeside",
    "Boost",
    "Crossed",
    "Edit",
    "Mute",
    "Rewrite",
    "Rule",
    "Scale",
    "Swap",
    "blend_at",
    "styled_convs",
    "styled_layers",
]

REWRITES: Mapping[str, type[Rewrite]] = {
    "rewrite.scale": Scale,
    "rewrite.mute": Mute,
    "rewrite.boost": Boost,
    "rewrite.swap": Swap,
    "rewrite.edit": Edit,
    "rewrite.blend": Blend,
}
"""The rewrites by name."""
