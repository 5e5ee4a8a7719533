"""A folder of a song's own stems: the files that separators, studios and multitracks give, named and summed.

A file is named after what it holds: `song_(Vocals).wav` and `Lead Vox.wav` are vocals. Several of one kind
are summed; the pieces of a drum kit make up the drums. A stem named for what it lacks, such as `no_vocals` or
`Instrumental`, never stands for it.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType

import numpy as np

from clavilux.audio.pcm import PcmFile
from clavilux.audio.sound import Audio, open_audio
from clavilux.errors import AudioError
from clavilux.files import is_file, is_folder

__all__ = ["KINDS", "WORDS", "open_stems", "stem_name"]

KINDS: Mapping[str, str] = {
    "drums": "drums drum drumkit kit beat beats drumbus schlagzeug batterie",
    "kick": "kick kicks kik bassdrum bd kd kickdrum",
    "snare": "snare snares snr sd sn snaredrum clap claps",
    "hat": "hat hats hihat hihats hh hhat",
    "cymbals": "cymbal cymbals overhead overheads oh ohs ride crash room rooms drumroom",
    "toms": "tom toms floortom racktom",
    "percussion": "percussion perc percs shaker tambourine conga congas bongo bongos cowbell",
    "bass": "bass sub subbass bassline bassgtr contrabass basse",
    "vocals": "vocals vocal vox voc vocs voice voices vocalist singer singing acapella acappella bgv bgvs bv "
    "bvs bvox choir gesang voix voz adlib adlibs leadvox",
    "guitar": "guitar guitars gtr gtrs gtar egtr agtr gitarre guitare",
    "piano": "piano pianos pno keys keyboard keyboards key rhodes wurlitzer organ epiano klavier",
    "chords": "chords chord harmony",
    "melody": "melody",
    "other": "other others rest instruments",
}
"""Words in file names, by what they mean; the last one in a name counts."""

WORDS = {word: kind for kind, words in KINDS.items() for word in words.split()}

DRUM_KIT = ("kick", "snare", "hat", "cymbals", "toms", "percussion")
"""Pieces whose sum is the drums, where there is no stem of all drums but at least kick and snare; or
percussion alone, as some separators call the drums."""

LACKING = frozenset({"no", "non", "without", "minus", "less", "sans", "ohne"})
"""Before a word: everything but that."""

WITHOUT_VOCALS = frozenset(
    {"instrumental", "instrumentals", "instrum", "inst", "karaoke", "accompaniment", "playback"}
)
WITHOUT_DRUMS = frozenset({"drumless"})
WHOLE_SONG = frozenset({"mix", "mixture", "master", "mixdown", "fullmix", "original"})
"""Names of the song itself, which lies beside its stems in many folders and is none of them."""

GUESTS = frozenset({"feat", "ft", "featuring", "with", "prod", "live", "remix"})
"""How a bracket of a song's title begins; other brackets are a separator's, and name the stem."""

BASS_INSTRUMENTS = frozenset(
    {"clarinet", "trombone", "flute", "recorder", "marimba", "harmonica", "saxophone", "sax"}
)
"""Instruments that have a bass member of their family: the word bass before them is no bass."""

AUDIO_SUFFIXES = frozenset(
    f".{ending}"
    for ending in ("wav", "flac", "aif", "aiff", "mp3", "m4a", "aac", "ogg", "opus", "wma", "caf")
)

BLOCK_SAMPLES = 1 << 19

MAX_EXTRA_SECONDS = 10.0
"""How much longer than its song a stem may be: a reverberation that rings out."""


def stem_name(path: Path, song: str = "") -> str:
    """Return what a stem is called by its file: a kind that its name has a word for, else the whole name.

    Args:
        path: the file.
        song: name of the song, which stands in front of the stem's in many folders.

    >>> stem_name(Path("Night Drive - Drums.flac")), stem_name(Path("Bass Drum.wav"))
    ('drums', 'kick')
    >>> stem_name(Path("1_song_(Instrumental).wav")), stem_name(Path("Lead Synth 2.wav"))
    ('no_vocals', 'lead_synth_2')
    """
    words = _words(path.stem)
    title = _words(song)
    if title and words[: len(title)] == title and len(words) > len(title):
        words = words[len(title) :]
    brackets = [_words(text) for text in re.findall(r"[(\[]([^)\]]*)[)\]]", path.stem)]
    bracketed = [kind for inside in brackets if not GUESTS & {*inside[:1]} and (kind := _kind(inside))]
    name = bracketed[-1] if bracketed else _kind(words) or "_".join(words)
    return name if name.isidentifier() else f"stem_{name}"


def open_stems(folder: str | Path, song: Audio) -> Mapping[str, Audio]:
    """Open every audio file of a folder as a stem of a song, by name.

    Hidden files, and the song itself, are left alone; so is everything that is no audio file.

    Args:
        folder: holds the files.
        song: what they are stems of. Each begins with the song; one that ends before it is silent from there.

    Raises:
        AudioError: no such folder, no stem in it, or a stem much longer than the song.
    """
    folder = Path(folder)
    if not is_folder(folder):
        what = f"'{folder}' is a file" if is_file(folder) else f"There is no folder '{folder}' of stems"
        hint = "give the folder that holds the stems" if is_file(folder) else "check the name"
        raise AudioError(what, where=str(folder), hint=hint, remedy="stems")
    try:
        files = sorted(path for path in folder.iterdir() if _is_stem(path))
    except OSError as error:
        raise AudioError(
            f"The folder '{folder}' of stems cannot be read ({error.strerror or error})", where=str(folder)
        ) from error
    named: dict[str, list[Audio]] = {}
    for path in files:
        name = stem_name(path, song.name)
        if name in WHOLE_SONG or _words(path.stem) == _words(song.name):
            continue
        stem = open_audio(path)
        _check_length(stem, song, path)
        named.setdefault(name, []).append(stem)
    if not named:
        raise AudioError(
            f"The folder '{folder}' holds no stems",
            where=str(folder),
            hint="stems are wav, flac, mp3 or the like, such as drums.wav and bass.wav",
        )
    pieces = [stem for name in DRUM_KIT for stem in named.get(name, [])]
    kit = named.keys() & set(DRUM_KIT)
    if "drums" not in named and ({"kick", "snare"} <= kit or kit == {"percussion"}):
        named["drums"] = pieces
    return {name: _sum(name, stems, song) for name, stems in named.items()}


def _is_stem(path: Path) -> bool:
    return not path.name.startswith(".") and path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()


def _words(text: str) -> list[str]:
    """Split a name into words, small letters: `LeadVocals_2` is lead, vocals, 2."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return re.findall(r"[^\W\d_]+|\d+", spaced.lower())


def _kind(words: Sequence[str]) -> str:
    """Return the kind that the last known word, or pair of words, means; empty without one."""
    found = ""
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        if word in WITHOUT_VOCALS or (word == "backing" and after in {"track", "tracks"}):
            found = "no_vocals"
        elif word in WITHOUT_DRUMS:
            found = "no_drums"
        elif word.startswith("no") and word[2:] in WORDS:
            found = f"no_{WORDS[word[2:]]}"
        elif before and before + word in WORDS:  # bass drum, hi hat
            found = WORDS[before + word]
        elif word in WORDS and not (word == "bass" and after in BASS_INSTRUMENTS):
            kind = "bass" if (before, word) == ("bass", "guitar") else WORDS[word]
            found = f"no_{kind}" if before in LACKING else kind
    return found


def _sum(name: str, stems: Sequence[Audio], song: Audio) -> Audio:
    """Return one stem as it is; the sum of several, or one that ends early, in mono, as long as the song."""
    if len(stems) == 1 and stems[0].duration >= song.duration:
        return stems[0]
    rate = max(stem.rate for stem in stems)
    length = song.mono_samples(rate)
    waiting = [stem.mono_blocks(rate) for stem in stems]
    held = [np.zeros(0, np.float32) for _ in stems]
    whole = PcmFile(rate, 1, name)
    while whole.samples < length:
        block = np.zeros(min(BLOCK_SAMPLES, length - whole.samples), np.float32)
        for k, blocks in enumerate(waiting):
            while len(held[k]) < len(block) and (more := next(blocks, None)) is not None:
                held[k] = np.concatenate([held[k], more])
            part, held[k] = held[k][: len(block)], held[k][len(block) :]
            block[: len(part)] += part
        whole.append(block[:, None])
    identity = blake2b(f"{length} samples at {rate} Hz".encode(), digest_size=16, person=b"sum of stems")
    for digest in sorted(stem.digest for stem in stems):
        identity.update(digest.encode())
    return Audio(name, "mono", MappingProxyType({}), whole, identity.hexdigest())


def _check_length(stem: Audio, song: Audio, path: Path) -> None:
    extra = float(stem.duration - song.duration)
    if extra > MAX_EXTRA_SECONDS:
        raise AudioError(
            f"The stem '{stem.name}' is {extra:.1f} s longer than the song, so it cannot belong to it",
            where=str(path),
            value=extra,
            hint="export stems from the very beginning to the very end",
        )
