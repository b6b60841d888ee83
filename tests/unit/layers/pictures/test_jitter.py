"""Random changes of a batch: what moves, how far, and that the movement told is the movement made."""

import math

import pytest
import torch
from torch.nn import functional as F

from polyclinic.layers.pictures.jitter import Jitter, draw_affine, jitter

STILL = Jitter(0.0, 0.0, 0.0, False, False, False, 0.0, 0.0, 0.0)


def only(**keys):
    return Jitter(**{**vars(STILL), **keys})


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def spots(batch=64, side=33):
    """A bright spot right of and above the middle."""
    row, column = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
    return torch.exp(-((row + 0.4) ** 2 + (column - 0.5) ** 2) / 0.02).expand(batch, 1, side, side).contiguous()


def centre(images):
    """Where the spot is, in [-1, 1], x before y."""
    height, width = images.shape[2:]
    mass = images[:, 0] / images[:, 0].sum(dim=(1, 2), keepdim=True)
    x = (torch.arange(width) * 2 + 1) / width - 1
    y = (torch.arange(height) * 2 + 1) / height - 1
    return torch.stack([(mass.sum(1) * x).sum(1), (mass.sum(2) * y).sum(1)], dim=1)


def test_nothing_moves():
    pixels = spots()
    moved, affine = jitter(pixels, STILL, generator())
    assert moved is pixels
    assert affine is None


def test_same_generator_same_images():
    strength = Jitter(0.1, 0.1, 10.0, True, True, True, 0.3, 0.3, 0.5)
    first, second, other = (jitter(spots(), strength, generator(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    "strength",
    [
        only(shift=0.1),
        only(zoom=0.2),
        only(tilt=25.0),
        only(mirror=True),
        only(overturn=True),
        only(quarters=True),
        Jitter(0.05, 0.1, 15.0, True, True, True, 0.0, 0.0, 0.0),
    ],
)
def test_the_movement_told_is_the_movement_made(strength):
    """The affine maps the new place of the spot back to its old place."""
    pixels = spots()
    moved, affine = jitter(pixels, strength, generator())
    new = centre(moved)
    back = torch.einsum("bij,bj->bi", affine[:, :, :2], new) + affine[:, :, 2]
    torch.testing.assert_close(back, centre(pixels), atol=0.02, rtol=0)
    assert not torch.equal(moved, pixels)


def test_limits():
    assert jitter(spots(), only(shift=0.1), generator())[1][:, :, 2].abs().max() <= 0.2
    scale = jitter(spots(), only(zoom=0.2), generator())[1][:, 0, 0]
    assert ((scale >= 1 / 1.2 - 1e-6) & (scale <= 1 / 0.8 + 1e-6)).all()
    affine = jitter(spots(), only(tilt=10.0), generator())[1]
    assert torch.atan2(affine[:, 1, 0], affine[:, 0, 0]).abs().max() <= math.radians(10) + 1e-6


def test_no_flip_unless_asked_for():
    strength = Jitter(0.2, 0.3, 45.0, False, False, False, 0.0, 0.0, 0.0)
    assert (torch.det(draw_affine(500, (28, 28), strength, generator())[:, :, :2]) > 0).all()


def test_flips_and_quarters_move_whole_pixels():
    pixels = torch.randn(40, 2, 8, 8)
    ways = {way(image).numpy().tobytes(): name for image in pixels for name, way in WAYS.items()}
    for strength, expected in [
        (only(mirror=True), {"same", "mirror"}),
        (only(mirror=True, overturn=True), {"same", "mirror", "overturn", "half"}),
        (only(quarters=True), {"same", "half", "left", "right"}),
    ]:
        moved = jitter(pixels, strength, generator())[0]
        nearest = {
            min(WAYS, key=lambda n: float((WAYS[n](o) - m).abs().max())) for o, m in zip(pixels, moved, strict=True)
        }
        assert nearest == expected
        assert all(
            min(float((way(o) - m).abs().max()) for way in WAYS.values()) < 1e-4
            for o, m in zip(pixels, moved, strict=True)
        )
    assert len(ways) == 40 * len(WAYS)


WAYS = {
    "same": lambda x: x,
    "mirror": lambda x: x.flip(2),
    "overturn": lambda x: x.flip(1),
    "half": lambda x: x.flip(1, 2),
    "left": lambda x: x.rot90(1, (1, 2)),
    "right": lambda x: x.rot90(-1, (1, 2)),
}


def test_oblong_images_turn_by_halves_and_keep_their_shape():
    pixels = torch.randn(30, 1, 6, 10)
    moved = jitter(pixels, only(quarters=True), generator())[0]
    for one, other in zip(pixels, moved, strict=True):
        assert min(float((one - other).abs().max()), float((one.flip(1, 2) - other).abs().max())) < 1e-4


def test_a_circle_stays_a_circle_when_an_oblong_image_is_tilted():
    row, column = torch.meshgrid(torch.arange(20) - 9.5, torch.arange(40) - 19.5, indexing="ij")
    circle = (torch.hypot(row, column) < 6).float().expand(16, 1, 20, 40).contiguous()
    tilted = jitter(circle, only(tilt=90.0), generator())[0]
    assert (tilted - circle).abs().mean() < 0.02


def test_light():
    pixels = torch.randn(200, 1, 8, 8)
    brighter = jitter(pixels, only(brightness=0.3), generator())[0]
    lift = (brighter - pixels).mean(dim=(1, 2, 3))
    assert lift.abs().max() <= 0.3 + 1e-5
    assert lift.abs().max() > 0.25
    sharper = jitter(pixels, only(contrast=0.3), generator())[0]
    torch.testing.assert_close(sharper.mean(dim=(1, 2, 3)), pixels.mean(dim=(1, 2, 3)), atol=1e-5, rtol=0)
    gain = sharper.std(dim=(1, 2, 3)) / pixels.std(dim=(1, 2, 3))
    assert 0.69 < gain.min() < 0.75
    assert 1.25 < gain.max() < 1.31


def test_erase():
    pixels = torch.ones(400, 2, 20, 20)
    erased = jitter(pixels, only(erase=0.5), generator())[0]
    share = (erased == 0).float().mean(dim=(1, 2, 3))
    assert 0.4 < (share > 0).float().mean() < 0.6
    assert share.max() <= 0.3
    assert torch.equal(erased[:, 0], erased[:, 1])


def test_the_grid_is_torchs_own():
    """A still affine is the identity of torch's grid."""
    affine = draw_affine(3, (5, 7), STILL, generator())
    grid = F.affine_grid(affine, [3, 1, 5, 7], align_corners=False)
    expected = F.affine_grid(torch.eye(2, 3).expand(3, 2, 3), [3, 1, 5, 7], align_corners=False)
    torch.testing.assert_close(grid, expected)
