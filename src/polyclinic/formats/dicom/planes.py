"""Slices put in order by where they lie in the patient, and the geometry that this proves; a doubtful one is refused.

No torch. Source: DICOM PS3.3 C.7.6.2 (image plane: position, orientation, spacing), C.7.6.2.1.1 (pixel to patient).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from polyclinic.errors import ReadError
from polyclinic.formats.voxels.voxel_grid import TO_RAS, check_affine, refuse

_SQUARE = 2e-3
"""Directions in headers have about six decimals; 0.1 degrees off is a broken header."""

_ALIKE = 1e-3
"""The same for directions of two slices of one series."""

_SAME_PLACE_MM = 0.01
"""Slices nearer than this lie at one place: no scanner makes thinner ones."""

_EVEN = 0.02
"""How far, in steps, a slice may lie from its even place."""

_ROUNDED_MM = 0.06
"""Positions in some headers are rounded to 0.1 mm, which is 0.05 mm off and a little for the sum."""

_MOST_UNEVEN = 0.1
"""Rounding explains no more than a tenth of a step."""


@dataclass(frozen=True)
class Plane:
    """Where one slice lies, in DICOM's directions: x to the patient's left, y to the back, z to the head; mm.

    Attributes:
        origin: Centre of the first pixel.
        along_row: Direction in which the column number grows.
        down_column: Direction in which the row number grows.
        column_step: Distance of neighbouring columns.
        row_step: Distance of neighbouring rows.
    """

    origin: tuple[float, float, float]
    along_row: tuple[float, float, float]
    down_column: tuple[float, float, float]
    column_step: float
    row_step: float


@dataclass(frozen=True)
class Pile:
    """Slices in order.

    Attributes:
        order: Position of each slice of the volume in the sequence that was given, from the first along the normal.
        place: Slice number of each of these in the volume: 0, 1, 2, ... unless slices were left out on purpose.
        affine: Index (column, row, slice, 1) to the patient, x to the right, y to the front, z to the head; mm.
    """

    order: Int[np.ndarray, " slice"]
    index: Int[np.ndarray, " slice"]
    affine: Float[np.ndarray, "4 4"]


def plane_of(position: object, orientation: object, spacing: object) -> Plane:
    """A plane from the entries of a header.

    Raises:
        ReadError: entries that are missing, not numbers, or no plane.
    """
    if position is None or orientation is None:
        raise refuse(
            "no_positions",
            "every slice must say where it lies (ImagePositionPatient, ImageOrientationPatient)",
            "it does not",
            "Export the series with its positions; without them the order of slices would be a guess.",
        )
    if spacing is None:
        rule, found = "every slice must say how large its pixels are (PixelSpacing)", "it does not"
        raise refuse("no_spacing", rule, found, "Export the series with its spacing.")
    origin, axes, steps = _numbers(position, 3), _numbers(orientation, 6), _numbers(spacing, 2)
    if min(steps) <= 0:
        raise _no_plane("PixelSpacing is not positive")
    row, column = np.array(axes[:3]), np.array(axes[3:])
    lengths = np.array([np.linalg.norm(row), np.linalg.norm(column)])
    if np.abs(lengths - 1).max() > _SQUARE or abs(float(row @ column)) > _SQUARE:
        raise _no_plane("the directions of rows and columns are not at right angles, or not of length 1")
    return Plane(
        (origin[0], origin[1], origin[2]),
        (axes[0], axes[1], axes[2]),
        (axes[3], axes[4], axes[5]),
        column_step=steps[1],
        row_step=steps[0],
    )


def _numbers(entry: object, count: int) -> list[float]:
    try:
        numbers = [float(number) for number in entry]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise _no_plane("an entry does not hold numbers") from None
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise _no_plane(f"an entry does not hold {count} numbers")
    return numbers


def _no_plane(found: str) -> ReadError:
    rule = "position, orientation and spacing of a slice must describe a plane"
    return refuse("broken_affine", rule, found, "Export the series again.")


def check_alike(planes: Sequence[Plane]) -> None:
    """All slices must have the same directions and pixels of the same size.

    Raises:
        ReadError: if they have not.
    """
    axes = np.array([plane.along_row + plane.down_column for plane in planes])
    if np.abs(axes - axes[0]).max() > _ALIKE:
        raise refuse(
            "mixed_orientations",
            "all slices must have one orientation",
            f"they have {_distinct(axes)}: several planes, or a scout among them",
            "Give each orientation a folder of its own.",
        )
    steps = np.array([(plane.column_step, plane.row_step) for plane in planes])
    if not np.allclose(steps, steps[0], rtol=1e-4, atol=1e-6):
        rule, found = "all slices must have pixels of one size", f"they have {_distinct(steps)} sizes"
        raise refuse("mixed_spacings", rule, found, "Give each its own folder.")


def _distinct(rows: Float[np.ndarray, "plane number"]) -> int:
    return len(np.unique(np.round(rows, 3), axis=0))


def along_normal(planes: Sequence[Plane]) -> Float[np.ndarray, " plane"]:
    """How far each slice lies along the common normal, in mm."""
    normal = np.cross(planes[0].along_row, planes[0].down_column)
    return np.asarray(np.array([plane.origin for plane in planes]) @ normal)


def same_places(planes: Sequence[Plane]) -> list[list[int]]:
    """Slices grouped by place, in order along the normal; a group of several lies at one place."""
    height = along_normal(planes)
    order = np.argsort(height, kind="stable")
    groups: list[list[int]] = []
    for number in order:
        fresh = not groups or height[number] - height[groups[-1][0]] > _SAME_PLACE_MM
        if fresh:
            groups.append([int(number)])
        else:
            groups[-1].append(int(number))
    return groups


def pile(planes: Sequence[Plane]) -> Pile:
    """Slices at different places, in order, evenly spaced and without a gap.

    Raises:
        ReadError: fewer than two, a missing slice, uneven spacing, or slices beside each other.
    """
    check_alike(planes)
    if len(planes) < 2:
        raise refuse(
            "one_slice",
            "a volume must have at least two slices",
            "there is one",
            "Name the folder of the whole series, or read it as an image.",
        )
    height = along_normal(planes)
    order = np.argsort(height, kind="stable")
    origins = np.array([planes[number].origin for number in order])
    _check_gaps(height[order])
    step = (origins[-1] - origins[0]) / (len(order) - 1)
    _check_line(origins)
    return Pile(order, np.arange(len(order)), _affine(planes[int(order[0])], step))


def sparse_pile(planes: Sequence[Plane], distance: float | None) -> Pile:
    """Slices some of which were left out because there was nothing on them, as in segmentations.

    Args:
        planes: Slices at different places.
        distance: Distance of neighbouring slices in mm where the file says so.

    Raises:
        ReadError: no whole number of steps between slices, or one slice and no distance.
    """
    check_alike(planes)
    height = along_normal(planes)
    order = np.argsort(height, kind="stable")
    origins = np.array([planes[number].origin for number in order])
    gaps = np.diff(height[order])
    step = distance if distance else float(gaps.min()) if len(gaps) else None
    if step is None or not np.isfinite(step) or step <= 0:
        rule, found = "a single slice must say how far its neighbours are", "it does not (SpacingBetweenSlices)"
        raise refuse("no_spacing", rule, found, "Export it again.")
    index = np.rint((height[order] - height[order[0]]) / step).astype(np.int64)
    if len(order) == 1 or index[-1] == 0:
        vector = np.cross(planes[0].along_row, planes[0].down_column) * step
    else:
        vector = (origins[-1] - origins[0]) / index[-1]
    away = np.linalg.norm(origins - origins[0] - index[:, None] * vector, axis=1).max()
    if len(np.unique(index)) < len(index) or away > _tolerance(step):
        raise _uneven("their distances are no multiples of one step")
    return Pile(order, index, _affine(planes[int(order[0])], vector))


def _affine(first: Plane, step: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "4 4"]:
    lps = np.eye(4)
    lps[:3, 0] = np.array(first.along_row) * first.column_step
    lps[:3, 1] = np.array(first.down_column) * first.row_step
    lps[:3, 2], lps[:3, 3] = step, first.origin
    return check_affine(np.asarray(TO_RAS @ lps))


def _tolerance(step: float) -> float:
    """2 % of a step; or what positions rounded to 0.1 mm may be off, but never more than 10 % of a step."""
    return max(_EVEN * step, min(_ROUNDED_MM, _MOST_UNEVEN * step))


def _check_gaps(height: Float[np.ndarray, " slice"]) -> None:
    """Refuse where slices are missing: gaps of two or more steps among gaps of one."""
    gaps = np.diff(height)
    step = float(np.median(gaps))
    if gaps.min() <= _SAME_PLACE_MM:
        raise refuse("repeated_positions", "every slice must have a place of its own", "two share one", _SEPARATE)
    if np.abs(gaps - step).max() <= 2 * _tolerance(step):
        return
    base = float(gaps.min())
    times = np.rint(gaps / base)
    if np.abs(gaps - times * base).max() <= 2 * _tolerance(base) * float(times.max()) and times.max() > 1:
        missing = int((times - 1).sum())
        raise refuse(
            "missing_slices",
            "no slice may be missing",
            f"{missing} seem to be missing: {int((times > 1).sum())} of {len(gaps)} gaps are wider than one step "
            f"of {base:.3g} mm",
            "Copy the series again; do not fill the gap by hand.",
        )
    raise _uneven(f"steps of {gaps.min():.4g} to {gaps.max():.4g} mm")


_SEPARATE = "Give every time, echo or phase a folder of its own."


def _uneven(found: str) -> ReadError:
    return refuse(
        "uneven_spacing",
        "slices must lie on a straight line at even distances",
        found,
        "Export one evenly spaced series; scouts and parts with another spacing need folders of their own.",
    )


def _check_line(origins: Float[np.ndarray, "slice 3"]) -> None:
    """Every slice must begin where even steps along one straight line (that of least squares) lead."""
    number = np.arange(len(origins)) - (len(origins) - 1) / 2
    step = number @ origins / (number @ number)
    ideal = origins.mean(axis=0) + number[:, None] * step
    away = float(np.linalg.norm(origins - ideal, axis=1).max())
    if away > _tolerance(float(np.linalg.norm(step))):
        raise _uneven(f"a slice lies {away:.3g} mm from its place on the line")
