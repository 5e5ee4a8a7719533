"""Features that generate a flaw are found and renewed, or refused in one sentence."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "builtin"))

import repair
from network import Generator, Sizes
from sheets import sample, seeds_to_z

SMALL = Sizes(16, z_dim=8, w_dim=8, mapping_layers=2, channel_base=256, channel_max=16)


def test_the_feature_that_causes_a_spot_is_found():
    torch.manual_seed(0)
    generator = Generator(SMALL).requires_grad_(False)
    block = generator.synthesis.b16
    ws = generator.widen(generator.mapping(seeds_to_z(range(3, 4), 8)))
    maps = []
    with repair.ablated(block.conv1, 0):
        levelled = block.conv1.register_forward_hook(lambda _conv, _given, x: maps.append(x[0]))
        generator.synthesis(ws, generator.synthesis.noises(1, mode="const"))
        levelled.remove()
    assert maps[0][0].std() < 1e-6
    y, x = divmod(int(maps[0][5].argmax()), 16)
    block.torgb.weight[:, 5] = -4 * block.torgb.affine(ws[:, -1])[0, 5].sign()
    block.torgb.weight[:, 7] = 0
    found = repair.effects(generator, [repair.Spot.read(f"3:{x},{y}")], 16)
    assert found[0].feature == "b16.conv1:5"
    assert found[0].spots > found[0].whole + 0.1
    assert len(found) == sum(c.weight.shape[0] for c in generator.synthesis.convolutions())
    unread = next(one for one in found if one.feature == "b16.conv1:7")
    assert (unread.spots, unread.whole) == (0, 0)


@pytest.mark.parametrize("feature", ["b8.conv0:3", "b8.conv1:3", "b16.conv1:3"])
def test_a_renewed_feature_is_not_read_and_the_others_stay(feature, tmp_path, monkeypatch):
    path = tmp_path / "latest.pt"
    torch.manual_seed(0)
    before = Generator(SMALL).state_dict()
    torch.save({"generator": before, "average": before, "images": 5, "since": 2}, path)
    monkeypatch.setattr(sys, "argv", ["repair.py", "renew", str(path), feature])
    repair.main()
    state = torch.load(path, weights_only=True)
    assert state["since"] == state["images"] == 5
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
    ("arguments", "message"),
    [
        ("find {} 18", "18:34,101"),
        ("find {} 1:16,2", "outside images of 16 px"),
        ("find missing.pt 1:2,3", "missing.pt"),
        ("renew {} b8.conv1:16", "no feature b8.conv1:16"),
        ("renew {} b8.torgb:1", "no feature b8.torgb:1"),
        ("renew {}.average b8.conv1:3", "not the latest.pt"),
        ("renew missing.pt b8.conv1:3", "missing.pt"),
    ],
)
def test_what_cannot_be_repaired_is_refused_and_nothing_is_written(
    arguments, message, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "latest.pt"
    state = Generator(SMALL).state_dict()
    torch.save({"generator": state, "average": state, "images": 5, "since": 2}, path)
    torch.save(state, tmp_path / "latest.pt.average")
    before = path.read_bytes()
    monkeypatch.setattr(sys, "argv", ["repair.py", *arguments.format(path).split()])
    with pytest.raises(SystemExit, match="2"):
        repair.main()
    assert message in capsys.readouterr().err
    assert path.read_bytes() == before


def test_features_that_cause_spots_are_printed(tmp_path, monkeypatch, capsys):
    path = tmp_path / "latest.pt"
    torch.save({"average": Generator(SMALL).state_dict()}, path)
    arguments = ["find", str(path), "0:3,4", "1:5,6", "--resolution", "8"]
    monkeypatch.setattr(sys, "argv", ["repair.py", *arguments])
    repair.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == repair.MAX_SHOWN
    assert all(line.startswith(("b4.conv1:", "b8.conv")) for line in lines)
