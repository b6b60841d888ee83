"""Synthetic scans as NIfTI files, with a ball in a known place; tests, tutorials, ``example_cohort`` use them."""

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from polyclinic.geometry import GridGeometry, GridKnown

_HEADER = 352
"""Bytes before the voxels: 348 of the header and 4 that say that no extension follows (nifti1.h, as below)."""
_INT16 = 4
"""Code of 16-bit integers with a sign."""
_ALIGNED = 2
"""Code of an affine to aligned coordinates (NIFTI_XFORM_ALIGNED_ANAT)."""
_STEP_MM = 2.0
"""A round number."""


def write(
    rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
) -> tuple[list[str], list[GridKnown]]:
    """One file for each number of ``signal``, under ``folder / name``; their paths, and the balls.

    Grey noise of several sizes, steps of 2 mm, some lying on their side. A ball in the upper right front is the
    brighter and the larger the higher the signal; a second one, opposite, has a brightness that means nothing and
    is not among what is to be found.
    """
    (folder / name).mkdir(parents=True, exist_ok=True)
    paths, known = [], []
    for number, value in enumerate(signal):
        values, ball = _scan(rng, float(np.clip(value, -2.5, 2.5)))
        affine = np.diag([_STEP_MM, _STEP_MM, _STEP_MM, 1.0])
        if number % 3 == 1:
            values, ball, affine = _turned(values, ball, affine)
        path = f"{name}/{number:05d}.nii.gz"
        (folder / path).write_bytes(nifti_bytes(values, affine))
        paths.append(path)
        known.append(GridKnown(GridGeometry(values.shape, affine, (_STEP_MM,) * 3, "mm"), ball))
    return paths, known


def nifti_bytes(values: Int[np.ndarray, "i j k"], affine: Float[np.ndarray, "4 4"]) -> bytes:
    """A NIfTI-1 file of 16-bit integers, zipped, without a date: the same voxels give the same bytes.

    Source: nifti1.h of the NIfTI Data Format Working Group; rows of the affine as srow_x, srow_y and srow_z.
    """
    header = bytearray(_HEADER)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *values.shape, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, _INT16, 16)
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    struct.pack_into("<8f", header, 76, 1.0, *steps, 1.0, 1.0, 1.0, 1.0)
    struct.pack_into("<3f", header, 108, float(_HEADER), 1.0, 0.0)
    struct.pack_into("<B", header, 123, 2)
    struct.pack_into("<2h", header, 252, 0, _ALIGNED)
    struct.pack_into("<12f", header, 280, *affine[:3].ravel())
    header[344:348] = b"n+1\0"
    return gzip.compress(bytes(header) + values.astype("<i2").tobytes(order="F"), compresslevel=1, mtime=0)


def _scan(rng: np.random.Generator, value: float) -> tuple[Int[np.ndarray, "i j k"], Int[np.ndarray, "i j k"]]:
    shape = tuple(int(side) for side in rng.integers(14, 19, size=3))
    marker, idle = _balls(shape, 3.2 + 0.3 * value)
    level = 100 + 12 * rng.standard_normal(shape)
    level += marker * (60 + 22 * value) + idle * (60 + 22 * float(np.clip(rng.standard_normal(), -2.5, 2.5)))
    return np.rint(level).astype(np.int16), marker.astype(np.int32)


def _balls(shape: tuple[int, ...], radius: float) -> Iterator[Int[np.ndarray, "i j k"]]:
    """1 inside a ball at two thirds, or at one third, of each side."""
    at = np.indices(shape)
    for share in (0.68, 0.27):
        centre = np.array([share * side for side in shape]).reshape(3, 1, 1, 1)
        size = radius if share > 0.5 else 2.6
        yield (((at - centre) ** 2).sum(axis=0) <= size**2).astype(np.int16)


def _turned(
    values: Int[np.ndarray, "i j k"], ball: Int[np.ndarray, "i j k"], affine: Float[np.ndarray, "4 4"]
) -> tuple[Int[np.ndarray, "j k i"], Int[np.ndarray, "j k i"], Float[np.ndarray, "4 4"]]:
    """The same patient with axes in another order, the first of which runs to the left."""
    turn = np.zeros((4, 4))
    turn[0, 2] = turn[1, 0] = turn[2, 1] = turn[3, 3] = 1.0
    swapped = [array.transpose(1, 2, 0)[:, :, ::-1] for array in (values, ball)]
    turn[0, 2], turn[0, 3] = -1.0, values.shape[0] - 1
    return swapped[0], swapped[1], affine @ turn
