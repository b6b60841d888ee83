"""A folder of numbered pictures, each a slice of one scan. No torch."""

import re
from pathlib import Path
from typing import final

from polyclinic.formats.dicom import series
from polyclinic.formats.pictures import raster
from polyclinic.formats.pictures.frame import MOST_BYTES
from polyclinic.formats.scans.base import ScanFormat
from polyclinic.formats.voxels.slice_stack import SliceStack
from polyclinic.formats.voxels.voxel_grid import Raw, VoxelGrid, as_volume, refuse

_NUMBER = re.compile(r"\d{1,9}")


@final
class Slices(ScanFormat):
    """PNG, JPEG or TIFF slices numbered 1, 2, 3, ... in their names."""

    name = "a folder of slices"
    suffixes = ()

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether it is a folder without DICOM in it."""
        return path.is_dir() and not series.holds_series(path)

    def read_scan(self, path: Path) -> VoxelGrid:
        """The slices in the order of their numbers."""
        return as_volume(_read(path))


def _read(folder: Path) -> Raw:
    """A folder of PNG, JPEG or TIFF slices numbered 1, 2, 3, ... in their names: array axes are column, row, slice.

    Raises:
        ReadError: no numbers, a gap in the numbers, other files among them, several sizes, colour, damaged files.
    """
    paths = _numbered(folder)
    stack = SliceStack(len(paths))
    size = 0
    for path in paths:
        size += path.stat().st_size
        stack.add(raster.read(_content(path)))
    return stack.close("images", size)


def _content(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        rule = f"a file may have at most {MOST_BYTES // 1024**2} MiB"
        raise refuse("file_too_large", rule, "a file is larger", "Crop or shrink it.")
    return path.read_bytes()


def _numbered(folder: Path) -> list[Path]:
    """Files in the order of the one number in which their names differ."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if any(path.is_dir() for path in inside):
        rule, found = "a folder of slices must hold slices only", "it holds folders"
        raise refuse("foreign_files", rule, found, "Name the folder of one volume.")
    if len(inside) < 2:
        rule, found = "a volume must have at least two slices", f"the folder holds {len(inside)} files"
        raise refuse("one_slice", rule, found, "Correct the path.")
    names = [path.name for path in inside]
    if len({_NUMBER.sub("#", name) for name in names}) > 1:
        rule, found = "names of slices must differ in their number only", "they differ otherwise"
        raise refuse("mixed_series", rule, found, "Give each series a folder of its own.")
    columns = list(zip(*(_NUMBER.findall(name) for name in names), strict=True))
    changing = [column for column in columns if len({int(word) for word in column}) > 1]
    if len(changing) != 1:
        rule, found = "one number in the names must tell the order", f"{len(changing)} numbers change"
        raise refuse("no_order", rule, found, "Number the slices 1, 2, 3, ...")
    numbers = [int(word) for word in changing[0]]
    if sorted(numbers) != list(range(min(numbers), min(numbers) + len(numbers))):
        rule, found = "no slice may be missing or come twice", "the numbers in the names have a gap or repeat"
        raise refuse("missing_slices", rule, found, "Copy the slices again.")
    return [path for _, path in sorted(zip(numbers, inside, strict=True))]
