"""`choir`: chords first. Every chord has a picture of its own, and the melody warms it."""

from clavilux.patches.functions import drift, translate
from clavilux.patches.patch import Patch
from clavilux.patches.presets.hearing import bass_notes, chord_notes, drum_hits, palette_of, travel
from clavilux.patches.presets.preset import knob, patch
from clavilux.signals.sources import SongSource

__all__ = ["choir"]


@patch
def choir(
    song: SongSource,
    seed: int,
    punch: float = knob(1.0, 0, 2),
    smooth: float = knob(0.3, 0.05, 4, unit="seconds"),
    colours: str = knob(""),
) -> Patch:
    """Sing: chords choose the colours and details, bass notes the shape; drums only stir the texture.

    Args:
        song: the song.
        seed: another seed chooses other palettes.
        punch: how much the drums stir the texture.
        smooth: how slowly one chord becomes the next.
        colours: a mood (warm, cool, calm or wild) or the name of a saved palette; empty is any.
    """
    shades, shapes = palette_of(colours, seed), palette_of(colours, seed + 1)
    chords = shades.weigh(chord_notes(song, seconds=smooth))
    look = chords.on("coarse", shapes.weigh(bass_notes(song, seconds=2 * smooth)))
    hit = drum_hits(song)
    stir = translate(at="16 px", x=2 * travel(hit, by=0.35 * punch))
    return Patch(look, drift(seconds=6).scale(0.6 + 0.3 * punch * hit), bends=(stir,))
