"""Write docs/seed.md from the clips of the tour: the post, figure by figure."""

import json
import textwrap
from collections.abc import Iterator
from hashlib import blake2b

from clavilux.tour.clips import CLIPS, Clip

__all__ = ["digest_of", "tour_page"]

WIDTH = 118
HEAD = """# The post, figure by figure

This project realises *Audio-reactive Latent Interpolations with StyleGAN* by Hans Brouwer (2020). Below are
its techniques in its order: what each does, the whole patch, and frames of it under the curves that move
them, with the same frames without the technique in the row below. The generators are silk and glass, which
come with Clavilux, the music is what `clavilux demo` composes. All of it as one video with sound, a clip of
eight seconds for each technique:

```sh
clavilux demo --tour
```

A patch below is a project file: saved under the name that its second command says, beside a `song.mp3` of
yours (that of the long mix beside a `mix.mp3`), it plays that. How patches are written:
[patches.md](patches.md); what they are written with: [operations.md](operations.md); every bend and rewrite:
[bends.md](bends.md).
"""
CHAPTERS = {
    "hpss": "Musical features",
    "spatial-noise": "Beyond latents",
    "rms-sections": "Musical structure",
    "loops": "Repetition",
}
"""Headings of the post, before the clip that they begin with."""


def tour_page() -> str:
    """Write the whole page."""
    sections = (line for number, clip in enumerate(CLIPS, 1) for line in section(clip, number))
    return "\n".join([HEAD, *sections])


def section(clip: Clip, number: int) -> Iterator[str]:
    """Write what is said and shown of a clip."""
    if clip.key in CHAPTERS:
        yield f"## {CHAPTERS[clip.key]}\n"
    yield f"### {number}. {clip.title}\n"
    yield textwrap.fill(" ".join(clip.about.split()), WIDTH, break_on_hyphens=False) + "\n"
    yield f"![{clip.caption}; below, {clip.instead}](seed/{clip.key}.webp)\n"
    changed = [line(place, value) for place, value in clip.without.items() if value is not None]
    yield f"In the lower row, {clip.instead}:\n"
    yield "\n".join(["```toml", *changed, "```\n"])
    yield "The whole patch; the first command makes the clip, the second plays your own song:\n"
    commands = (f"clavilux demo --clip {clip.key}", f"clavilux render {clip.key}.toml")
    yield "\n".join(["```sh", *commands, "```\n"])
    yield f"```toml\n{clip.text}```\n"
    if clip.cues is not None:
        yield f"`{clip.cues.name}`, the cue sheet beside it; write the times of your own mix:\n"
        yield f"```text\n{clip.cues.read_text(encoding='utf-8')}```\n"


def line(place: str, value: object) -> str:
    """Write a value at its place, as TOML."""
    if isinstance(value, dict):
        (name, inner), *_ = value.items()
        return line(f"{place}.{name}", inner)
    return f"{place} = {json.dumps(value)}"


def digest_of(clip: Clip) -> str:
    """Return a hash of all that the picture of a clip depends on, as it travels in the picture's file."""
    cues = clip.cues.read_text(encoding="utf-8") if clip.cues else ""
    shown = json.dumps([clip.text, cues, dict(clip.without), clip.curves, clip.music])
    return blake2b(shown.encode(), digest_size=8).hexdigest()
