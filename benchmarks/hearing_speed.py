"""How long hearing everything takes from cold, beside librosa's time for comparable features.

Each is measured in a process of its own: a song that this process has never met, nothing kept on disk.
librosa compiles parts of itself when first used; it is warmed up on five seconds of the song first, and that
time is told apart.

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


class Clock:
    """Times steps, one after the other."""

    def __init__(self) -> None:
        self.times: Times = {}

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


def hear(path: Path) -> Times:
    """Time all there is to hear of a song, and the signals of `pulse`."""
    clock = Clock()
    with clock.step("import"):
        from clavilux.audio.sound import open_audio
        from clavilux.features.song import Song
        from clavilux.patch.presets.pulse import pulse
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
    return clock.times


def hear_with_librosa(path: Path, *, warm_seconds: float = 5.0) -> Times:
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
    return clock.times


def _librosa_features(samples: np.ndarray, rate: float, clock: Clock) -> None:
    import librosa

    with clock.step("hpss"):
        harmonic, percussive = librosa.effects.hpss(samples)
    with clock.step("chroma_cqt of the harmonic part"):
        librosa.feature.chroma_cqt(y=harmonic, sr=rate)
    with clock.step("onset_strength of mix and percussive part"):
        onsets = librosa.onset.onset_strength(y=samples, sr=rate)
        librosa.onset.onset_strength(y=percussive, sr=rate)
    with clock.step("beat_track"):
        librosa.beat.beat_track(onset_envelope=onsets, sr=rate)
    with clock.step("rms of three parts"):
        for part in (samples, harmonic, percussive):
            librosa.feature.rms(y=part)


MEASURED = {"clavilux": hear, "librosa": hear_with_librosa}
APART = {"import", "warm-up on 5 s"}
"""Steps that do not count."""


def in_its_own_process(who: str, path: Path) -> tuple[Times, float]:
    """Return the times of each step, and the peak of memory, MB."""
    command = [sys.executable, __file__, "--measure", who, "--song", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    times, megabytes = json.loads(done.stdout)
    return times, megabytes


def tell(who: str, runs: list[Times]) -> float:
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
    ours, theirs = (tell(who, times) for who, times in runs.items())
    limit, aim = (each * seconds / 180 for each in (MUST, AIM))
    verdict = "pass" if ours <= limit else "MISS"
    print(f"\n- {verdict}: {ours:.2f} s, at most {limit:.1f} s; aimed at {aim:.1f} s")
    print(f"- librosa takes {theirs / ours:.1f}x as long, {theirs:.2f} s")


def hear_long(minutes: float) -> None:
    """Print the time and the peak of memory of a mix of some minutes."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "mix.wav")
        write_song(path, 60 * minutes, pieces=8)
        print(f"## Analysis a long mix\n\n{minutes:g} min, load {os.getloadavg()[0]:.1f}.")
        times, megabytes = in_its_own_process("clavilux", path)
    measured = tell("clavilux", [times]), megabytes
    for value, limit, aim, unit in zip(measured, LONG_MUST, LONG_AIM, ("s", "MB"), strict=True):
        verdict = "pass" if value <= limit else "MISS"
        print(f"- {verdict}: {value:.0f} {unit}, at most {limit:.0f} {unit}; aimed at {aim:.0f} {unit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--minutes", type=float, help="hear a long mix instead, once")
    parser.add_argument("--measure", choices=MEASURED, help=argparse.SUPPRESS)
    parser.add_argument("--song", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        times = MEASURED[options.measure](options.song)
        print(json.dumps([times, peak()]))
    elif options.minutes:
        hear_long(options.minutes)
    else:
        compare(options.seconds, options.runs)


if __name__ == "__main__":
    main()
