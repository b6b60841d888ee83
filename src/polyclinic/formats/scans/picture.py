"""Flat masks: PNG, GIF and BMP. JPEG is recognised too, to say why it is none. No torch."""

from pathlib import Path
from typing import final

from polyclinic.formats.pictures import flat_mask
from polyclinic.formats.scans.base import MaskWriter, first_bytes
from polyclinic.formats.voxels.to_write import MaskToWrite
from polyclinic.formats.voxels.voxel_grid import Mask, VoxelGrid

_MARKS = (b"\x89PNG", b"GIF8", b"BM", b"\xff\xd8\xff")


@final
class FlatPicture(MaskWriter):
    """A picture whose pixels are labels. Masks of flat images are written as PNG."""

    name = "PNG, GIF, BMP"
    suffixes = (".png", ".gif", ".bmp")
    ending = ".png"
    axes = 2

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the content begins as one does."""
        return start.startswith(_MARKS)

    def read_mask(self, path: Path) -> Mask:
        """The labels, never the colours."""
        return flat_mask.read(path.read_bytes())

    def writes_for(self, source: Path | None) -> bool:
        """Whether the source is a flat image."""
        if source is None:
            return True
        return source.is_file() and (self.recognises(source, first_bytes(source)) or flat_mask.is_flat_tiff(source))

    def write(self, mask: MaskToWrite, source: Path | VoxelGrid | None) -> bytes:
        """A grey PNG."""
        return flat_mask.png(mask.labels())
