"""How long a patch takes to follow a knob, and a mix of scenes to be bound, of an analysed song.

A knob changes one number of a patch. Signals that do not depend on it are kept from before; what does is
computed anew and the patch is bound again. Beside it stands the same without anything kept, which must give
the same numbers.

    python benchmarks/patches.py
"""

import argparse
import statistics
import sys
import time

import numpy as np
from figures import table

from clavilux import Audio, Patch, Song, bind, compose, load_model, pulse, scene, score
from clavilux.frames.bind import choose_palettes
from clavilux.generator.program import Program
from clavilux.patches.score import bars
from clavilux.signals.evaluate import Evaluated, evaluate

MUST_KNOB_MS = 50
MUST_MIX_SECONDS = 3.0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=4, help="length of the song")
    parser.add_argument("--mix-minutes", type=float, default=30, help="length of the mix")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    print("## Following a knob, and binding a mix\n")
    model = load_model("silk")
    program = Program(model, size=(1280, 720))
    met = [knobs(asked, model, program), mix(asked, model, program)]
    return int(not all(met))


def song_of(minutes: float) -> Song:
    """A composed piece, repeated to a length, with its features computed."""
    piece = compose(0, bars=8, bpm=122).audio
    samples = piece.read(0, piece.samples)
    whole = int(minutes * 60 * piece.rate)
    long = np.tile(samples, (1, -(-whole // samples.shape[1])))[:, :whole]
    return Song(Audio.from_samples(long, piece.rate, name="piece"))


def knobs(asked: argparse.Namespace, model: object, program: Program) -> bool:
    song = song_of(asked.minutes)
    rows, worst = [], 0.0
    changes = {
        "punch (noise amount)": lambda k: pulse(1, punch=1 + k / 100),
        "flash (latents)": lambda k: pulse(1, flash=0.5 + k / 100),
        "drift_bars (loop)": lambda k: pulse(1, drift_bars=8 + k),
        "smoothing of the chords (a chain of signals)": smoothed,
    }
    patch = pulse(1)
    palettes = choose_palettes(patch, model)
    known = Evaluated()
    began = time.perf_counter()
    evaluate(patch.signals, song, known=known)
    first = time.perf_counter() - began
    for name, make in changes.items():
        times, fresh = [], []
        for run in range(asked.runs):
            changed = make(run + 1)
            began = time.perf_counter()
            curves = evaluate(changed.signals, song, known=known)
            bind(changed, curves, model, program, palettes=palettes)
            times.append(time.perf_counter() - began)
            began = time.perf_counter()
            alone = evaluate(changed.signals, song)
            fresh.append(time.perf_counter() - began)
            if alone != curves:
                print(f"the two ways of moving {name} give different curves")
                return False
        rows.append([name, f"{1e3 * statistics.median(times):.1f}", f"{1e3 * statistics.median(fresh):.0f}"])
        worst = max(worst, statistics.median(times))
    print(f"{asked.minutes:g} minutes; the first evaluation, features included, takes {first:.2f} s.\n")
    print(table(["knob", "ms, the rest kept", "ms, nothing kept"], rows))
    met = 1e3 * worst <= MUST_KNOB_MS
    print(f"\n- {'pass' if met else 'MISS'}: moving a knob {1e3 * worst:.1f} ms, at most {MUST_KNOB_MS} ms")
    return met


def smoothed(k: int) -> Patch:
    """The preset with other smoothing of one chroma, on which three more operations follow."""
    return Patch.parse(str(pulse(1)).replace("smooth(seconds=0.2)", f"smooth(seconds={0.2 + k / 100})"))


def mix(asked: argparse.Namespace, model: object, program: Program) -> bool:
    song = song_of(asked.mix_minutes)
    three = score(
        scene(pulse(1, punch=0.5), until="10:00"),
        scene(pulse(2), until="20:00", fade=bars(2)),
        scene(pulse(3, punch=1.5), fade=bars(2)),
    )
    evaluate(pulse(1).signals, song)  # the features
    palettes = choose_palettes(three, model)
    began = time.perf_counter()
    curves = evaluate(three.signals, song)
    bound = bind(three, curves, model, program, palettes=palettes)
    seconds = time.perf_counter() - began
    met = seconds <= MUST_MIX_SECONDS
    megabytes = sum(array.nbytes for array in bound.arrays().values()) / 1e6
    print(
        f"- {'pass' if met else 'MISS'}: {asked.mix_minutes:g} minutes in three scenes {seconds:.2f} s, "
        f"at most {MUST_MIX_SECONDS:g} s; its arrays take {megabytes:.0f} MB"
    )
    return met


if __name__ == "__main__":
    sys.exit(main())
