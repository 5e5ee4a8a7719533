"""Plugins: found by their entry point, loaded where they are named and nowhere else, under their own name."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from clavilux.patches.plugin import Plugin
from clavilux.signals.table import OPS, number, op

GOOD = """
    import numpy as np
    import clavilux
    from clavilux import Patch, knob
    from clavilux.patches.functions import drift, palette
    from clavilux.patches.plugin import Plugin
    from clavilux.signals.table import number

    {name} = Plugin("{name}")

    @{name}.op("signal", "signal", sampling="pointwise", params={{"by": number(2, 1, 10)}})
    def squared(curve, *, by):
        '''Raise to a power.'''
        return curve**by

    @{name}.op("signal", needs="song", params={{"level": number(0.5, 0, 1)}})
    def constantly(song, *, level):
        '''Hold a level.'''
        return np.full((1, 1), level)

    @{name}.op("signal", "signal")
    def failing(curve):
        '''Fail.'''
        return curve / 0 if not curve.any() else curve[:, 99]

    @{name}.patch
    def garden(song, seed, punch=knob(1.0, 0, 2)):
        '''Grow.'''
        kick = song.kick.decay(beats=0.5).{name}.squared(by=3)
        return Patch(palette(seed=seed).loop(bars=8), drift(seconds=4).scale(punch * kick))
"""


@pytest.fixture
def run_with(tmp_path):
    """Install plugins in a folder, and run Python with it; return what the script prints as JSON."""

    def run(script, **plugins):
        for name, source in plugins.items():
            (tmp_path / f"plug_{name}.py").write_text(
                f"open({str(tmp_path / f'{name}.loaded')!r}, 'w').close()\n"
                + textwrap.dedent(source).format(name=name)
            )
            about = tmp_path / f"plug_{name}-1.0.dist-info"
            about.mkdir(exist_ok=True)
            (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: plug-{name}\nVersion: 1.0\n")
            (about / "entry_points.txt").write_text(f"[clavilux.plugins]\n{name} = plug_{name}\n")
        code = f"import sys, json; sys.path.insert(0, {str(tmp_path)!r})\n{textwrap.dedent(script)}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        loaded = sorted(path.stem for path in Path(tmp_path).glob("*.loaded"))
        return json.loads(done.stdout.splitlines()[-1]), loaded

    return run


def test_a_plugin_adds_operations_and_a_preset_to_both_doors(run_with):
    script = """
        from pathlib import Path
        import numpy as np
        import clavilux
        from clavilux.audio.sound import Audio
        from clavilux.errors import PatchError
        from clavilux.features.song import Song
        from clavilux.patches.patch import Patch
        from clavilux.patches.presets import find_preset
        from clavilux.project.project import Project
        from clavilux.project.output import Output
        from clavilux.project.show import Show, parse_show, show_text
        from clavilux.signals.evaluate import evaluate
        from clavilux.signals.sources import song
        from clavilux.signals.text import parse
        kick = song.kick.decay(beats=0.5)
        said = {}
        made = kick.acme.squared(by=3)
        said["text"] = str(made)
        said["same"] = parse("kick.decay(beats=0.5).acme.squared(by=3)") == made == parse(str(made))
        begun = clavilux.acme.constantly(level=0.25)
        said["begun"] = parse(str(begun)) == begun
        heard = Song(Audio.from_samples(np.zeros(8000), 8000))
        said["value"] = float(evaluate(begun, heard)[begun].values[0, 0])
        preset = find_preset("acme.garden")
        said["patch"] = Patch.parse(str(preset(3, punch=1.5))) == preset(3, punch=1.5)
        show, errors = parse_show('[look]\\npreset = "acme.garden"\\npunch = 1.5\\n', Path())
        said["shown"] = show.project.shown == preset(0, punch=1.5)
        out, errors = parse_show(show_text(show, written_out=True), Path())
        said["recipe"] = out.project.patch == show.project.shown
        said["versions"] = preset(0).versions["signal.acme.squared"]
        for text in ("kick.decay(beats=1).acme.squarred()", "kick.decay(beats=1).acme.squared(by=99)",
                     "acme.nothing()", "acne.constantly()", "kick.acme.squared()"):
            try:
                parse(text)
            except PatchError as error:
                said[text] = str(error)
        bad = song.mix.rms().acme.failing()
        try:
            evaluate(bad, heard)
        except PatchError as error:
            said["failing"] = str(error)
        print(json.dumps(said))
    """
    said, loaded = run_with(script, acme=GOOD)
    assert loaded == ["acme"]
    assert said["text"] == "kick.decay(beats=0.5).acme.squared(by=3)"
    assert all(said[name] for name in ("same", "begun", "patch", "shown", "recipe"))
    assert (said["value"], said["versions"]) == (0.25, 1)
    assert "column 26: There is no operation 'acme.squarred'" in said["kick.decay(beats=1).acme.squarred()"]
    assert "did you mean 'acme.squared'" in said["kick.decay(beats=1).acme.squarred()"]
    assert "by=99" in said["kick.decay(beats=1).acme.squared(by=99)"]
    assert "There is no operation 'acme.nothing'" in said["acme.nothing()"]
    assert "'acne'" in said["acne.constantly()"]
    assert "There is no operation 'acme.squared' on the events 'kick'" in said["kick.acme.squared()"]
    assert "'acme.failing' failed" in said["failing"]


USE = """
    from pathlib import Path
    from clavilux.errors import ClaviluxError
    from clavilux.patches.presets import find_preset
    from clavilux.project.show import parse_show
    from clavilux.signals.text import parse
    said = []
    for make in (
        lambda: find_preset("acme.garden"),
        lambda: parse("kick.acme.squared()"),
        lambda: parse("acme.squared()"),
        lambda: parse_show('[look]\\npreset = "acme.garden"\\n', Path())[1][0].what.strip(),
    ):
        try:
            said.append(make())
        except ClaviluxError as error:
            said.append(str(error))
    print(json.dumps(said))
"""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise ValueError('two\\nlines')", "ValueError: two"),
        ("import missing_thing", "No module named 'missing_thing'"),
        ("def broken(:", "SyntaxError"),
        ("import sys\nsys.exit(3)", "SystemExit"),
        ("from clavilux.patches.plugin import Plugin\nPlugin('kick')", "'kick' cannot be the name"),
        ("from clavilux.patches.plugin import Plugin\nPlugin('smooth')", "'smooth' cannot be the name"),
        (
            "from clavilux.signals.table import op\n@op('signal', 'signal')\ndef smooth(x): pass",
            "there is an operation 'signal.smooth' already",
        ),
    ],
    ids=["raises", "lacks", "syntax", "exits", "event", "operation", "replaces"],
)
def test_a_broken_plugin_is_one_sentence_that_names_it(run_with, source, words):
    said, loaded = run_with(USE, acme=source.replace("{", "{{"))
    assert len(said) == 4
    for text in said:
        assert "The plugin 'acme' cannot be loaded" in text
        assert words in text
        assert len(text.splitlines()) == 1 or text is said[3]
    assert loaded == ([] if "broken(:" in source else ["acme"])


def test_nothing_is_loaded_while_all_that_is_named_is_built_in(run_with):
    script = """
        from pathlib import Path
        import clavilux
        from clavilux.patches.patch import Patch
        from clavilux.patches.presets.pulse import pulse
        from clavilux.project.project import Project
        from clavilux.project.output import Output
        from clavilux.project.show import Show, parse_show, show_text
        text = show_text(Show(Path("a.mp3"), Project(), Output()), written_out=True)
        same = parse_show(text, Path())[0].project.patch == pulse(0) == Patch.parse(str(pulse(0)))
        from clavilux.signals.plugins import find_plugins
        print(json.dumps([same, [point.name for point in find_plugins()]]))
    """
    (same, found), loaded = run_with(script, acme="raise ValueError", other=GOOD)
    assert same
    assert {"acme", "other"} <= set(found)
    assert loaded == []


@pytest.mark.parametrize(
    "name", ["", "A", "kick", "mix", "drums", "song", "a b", "1a", "drift", "smooth", "if", "x" * 40]
)
def test_a_plugin_has_a_name_of_its_own(name):
    with pytest.raises(ValueError, match="cannot be the name of a plugin"):
        Plugin(name)


def test_no_operation_replaces_another():
    before = dict(OPS)
    with pytest.raises(TypeError, match="already"):
        op("signal", "signal", params={"seconds": number(1, 0, 2)})(smooth)
    assert before == OPS


def smooth(curve, *, seconds):
    """Do nothing."""
