"""Small random changes of views of volumes: one movement, one resampling, then light and noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional as F

Views = Float[Tensor, "batch channel i j k"]
Affine = Float[Tensor, "batch 3 4"]

_COARSE = 2.0  # planes with steps more unlike than this are not turned: slices would be smeared
_OFTEN = 0.8  # share of the views that are moved; a round number
_SOMETIMES = 0.3  # share of the views whose gamma or noise changes; a round number


@dataclass(frozen=True)
class Jitter3d:
    """How far views may change.

    Attributes:
        shift: Furthest shift, as a share of the side.
        zoom: Furthest enlargement or reduction, as a share.
        tilt: Furthest rotation about each axis in degrees.
        mirror: Along which axes sides may be swapped.
        brightness: Furthest change of brightness, in standard deviations.
        contrast: Furthest change of contrast, as a share.
        gamma: Furthest change of the curve from dark to light: exponents from exp(-gamma) to exp(gamma).
        noise: Largest standard deviation of noise that is added.
    """

    shift: float
    zoom: float
    tilt: float
    mirror: tuple[bool, bool, bool]
    brightness: float
    contrast: float
    gamma: float
    noise: float

    @property
    def moves(self) -> bool:
        """Whether anything changes its place."""
        return bool(self.shift or self.zoom or self.tilt or any(self.mirror))


def draw_movement(
    batch: int,
    size: Sequence[int],
    cut: Sequence[int],
    steps: Sequence[float],
    strength: Jitter3d,
    generator: Generator,
) -> Affine:
    """Movements at random: view -> cut in [-1, 1], last axis first, centre upon centre but for the shift.

    Things keep their shape in the patient: steps of different length are allowed for. Across an axis whose steps are
    more than twice as long as another's nothing is rotated: there is too little to interpolate from.

    Args:
        batch: How many.
        size: Points of a view along each axis.
        cut: Points of the cut that it is taken from.
        steps: Length of a step along each axis, in any one unit.
        strength: How far.
        generator: Where chance comes from.
    """
    turn = torch.eye(3).repeat(batch, 1, 1)
    for axis in range(3):
        one, other = (n for n in range(3) if n != axis)
        angle = math.radians(strength.tilt) * even(batch, generator)
        if max(steps[one], steps[other]) <= _COARSE * min(steps[one], steps[other]):
            turn = turn @ _rotation(axis, angle)
    zoom = 1 + strength.zoom * even(batch, generator)
    side = torch.stack([zoom * (1 + strength.zoom / 3 * even(batch, generator)) for _ in range(3)], dim=1)
    flip = torch.stack([sign(batch, generator) if may else torch.ones(batch) for may in strength.mirror], dim=1)
    length = torch.tensor([float(step) for step in steps])
    turn = turn * (side * flip)[:, None, :] * length[None, None, :] / length[None, :, None]
    shift = torch.stack([2 * strength.shift * even(batch, generator) for _ in range(3)], dim=1)
    still = torch.rand(batch, generator=generator, device=generator.device) >= _OFTEN
    turn = torch.where(still[:, None, None], torch.eye(3), turn)
    shift = torch.where(still[:, None], 0.0, shift)
    return normalised(turn, shift, size, cut)


def normalised(
    turn: Float[Tensor, "batch 3 3"], shift: Float[Tensor, "batch 3"], size: Sequence[int], cut: Sequence[int]
) -> Affine:
    """A map of points (first axis first, in points from the centres) as ``torch.affine_grid`` takes it.

    Args:
        turn: From the view to the cut.
        shift: In half sides of the view.
        size: Points of the view along each axis.
        cut: Points of the cut.
    """
    out, into = (torch.tensor([float(n) for n in extent]) for extent in (size, cut))
    scaled = turn * out[None, None, :] / into[None, :, None]
    moved = shift * out[None] / into[None]
    return torch.cat([scaled.flip(1).flip(2), moved.flip(1)[:, :, None]], dim=2)


def take_views(
    cuts: Float[Tensor, "batch channel *cut"], affine: Float[Tensor, "batch dim dim_plus_one"], size: Sequence[int]
) -> Float[Tensor, "batch channel *size"]:
    """Views of ``size`` points, interpolated once; beyond the cut its border is repeated.

    That is kinder than a black frame, which would tell how far the record was moved.
    """
    grid = F.affine_grid(affine, [len(cuts), 1, *size], align_corners=False)
    return F.grid_sample(cuts, grid, mode="bilinear", padding_mode="border", align_corners=False)


def relight(views: Views, strength: Jitter3d, generator: Generator) -> Views:
    """Contrast and brightness of every view; the curve and noise of some."""
    batch = len(views)
    gain = _wide(1 + strength.contrast * even(batch, generator))
    lift = _wide(strength.brightness * even(batch, generator))
    power = _wide(torch.exp(strength.gamma * even(batch, generator)))
    bent = _wide(torch.rand(batch, generator=generator) < _SOMETIMES)
    level = strength.noise * torch.rand(batch, generator=generator)
    loud = _wide(level * (torch.rand(batch, generator=generator) < _SOMETIMES))
    views = views * gain + lift
    if strength.gamma and bool(bent.any()):
        low = views.amin(dim=(1, 2, 3, 4), keepdim=True)
        span = (views.amax(dim=(1, 2, 3, 4), keepdim=True) - low).clamp_min(1e-6)
        views = torch.where(bent, ((views - low) / span).clamp(0, 1) ** power * span + low, views)
    if strength.noise and bool(loud.any()):
        views = views + loud * torch.randn(views.shape, generator=generator)
    return views


def _rotation(axis: int, angle: Float[Tensor, " batch"]) -> Float[Tensor, "batch 3 3"]:
    one, other = (n for n in range(3) if n != axis)
    turn = torch.eye(3).repeat(len(angle), 1, 1)
    turn[:, one, one] = turn[:, other, other] = torch.cos(angle)
    turn[:, one, other], turn[:, other, one] = -torch.sin(angle), torch.sin(angle)
    return turn


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None, None, None]


def even(batch: int, generator: Generator) -> Float[Tensor, " batch"]:
    """Evenly spread between -1 and 1."""
    return 2 * torch.rand(batch, generator=generator, device=generator.device) - 1


def sign(batch: int, generator: Generator) -> Float[Tensor, " batch"]:
    """1 or -1, as often the one as the other."""
    drawn = torch.rand(batch, generator=generator, device=generator.device)
    return torch.where(drawn < 0.5, -1.0, 1.0)
