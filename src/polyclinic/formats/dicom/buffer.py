"""Slices decoded straight into one array of the smallest number type that holds them. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8

from polyclinic.formats.voxels.voxel_grid import HOUNSFIELD, check_shape, refuse

_BYTES = 8
"""Bits up to which stored numbers stay bytes."""


@dataclass(frozen=True)
class Rescale:
    """What a slice's stored numbers mean.

    Attributes:
        slope: Stored numbers are multiplied by it.
        intercept: Added then.
        bits: Bits that carry the image.
        signed: Whether stored numbers may be negative.
        unit: Whether the result has a unit, such as Hounsfield's.
    """

    slope: float
    intercept: float
    bits: int
    signed: bool
    unit: bool = False

    @property
    def plain(self) -> bool:
        """Whether stored numbers are what was measured."""
        return (self.slope, self.intercept) == (1.0, 0.0)

    @property
    def whole(self) -> bool:
        """Whether measured values are whole numbers."""
        return self.slope.is_integer() and self.intercept.is_integer()


def type_for(scales: Sequence[Rescale]) -> np.dtype[np.generic]:
    """Bytes where stored so, 16 bits for whole numbers, else float32; what does not fit is widened when it comes."""
    if all(scale.plain and scale.bits <= _BYTES and not scale.signed for scale in scales):
        return np.dtype(np.uint8)
    return np.dtype(np.int16 if all(scale.whole for scale in scales) else np.float32)


class Buffer:
    """A volume that is being filled, slice by slice: laid out (slice, row, column)."""

    def __init__(self, slices: int, rows: int, columns: int, dtype: np.dtype[np.generic]) -> None:
        self.values: Shaped[np.ndarray, "slice row column"] = np.zeros((slices, rows, columns), dtype=dtype)
        self.outside: dict[int, UInt8[np.ndarray, " byte"]] = {}  # packed bits, for slices that have such pixels

    def put(
        self, index: int, measured: Float[np.ndarray, "row column"], padding: Bool[np.ndarray, "row column"]
    ) -> None:
        """One slice; pixels outside the field of view are set when all slices are there.

        Raises:
            ReadError: values that are not numbers.
        """
        if not np.isfinite(measured).all():
            raise refuse("not_finite", "every voxel must be a number", "NaN or infinite voxels", "Export it again.")
        if padding.any():
            self.outside[index] = np.packbits(padding)
            measured = np.where(padding, 0 if padding.all() else measured[~padding].min(), measured)
        if self.values.dtype.kind in "ui":
            limits = np.iinfo(self.values.dtype)
            if measured.min() < limits.min or measured.max() > limits.max:
                self.values = self.values.astype(np.float32)
        self.values[index] = measured

    def close(self, *, hounsfield: bool) -> tuple[Shaped[np.ndarray, "column row slice"], float, float]:
        """The volume with its least and greatest value; pixels outside the field of view get the least.

        Args:
            hounsfield: Whether values are Hounsfield units: then the range is that of a scanner, air to metal.
        """
        low, high = HOUNSFIELD if hounsfield else self._range()
        for index, packed in self.outside.items():
            sides = self.values.shape[1:]
            mask = np.unpackbits(packed, count=sides[0] * sides[1]).reshape(sides).astype(bool)
            self.values[index][mask] = low
        return self.values.transpose(2, 1, 0), low, high

    def _range(self) -> tuple[float, float]:
        if self.values.dtype == np.uint8:
            return 0.0, 255.0
        filled = [index for index in range(len(self.values)) if not self._empty(index)]
        if not filled:
            return 0.0, 1.0
        return (
            float(min(self.values[index].min() for index in filled)),
            float(max(self.values[index].max() for index in filled)),
        )

    def _empty(self, index: int) -> bool:
        """Whether a slice lies outside the field of view altogether."""
        packed = self.outside.get(index)
        sides = self.values.shape[1:]
        return packed is not None and bool(np.unpackbits(packed, count=sides[0] * sides[1]).all())


def buffer_for(slices: int, rows: int, columns: int, scales: Sequence[Rescale]) -> Buffer:
    """An empty volume.

    Raises:
        ReadError: if it would be absurdly large.
    """
    dtype = type_for(scales)
    check_shape((columns, rows, slices), dtype.itemsize)
    return Buffer(slices, rows, columns, dtype)
