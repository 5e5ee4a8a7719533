"""Use the sample plugin, which must be installed: `pip install ./examples/plugin`."""

import tempfile
from pathlib import Path

import numpy as np

from clavilux import Patch, compose, prepare, song
from clavilux.patches.presets import find_preset
from clavilux.project.output import Output
from clavilux.project.project import Project

stuttered = song.kick.decay(beats=0.25).acme.stutter(beats=0.5)
glitch = find_preset("acme.glitch")(seed=1)
assert Patch.parse(str(glitch)) == glitch, "text is read back"
assert "acme.stutter(" in str(glitch), str(glitch)
assert "bend0 = acme.mirror(" in str(glitch), str(glitch)

piece = compose(0, bars=2, bpm=120, rate=22050)
small = Output(size=(128, 72), fps=10)
project = Project(patch="acme.glitch", knobs={"mirrored": 1.0}, duration=2)
with tempfile.TemporaryDirectory() as folder:
    made = prepare(piece.audio, project, small).render(Path(folder) / "glitch.mp4")
    assert made.frames == 20, made
plain = Project(patch=Patch(glitch.latents, glitch.noise), duration=2)
first, second = (
    np.concatenate([batch.astype(float) for batch in prepare(piece.audio, each, small).frames()])
    for each in (project, plain)
)
print(f"the bend moves the image by {np.abs(first - second).mean():.1f} levels")
assert np.abs(first - second).mean() > 0.5
