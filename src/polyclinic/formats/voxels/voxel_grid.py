"""One scan or one mask in three dimensions, where its points lie in the patient, and what is checked of every one.

No torch.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Integer, Shaped

from polyclinic.errors import Finding, ReadError, Severity
from polyclinic.geometry import overlap

MOST_VOXEL_BYTES = 2 * 1024**3
"""Largest volume that is unpacked: 512 x 512 x 4096 in 16 bits; above any scan, below what a hostile file asks for."""

MOST_SIDE = 65536
"""Most points along one axis."""

HOUNSFIELD = (-1024.0, 3071.0)
"""Air outside a table to metal: the range of a 12-bit scanner."""

TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""DICOM, MetaImage: x to the patient's left, y to the back. Here, as in NIfTI: x to the right, y to the front."""

_FLAT = 1e-3
"""Volume between three axes of length 1: below, two of them nearly fall together."""

_SHEARED = 2e-3
"""Cosine of an angle that is 0.1 degrees off a right one: rounding of headers stays below."""

_STEPS = (1e-4, 1e4)
"""Micrometres of a microscope to metres; beyond, the unit is wrong."""


@dataclass(frozen=True)
class VolumeFacts:
    """Properties of a file, not of the patient: such a property can give a label away.

    Attributes:
        format: File format, such as "NIfTI" or "DICOM series".
        modality: "CT", "MR", ... where the file says so, else empty.
        bits: Bits per voxel as stored.
        bytes: Size of the file, or of all files.
        shape: Points along each axis.
        origin: What made the file, as far as it says: maker and model, compression.
    """

    format: str
    modality: str
    bits: int
    bytes: int
    shape: tuple[int, ...]
    origin: str = ""


@dataclass(frozen=True)
class VoxelGrid:
    """A scan.

    Attributes:
        values: Measured values: bytes, 16-bit integers or float32; Hounsfield units for CT of DICOM.
        affine: From array index (i, j, k, 1) to the patient in mm, x to the right, y to the front, z to the head
            (nibabel's convention); None where the file does not say.
        spacing: Length of one step along each axis, in mm; None where the file does not say.
        low: Value that means nothing or black: -1024 HU, 0 for bytes, else the least value.
        high: Value that is white: 3071 HU, 255 for bytes, else the greatest value.
        facts: Properties of the file.
        notes: What was put right, and what should be known.
    """

    values: Shaped[np.ndarray, "i j k"]
    affine: Float[np.ndarray, "4 4"] | None
    spacing: tuple[float, float, float] | None
    low: float
    high: float
    facts: VolumeFacts
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Mask:
    """What was drawn on an image or a scan.

    Attributes:
        labels: One label per point, or one 0/1 layer per region where ``names`` has any (regions may overlap).
        names: Name of each layer; empty for a label image.
        values: The distinct labels, ascending; of layers, 0 and 1 as far as they occur.
        affine: As in ``VoxelGrid``; None for flat images and where the file does not say.
        spacing: As in ``VoxelGrid``.
        facts: Properties of the file.
    """

    labels: Integer[np.ndarray, "*grid"]
    names: tuple[str, ...]
    values: tuple[int, ...]
    affine: Float[np.ndarray, "4 4"] | None
    spacing: tuple[float, ...] | None
    facts: VolumeFacts


@dataclass(frozen=True)
class Raw:
    """An array as a file stores it, with what the file says about it.

    Attributes:
        values: Stored numbers.
        affine: As in ``VoxelGrid``.
        spacing: As in ``VoxelGrid``.
        slope: What stored numbers are multiplied by.
        intercept: What is added then.
        facts: Properties of the file.
    """

    values: Shaped[np.ndarray, "i j k"]
    affine: Float[np.ndarray, "4 4"] | None
    spacing: tuple[float, float, float] | None
    slope: float
    intercept: float
    facts: VolumeFacts


def refuse(name: str, rule: str, found: str, remedy: str) -> ReadError:
    """The error for one volume. It names no path: a path may name a patient; the caller adds column and row."""
    return ReadError(Finding(name=name, place="volume", rule=rule, found=found, remedy=remedy))


def note(name: str, rule: str, found: str, remedy: str = "", *, warn: bool = False) -> Finding:
    """Something about one volume that does not stop."""
    return Finding(name, "volume", rule, found, remedy, Severity.WARNING if warn else Severity.NOTE)


def damaged(error: Exception) -> ReadError:
    """The error for content that cannot be decoded."""
    rule = "a volume must be complete, undamaged and of a known form"
    found = f"it could not be decoded ({type(error).__name__})"
    return refuse("damaged_volume", rule, found, "Copy or export it again.")


def contradiction(rule: str, found: str) -> ReadError:
    """The error for a header that says two things."""
    return refuse("contradictory_header", rule, found, "Ask the maker of the file which is right; correct the header.")


def check_shape(shape: tuple[int, ...], itemsize: int) -> None:
    """Refuse a volume that is empty or absurdly large, before a single voxel is decoded.

    Raises:
        ReadError: if an axis has no points or more than ``MOST_SIDE``, or all take more than ``MOST_VOXEL_BYTES``.
    """
    if min(shape) < 1:
        raise refuse("empty_volume", "a volume must have voxels", "it has none", "Export it again.")
    count = 1
    for side in shape:
        count *= int(side)
    if max(shape) > MOST_SIDE or count * max(1, itemsize) > MOST_VOXEL_BYTES:
        raise refuse(
            "volume_too_large",
            f"a volume may unpack to at most {MOST_VOXEL_BYTES // 1024**3} GiB, {MOST_SIDE:,} points a side",
            "the file declares more",
            "Crop it or make it coarser; do not trust it if it should be small.",
        )


def three_axes(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """The shape without further axes of length 1; a slice has a third axis of length 1.

    Raises:
        ReadError: if there is a fourth axis, such as time, with more than one point; or no second axis.
    """
    if len(shape) < 2:
        raise refuse("not_a_volume", "a volume must have three axes", f"it has {len(shape)}", "Correct the path.")
    if any(side != 1 for side in shape[3:]):
        raise refuse(
            "four_axes",
            "a volume must have three axes",
            f"it has {len(shape)}, such as time or channels ({' x '.join(str(side) for side in shape)})",
            "Save the volume that is meant in a file of its own.",
        )
    sides = (*shape[:3], 1)[:3]
    return sides[0], sides[1], sides[2]


def check_affine(affine: Float[np.ndarray, "4 4"]) -> Float[np.ndarray, "4 4"]:
    """The affine, if it leads from every index to one place.

    Raises:
        ReadError: NaN, infinite, singular, or steps that no scanner makes.
    """
    if not np.isfinite(affine).all():
        raise _broken("it has NaN or infinite entries")
    if not np.array_equal(affine[3], [0, 0, 0, 1]):
        raise _broken("its last row is not 0 0 0 1")
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    if steps.min() < _STEPS[0] or steps.max() > _STEPS[1] or np.abs(affine[:3, 3]).max() > 1e6:
        raise _broken(f"its steps or its origin are not those of a scan ({', '.join(f'{s:.3g}' for s in steps)} mm)")
    if abs(np.linalg.det(affine[:3, :3] / steps)) < _FLAT:
        raise _broken("it is singular: two axes fall together")
    return affine


def _broken(found: str) -> ReadError:
    rule = "the geometry must lead from every voxel to one place in the patient"
    return refuse("broken_affine", rule, found, "Export the volume again, or correct its header.")


def steps_of(affine: Float[np.ndarray, "4 4"]) -> tuple[float, float, float]:
    """Length of one step along each axis, in mm."""
    x, y, z = np.linalg.norm(affine[:3, :3], axis=0).tolist()
    return x, y, z


def as_volume(raw: Raw, notes: tuple[Finding, ...] = ()) -> VoxelGrid:
    """Measured values in the smallest number type that holds them.

    Raises:
        ReadError: NaN or infinite values.
    """
    values = _measured(raw)
    low, high = (0.0, 255.0) if values.dtype == np.uint8 else (float(values.min()), float(values.max()))
    return VoxelGrid(values, raw.affine, raw.spacing, low, high, raw.facts, notes + tilt_notes(raw.affine))


def right_angled(affine: Float[np.ndarray, "4 4"]) -> bool:
    """Whether no two axes are more than about 0.1 degrees off a right angle."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() <= _SHEARED)


def tilt_notes(affine: Float[np.ndarray, "4 4"] | None) -> tuple[Finding, ...]:
    """A note where the axes are not at right angles."""
    if affine is None or right_angled(affine):
        return ()
    found = "they are not (tilt of the gantry, or a registration)"
    return (note("sheared_volume", "axes should be at right angles", found, "It is straightened when resampled."),)


def _measured(raw: Raw) -> Shaped[np.ndarray, "i j k"]:
    stored = raw.values
    dtype = _small_type(raw)
    plain = raw.slope == 1 and raw.intercept == 0
    if plain and stored.dtype.newbyteorder("=") == dtype and stored.dtype.isnative:
        _check_finite(stored)
        return stored
    values = np.empty(stored.shape, dtype=dtype, order="F" if stored.flags.f_contiguous else "C")
    for k in range(stored.shape[2]):
        with np.errstate(over="ignore", invalid="ignore"):
            slab = stored[:, :, k].astype(np.float64)
            slab = slab if plain else slab * raw.slope + raw.intercept
            values[:, :, k] = slab
        _check_finite(values[:, :, k])
    return values


def _small_type(raw: Raw) -> np.dtype[np.generic]:
    """Bytes stay bytes; integers that fit become 16 bits; all else float32."""
    if raw.values.dtype.kind == "f" or not (raw.slope.is_integer() and raw.intercept.is_integer()):
        return np.dtype(np.float32)
    if raw.values.dtype == np.uint8 and raw.slope == 1 and raw.intercept == 0:
        return np.dtype(np.uint8)
    if raw.values.dtype.itemsize == 1 or raw.values.dtype.newbyteorder("=") == np.int16:
        extreme = np.iinfo(raw.values.dtype)
        ends = [float(extreme.min), float(extreme.max)]
    else:
        ends = [float(raw.values.min()), float(raw.values.max())]
    if (raw.slope, raw.intercept) != (1, 0):
        ends = [float(end) * raw.slope + raw.intercept for end in (raw.values.min(), raw.values.max())]
    return np.dtype(np.int16 if min(ends) >= -32768 and max(ends) <= 32767 else np.float32)


def _check_finite(values: Shaped[np.ndarray, "..."]) -> None:
    if values.dtype.kind == "f" and not bool(np.isfinite(values).all()):
        raise refuse("not_finite", "every voxel must be a number", "NaN or infinite voxels", "Export it again.")


def as_mask(raw: Raw) -> Mask:
    """Labels of a stored array.

    Raises:
        ReadError: numbers that are no labels: fractions, negative, or above 65535.
    """
    stored = raw.values
    if (raw.slope, raw.intercept) != (1, 0):
        stored = stored.astype(np.float64) * raw.slope + raw.intercept
    labels, values = labels_of(stored)
    return Mask(labels, (), values, raw.affine, raw.spacing, raw.facts)


def labels_of(stored: Shaped[np.ndarray, "*grid"]) -> tuple[Integer[np.ndarray, "*grid"], tuple[int, ...]]:
    """Labels in 8 or 16 bits, and the distinct ones, ascending.

    Raises:
        ReadError: numbers that are no labels: fractions, NaN, negative, or above 65535.
    """
    if stored.dtype.kind == "b":
        stored = stored.astype(np.uint8)
    least, most = float(stored.min()), float(stored.max())
    if not (least >= 0 and most <= 65535):
        raise _no_labels("NaN, negative numbers or numbers above 65535")
    labels = stored.astype(np.uint8 if most <= 255 else np.uint16, copy=False)
    if stored.dtype.kind == "f" and not np.array_equal(labels, stored):
        raise _no_labels("fractions")
    present = np.flatnonzero(np.bincount(labels.ravel(order="K"), minlength=1))
    return labels, tuple(int(value) for value in present)


def _no_labels(found: str) -> ReadError:
    remedy = "Save the mask with nearest-neighbour interpolation, as integers."
    return refuse("not_labels", "a mask must hold labels: whole numbers from 0 to 65535", found, remedy)


def on_scan_grid(mask: Mask, shape: tuple[int, int, int], affine: Float[np.ndarray, "4 4"]) -> Mask:
    """A mask on the grid of its scan, where both have the same points: axes in another order, turned round, or cut.

    Points of the scan that the mask does not cover are 0. Nothing is interpolated.

    Args:
        mask: A mask with an affine.
        shape: Points of the scan along each axis.
        affine: Geometry of the scan.

    Raises:
        ReadError: if the mask lies on other points, or sticks out of the scan with labels.
    """
    if mask.affine is None:
        raise _elsewhere("the mask does not say where it lies")
    between = np.linalg.inv(affine) @ mask.affine
    turn = np.rint(between[:3, :3]).astype(int)
    if not (
        np.array_equal(np.abs(turn).sum(axis=0), [1, 1, 1]) and np.array_equal(np.abs(turn).sum(axis=1), [1, 1, 1])
    ):
        raise _elsewhere("other axes or other steps")
    layers = mask.labels if mask.names else mask.labels[None]
    corners = np.array(np.meshgrid(*[(0, side - 1) for side in layers.shape[1:]], indexing="ij")).reshape(3, -1)
    exact = between[:3, :3] @ corners + between[:3, 3:]
    shift = np.rint((exact - turn @ corners).mean(axis=1)).astype(int)
    if np.abs(exact - turn @ corners - shift[:, None]).max() > 0.1:
        raise _elsewhere("its points lie between those of the scan")
    order = [int(np.flatnonzero(row)[0]) for row in turn]
    turned = layers.transpose(0, *(1 + axis for axis in order))
    sides = [slice(None, None, int(turn[row, axis])) for row, axis in enumerate(order)]
    turned = turned[(slice(None), *sides)]
    start = [
        int(s) if step.step == 1 else int(s) - n + 1 for s, step, n in zip(shift, sides, turned.shape[1:], strict=True)
    ]
    cut = _cut(turned, start, shape)
    return replace(mask, labels=cut if mask.names else cut[0], affine=affine, spacing=steps_of(affine))


def _cut(
    layers: Integer[np.ndarray, "layer a b c"], start: list[int], shape: tuple[int, int, int]
) -> Integer[np.ndarray, "layer i j k"]:
    """Layers whose first point is ``start`` of a grid of ``shape``."""
    cut = np.zeros((len(layers), *shape), dtype=layers.dtype)
    here, there = overlap(start, layers.shape[1:], shape)
    inside = layers[(slice(None), *here)]
    if np.count_nonzero(inside) != np.count_nonzero(layers):
        raise _elsewhere("it has labels outside the scan")
    cut[(slice(None), *there)] = inside
    return cut


def _elsewhere(found: str) -> ReadError:
    rule = "a mask must lie on the points of its scan"
    return refuse("other_geometry", rule, found, "Resample the mask to the scan, or correct the path.")
