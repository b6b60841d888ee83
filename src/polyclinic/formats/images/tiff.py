"""TIFF of one page, by Pillow. No torch."""

from pathlib import Path
from typing import final

from polyclinic.formats.dicom.dataset import is_dicom
from polyclinic.formats.images.base import RasterFormat
from polyclinic.formats.pictures import raster


@final
class Tiff(RasterFormat):
    """A TIFF file of one page. A DICOM file may begin as a TIFF (PS3.10, 7.1): it is not one."""

    name = "TIFF"
    suffixes = (".tif", ".tiff")
    marks = raster.TIFF_MARKS

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the content begins as one does."""
        return super().recognises(path, start) and not is_dicom(start)
