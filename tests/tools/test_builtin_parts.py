"""What training is made of: teachers, networks, losses and measures."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "builtin"))

import critic
import losses
import measures
import network
import teachers
import window
from clavilux.generator import layers
from critic import PATCH, crop, place
from network import Generator, Sizes, fir_double, grow
from sheets import pixels
from window import Window

SMALL = Sizes(16, z_dim=8, w_dim=8, mapping_layers=2, channel_base=256, channel_max=16)


def drawn(family: str, seed: int = 1, resolution: int = 16, batch: int = 8) -> torch.Tensor:
    return teachers.draw(family, batch, resolution, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("family", sorted(teachers.FAMILIES))
def test_a_teacher_draws_seeded_varied_images_in_range(family):
    images = drawn(family, resolution=32)
    assert images.shape == (8, 3, 32, 32)
    assert images.min() >= -1
    assert images.max() <= 1
    assert torch.equal(images, drawn(family, resolution=32))
    distances = measures.pairwise(images) + torch.eye(8)
    assert distances.min() > 0.02
    assert -0.9 < images.mean() < -0.2


@pytest.mark.parametrize("family", ["silk", "ink"])
def test_a_teacher_looks_alike_at_every_size(family):
    small, large = (drawn(family, resolution=r, batch=64) for r in (32, 64))
    assert abs(small.mean() - large.mean()) < 0.1
    assert abs(small.std() - large.std()) < 0.1


def test_a_pane_of_glass_has_one_centre_and_dark_lead_around_it():
    edge, centre, *own = teachers.panes()
    assert edge.min() >= 0
    assert centre.max() < 1.5
    inside = edge > 0.1
    assert 0.3 < inside.float().mean() < 0.9
    steps = torch.stack([x.diff(dim=1).abs() for x in own]).amax(0)
    assert steps[(inside[:, 1:] & inside[:, :-1])].max() == 0
    down, across = edge.diff(dim=0)[:, 1:], edge.diff(dim=1)[1:]
    slope = teachers.SAMPLES * (down.square() + across.square()).sqrt()
    assert (slope - 1).abs().median() < 0.01, "lead as wide everywhere"
    images = drawn("glass", resolution=64)
    assert images.amin((1, 2, 3)).max() < -0.9


def test_ink_flows_without_gathering_anywhere():
    flow = teachers.curl(teachers.FLOW.mixtures(4, torch.Generator().manual_seed(1)))
    step = 2 * teachers.REACH / (teachers.CELLS - 1)
    across, down = (torch.gradient(flow[:, k], spacing=step, dim=2 - k)[0][:, 2:-2, 2:-2] for k in (0, 1))
    assert across.std() > 0.5
    assert (across + down).abs().max() < 1e-3, "divergence"


def test_both_ways_of_convolving_up_agree():
    x, weight = torch.randn(2, 5, 8, 8), torch.randn(7, 5, 3, 3)
    at_once = F.conv_transpose2d(x, network.smoothed(weight).transpose(0, 1), stride=2, padding=2)
    assert torch.allclose(network.convolve_up(x, weight), at_once, atol=1e-4)


def test_a_convolution_that_pads_itself_returns_the_same():
    from efficientnet_lite_pytorch.utils import Conv2dStaticSamePadding

    from critic import Features

    convolutions = [m for m in Features().modules() if isinstance(m, Conv2dStaticSamePadding)]
    assert len(convolutions) == 48
    assert sum(isinstance(m.static_padding, torch.nn.ZeroPad2d) for m in convolutions) == 5
    conv = Conv2dStaticSamePadding(3, 4, 5, image_size=16)
    image = torch.randn(1, 3, 16, 16)
    before = conv(image)
    critic.pad_itself(conv)
    assert conv.padding == (2, 2)
    assert torch.equal(conv(image), before)


def test_doubling_is_the_shipped_filter():
    image = torch.randn(2, 3, 8, 8)
    assert torch.allclose(fir_double(image), layers.upsample_colours(image), atol=1e-6)


def test_a_grown_generator_paints_the_same_image_larger():
    torch.manual_seed(0)
    small = Generator(SMALL)
    larger = Sizes(32, z_dim=8, w_dim=8, mapping_layers=2, channel_base=256, channel_max=16)
    large = Generator(larger)
    large.load_state_dict(grow(small.state_dict(), larger))
    z = torch.randn(2, 8)
    assert torch.allclose(large(z), fir_double(small(z)), atol=1e-5)


def test_an_octave_that_waited_keeps_its_features_and_adds_no_light_yet():
    torch.manual_seed(0)
    old = Generator(Sizes(32, z_dim=8, w_dim=8, mapping_layers=2, channel_base=256, channel_max=16))
    small = Generator(SMALL)
    grown = Generator(old.sizes)
    grown.load_state_dict(grow(small.state_dict(), old.sizes, waiting=old.state_dict()))
    z = torch.randn(2, 8)
    assert torch.allclose(grown(z), fir_double(small(z)), atol=1e-5)
    assert torch.equal(grown.synthesis.b32.conv1.weight, old.synthesis.b32.conv1.weight)


def test_mixing_takes_coarse_styles_from_one_image_and_fine_from_another():
    ws = torch.arange(8.0)[:, None, None].expand(8, 6, 4)
    batch = losses.mix(ws, crossover=2)
    assert batch.ws[:6].equal(ws[:6])
    assert batch.ws[batch.mixed, :2].equal(ws[batch.structure, :2])
    assert batch.ws[batch.mixed, 2:].equal(ws[batch.palette, 2:])


def test_gaps_tell_structure_from_palette():
    images = drawn("silk", resolution=32)
    recoloured = images[:, [2, 1, 0]]
    assert losses.structure_gap(images, images) == pytest.approx(0, abs=1e-5)
    assert losses.palette_gap(images, images) == 0
    assert losses.palette_gap(images, images.flip(3)) == pytest.approx(0, abs=1e-5)
    assert losses.structure_gap(images, images.flip(3)) > 0.3
    assert losses.palette_gap(images, recoloured) > 0.1


def test_glints_tell_sparks_from_specks():
    source = torch.Generator().manual_seed(0)
    sparks = (torch.randn(4, 1, 64, 64, generator=source) - 2.3).clamp(min=0).expand(-1, 3, -1, -1)
    bright, dark = losses.glints(sparks)
    assert bright > 20 * dark
    assert losses.glints(-sparks).flip(0).tolist() == pytest.approx([bright.item(), dark.item()])
    assert losses.glint_gap(sparks, losses.glints(sparks)) == 0
    assert losses.glint_gap(-sparks, losses.glints(sparks)) > 3


def test_tones_tell_that_black_is_not_quite_black():
    images = drawn("silk", resolution=64)
    levels = losses.tones(images)
    assert (levels.diff() >= 0).all()
    lifted = losses.tones(images.clamp(min=-0.8))
    assert levels[0] < -0.95
    assert lifted[0] == pytest.approx(-0.8)
    assert torch.allclose(lifted[-4:], levels[-4:], atol=0.02)


def test_a_window_is_held_to_the_image_under_it_but_free_in_its_detail():
    under = drawn("glass")
    image = under.repeat_interleave(4, 2).repeat_interleave(4, 3)
    checks = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(32, 32)
    assert losses.faith(image, under) < 1e-6
    assert losses.faith(image + 0.2 * checks, under) < 1e-6
    assert losses.faith(image + 0.2, under) == pytest.approx(0.2, abs=1e-6)


def test_a_frame_around_the_image_is_seen():
    images = drawn("silk", resolution=64)
    framed = F.pad(images[..., 1:-1, 1:-1], (1, 1, 1, 1), value=0)
    assert losses.seams(images) < 0.1
    assert losses.seams(framed) > 0.3


def test_only_borders_that_are_the_images_own_can_have_a_seam():
    images = drawn("silk", resolution=64)
    left = F.pad(images[..., 1:], (1, 0, 0, 0), value=0)
    assert losses.seams(left, [2]) > losses.seams(left) > losses.seams(left, [0, 1, 3])
    assert losses.seams(left, []) == 0


def test_only_what_is_far_beyond_black_and_white_is_too_much():
    images = drawn("glass")
    assert losses.excess(1.4 * images) == 0
    assert losses.excess(images + 8 * (images > 0.9)) > 0.1


def test_images_are_alike_that_share_their_lines_whatever_their_colours():
    images = drawn("glass", resolution=96)
    tints = torch.rand(8, 3, 1, 1, generator=torch.Generator().manual_seed(0))
    shared = (images[:1] + 1) * (0.4 + 0.6 * tints) - 1
    assert losses.rms_correlation(losses.outlines(images)) < 0.15
    assert losses.rms_correlation(losses.outlines(shared)) > 0.8
    assert losses.rms_correlation(losses.outlines(torch.zeros(4, 3, 16, 16))) < 0.01


def test_images_are_alike_that_share_where_colours_lie_whatever_their_light():
    images = drawn("glass", resolution=64)
    pane = torch.zeros(3, 64, 64)
    pane[0, :20, :20] = 2
    apart = losses.rms_correlation(losses.hues(images))
    assert apart < 0.35
    assert losses.rms_correlation(losses.hues(images + pane)) > apart + 0.1
    greys = images.mean(1, keepdim=True).expand_as(images)
    assert losses.rms_correlation(losses.hues(greys)) < 0.01


def test_an_image_with_a_twin_crowds_and_strangers_do_not():
    images, strangers = drawn("glass", resolution=64), drawn("glass", seed=2, resolution=64)
    portraits = losses.portrait(images)
    assert torch.allclose(portraits.square().sum(1), torch.ones(8), atol=1e-3)
    alone = losses.crowding(portraits, losses.portrait(strangers))
    dimmed = losses.portrait(0.8 * images - 0.1)
    among = losses.crowding(dimmed, torch.cat((losses.portrait(strangers), portraits)))
    assert among > 0.9
    assert alone < 0.4


def test_a_portrait_is_structure_hues_and_outlines():
    images = drawn("ink", resolution=64)
    parts = (losses.structure(images), losses.hues(images), losses.outlines(images))
    assert torch.allclose(losses.portrait(images), torch.cat(parts, 1) / 3**0.5, atol=1e-6)


def test_a_mark_in_every_image_is_seen_however_small():
    images = drawn("glass", resolution=96)
    marked = images.clone()
    marked[..., 40:44, 20:30] = -1
    assert abs(losses.mean_correlation(losses.marks(images))) < 0.01
    assert (
        losses.mean_correlation(losses.marks(marked)) > losses.mean_correlation(losses.marks(images)) + 0.01
    )
    assert abs(losses.mean_correlation(losses.marks(torch.zeros(4, 3, 16, 16)))) < 0.01


def test_fringes_are_stripes_of_colour_but_not_of_light():
    images = drawn("silk", resolution=64)
    wanted = losses.fringes(images)
    stripes = torch.zeros_like(images)
    stripes[:, 0, :, ::2], stripes[:, 2, :, 1::2] = 0.3, 0.3
    assert losses.fringe_gap(images, wanted) == 0
    assert losses.fringe_gap(images * 0.9, wanted) == 0
    assert losses.fringe_gap(images + stripes, wanted) > 0.5
    light = stripes.sum(1, keepdim=True) * torch.arange(64).remainder(2)
    assert losses.fringes(images + light).item() == pytest.approx(wanted.item(), rel=1e-4)


def test_crops_show_the_borders_too():
    torch.manual_seed(0)
    places = [place(12) for _ in range(300)]
    assert set(places) == set(range(13))
    assert 0.1 < places.count(0) / 300 < 0.35
    assert 0.1 < places.count(12) / 300 < 0.35
    assert place(0) == 0
    image = torch.randn(2, 3, PATCH + 8, PATCH + 8)
    cut = crop(image)
    assert any(torch.equal(cut, image[..., y : y + PATCH, x : x + PATCH]) for y in range(9) for x in range(9))
    assert torch.equal(crop(cut), cut)


@pytest.mark.parametrize("family", sorted(teachers.FAMILIES))
def test_a_teacher_draws_a_part_as_it_draws_the_whole(family):
    part = slice(40, 56), slice(0, 24)
    drawn_part = teachers.draw(family, 2, 64, torch.Generator().manual_seed(1), part)
    assert torch.equal(drawn_part, drawn(family, resolution=64, batch=2)[..., *part])


@pytest.mark.parametrize("resting", [16, 32])
def test_a_window_of_the_upper_octaves_is_painted_as_in_the_whole(monkeypatch, resting):
    monkeypatch.setattr(window, "VIEW", 32)
    torch.manual_seed(0)
    generator = Generator(Sizes(128, z_dim=8, w_dim=8, mapping_layers=2, channel_base=512, channel_max=16))
    for conv in generator.synthesis.convolutions():
        torch.nn.init.constant_(conv.noise_strength, 0.3)
    synthesis, ws = generator.synthesis, generator.widen(generator.mapping(torch.randn(2, 8)))
    noises = synthesis.noises(1, mode="const")
    count = synthesis.resolutions.index(resting) + 1
    low, high = synthesis.resolutions[:count], synthesis.resolutions[count:]
    whole, below = synthesis(ws, noises), synthesis.climb(low, synthesis.base(2), ws, noises)
    seen = set()
    for _ in range(50):
        part = Window.anywhere(128, resting)
        cut = [x[..., *part.cells] for x in below]
        above = []
        for noise in noises[-2 * len(high) :]:
            scale = noise.shape[-1] // resting
            above.append(noise[..., *(slice(scale * x.start, scale * x.stop) for x in part.cells)])
        assert {n.shape[-1] for n in above} == {part.side(r) for r in high}
        painted = synthesis.climb(high, cut, ws, [*noises[: -2 * len(high)], *above])[1]
        assert torch.allclose(painted[..., *part.kept], whole[..., *part.seen], atol=1e-6)
        assert [(x.start * 128, x.stop * 128) for x in part.under] == [
            (x.start * resting, x.stop * resting) for x in part.seen
        ]
        rows, columns = part.seen
        ends = (rows.start == 0, rows.stop == 128, columns.start == 0, columns.stop == 128)
        assert part.borders == [side for side, touched in enumerate(ends) if touched]
        seen |= {part.seen[0].start, part.seen[1].stop}
    assert {0, 128} <= seen


def test_hinge_is_zero_only_when_both_sides_are_sure():
    sure, unsure = torch.full((2, 1, 4, 4), 2.0), torch.zeros(2, 1, 4, 4)
    assert losses.hinge([sure], [-sure]) == 0
    assert losses.hinge([unsure], [unsure]) == 2


def test_lab_knows_white_grey_and_red():
    colours = torch.tensor([[1.0, 1, 1], [0, 0, 0], [1, -1, -1]])[:, :, None, None]
    wanted = torch.tensor([[100, 0, 0], [53.39, 0, 0], [53.24, 80.09, 67.20]])
    assert torch.allclose(measures.lab(colours)[:, :, 0, 0], wanted, atol=0.1)


def test_a_blurred_image_is_less_sharp():
    images = drawn("glass", resolution=32)
    blurred = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="reflect"), 3, 1)
    assert measures.sharpness(blurred) < 0.8 * measures.sharpness(images)


def test_the_kernel_distance_is_small_for_one_family_and_large_for_two():
    source = torch.Generator().manual_seed(0)
    a, b, c = (torch.randn(200, 6, generator=source) for _ in range(3))
    near, far = (measures.kernel_distance(a, x, reference=a) for x in (b, c + 1))
    assert abs(near) < 0.1 * far


def test_a_sheet_lays_images_out_in_rows():
    levels = torch.linspace(-1, 1, 6)[:, None, None, None].expand(6, 3, 2, 2)
    grid = np.asarray(pixels(levels, columns=3))
    assert grid.shape == (4, 6, 3)
    assert grid[0, 0, 0] == 0
    assert grid[-1, -1, 0] == 255
    assert grid[0, 2, 0] < grid[2, 0, 0]
