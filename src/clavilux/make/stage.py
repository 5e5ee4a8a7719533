"""Everything set up to draw: song, model, patch, program and engine, from settings."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from clavilux.annotations.sidecar import corrections_of
from clavilux.audio.sound import Audio, open_audio
from clavilux.audio.stem_files import open_stems
from clavilux.engine.choose import open_runner
from clavilux.engine.runner import Runner
from clavilux.errors import SettingError
from clavilux.features.corrections import Corrections
from clavilux.features.song import Song
from clavilux.frames.bind import bind
from clavilux.frames.frames import Inputs, Looped, frames
from clavilux.generator.model import Model, load_model
from clavilux.generator.program import Program
from clavilux.make.plan import Plan, cover, gop_of
from clavilux.make.recipe import Recipe
from clavilux.make.session import Session
from clavilux.make.settings import PICTURES, Settings
from clavilux.patch.patch import Patch
from clavilux.patch.presets.pulse import pulse
from clavilux.report.summary import headline
from clavilux.timeline import Timeline
from clavilux.video.codecs import encoder_opens
from clavilux.video.frame import Samples
from clavilux.video.write import Encoding

__all__ = ["Stage", "prepare"]


@dataclass(frozen=True)
class Stage:
    """A song bound to a patch and a model, with an engine to draw it.

    Attributes:
        song: what is heard.
        heard: what it is like, in one line.
        model: what draws.
        patch: what is shown.
        program: the model at the output's size.
        inputs: the patch bound to song and model: numbers for every frame.
        runner: the program on an engine.
        timeline: the frames.
        settings: how the video is made.
        encoding: how the frames are encoded; none for pictures.
    """

    song: Song
    heard: str
    model: Model
    patch: Patch
    program: Program
    inputs: Inputs
    runner: Runner
    timeline: Timeline
    settings: Settings
    encoding: Encoding | None

    def frames(self, first: int, last: int) -> Generator[Samples, None, None]:
        """Draw frames [first, last) in order, some at a time."""
        return frames(self.inputs, self.runner, self.timeline, first, last)

    @property
    def plan(self) -> Plan:
        """What will be made, as a function of the project alone."""
        encoding = self.encoding
        recipe = {
            "song": self.song.audio.digest,
            "stems": {name: stem.digest for name, stem in sorted(self.song.stems.items())},
            "corrections": self.song.corrections.to_dict(),
            "model": self.model.digest,
            "patch": str(self.patch),
            "seed": self.settings.seed,
            "fps": str(self.timeline.fps),
            "start": str(self.timeline.start),
            "frames": self.timeline.frames,
            "loop": self.settings.loop,
            "precision": self.settings.precision,
            "size": list(self.program.size),
            "cells": list(self.program.cells),
            "codec": self.settings.codec,
            "bits": encoding.bits if encoding else 8,
            "crf": encoding.crf if encoding else None,
        }
        return Plan(self.timeline, recipe)

    def recipe(self, segment_hashes: list[str]) -> Recipe:
        """Write down how the video was made, to travel inside it."""
        pixels = Recipe.pixels_of(segment_hashes)
        settings = replace(self.settings, corrections=self.song.corrections)
        return Recipe(version("clavilux"), settings, self.plan.recipe, pixels)


def prepare(
    source: str | Path | Audio,
    settings: Settings | None = None,
    *,
    session: Session | None = None,
) -> Stage:
    """Hear the song, load the model, build its program and bind the patch to all of them.

    Args:
        source: a file with sound in it, or sound.
        settings: how the video is made; `Settings()` unless given.
        session: where results are kept and who is told.

    Raises:
        SettingError, AudioError, ModelError, PatchError: a part cannot be used as asked.
    """
    settings, session = settings or Settings(), session or Session()
    report = session.report
    report.begin("Opening the song")
    audio = source if isinstance(source, Audio) else open_audio(Path(source))
    timeline = cover(audio.duration, settings.fps, start=settings.start, duration=settings.duration)
    encoding = _encoding(settings, timeline)
    report.begin("Opening the model")
    model = load_model(settings.model)
    pixels = encoding.pixels if encoding else "rgb24"
    program = Program(model, size=settings.size, cells=settings.cells, pixels=pixels)
    report.begin("Listening")
    if audio.silent:
        report.note(f"{audio.name} is silent; the picture will only drift.")
    song = open_song(source, audio, settings, session)
    heard = headline(song)
    report.begin("Choosing palettes")
    patch = settings.patch or pulse(settings.seed)
    if settings.psi is not None:
        patch = replace(patch, psi=settings.psi)
    inputs: Inputs = bind(patch, song, model, program, seed=settings.seed, store=session.store)
    if settings.loop:
        inputs = Looped(inputs, timeline)
    inputs.inputs(timeline.window(0, 1))  # what was heard becomes curves, and is no longer needed
    song.forget()
    report.begin("Starting the engine")
    runner = open_runner(program, device=settings.device, precision=settings.precision, cache=session.engine)
    return Stage(song, heard, model, patch, program, inputs, runner, timeline, settings, encoding)


def open_song(source: str | Path | Audio, audio: Audio, settings: Settings, session: Session) -> Song:
    """Take a song with its stems, and with what was said about it.

    Raises:
        AudioError, SettingError: stems or corrections cannot be used.
    """
    said = settings.corrections
    if said is None:
        said = Corrections() if isinstance(source, Audio) else corrections_of(Path(source))
    stems = open_stems(settings.stems, audio) if settings.stems else {}
    return Song(audio, session.store, stems, said)


def _encoding(settings: Settings, timeline: Timeline) -> Encoding | None:
    """Say how the frames are encoded, and make sure that this machine can."""
    if settings.codec == PICTURES:
        return None
    encoding = Encoding(
        settings.size,
        timeline.fps,
        gop=gop_of(timeline.fps),
        codec=settings.codec,
        bits=settings.bits,
        crf=settings.crf,
    )
    if not encoder_opens(settings.codec):
        raise SettingError(
            f"The encoder {settings.codec} does not open here; clavilux doctor lists those that do."
        )
    return encoding
