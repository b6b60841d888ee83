"""Small random changes of a batch of images, drawn from one generator: one resampling for all movements at once."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from polyclinic.layers.volumes.jitter3d import even, sign, take_views

Pixels = Float[Tensor, "batch channel height width"]
Affine = Float[Tensor, "batch 2 3"]


@dataclass(frozen=True)
class Jitter:
    """How far images may change.

    Attributes:
        shift: Furthest shift, as a share of the side.
        zoom: Furthest enlargement or reduction, as a share.
        tilt: Furthest rotation in degrees.
        mirror: Whether left and right may change sides.
        overturn: Whether top and bottom may change sides.
        quarters: Whether images may be turned by multiples of 90 degrees (of 180 where they are not square).
        brightness: Furthest change of brightness, in standard deviations.
        contrast: Furthest change of contrast, as a share.
        erase: Share of images of which a rectangle is greyed out.
    """

    shift: float
    zoom: float
    tilt: float
    mirror: bool
    overturn: bool
    quarters: bool
    brightness: float
    contrast: float
    erase: float

    @property
    def moves(self) -> bool:
        """Whether anything changes its place."""
        return bool(self.shift or self.zoom or self.tilt or self.mirror or self.overturn or self.quarters)


def jitter(pixels: Pixels, strength: Jitter, generator: Generator) -> tuple[Pixels, Affine | None]:
    """Change each image a little.

    Args:
        pixels: Images, of mean 0 and standard deviation 1 over the training rows.
        strength: How far.
        generator: Where chance comes from; the same state gives the same images.

    Returns:
        The images, and where each came from: output grid to input grid in [-1, 1], or None if nothing moved.
    """
    affine = None
    if strength.moves:
        affine = draw_affine(len(pixels), (pixels.shape[2], pixels.shape[3]), strength, generator).to(pixels.device)
        pixels = take_views(pixels, affine, pixels.shape[2:])
    if strength.brightness or strength.contrast:
        pixels = _relight(pixels, strength, generator)
    if strength.erase:
        pixels = _erase(pixels, strength.erase, generator)
    return pixels, affine


def draw_affine(batch: int, extent: tuple[int, int], strength: Jitter, generator: Generator) -> Affine:
    """Movements at random: output grid to input grid in [-1, 1], x before y; rotations keep the shape of things."""
    height, width = extent
    zoom = 1 + strength.zoom * even(batch, generator)
    angle = math.radians(strength.tilt) * even(batch, generator)
    shift_x, shift_y = (2 * strength.shift * even(batch, generator) for _ in range(2))
    mirror = sign(batch, generator) if strength.mirror else torch.ones_like(angle)
    overturn = sign(batch, generator) if strength.overturn else torch.ones_like(angle)
    if strength.quarters:
        turns = torch.randint(4 if height == width else 2, (batch,), generator=generator, device=generator.device)
        angle = angle + turns * (math.pi / 2 if height == width else math.pi)
    cosine, sine = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    first = torch.stack([cosine * mirror, -sine * overturn * (height / width), shift_x], dim=1)
    second = torch.stack([sine * mirror * (width / height), cosine * overturn, shift_y], dim=1)
    return torch.stack([first, second], dim=1)


def _relight(pixels: Pixels, strength: Jitter, generator: Generator) -> Pixels:
    """Contrast around the image's own mean, then brightness."""
    batch = len(pixels)
    gain = (1 + strength.contrast * even(batch, generator)).to(pixels)[:, None, None, None]
    lift = (strength.brightness * even(batch, generator)).to(pixels)[:, None, None, None]
    mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
    return torch.addcmul(mean * (1 - gain) + lift, pixels, gain)


def _erase(pixels: Pixels, share: float, generator: Generator) -> Pixels:
    """Grey out a rectangle of a fifth to a half of each side, in some of the images."""
    batch, _, height, width = pixels.shape
    hit = torch.rand(batch, generator=generator, device=generator.device) < share
    inside = [_stretch(batch, side, generator) for side in (height, width)]
    gone = (hit[:, None, None] & inside[0][:, :, None] & inside[1][:, None, :]).to(pixels.device)
    return pixels.masked_fill(gone[:, None], 0.0)


def _stretch(batch: int, side: int, generator: Generator) -> Tensor:
    """Which of ``side`` pixels lie in a stretch at random, one stretch per image."""
    drawn = torch.rand(2, batch, 1, generator=generator, device=generator.device)
    length = (0.2 + 0.3 * drawn[0]) * side
    start = drawn[1] * (side - length)
    place = torch.arange(side, device=generator.device)
    return (place >= start) & (place < start + length)
