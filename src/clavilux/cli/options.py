"""The options that several commands share, each said once."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "BeatsPerBar",
    "Bits",
    "Bpm",
    "Cells",
    "Codec",
    "Crf",
    "Device",
    "Duration",
    "FirstDownbeat",
    "Force",
    "Fps",
    "Json",
    "Labels",
    "Loop",
    "ModelName",
    "Precision",
    "Psi",
    "Quiet",
    "Seed",
    "Size",
    "SongFile",
    "Start",
    "Stems",
    "Tempo",
    "Verbose",
]

SongFile = Annotated[
    Path, typer.Argument(metavar="SONG", help="A sound file, or a video with sound.", show_default=False)
]
Fps = Annotated[str, typer.Option(metavar="RATE", help="Frames per second: 30, 24, or exactly 30000/1001.")]
Size = Annotated[str, typer.Option(metavar="WxH", help="Picture size in pixels, width first; any even size.")]
Cells = Annotated[
    str | None,
    typer.Option(
        metavar="HxW",
        help="Size of the model's smallest layer, height first; more cells, more native detail, more time.",
        show_default="from the size",
    ),
]
Start = Annotated[str, typer.Option(metavar="TIME", help="Where in the song to begin: 64.5 or 1:04.5.")]
Duration = Annotated[
    str | None, typer.Option(metavar="TIME", help="How much of the song to show.", show_default="all of it")
]
Seed = Annotated[int, typer.Option(metavar="N", help="Another number, other pictures.")]
ModelName = Annotated[
    str, typer.Option("--model", metavar="NAME", help="A built-in model or a checkpoint file.")
]
Psi = Annotated[
    float | None,
    typer.Option(
        metavar="X", help="Variety: 0 the model's average picture, 1 all it can do.", show_default="1"
    ),
]
Codec = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="h264, hevc, av1, prores, ffv1, an NVIDIA h264_nvenc, or png: numbered pictures."
    ),
]
Bits = Annotated[
    int | None,
    typer.Option(metavar="N", help="Bits a sample, 8 or 10; 10 shows finer gradients.", show_default="usual"),
]
Crf = Annotated[
    float | None,
    typer.Option(metavar="N", help="Quality: 1 best, 51 smallest.", show_default="18, or the codec's own"),
]
Loop = Annotated[bool, typer.Option("--loop", help="Let the end of the picture run into its beginning.")]
Device = Annotated[str, typer.Option(metavar="NAME", help="Where to draw: auto, cpu, cuda, cuda:1, mps.")]
Precision = Annotated[
    str, typer.Option(metavar="NAME", help="auto is as fast as looks the same; exact is 32 bits throughout.")
]
Bpm = Annotated[
    float | None,
    typer.Option(
        "--bpm", metavar="N", help="The song's tempo in beats per minute, 20 to 400.", show_default="as heard"
    ),
]
Tempo = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="half or double: the tempo heard, halved or doubled.", show_default="as heard"
    ),
]
FirstDownbeat = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Where a bar of the song begins: 0.52 or 0:00.52.", show_default="as heard"
    ),
]
BeatsPerBar = Annotated[
    int | None, typer.Option(metavar="N", help="Beats in a bar, 2 to 7.", show_default="as heard")
]
Labels = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Beats and sections from a label track of Audacity or a table exported here; may be repeated.",
        show_default=False,
    ),
]
Stems = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="The song's own stems, such as drums.wav and bass.wav, instead of what is parted from the mix.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is already there.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more: stages, sizes, what plays what.")]
