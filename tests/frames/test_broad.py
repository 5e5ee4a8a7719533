"""Configurations of network bending as published are read as bends."""

import pytest

from clavilux.cli import main
from clavilux.errors import FileError, PatchError
from clavilux.patches.broad import parse_broad, read_broad
from clavilux.patches.functions import ablate, dilate, flip, gain, rotate, threshold, translate, zoom
from clavilux.project.project import Project
from clavilux.project.show import read_show

TEXT = """
transforms:
- layer: 5
  transform: "ablate"
  params: []
  features: "all"
  feature-param:
- layer: 3            # 16 px
  transform: "translate"
  params: [0.25, -0.1]
  features: "random"
  feature-param: 0.3
- {extra}
"""


def test_every_transform_finds_its_bend():
    text = TEXT.replace("- {extra}\n", "")
    assert parse_broad(text, seed=4) == [
        ablate(at="b32.conv0", seed=4),
        translate(at="b16.conv0", x=0.25, y=-0.1, channels="30.000000%", seed=4),
    ]
    for words, wanted in {
        "'scale'\n  params: [1.5]": zoom(at="b4.conv1", by=1.5),
        "rotate\n  params: [90]": rotate(at="b4.conv1", by=90),
        "flip-v\n  params: []": flip(at="b4.conv1", axis="y"),
        "dilate\n  params: [2]": dilate(at="b4.conv1", radius=2),
        "binary-tresh\n  params: [0.5]": threshold(at="b4.conv1", level=0.5),
        "scalar-multiply\n  params: [0]": ablate(at="b4.conv1"),
        "scalar-multiply\n  params: [10]": gain(at="b4.conv1", db=20),
    }.items():
        assert parse_broad(f"- layer: 0\n  transform: {words}") == [wanted]


def test_numbers_are_read_in_every_form_of_yaml():
    for written, value in ((".5", 0.5), ("5.", 5.0), ("+0.5", 0.5), ("5e-1", 0.5), ("-.5", -0.5)):
        found = parse_broad(f"- layer: 0\n  transform: translate\n  params: [{written}, 0]")
        assert f"x={value!r}" in str(found[0]) or f"x={value:g}" in str(found[0])


@pytest.mark.parametrize("indent", ["  ", "    "])
def test_a_list_may_be_written_line_by_line(indent):
    lines = f"params:\n{indent}- 0.5\n{indent}- -1e-1  # up\n  features: all"
    found = parse_broad(f"- layer: 0\n  transform: translate\n  {lines}\n- layer: 1\n  transform: ablate")
    assert found == [translate(at="b4.conv1", x=0.5, y=-0.1), ablate(at="b8.conv0")]


def test_layers_are_counted_as_published():
    found = [parse_broad(f"- layer: {k}\n  transform: ablate\n  params: []")[0] for k in (1, 2, 11, 16)]
    assert [dict(each.params)["at"] for each in found] == [
        "b8.conv0",
        "b8.conv1",
        "b256.conv0",
        "b1024.conv1",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- layer: 3\n  transform: wobble", "no transform 'wobble'"),
        ("- layer: 3\n  transform: scale\n  params: []", "takes 1 numbers"),
        ("- layer: x\n  transform: ablate", "no layer 'x'"),
        ("- layer: 3\n  transform: ablate\n  features: some", "features 'some'"),
        ("what is this", "Line 1"),
        ("- layer: 3\n  transform: scalar-multiply\n  params: [-2]", "negative gain cannot be imported"),
        ("- layer: 3\n  transform: scalar-multiply\n  params: [100]", "is beyond what 'gain' can do"),
        ("- layer: 3\n  transform: dilate\n  params: [5]", "'dilate' can do; radius is 0 to 4"),
        ("- layer: 3\n  transform: scale\n  params: [-1]", "is beyond what 'zoom' can do"),
        ("- layer: 3\n  transform: ablate\n  features: random\n  feature-param: 3", "features 'random'"),
        (
            "- layer: 3\n  transform: ablate\n  features: cluster\n  feature-param: 2",
            "cluster 2 of a dictionary of channels cannot be imported",
        ),
        ("- layer: 3\n  transform: ablate\n  params: [1]\n  - layer", "Line 4"),
    ],
)
def test_what_cannot_be_read_is_said(text, words, tmp_path):
    with pytest.raises(PatchError, match=words):
        parse_broad(text)
    path = tmp_path / "bends.yaml"
    path.write_text(text)
    with pytest.raises(FileError, match=words):
        read_broad(path)


def test_a_configuration_becomes_sentences_of_a_project(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "song.wav").write_bytes(b"RIFF")  # a song is not opened before it is rendered
    (tmp_path / "bends.yaml").write_text(TEXT.replace("- {extra}\n", ""))
    with pytest.raises(SystemExit) as ended:
        main(["new", "song.wav", "--patch", "pulse", "--bends", "bends.yaml", "--seed", "4", "--psi", "0.7"])
    assert ended.value.code == 0, capsys.readouterr().err
    shown = read_show(tmp_path / "song.toml").project.shown
    assert list(shown.bends) == parse_broad(TEXT.replace("- {extra}\n", ""), seed=4)
    assert shown.psi == Project(seed=4, psi=0.7).shown.psi
    assert shown.latents == Project(seed=4).shown.latents
