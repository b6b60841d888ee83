"""One volume or mask of an array in an archive: ``file.npz#array[index]``. No torch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from polyclinic.formats.pictures import archive
from polyclinic.formats.voxels.voxel_grid import (
    Mask,
    Raw,
    VolumeFacts,
    VoxelGrid,
    as_volume,
    check_shape,
    labels_of,
    refuse,
)

Kept = dict[tuple[str, str], Shaped[np.ndarray, "sample ..."]]
"""Arrays of archives that are open already, by file and name: give the same one to every call of a column."""


def scan_at(address: archive.Address, folder: Path, kept: Kept) -> VoxelGrid:
    """One scan of an array: its axes are as the array has them.

    Raises:
        ReadError: if the array ends before the index, or one volume is absurdly large.
    """
    values = _entry(address, folder, kept, archive.open_scans)
    check_shape(values.shape, values.dtype.itemsize)
    values = values.astype(np.uint8) if values.dtype.kind == "b" else values
    return as_volume(Raw(values, None, None, 1.0, 0.0, _facts(values)))


def mask_at(address: archive.Address, folder: Path, kept: Kept) -> Mask:
    """One flat or solid mask of an array.

    Raises:
        ReadError: if the array ends before the index, or holds no labels.
    """
    stored = _entry(address, folder, kept, archive.open_grids)
    labels, values = labels_of(stored)
    return Mask(labels, (), values, None, None, _facts(stored))


def _entry(
    address: archive.Address, folder: Path, kept: Kept, read: Callable[[Path, str], Shaped[np.ndarray, "sample ..."]]
) -> Shaped[np.ndarray, "..."]:
    """What stands at the index of an array, which is read once."""
    path = folder / address.file
    name = (str(path), address.array)
    if name not in kept:
        kept[name] = read(path, address.array)
    if address.index >= len(kept[name]):
        rule, found = "the index must lie within the array", "it lies behind its end"
        raise refuse("no_such_image", rule, found, "Correct the index.")
    return np.asarray(kept[name][address.index])


def _facts(values: Shaped[np.ndarray, "..."]) -> VolumeFacts:
    return VolumeFacts("NPZ", "", 8 * values.dtype.itemsize, values.nbytes, values.shape)
