"""Features that paint a flaw: found, renewed, and what is said when they cannot be."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "builtin"))

import mend
from network import Generator, Sizes
from sheets import sample, seeds_to_z

SMALL = Sizes(16, z_dim=8, w_dim=8, mapping_layers=2, channel_base=256, channel_max=16)


def test_the_feature_to_blame_for_a_spot_is_found():
    torch.manual_seed(0)
    generator = Generator(SMALL).requires_grad_(False)
    block = generator.synthesis.b16
    ws = generator.widen(generator.mapping(seeds_to_z(range(3, 4), 8)))
    maps = []
    with mend.levelled(block.conv1, 0):
        levelled = block.conv1.register_forward_hook(lambda _conv, _given, x: maps.append(x[0]))
        generator.synthesis(ws, generator.synthesis.noises(1, mode="const"))
        levelled.remove()
    assert maps[0][0].std() < 1e-6
    y, x = divmod(int(maps[0][5].argmax()), 16)
    block.torgb.weight[:, 5] = -4 * block.torgb.affine(ws[:, -1])[0, 5].sign()
    block.torgb.weight[:, 7] = 0
    found = mend.blame(generator, [mend.Spot.read(f"3:{x},{y}")], 16)
    assert found[0].feature == "b16.conv1:5"
    assert found[0].spots > found[0].whole + 0.1
    assert len(found) == sum(c.weight.shape[0] for c in generator.synthesis.convolutions())
    unheard = next(one for one in found if one.feature == "b16.conv1:7")
    assert (unheard.spots, unheard.whole) == (0, 0)


@pytest.mark.parametrize("feature", ["b8.conv0:3", "b8.conv1:3", "b16.conv1:3"])
def test_a_renewed_feature_is_not_heard_and_the_others_stay(feature, tmp_path, monkeypatch):
    path = tmp_path / "latest.pt"
    torch.manual_seed(0)
    before = Generator(SMALL).state_dict()
    torch.save({"generator": before, "average": before, "pictures": 5, "since": 2}, path)
    monkeypatch.setattr(sys, "argv", ["mend.py", "renew", str(path), feature])
    mend.main()
    state = torch.load(path, weights_only=True)
    assert state["since"] == state["pictures"] == 5
    after = state["average"]
    layer = f"synthesis.{feature.split(':')[0]}"
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert f"{layer}.weight" in changed
    assert len(changed) <= 3
    generator = Generator(SMALL).requires_grad_(False)
    generator.load_state_dict(after)
    image = sample(generator, seeds_to_z(range(2), 8))
    generator.get_parameter(f"{layer}.weight")[3].normal_()
    assert torch.equal(sample(generator, seeds_to_z(range(2), 8)), image)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("find {} 18", "18:34,101"),
        ("find {} 1:16,2", "outside pictures of 16 px"),
        ("find missing.pt 1:2,3", "missing.pt"),
        ("renew {} b8.conv1:16", "no feature b8.conv1:16"),
        ("renew {} b8.torgb:1", "no feature b8.torgb:1"),
        ("renew {}.average b8.conv1:3", "not the latest.pt"),
        ("renew missing.pt b8.conv1:3", "missing.pt"),
    ],
)
def test_what_cannot_be_mended_is_said_and_nothing_is_written(told, said, tmp_path, monkeypatch, capsys):
    path = tmp_path / "latest.pt"
    state = Generator(SMALL).state_dict()
    torch.save({"generator": state, "average": state, "pictures": 5, "since": 2}, path)
    torch.save(state, tmp_path / "latest.pt.average")
    before = path.read_bytes()
    monkeypatch.setattr(sys, "argv", ["mend.py", *told.format(path).split()])
    with pytest.raises(SystemExit, match="2"):
        mend.main()
    assert said in capsys.readouterr().err
    assert path.read_bytes() == before


def test_features_to_blame_are_printed(tmp_path, monkeypatch, capsys):
    path = tmp_path / "latest.pt"
    torch.save({"average": Generator(SMALL).state_dict()}, path)
    told = ["find", str(path), "0:3,4", "1:5,6", "--resolution", "8"]
    monkeypatch.setattr(sys, "argv", ["mend.py", *told])
    mend.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == mend.SHOWN
    assert all(line.startswith(("b4.conv1:", "b8.conv")) for line in lines)
