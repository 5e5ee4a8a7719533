"""Where drums are dense, they are followed less far by what would flash on the model that shows them.

A full hit of some presets moves light there and back. By how much is measured on the model's survey, without
drawing; the gain of such a preset is lowered so that a full hit stays below a flash, as far as it remains the
preset that it is. It depends on the song, the model and the project alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F64
from clavilux.catalogue import MOODS
from clavilux.curves import Events
from clavilux.director.light import ModelLight
from clavilux.features.song import Song
from clavilux.patches.presets import find_preset
from clavilux.patches.presets.preset import Hit
from clavilux.patches.presets.prism import HIT as PRISM
from clavilux.patches.presets.pulse import HIT as PULSE
from clavilux.patches.presets.seed import HIT as SEED
from clavilux.patches.presets.strike import HIT as STRIKE

__all__ = ["HITS", "HIT_SPEC", "hits_at_once", "safe_gain"]

HITS: Mapping[str, Hit] = {
    "prism": PRISM, "pulse": PULSE, "seed": SEED, "strike": STRIKE
}  # fmt: skip
"""What a full hit does, of each preset whose drums move light there and back."""


@dataclass(frozen=True)
class HitSpec:
    """When hits are dense, and how much light they may move then.

    Attributes:
        clear: strength from which a hit is clear.
        per_second: clear hits within a second that may flash (WCAG 2.3.1).
        moved: change of relative luminance on a quarter of a field that a full hit may cause, on the mean of
            what a palette shows; a flash is 0.1.
    """

    clear: float = 0.5
    per_second: int = 3
    moved: float = 0.1


HIT_SPEC = HitSpec()


def hits_at_once(kick: Events, snare: Events) -> int:
    """Count the clear hits of the second that has the most of them.

    >>> hits_at_once(Events(np.arange(8) / 4), Events(np.zeros(0)))
    4
    """
    clear = [each.times[each.strengths >= HIT_SPEC.clear] for each in (kick, snare)]
    hits = np.sort(np.concatenate(clear))
    ends = np.searchsorted(hits, hits + 1, side="left")
    return int((ends - np.arange(len(hits))).max(initial=0))


def safe_gain(  # what plays, what it shows, and how to hear and see it
    preset: str,
    gain: float,
    palettes: Sequence[tuple[str, int]],
    shares: Sequence[F64],
    song: Callable[[], Song],
    find_light: Callable[[], ModelLight | None],
) -> float:
    """Return the gain of a preset's hits, lowered where hits are dense and would flash.

    Args:
        preset: its name; where its drums leave the light alone, the gain stays.
        gain: as it would be.
        palettes: names and seeds of those it shows; saved ones are left out, which the survey does not know.
        shares: of the song, for which each shows the places of its ring, (12,).
        song: opens the song; called only where its hits matter.
        find_light: finds the light of the model, or none; called only where hits are dense.
    """
    hit = HITS.get(preset)
    known = [(each, share) for each, share in zip(palettes, shares, strict=True) if each[0] in {"", *MOODS}]
    if hit is None or not known:
        return gain
    heard = song()
    if hits_at_once(heard.kick, heard.snare) <= HIT_SPEC.per_second or (light := find_light()) is None:
        return gain
    moved = light.moved(hit, *zip(*known, strict=True))
    default = float(find_preset(preset).knobs[hit.knob].default)
    return min(gain, max(HIT_SPEC.moved / max(moved, 1e-9), hit.least * default))
