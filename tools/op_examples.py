"""What the picture of each op shows: an expression that ends in it, over some bars of the demo song."""

from dataclasses import dataclass

from clavilux.errors import PatchError
from clavilux.patches import patch as _patch  # fills the op table, and knows masks
from clavilux.signals.expr import Node, apply
from clavilux.signals.table import OPS, Kind, Op
from clavilux.signals.text import parse

__all__ = ["Example", "example_of", "pictured"]

assert _patch


@dataclass(frozen=True)
class Example:
    """An expression whose last op is shown, from the start of a bar of the song, and for how many."""

    text: str
    first: int = 4
    bars: int = 1


INPUTS: dict[Kind, str] = {
    "stem": "drums",
    "events": "kick",
    "signal": "kick.decay(beats=2)",
    "mask": "disc()",
}
"""What an op without an example works on."""

EXAMPLES: dict[str, Example] = {
    "phase": Example("phase(beats=1)"),
    "lfo": Example("lfo(beats=2)"),
    "ramp": Example("ramp('beat 14', 'beat 16')"),
    "fade": Example("fade('beat 15', beats=2)"),
    "wander": Example("wander(beats=0.5)"),
    "curve": Example("curve('filter.csv')"),
    "events": Example("events('claps.csv')"),
    "midi": Example("midi('drums.mid', note=36)"),
    "image": Example("image('star.png')"),
    "in_section": Example("in_section('B', bars=1)", bars=4),
    "energy": Example("energy()", bars=4),
    "gate": Example("gate('beat 14', 'beat 16')"),
    "stem.chroma": Example("harmonic.chroma()", bars=4),
    "stem.loudness": Example("mix.loudness()", first=1, bars=4),
    "stem.pitch": Example("bass.pitch()", bars=4),
    "stem.change": Example("harmonic.change()", bars=4),
    "stem.notes": Example("bass.notes()"),
    "events.decay": Example("kick.decay(beats=1)"),
    "events.pulse": Example("kick.pulse(beats=0.25)"),
    "events.count": Example("hat.count(of=4)"),
    "events.toggle": Example("snare.toggle()"),
    "events.add": Example("kick + snare"),
    "events.every": Example("hat.every(2)"),
    "events.strongest": Example("hat.strongest(percent=40)"),
    "events.between": Example("snare.between('bar 5', 'bar 7')", bars=4),
    "events.delay": Example("kick.delay(beats=0.25)"),
    "events.quantize": Example("kick.delay(beats=0.2).quantize(beats=1)"),
    "events.skip_close": Example("hat.skip_close(beats=0.75)"),
    "signal.mix": Example("mix(kick.decay(beats=1), snare.decay(beats=1), ramp('bar 4', 'bar 5'))"),
    "signal.add": Example("kick.decay(beats=1) + snare.pulse(beats=0.5)"),
    "signal.subtract": Example("kick.decay(beats=2) - snare.pulse(beats=0.5)"),
    "signal.multiply": Example("kick.decay(beats=2) * lfo(beats=0.5)"),
    "signal.divide": Example("kick.decay(beats=2) / 2"),
    "signal.min": Example("kick.decay(beats=2).min(lfo(beats=2))"),
    "signal.max": Example("kick.decay(beats=2).max(lfo(beats=2))"),
    "signal.release": Example("drums.flux().release(beats=1)"),
    "signal.clip": Example("kick.decay(beats=2).clip(low=0.2, high=0.6)"),
    "signal.threshold": Example("kick.decay(beats=2).threshold(level=0.4)"),
    "signal.quantize": Example("kick.decay(beats=2).quantize(4)"),
    "signal.map_range": Example("kick.decay(beats=2).map_range(to_low=1, to_high=0.5)"),
    "signal.ease": Example("phase(beats=2).ease()"),
    "signal.lag": Example("kick.pulse(beats=0.5).lag(beats=0.5)"),
    "signal.follow": Example("drums.flux().follow()"),
    "signal.hold": Example("drums.flux().hold(beats=0.5)"),
    "signal.delay": Example("kick.decay(beats=0.5).delay(beats=0.5)"),
    "signal.sample_hold": Example("lfo(bars=1).sample_hold(beats=0.5)"),
    "signal.accumulate": Example("kick.decay(beats=1).accumulate()", first=2, bars=4),
    "signal.smooth": Example("drums.flux().smooth()"),
    "signal.clip_peaks": Example("drums.rms().clip_peaks()"),
    "signal.normalize": Example("mix.rms().normalize()"),
    "signal.focus": Example("harmonic.chroma().focus(notes=1.2)", bars=2),
    "signal.turn": Example("harmonic.chroma().turn(bars=4)", bars=2),
}


def pictured() -> dict[str, Op]:
    """Return every op that has a picture, by key.

    Raises:
        PatchError: there is an example of no such op.
    """
    ops = {
        key: op
        for key, op in OPS.items()
        if op.style != "literal" and op.gives in {"signal", "events", "mask"}
    }
    for key in EXAMPLES.keys() - ops.keys():
        raise PatchError(f"The example '{key}' is of no operation", where=key, hint="remove it")
    return ops


def example_of(op: Op) -> tuple[Example, Node]:
    """Return what shows an op, also as a node; without an example, its defaults on the usual inputs.

    Raises:
        PatchError: the example ends in another op, or there is none and a parameter has no default.
    """
    example = EXAMPLES.get(op.key) or Example(_plain(op))
    node = parse(example.text)
    if node.op != op.key:
        raise PatchError(f"The example of '{op.key}' ends in '{node.op}'", where=op.key, value=example.text)
    return example, node


def _plain(op: Op) -> str:
    inputs = [INPUTS[kind] for kind in op.takes]
    try:
        apply(op, tuple(map(parse, inputs)), {})
    except PatchError as error:
        hint = "add an example to EXAMPLES in tools/op_examples.py"
        raise PatchError(f"{error.what}, so '{op.key}' has no picture", where=op.key, hint=hint) from error
    if op.style == "infix":
        return f" {op.symbol} ".join(inputs)
    begun = "" if not inputs or op.style == "function" else f"{inputs.pop(0)}."
    return f"{begun}{op.name}({', '.join(inputs)})"
