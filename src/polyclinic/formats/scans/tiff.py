"""TIFF: pages that are slices of a scan or mask; one page that is a flat mask. No torch."""

import re
from pathlib import Path
from typing import final

from polyclinic.formats.dicom.dataset import is_dicom
from polyclinic.formats.pictures import flat_mask, raster
from polyclinic.formats.scans.base import MaskFormat, ScanFormat
from polyclinic.formats.voxels.slice_stack import SliceStack
from polyclinic.formats.voxels.voxel_grid import Mask, Raw, VoxelGrid, as_mask, as_volume, refuse

_CHANNELS = re.compile(r'\b(?:channels=|frames=|SizeC="|SizeT=")(\d{1,9})')
_IMAGES = re.compile(r"\bimages=(\d{1,9})")
_DESCRIPTION = 270
_LOOKED_AT = 100_000
"""Signs of a description that are searched; those of ImageJ and OME that are meant stand in the first hundreds."""


@final
class TiffPages(ScanFormat, MaskFormat):
    """A TIFF file. A DICOM file may begin as one (PS3.10, 7.1): it is none."""

    name = "a TIFF of several pages"
    suffixes = (".tif", ".tiff")

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the content begins as one does."""
        return raster.is_tiff(start) and not is_dicom(start)

    def read_scan(self, path: Path) -> VoxelGrid:
        """The pages as slices."""
        return as_volume(_read(path.read_bytes()))

    def read_mask(self, path: Path) -> Mask:
        """The pages as slices of labels; a single page as a flat mask."""
        return flat_mask.read(path.read_bytes()) if flat_mask.is_flat_tiff(path) else as_mask(_read(path.read_bytes()))


def _read(content: bytes) -> Raw:
    """The pages of a TIFF as slices: array axes are column, row, page.

    Raises:
        ReadError: one page, pages of several sizes, channels or times among pages, colour, or a damaged file.
    """
    stack = SliceStack(_pages(content))
    for frame in raster.read_pages(content):
        stack.add(frame)
    return stack.close("TIFF", len(content))


def _pages(content: bytes) -> int:
    """How many pages there are; pages that are channels or times as well as slices are refused."""
    with raster.guarded(), raster.tiff(content) as image:
        count = int(getattr(image, "n_frames", 1))
        text = str(image.tag_v2.get(_DESCRIPTION, ""))[:_LOOKED_AT]
    if any(int(number) > 1 for number in _CHANNELS.findall(text)):
        rule, found = "pages must be slices", "some are channels or times"
        raise refuse("four_axes", rule, found, "Save one channel and one time.")
    if any(int(number) != count for number in _IMAGES.findall(text)):
        rule, found = "there must be as many pages as the file says", "there are not"
        raise refuse("doubtful_voxels", rule, found, "Save the stack again.")
    if count < 2:
        rule, found = "a volume must have at least two slices", "the file holds one page"
        raise refuse("one_slice", rule, found, "Read it as an image.")
    return count
