"""One volume or mask of an array in an archive: ``file.npz#array[index]``. No torch."""

from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from polyclinic.formats.pictures.archive import Address, OpenArrays
from polyclinic.formats.voxels.voxel_grid import Mask, Raw, VolumeFacts, VoxelGrid, as_volume, check_shape, labels_of


def scan_at(address: Address, folder: Path, kept: OpenArrays) -> VoxelGrid:
    """One scan of an array: its axes are as the array has them.

    Raises:
        ReadError: if the array ends before the index, or one volume is absurdly large.
    """
    values = kept.entry(address, folder, "scans")
    check_shape(values.shape, values.dtype.itemsize)
    values = values.astype(np.uint8) if values.dtype.kind == "b" else values
    return as_volume(Raw(values, None, None, 1.0, 0.0, _facts(values)))


def mask_at(address: Address, folder: Path, kept: OpenArrays) -> Mask:
    """One flat or solid mask of an array.

    Raises:
        ReadError: if the array ends before the index, or holds no labels.
    """
    stored = kept.entry(address, folder, "masks")
    labels, values = labels_of(stored)
    return Mask(labels, (), values, None, None, _facts(stored))


def _facts(values: Shaped[np.ndarray, "..."]) -> VolumeFacts:
    return VolumeFacts("NPZ", "", 8 * values.dtype.itemsize, values.nbytes, values.shape)
