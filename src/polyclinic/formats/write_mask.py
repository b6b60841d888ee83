"""Masks written in the geometry of the scan or image that they belong to. No torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Integer

from polyclinic.formats.disk import write_file
from polyclinic.formats.pictures import archive
from polyclinic.formats.read_scan import read_scan
from polyclinic.formats.scans.base import MaskWriter, grid_formats
from polyclinic.formats.scans.nifti import Nifti
from polyclinic.formats.voxels.to_write import MaskToWrite
from polyclinic.formats.voxels.voxel_grid import VoxelGrid


def write_mask(
    mask: Integer[np.ndarray, "*grid"],
    like: str | Path | VoxelGrid | None,
    out: Path,
    names: Sequence[str] = (),
    version: str = "0",
) -> Path:
    """A mask as a file that belongs to its source.

    A DICOM segmentation object for a series of slices, NIfTI for any other scan (also for one multi-frame file, whose
    geometry it takes over), PNG for a flat image.

    Args:
        mask: Labels, or one 0/1 layer for each of ``names``; on the grid of the source. Flat: (row, column).
        like: The source's file or folder, or the volume; None for a flat mask.
        out: The file to write; its ending is corrected to that of the format.
        names: The user's names of layers, or of labels 1, 2, ...
        version: Version of the program, told in segmentation objects.

    Returns:
        The file that was written.

    Raises:
        ReadError: if layers overlap and the format has one label per point, or the mask does not fit its source.
        MissingPackage: if a package that writes the format is not installed.
        BundleError: if the disk is full.
    """
    writer, source = _writer(like)
    layered = bool(names) and mask.ndim == writer.axes + 1 and len(mask) == len(names)
    content = writer.write(MaskToWrite(mask, names, layered, version), source)
    path = _with_ending(out, writer.ending)
    write_file(path, content)
    return path


def _writer(like: str | Path | VoxelGrid | None) -> tuple[MaskWriter, Path | VoxelGrid | None]:
    """The format in which masks of a source are written, and what it takes the geometry from."""
    if isinstance(like, VoxelGrid):
        return Nifti(), like
    if like is None or archive.parse(str(like)) is None:
        source = None if like is None else Path(like)
        for known in _writers():
            if known.writes_for(source):
                return known, source
    return Nifti(), read_scan(str(like))


def _writers() -> tuple[MaskWriter, ...]:
    return tuple(known for known in grid_formats() if isinstance(known, MaskWriter))


def _with_ending(path: Path, ending: str) -> Path:
    name = path.name
    for known in _writers():
        for suffix in (known.ending, *known.suffixes):
            name = name.removesuffix(suffix)
    return path.with_name(name + ending)
