"""Write songs: a chord chart that mma turns into MIDI, then drums, tunes and dynamics of our own.

What is asked for is known exactly, so what is returned with the score is the truth about it, in beats.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grooves import STYLES, Grooves, Style, read_grooves, styles_of
from midi import DRUMS, NOTE, ROLES, Control, Score, Tempo, read_midi
from packages import Packages
from plan import Part, Plan, draw_plan, stream
from players import BASS_PROGRAMS, CHORD_PROGRAMS, Player
from written import Written

__all__ = ["write_song"]

KITS = (0, 0, 0, 8, 16, 24, 25, 32, 40)
ELECTRONIC = {"dance", "break", "hiphop"}
ELECTRONIC_KITS = (24, 25, 25, 26, 0, 16)
LEADS = (4, 11, 17, 22, 26, 29, 30, 40, 56, 57, 59, 60, 61, 64, 65, 66, 68, 71, 73, 74, 75, 79, 80, 81,
         82, 84, 85)  # fmt: skip
KEPT = {7, 10, 11}
"""Controllers of mma's that are kept: volume, panning, expression."""


def write_song(split: str, number: int, packages: Packages, folder: Path) -> tuple[Plan, Written]:
    """Write song `number` of a split; mma's files are left in `folder`."""
    styles = styles_of(split)
    style = styles[number % len(styles)]
    grooves = _grooves(split, style, packages.mma_home / "lib")
    plan = draw_plan(split, number, style, grooves)
    score = Score(np.zeros(0, NOTE), (), Tempo.steady(plan.bpm), style.beats_per_bar, 0.0)
    if not style.own:
        score = _play_chart(_chart(plan), plan, packages, folder)
    score = _Arrangement(plan, score).score
    score = replace(score, tempo=_tempo(plan), beats_per_bar=style.beats_per_bar)
    return plan, _with_truth(plan, score)


def _grooves(split: str, style: Style, library: Path) -> Grooves:
    """The grooves of a style; where it has only one to play, another of its kind joins."""
    if style.own:
        return Grooves((), (), ())
    grooves = read_grooves(library, style)
    others = [other for other in STYLES[split] if other.kind == style.kind and other != style]
    others = [other for other in others if not (other.own or other.drums_only)]
    if len(grooves.main) == 1 and others:
        joined = read_grooves(library, others[STYLES[split].index(style) % len(others)])
        grooves = replace(grooves, main=grooves.main + joined.main[:1])
    return grooves


def _chart(plan: Plan) -> str:
    """Write the song as mma reads it."""
    lines = [f"RndSeed {plan.number}", f"Tempo {plan.bpm:g}"]
    bar = 0
    for section in plan.sections:
        part = plan.parts[section.label]
        groove = ""
        for place in range(section.bars):
            wanted = part.fill if part.fill and place == section.bars - 1 else part.groove
            if wanted != groove:
                lines.append(f"Groove {wanted}")
                groove = wanted
            bar += 1
            chords = part.chords[place % len(part.chords)]
            lines.append(f"{bar} " + " / ".join(chord.name for chord in chords))
    return "\n".join(lines) + "\n"


def _play_chart(chart: str, plan: Plan, packages: Packages, folder: Path) -> Score:
    source = folder / f"{plan.split}-{plan.number}.mma"
    target = source.with_suffix(".mid")
    source.write_text(chart)
    command = [sys.executable, str(packages.mma_program), str(source), "-f", str(target)]
    environment = os.environ | {"MMA_HOME": str(packages.mma_home)}
    done = subprocess.run(  # noqa: S603  # mma, as fetched
        command, capture_output=True, text=True, env=environment, check=False
    )
    if not target.is_file():
        raise RuntimeError(f"mma cannot play {source}: {done.stdout}{done.stderr}")
    score = read_midi(target)
    kept = [each for each in score.controls if each.kind != "control" or each.number in KEPT]
    return replace(score, controls=tuple(kept))


class _Arrangement:
    """The score after our own players, rests and dynamics."""

    def __init__(self, plan: Plan, score: Score) -> None:
        self.plan = plan
        self.rng = stream(plan.split, plan.number, "arrangement")
        self.electronic = plan.style.kind in ELECTRONIC
        self.heavy = plan.style.kind in {"metal", "punk"} and (plan.style.own or plan.style.drums_only)
        self.controls = list(score.controls)
        self.free = score.free_channels()
        self.channels = {name: next(self.free, 15) for name in ("bass", "left", "right", "pad", "lead")}
        self._choose_sounds()
        groups, beat = [], 0.0
        for section in plan.sections:
            part = plan.parts[section.label]
            length = section.bars * plan.style.beats_per_bar
            groups.append(self._section(score.notes, section.label, part, (beat, beat + length)))
            beat += length
        self.score = replace(score.with_notes(*groups), controls=tuple(self.controls), beats=beat)

    def _choose_sounds(self) -> None:
        def program(channel: int, pool: tuple[int, ...]) -> None:
            self.controls.append(Control(0.0, channel, "program", int(self.rng.choice(pool))))

        program(DRUMS, ELECTRONIC_KITS if self.electronic else KITS)
        program(self.channels["bass"], BASS_PROGRAMS)
        program(self.channels["lead"], LEADS)
        program(self.channels["pad"], CHORD_PROGRAMS)
        for name, pan in (("left", 20), ("right", 108)):
            program(self.channels[name], (29, 30, 30))
            self.controls.append(Control(0.0, self.channels[name], "control", pan, number=10))
        self.controls.sort(key=lambda control: control.beat)

    def _section(
        self, notes: NDArray[np.void], label: str, part: Part, span: tuple[float, float]
    ) -> NDArray[np.void]:
        """Everything that is played from span[0] to span[1] beats."""
        begin, end = span
        mine = notes[(notes["start"] >= begin - 0.05) & (notes["start"] < end - 0.05)].copy()
        if part.drums:
            mine = mine[mine["role"] != ROLES.index("drums")]
        own = self._own(label, part, lone=not len(notes) or self.plan.style.drums_only)
        for group in own:
            for name in ("start", "end"):
                group[name] += begin
        together = np.concatenate([mine, *own])
        together["end"] = np.minimum(together["end"], end + 0.25)
        return _softened(self._rested(together, label, part), part.loudness)

    def _own(self, label: str, part: Part, *, lone: bool) -> list[NDArray[np.void]]:
        """What our own players add to a part; all of it where there is no groove."""

        def player(name: str) -> Player:
            rng = stream(plan.split, plan.number, f"{name} {label}")
            return Player(rng, part.chords, plan.style.beats_per_bar)

        plan, at, groups = self.plan, self.channels, []
        if part.drums:
            groups.append(self._swung(player("drums").drums(part.drums, DRUMS, electronic=self.electronic)))
        if self._fills(part):
            filler = Player(self.rng, part.chords, plan.style.beats_per_bar)
            groups.append(filler.fill(len(part.chords) - 1, DRUMS))
        if lone and self.heavy:
            groups += player("riff").riff((at["bass"], at["left"], at["right"]))
        elif lone:
            groups += [player("bass").bass(at["bass"]), player("pad").accompany(at["pad"])]
        if part.melody:
            groups.append(player("melody").melody(at["lead"], major=plan.mode == "major", tonic=plan.tonic))
        return [group.copy() for group in groups]

    def _fills(self, part: Part) -> bool:
        """Return whether our drummer plays a fill at the end of a part this time."""
        own = bool(part.drums) and self.rng.random() < 0.6
        return own or (self.plan.style.drums_only and self.rng.random() < 0.4)

    def _swung(self, notes: NDArray[np.void]) -> NDArray[np.void]:
        """Delay every second eighth of a pattern by part of an eighth."""
        notes = notes.copy()
        off = np.abs(notes["start"] % 1 - 0.5) < 0.03
        notes["start"][off] += self.plan.swing / 2
        return notes

    def _rested(self, notes: NDArray[np.void], label: str, part: Part) -> NDArray[np.void]:
        """Remove the roles that rest; never all."""
        out = np.zeros(len(notes), bool)
        for name in part.rests & set(ROLES):
            out |= notes["role"] == ROLES.index(name)
        if "half the chords" in part.rests:
            chords = notes["role"] == ROLES.index("chords")
            channels = np.unique(notes["channel"][chords])
            rng = stream(self.plan.split, self.plan.number, f"rests {label}")
            resting = rng.permutation(channels)[: len(channels) // 2]
            out |= chords & np.isin(notes["channel"], resting)
        return notes if out.all() else notes[~out]


def _softened(notes: NDArray[np.void], factor: float) -> NDArray[np.void]:
    notes = notes.copy()
    notes["velocity"] = np.clip(np.round(notes["velocity"] * factor), 1, 127)
    return notes


def _tempo(plan: Plan) -> Tempo:
    """One tempo; or one that wanders bar by bar, steps at a section, or slows down before the end."""
    rng = stream(plan.split, plan.number, "tempo")
    bar = plan.style.beats_per_bar
    starts = np.cumsum([0] + [section.bars * bar for section in plan.sections])
    if plan.tempo == "drift":
        wander = np.cumsum(rng.normal(size=plan.bars)) * 0.004
        wander -= np.linspace(0, wander[-1], plan.bars)
        return Tempo(np.arange(plan.bars) * float(bar), plan.bpm * np.exp(np.clip(wander, -0.05, 0.05)))
    if plan.tempo == "step" and len(starts) > 3:
        where = int(rng.integers(1, len(starts) - 1))
        factor = float(rng.choice([0.8, 0.9, 1.1, 1.15, 1.25]))
        return Tempo(np.array([0.0, starts[where]]), plan.bpm * np.array([1.0, factor]))
    if plan.tempo == "ritardando":
        beats = starts[-1] - np.arange(2 * bar, 0, -1)
        factors = np.linspace(0.97, 0.68, 2 * bar)
        return Tempo(np.array([0.0, *beats]), plan.bpm * np.array([1.0, *factors]))
    return Tempo.steady(plan.bpm)


def _with_truth(plan: Plan, score: Score) -> Written:
    bar = plan.style.beats_per_bar
    lengths = [section.bars * bar for section in plan.sections]
    merged = [[plan.sections[0].label, 0]]
    for section, length in zip(plan.sections, lengths, strict=True):
        if section.label != merged[-1][0]:
            merged.append([section.label, 0])
        merged[-1][1] += length
    chord_bounds, chords = _chord_truth(plan)
    return Written(
        score,
        np.arange(plan.bars + 1) * float(bar),
        np.cumsum([0.0] + [length for _, length in merged]),
        tuple(label for label, _ in merged),
        chord_bounds,
        chords,
        plan.key,
    )


def _chord_truth(plan: Plan) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return when each chord is played, beats; the second of a bar begins on its third beat."""
    bounds, names, beat = [], [], 0.0
    for section in plan.sections:
        chords = plan.parts[section.label].chords
        for place in range(section.bars):
            for k, chord in enumerate(chords[place % len(chords)]):
                bounds.append(beat + 2 * k)
                names.append(chord.name)
            beat += plan.style.beats_per_bar
    return np.array([*bounds, beat]), tuple(names)
