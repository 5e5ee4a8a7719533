"""Fetch what the truth is made from: Debian packages, unpacked into a folder and never installed.

    python tools/truth/packages.py --folder ~/.cache/clavilux-truth/packages

Needs `apt-get` and `dpkg-deb` of a Debian, no rights beyond those of the user, and 60 MB (90 MB with the
recorded songs). Nothing of these packages is ever committed: mma and the tunes are GPL-2, TimGM6mb GPL-2, the
two other soundfonts MIT, the recorded songs CC BY-SA 3.0.
"""

import argparse
import subprocess
from dataclasses import dataclass
from pathlib import Path

import platformdirs

__all__ = ["FONTS", "Packages", "default_folder", "fetch"]

FONTS = {
    "timgm": ("timgm6mb-soundfont", "usr/share/sounds/sf2/TimGM6mb.sf2"),
    "fluid": ("fluidr3mono-gm-soundfont", "usr/share/fluidr3mono-gm-soundfont/FluidR3Mono_GM.sf3"),
    "musescore": ("musescore-general-soundfont-small", "usr/share/sounds/sf3/MuseScore_General_Lite.sf3"),
}
"""Package and file of each soundfont."""

MMA, TUNES, RECORDED = "mma", "openttd-openmsx", "fretsonfire-songs-muldjord"


def default_folder() -> Path:
    """Return the default folder of everything about the truth."""
    return platformdirs.user_cache_path("clavilux-truth")


def fetch(name: str, folder: Path) -> Path:
    """Download and unpack one Debian package, unless it is there; return where its tree begins."""
    tree = folder / name
    if tree.is_dir():
        return tree
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{name}.part"
    part.mkdir(exist_ok=True)
    _run(["apt-get", "download", name], part)
    (archive,) = part.glob(f"{name}_*.deb")
    _run(["dpkg-deb", "-x", archive.name, "tree"], part)
    (part / "tree").rename(tree)
    archive.unlink()
    part.rmdir()
    return tree


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, check=True, cwd=folder, capture_output=True)  # noqa: S603  # names from FONTS


@dataclass(frozen=True)
class Packages:
    """The unpacked packages below `folder`; each is fetched when first asked for."""

    folder: Path

    def font(self, name: str) -> Path:
        """Return the file of a soundfont."""
        package, file = FONTS[name]
        return fetch(package, self.folder) / file

    @property
    def mma_home(self) -> Path:
        """The folder that holds mma's modules and its library of grooves."""
        home = fetch(MMA, self.folder) / "usr/share/mma"
        (home / "plugins").mkdir(exist_ok=True)  # else mma warns that there is none
        return home

    @property
    def mma_program(self) -> Path:
        """The Python program that turns a chord chart into MIDI."""
        return self.mma_home.parents[1] / "bin/mma"

    def tune(self, name: str) -> Path:
        """Return the MIDI file of a composed tune."""
        return fetch(TUNES, self.folder) / f"usr/share/games/openttd/baseset/openmsx/{name}.mid"

    def recorded(self, name: str) -> Path:
        """Return the folder of a recorded song: guitar.ogg, song.ogg, notes.mid."""
        tree = fetch(RECORDED, self.folder)
        return tree / f"usr/share/games/fretsonfire/data/songs/muldjord/{name}"

    def fetch_all(self) -> None:
        """Fetch every package now, before several processes ask for them at once."""
        for name in (MMA, TUNES, RECORDED, *(package for package, _ in FONTS.values())):
            fetch(name, self.folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", type=Path, default=default_folder() / "packages")
    Packages(parser.parse_args().folder).fetch_all()
