"""How long the whole analysis takes from cold, beside librosa's time for comparable features.

Each is measured in a process of its own: a song that this process has never met, nothing kept on disk.
librosa compiles parts of itself when first used; it is warmed up on five seconds of the song first, and that
time is a row of its own. Both must detect about the same: where their chroma or tempi differ, the times mean
nothing and the script fails.

    python benchmarks/hearing_speed.py --seconds 180 --runs 3
    python benchmarks/hearing_speed.py --minutes 30     a long mix, by its time and its peak of memory
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from figures import peak, table

MUST, AIM = 10.0, 4.0
"""Seconds for a song of three minutes."""
LONG_MUST, LONG_AIM = (120.0, 1000.0), (40.0, 500.0)
"""Seconds and MB of memory for a mix of thirty minutes."""

Times = dict[str, tuple[float, float]]
"""Wall and processor seconds of each step."""


MIN_CHROMA_CORRELATION = 0.6
"""Of the song's mean chroma, ours with librosa's."""

TEMPO_RATIOS = (1 / 3, 0.5, 2 / 3, 1.0, 1.5, 2.0, 3.0)
TEMPO_TOLERANCE = 0.04


class Clock:
    """Times steps, one after the other, and keeps what was detected, to be compared."""

    def __init__(self) -> None:
        self.times: Times = {}
        self.tempo = 0.0
        self.chroma = [0.0] * 12

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.times[name] = time.perf_counter() - wall, time.process_time() - processor


def write_song(path: Path, seconds: float, rate: int = 44100, pieces: int = 2) -> None:
    """Write composed pieces, one seed after the other, again and again, as one 16-bit stereo wave file."""
    from clavilux.demo.composer import compose

    left = round(seconds * rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        composed = [compose(seed, bars=12, rate=rate).audio for seed in range(pieces)]
        for piece in itertools.cycle(composed):
            samples = piece.read(0, left)
            file.writeframes((samples.T * 32767).astype("<i2").tobytes())
            left -= samples.shape[1]
            if not left:
                return


def hear(path: Path) -> Clock:
    """Time the whole analysis of a song, and the signals of `pulse`."""
    clock = Clock()
    with clock.step("import"):
        from clavilux.audio.sound import open_audio
        from clavilux.features.song import Song
        from clavilux.patches.presets.pulse import pulse
        from clavilux.report.summary import summary
        from clavilux.signals.evaluate import evaluate
    with clock.step("open the file"):
        song = Song(open_audio(path))
    with clock.step("one pass: parts, mel, levels, pitches"):
        song.rms()
    with clock.step("drums, beats, bars"):
        _ = song.grid, song.kick
    with clock.step("tuning, key, chroma, change of chords"):
        _ = song.key, song.chord_change(), [song.chroma(kind=kind) for kind in ("plain", "repeated", "cens")]
    with clock.step("melody and bass"):
        _ = song.melody, song.bass_line
    with clock.step("loudness"):
        _ = song.lufs, song.loudness()
    with clock.step("sections at all levels, tracks, loop"):
        _ = song.levels, song.tracks, song.loop_bars, song.rms_sections
    with clock.step("the signals of pulse"):
        signals = pulse().signals
        curves = evaluate(signals, song)
        for signal in signals:
            curves.at(signal, np.array([0.0, 0.1]))
    with clock.step("the rest of the summary"):
        summary(song)
    clock.tempo, clock.chroma = song.grid.tempo, song.chroma().values.mean(axis=0).tolist()
    return clock


def hear_with_librosa(path: Path, *, warm_seconds: float = 5.0) -> Clock:
    """Time librosa's HPSS, CQT chroma, onset strength, beats and levels."""
    clock = Clock()
    with clock.step("import"):
        import librosa

        for name in ("effects", "feature", "onset", "beat"):
            getattr(librosa, name)
    with clock.step("open the file"):
        samples, rate = librosa.load(path, sr=22050)
    with clock.step(f"warm-up on {warm_seconds:g} s"):
        _librosa_features(samples[: round(warm_seconds * rate)], rate, Clock())
    _librosa_features(samples, rate, clock)
    return clock


def _librosa_features(samples: np.ndarray, rate: float, clock: Clock) -> None:
    import librosa

    with clock.step("hpss"):
        harmonic, percussive = librosa.effects.hpss(samples)
    with clock.step("chroma_cqt of the harmonic part"):
        clock.chroma = librosa.feature.chroma_cqt(y=harmonic, sr=rate).mean(axis=1).tolist()
    with clock.step("onset_strength of mix and percussive part"):
        onsets = librosa.onset.onset_strength(y=samples, sr=rate)
        librosa.onset.onset_strength(y=percussive, sr=rate)
    with clock.step("beat_track"):
        clock.tempo = float(np.ravel(librosa.beat.beat_track(onset_envelope=onsets, sr=rate)[0])[0])
    with clock.step("rms of three parts"):
        for part in (samples, harmonic, percussive):
            librosa.feature.rms(y=part)


MEASURED = {"clavilux": hear, "librosa": hear_with_librosa}
APART = {"import", "warm-up on 5 s"}
"""Steps that do not count."""


def in_its_own_process(who: str, path: Path) -> tuple[Clock, float]:
    """Return the times of each step with what was detected, and the peak of memory, MB."""
    command = [sys.executable, __file__, "--measure", who, "--song", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    values, megabytes = json.loads(done.stdout)
    clock = Clock()
    vars(clock).update(values)
    return clock, megabytes


def check_same(ours: Clock, theirs: Clock) -> None:
    """Fail where the two did not detect about the same."""
    correlation = float(np.corrcoef(ours.chroma, theirs.chroma)[0, 1])
    ratio = ours.tempo / theirs.tempo
    print(f"\n- agreement: mean chroma {correlation:.2f}; tempo {ours.tempo:.1f} and {theirs.tempo:.1f} bpm")
    if correlation < MIN_CHROMA_CORRELATION:
        raise SystemExit(f"The chroma of the two differ ({correlation:.2f}): their times mean nothing.")
    if min(abs(ratio / whole - 1) for whole in TEMPO_RATIOS) > TEMPO_TOLERANCE:
        raise SystemExit(f"The tempi of the two differ ({ratio:.2f}): their times mean nothing.")


def show_steps(who: str, runs: list[Times]) -> float:
    """Print the median of each step and of their sum; return the latter's wall time."""

    def median(steps: set[str], k: int) -> float:
        return statistics.median(sum(run[step][k] for step in steps) for run in runs)

    parts = {step: {step} for step in runs[0]} | {
        "altogether, but import and warm-up": runs[0].keys() - APART
    }
    rows = [[name, *(f"{median(steps, k):.2f}" for k in (0, 1))] for name, steps in parts.items()]
    print(f"\n{table([who, 'wall s', 'CPU s'], rows)}")
    return median(runs[0].keys() - APART, 0)


def compare(seconds: float, count: int) -> None:
    """Print the times of a song of some seconds, ours and librosa's."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "song.wav")
        write_song(path, seconds)
        print(f"## Analysis\n\n{seconds:g} s of song, load {os.getloadavg()[0]:.1f}.")
        runs = {who: [in_its_own_process(who, path)[0] for _ in range(count)] for who in MEASURED}
    ours, theirs = (show_steps(who, [run.times for run in made]) for who, made in runs.items())
    check_same(*(made[0] for made in runs.values()))
    limit, aim = (each * seconds / 180 for each in (MUST, AIM))
    verdict = "pass" if ours <= limit else "MISS"
    print(f"\n- {verdict}: {ours:.2f} s, at most {limit:.1f} s; aimed at {aim:.1f} s")
    print(f"- librosa takes {theirs / ours:.1f}x as long, {theirs:.2f} s")


def hear_long(minutes: float) -> None:
    """Print the time and the peak of memory of a mix of some minutes."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "mix.wav")
        write_song(path, 60 * minutes, pieces=8)
        print(f"## Analysis of a long mix\n\n{minutes:g} min, load {os.getloadavg()[0]:.1f}.")
        clock, megabytes = in_its_own_process("clavilux", path)
    measured = show_steps("clavilux", [clock.times]), megabytes
    for value, limit, aim, unit in zip(measured, LONG_MUST, LONG_AIM, ("s", "MB"), strict=True):
        verdict = "pass" if value <= limit else "MISS"
        print(f"- {verdict}: {value:.0f} {unit}, at most {limit:.0f} {unit}; aimed at {aim:.0f} {unit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--minutes", type=float, help="analyse a long mix instead, once")
    parser.add_argument("--measure", choices=MEASURED, help=argparse.SUPPRESS)
    parser.add_argument("--song", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        clock = MEASURED[options.measure](options.song)
        print(json.dumps([vars(clock), peak()]))
    elif options.minutes:
        hear_long(options.minutes)
    else:
        compare(options.seconds, options.runs)


if __name__ == "__main__":
    main()
