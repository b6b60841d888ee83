"""Masks, flat and solid, of any format on offer, recognised by content. No torch."""

from pathlib import Path

from polyclinic.formats.pictures import archive
from polyclinic.formats.read_scan import readable
from polyclinic.formats.scans.base import MaskFormat, first_bytes, grid_formats, unknown_grid
from polyclinic.formats.voxels.from_archive import mask_at
from polyclinic.formats.voxels.voxel_grid import Mask, refuse


def read_mask(cell: str | Path, folder: Path | None = None, kept: archive.OpenArrays | None = None) -> Mask:
    """What was drawn on one image or scan.

    A flat mask has the axes (row, column) of its image; a solid one those of its scan (see ``on_scan_grid``).

    Args:
        cell: A file, or ``file.npz#array[index]``.
        folder: What relative paths start from; the current folder if None.
        kept: Arrays of archives that are open already, or None.

    Raises:
        ReadError: colours instead of labels, lossy compression, fractions, or a damaged file.
        MissingPackage: if a package that reads the format is not installed.
    """
    root = folder or Path()
    address = archive.parse(str(cell))
    with readable(refuse):
        if address is not None:
            return mask_at(address, root, kept or archive.OpenArrays())
        return _from_file(root / cell)


def _from_file(path: Path) -> Mask:
    start = first_bytes(path)
    for known in grid_formats():
        if isinstance(known, MaskFormat) and known.recognises(path, start):
            return known.read_mask(path)
    if path.is_dir():
        rule, found = "a mask must be one file", "the folder holds 0 DICOM files"
        raise refuse("not_a_mask", rule, found, "Name the file of the mask.")
    raise unknown_grid()
