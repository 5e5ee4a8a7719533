"""Make songs whose truth is known: FOLDER/SPLIT/NAME.flac with NAME.npz beside it.

    python tools/truth/make.py --split train --count 120 --folder ~/.cache/clavilux-truth

Song number n of a split is always the same song; numbers run on without end. Songs that exist are kept.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

from packages import Packages, default_folder
from plan import stream
from production import RATE, draw_production
from songs import write_song
from synthesis import play_stems
from truth import Truth
from tunes import TUNES, read_tune
from written import truth_of

__all__ = ["Work", "main", "make", "song_names"]

FONTS = {"train": ("timgm", "fluid"), "heavy": ("timgm", "fluid"), "test": ("timgm", "musescore")}
"""In turn; a test soundfont that no training song has."""


@dataclass(frozen=True)
class Work:
    """One song to make."""

    split: str
    name: str
    number: int
    folder: Path
    packages: Path

    @property
    def audio(self) -> Path:
        """Path of the song."""
        return self.folder / self.split / f"{self.name}.flac"

    @property
    def done(self) -> bool:
        """Whether it exists with its truth, which is written last."""
        return self.audio.with_suffix(".npz").is_file()


def song_names(split: str, count: int) -> list[tuple[str, int]]:
    """Return name and number of the first songs of a split: every fourth is a tune while there are any."""
    songs = [(f"song-{number:04d}", number) for number in range(count)]
    for place, name in enumerate(TUNES.get(split, ())):
        songs.insert(4 * place, (f"tune-{name}", place))
    return songs[:count]


def make(work: Work) -> Truth:
    """Write, play, produce and save one song; the truth is saved last."""
    packages = Packages(work.packages)
    if work.name.startswith("tune-"):
        style, written = "tune", read_tune(work.name.removeprefix("tune-"), packages)
    else:
        with TemporaryDirectory() as folder:
            plan, written = write_song(work.split, work.number, packages, Path(folder))
        style = f"{plan.style.kind} {plan.style.file}"
    font = FONTS[work.split][work.number % 2]
    rng = stream(work.split, work.number, f"production {work.name.split('-')[0]}")
    production = draw_production(rng, style.split()[0])
    stems = play_stems(written.score, packages.font(font))
    samples = len(next(iter(stems.values())))
    truth = truth_of(written, (work.name, work.split, style, font), samples / RATE)
    sound = production.mix(stems, truth.kick, rng)
    work.audio.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(work.audio, sound, RATE, subtype="PCM_16")
    truth.save(work.audio.with_suffix(".npz"))
    return truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--split", choices=sorted(FONTS), default="test")
    parser.add_argument("--count", type=int, default=44)
    parser.add_argument("--folder", type=Path, default=default_folder())
    parser.add_argument("--packages", type=Path, help="default: FOLDER/packages")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    packages = options.packages or options.folder / "packages"
    Packages(packages).fetch_all()
    works = [
        Work(options.split, name, number, options.folder, packages)
        for name, number in song_names(options.split, options.count)
    ]
    waiting = [work for work in works if not work.done]
    print(f"{len(works)} songs, {len(works) - len(waiting)} there already", flush=True)
    with ProcessPoolExecutor(options.workers) as pool:
        futures = {pool.submit(make, work): work for work in waiting}
        for count, future in enumerate(as_completed(futures), 1):
            truth = future.result()
            print(
                f"{count}/{len(waiting)} {truth.name}: {truth.duration:.0f} s, {truth.bpm:.0f} bpm,"
                f" {truth.beats_per_bar}/4, {truth.style}, {truth.font}",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
