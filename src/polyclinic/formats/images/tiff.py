"""TIFF of one page, by Pillow. No torch."""

from pathlib import Path
from typing import final

from polyclinic.formats.dicom.dataset import is_dicom
from polyclinic.formats.images.base import ImageFormat, Window
from polyclinic.formats.pictures import raster
from polyclinic.formats.pictures.frame import Frame


@final
class Tiff(ImageFormat):
    """A TIFF file of one page. A DICOM file may begin as a TIFF (PS3.10, 7.1): it is not one."""

    name = "TIFF"
    suffixes = (".tif", ".tiff")

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the content begins as one does."""
        return raster.is_tiff(start) and not is_dicom(start)

    def read(self, content: bytes, window: Window = "file") -> Frame:
        """The image; a second page is doubt, and refused."""
        return raster.read(content)
