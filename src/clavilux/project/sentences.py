"""Patches as tables of sentences, as a project file holds them.

    [palettes]
    warm = "palette(mood='warm', seed=1)"
    [knobs]
    punch = { value = 1.0, min = 0, max = 2 }
    [signals]
    kick = "kick.decay(beats=0.25)"
    [look]
    latents = "warm.weigh(harmonic.chroma())"
    noise = "drift(seconds=4).scale(0.6 + punch * kick)"

Every sentence may call what the lines above it name, even where that has the name of a part of the song. A
look is a table of sentences, or a preset with its knobs; several looks are joined by scenes, or by the
sections of the song. Nothing is executed.
"""

import itertools
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clavilux.errors import ClaviluxError, PatchError, suggest
from clavilux.moments import Fade
from clavilux.patches.patch import Patch
from clavilux.patches.presets import find_preset
from clavilux.patches.presets.preset import Preset
from clavilux.patches.score import by_section, scene, score
from clavilux.signals.expr import Node
from clavilux.signals.table import KINDS, Kind, number
from clavilux.signals.text import parse, to_sentences

__all__ = ["NAMED", "TABLES", "Look", "read_looks", "write_patch"]

NAMED = ("palettes", "knobs", "signals", "parts")
"""Tables of names that sentences may call, in the order in which they are read."""
TABLES = (*NAMED, "look", "looks", "scenes", "by_section")
NO_NOISE = "drift(seconds=3).scale(0)"
"""Of a look without a sentence for it: none, which is all that a StyleGAN3 takes."""
PARTS_OF_LOOK = ("latents", "noise", "psi", "bends", "rewrites")
MAX_SENTENCES = 20_000
MAX_LOOKS = 1000
MAX_STRANGE = 100
"""Names that do not exist, of one table, of which each gets a message."""
MAX_WORDS = 100_000
"""Names, numbers and signs in all sentences together."""
WORD = re.compile(r"[\w.]+|[-+*/(\[]")
MAX_KNOB = 1e9


@dataclass
class Look:
    """What is shown, as a file writes it.

    Attributes:
        patch: a patch, or a preset's name.
        knobs: of the preset.
        errors: everything that is wrong, in the file's order.
        places: where every operation that could be read is written, such as `look.noise, column 7`.
    """

    patch: Patch | str | None = None
    knobs: Mapping[str, Any] = field(default_factory=dict)
    errors: list[ClaviluxError] = field(default_factory=list)
    places: Mapping[Node, str] = field(default_factory=dict)


def read_looks(tables: Mapping[str, Any], *, seed: int = 0, knobs: Mapping[str, float] | None = None) -> Look:
    """Read what a project file shows; goes on after a mistake, to find them all.

    Args:
        tables: those of `TABLES` that the file has.
        seed: of presets that are part of a score.
        knobs: values that replace those in the file.
    """
    reader = _Reader(seed, dict(knobs or {}))
    for table in NAMED:
        reader.read_names(table, tables.get(table, {}))
    shown = reader.read_shown(tables)
    unknown = [name for name in reader.knobs if name not in reader.used_knobs]
    for name in unknown:
        hint = suggest(name, reader.used_knobs, otherwise="it has {}")
        reader.errors.append(PatchError(f"There is no knob '{name}'", where=name, value=name, hint=hint))
    return Look(*shown, reader.errors, reader.places)


class _Reader:
    def __init__(self, seed: int, knobs: dict[str, float]) -> None:
        self.seed, self.knobs = seed, knobs
        self.names: dict[str, Any] = {}
        self.words = 0
        self.broken: set[str] = set()
        self.used_knobs: set[str] = set()
        self.errors: list[ClaviluxError] = []
        self.places: dict[Node, str] = {}
        self.by_digest: dict[str, str] = {}  # of every patch made

    def note(self, nodes: Iterable[Node], place: str) -> None:
        """Note where nodes are written, unless they are written before."""
        for node in nodes:
            self.places.setdefault(node, place)
            self.by_digest.setdefault(node.digest, place)

    def read_names(self, table: str, lines: Any) -> None:
        """Read a table of names: sentences, or knobs."""
        if not isinstance(lines, Mapping) or len(lines) > MAX_SENTENCES:
            self.fail(table, f"it is no table of at most {MAX_SENTENCES} lines")
            return
        for name, value in lines.items():
            place = f"{table}.{name}"
            if not name.isidentifier() or keyword.iskeyword(name):
                self.fail(place, "this name is not one word", hint="write letters, digits and _")
            elif name in self.names or name in self.broken:
                self.fail(place, "another table has this name", hint="choose another name")
            elif table == "knobs":
                self.names[name] = self.knob(name, value, place)
            else:
                found = self.sentence(value, place)
                if found is None:
                    self.broken.add(name)
                else:
                    self.names[name] = found

    def knob(self, name: str, value: Any, place: str) -> float:
        """Read a knob: a number, or a table of value, min, max and unit."""
        table = value if isinstance(value, Mapping) else {"value": value}
        known = {"value", "min", "max", "unit"}
        for key in table:
            if key not in known:
                self.fail(place, f"there is no '{key}'", hint=suggest(key, known, otherwise="there are {}"))
        numbers = {"value": 0.0, "min": -MAX_KNOB, "max": MAX_KNOB}
        for key, usual in numbers.items():
            given = table.get(key, usual)
            if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) <= MAX_KNOB:
                self.fail(place, f"{key} is not a number", hint="write { value = 1.0, min = 0, max = 2 }")
            else:
                numbers[key] = float(given)
        self.used_knobs.add(name)
        param = number(0, numbers["min"], numbers["max"], str(table.get("unit", ""))[:40])
        try:
            checked = param.check(name, self.knobs.get(name, numbers["value"]), "the knobs")
        except PatchError as error:
            self.errors.append(_placed(error, place))
            return numbers["value"]
        return float(checked)  # type: ignore[arg-type]

    def sentence(self, text: Any, place: str, kind: Kind | None = None) -> Any:
        """Read one sentence; none where it is wrong, or calls one that is."""
        if isinstance(text, int | float) and not isinstance(text, bool):
            text = repr(text)
        if not isinstance(text, str):
            self.fail(place, "it is not a sentence", hint="write it in quotation marks")
            return None
        self.words += len(WORD.findall(text))
        if self.words > MAX_WORDS:
            self.broken.add(place)
            if self.words - len(WORD.findall(text)) <= MAX_WORDS:  # said once
                self.fail(place, f"the sentences have more than {MAX_WORDS} words up to here")
            return None
        columns: dict[Node, int] = {}
        try:
            found = parse(text, self.names, columns=columns)
        except PatchError as error:
            if isinstance(error.value, str) and error.value in self.broken:  # said where it is defined
                return None
            self.errors.append(_placed(error, place))
            return None
        finally:
            for node, column in columns.items():
                self.note([node], f"{place}, column {column}")
        if not isinstance(found, Node) or (kind and found.kind != kind):
            shown = found.place if isinstance(found, Node) else repr(found)[:40]
            self.fail(place, f"it gives {shown}, not {KINDS[kind] if kind else 'a part of a patch'}")
            return None
        return found

    def read_shown(self, tables: Mapping[str, Any]) -> tuple[Patch | str | None, Mapping[str, Any]]:
        """Read what is shown: a preset and its knobs, or a patch."""
        looks = tables.get("looks", {})
        many = [name for name in ("scenes", "by_section") if name in tables]
        if not many:
            if looks:
                self.fail("looks", "nothing says when each is shown", hint="add [[scenes]] or [by_section]")
            return self.look(tables.get("look", {"preset": "pulse"}), "look")
        if len(many) > 1 or "look" in tables:
            self.fail(many[-1], "there is more than one of look, scenes and by_section", hint="keep one")
            return None, {}
        if not isinstance(looks, Mapping) or len(looks) > MAX_LOOKS:
            self.fail("looks", f"it is no table of at most {MAX_LOOKS} looks")
            return None, {}
        patches = {}
        for name, table in looks.items():
            place, (own, seed) = f"looks.{name}", self.own_seed(name, table)
            patch, knobs = self.look(own, place)
            if patch == "auto":
                self.fail(f"{place}.preset", "auto is for a whole song", hint="name a preset")
                patch = None
            if isinstance(patch, str):
                patch = self.attempt(place, find_preset(patch), seed, **knobs)
                if patch is not None:
                    self.note(patch.nodes, place)
                    patch = replace(patch, places=self.by_digest)
            patches[name] = patch
        given = tables[many[0]]
        read = self.scenes if many[0] == "scenes" else self.sections
        return read(given, patches), {}

    def own_seed(self, name: str, table: Any) -> tuple[Any, int]:
        """Take the seed of a look that has one of its own out of its table; it counts from the project's."""
        if not isinstance(table, Mapping) or "preset" not in table or "seed" not in table:
            return table, self.seed
        seed = table["seed"]
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < MAX_LOOKS:
            hint = f"it counts from the project's own, 0 to {MAX_LOOKS - 1}"
            self.fail(f"looks.{name}.seed", f"the seed is {str(seed)[:20]}", hint=hint)
            seed = 0
        return {key: value for key, value in table.items() if key != "seed"}, self.seed + seed

    def look(self, table: Any, place: str) -> tuple[Patch | str | None, Mapping[str, Any]]:
        if not isinstance(table, Mapping):
            self.fail(place, "it is no table")
            return None, {}
        if "preset" in table:
            return self.preset(table, place)
        known = (*PARTS_OF_LOOK, "preset")
        for key in _first(key for key in table if key not in known):
            hint = suggest(key, known, otherwise="there are {}")
            self.fail(f"{place}.{key}", "there is no such part of a look", hint=hint)
        if "latents" not in table:
            self.fail(place, "it has no latents", hint="write some, or preset = 'pulse'")
        latents = (
            self.sentence(table.get("latents", ""), f"{place}.latents", "latent")
            if "latents" in table
            else None
        )
        noise = self.sentence(table.get("noise", NO_NOISE), f"{place}.noise", "noise")
        psi = self.sentence(table.get("psi", 1.0), f"{place}.psi", "signal")
        changes = {}
        kinds: tuple[tuple[str, Kind], ...] = (("bends", "bend"), ("rewrites", "rewrite"))
        for name, kind in kinds:
            lines = table.get(name, [])
            if not isinstance(lines, list) or len(lines) > MAX_SENTENCES:
                self.fail(f"{place}.{name}", "it is no list of sentences", hint=f'write {name} = ["..."]')
                lines = []
            changes[name] = [
                self.sentence(line, f"{place}.{name}[{k}]", kind) for k, line in enumerate(lines)
            ]
        parts = [latents, noise, psi, *changes["bends"], *changes["rewrites"]]
        if any(part is None for part in parts):
            return None, {}
        bends, rewrites = (tuple(changes[name]) for name in ("bends", "rewrites"))
        return self.attempt(place, Patch, latents, noise, psi, bends, rewrites, self.by_digest), {}

    def preset(self, table: Mapping[str, Any], place: str) -> tuple[str | None, Mapping[str, Any]]:
        name = str(table["preset"])
        if name == "auto":  # its knobs are checked when the director has chosen a preset
            own = {key: value for key, value in table.items() if key != "preset"}
            self.used_knobs |= set(self.knobs)
            return name, {**own, **self.knobs}
        preset = self.attempt(f"{place}.preset", find_preset, name)
        if not isinstance(preset, Preset):
            return None, {}
        written = {key: value for key, value in table.items() if key != "preset"}
        own = {key: value for key, value in self.knobs.items() if key in preset.knobs}
        self.used_knobs |= set(preset.knobs)
        strange = list(_first(key for key in written if key not in preset.knobs))
        given = {key: value for key, value in {**written, **own}.items() if key in (*preset.knobs, *strange)}
        fine = {}
        for key, value in given.items():
            checked = self.attempt(f"{place}.{key}", preset.checked, {key: value})
            if checked is not None:
                fine[key] = checked[key]
        return name, fine

    def scenes(self, rows: Any, patches: Mapping[str, Any]) -> Patch | None:
        if not isinstance(rows, list) or not rows or len(rows) > MAX_LOOKS:
            self.fail(
                "scenes",
                f"it is no list of 1 to {MAX_LOOKS} scenes",
                hint='write [[scenes]] with look = "..."',
            )
            return None
        made = []
        for k, row in enumerate(rows):
            place = f"scenes[{k}]"
            if not isinstance(row, Mapping) or set(row) - {"look", "until", "fade"} or "look" not in row:
                self.fail(
                    place, "a scene has look, until and fade", hint='write look = "calm", until = "bar 17"'
                )
                continue
            patch = self.patch_named(str(row["look"]), patches, place)
            fade = self.length(row.get("fade", "0 seconds"), place)
            moment = str(row.get("until", "end"))
            if patch is not None and fade is not None:
                made.append(self.attempt(place, scene, patch, until=moment, fade=fade))
        if len(made) < len(rows) or any(each is None for each in made):
            return None
        found: Patch | None = self.attempt("scenes", score, *made)
        return found

    def sections(self, table: Any, patches: Mapping[str, Any]) -> Patch | None:
        if not isinstance(table, Mapping) or len(table) > MAX_LOOKS:
            self.fail("by_section", f"it is no table of at most {MAX_LOOKS} labels", hint='write A = "calm"')
            return None
        fade = self.length(table.get("fade", "0 seconds"), "by_section.fade")
        named = {
            label: self.patch_named(str(name), patches, f"by_section.{label}")
            for label, name in table.items()
            if label != "fade"
        }
        if fade is None or any(patch is None for patch in named.values()):
            return None
        otherwise = named.pop("otherwise", None)
        found: Patch | None = self.attempt("by_section", by_section, fade=fade, otherwise=otherwise, **named)
        return found

    def patch_named(self, name: str, patches: Mapping[str, Any], place: str) -> Patch | None:
        if name in patches:
            known: Patch | None = patches[name]  # none where it is wrong, which is said there
            return known
        preset = self.attempt(place, find_preset, name) if not patches else None
        if isinstance(preset, Preset):
            return preset(self.seed)
        if patches:
            hint = suggest(name, patches, otherwise="there are {}")
            self.fail(place, f"there is no look '{name}'", hint=hint)
        return None

    def length(self, value: Any, place: str) -> Fade | None:
        found: Fade | None = self.attempt(place, Fade.parse, str(value))
        return found

    def attempt(self, place: str, make: Any, /, *arguments: Any, **params: Any) -> Any:
        """Make something; on one of our errors, note it and return none."""
        try:
            return make(*arguments, **params)
        except ClaviluxError as error:
            self.errors.append(_placed(error, place))
            return None

    def fail(self, place: str, what: str, hint: str = "") -> None:
        self.errors.append(PatchError(f"{place}: {what}", where=place, hint=hint))


def _first(names: Iterable[str]) -> Iterator[str]:
    """Yield the first of the names that are wrong: a file of nothing else is not read to its end."""
    return itertools.islice(names, MAX_STRANGE)


def _placed(error: ClaviluxError, place: str) -> ClaviluxError:
    what = error.what.removeprefix("line 1, ")
    return type(error)(
        f"{place}, {what}" if what.startswith("column") else f"{place}: {what}",
        where=place,
        value=error.value,
        hint=error.hint,
    )


def write_patch(patch: Patch) -> dict[str, Any]:
    """Write a patch as tables of sentences, every parameter written out; shared parts get a line each.

    >>> from clavilux.patches.presets.pulse import pulse
    >>> tables = write_patch(pulse(3))
    >>> read_looks(tables).patch == pulse(3)
    True
    """
    shared, texts = to_sentences(patch.roots)
    tables: dict[str, Any] = {"palettes": {}, "signals": {}, "parts": {}, "look": {}}
    for name, node, text in shared:
        table = {"palette": "palettes", "signal": "signals", "events": "signals"}.get(node.kind, "parts")
        tables[table][name] = text
    for name, text in texts.items():
        kind = name.rstrip("0123456789")
        if kind in {"bend", "rewrite"}:
            tables["look"].setdefault(f"{kind}s", []).append(text)
        else:
            tables["look"][name] = text
    return {name: table for name, table in tables.items() if table}
