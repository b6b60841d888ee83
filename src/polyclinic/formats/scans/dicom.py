"""DICOM: a folder with one series of slices, a file of several frames, or a segmentation object. No torch."""

from pathlib import Path
from typing import final

from polyclinic.formats.dicom import multiframe, segmentation, segmentation_writer, series
from polyclinic.formats.dicom.dataset import is_dicom
from polyclinic.formats.scans.base import MaskWriter, ScanFormat
from polyclinic.formats.voxels.to_write import MaskToWrite
from polyclinic.formats.voxels.voxel_grid import Mask, VoxelGrid, refuse


@final
class DicomGrid(ScanFormat, MaskWriter):
    """Series, multi-frame scans and segmentations."""

    name = "DICOM"
    suffixes = (".dcm",)
    ending = ".dcm"
    axes = 3

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the content says so, or that of any file in a folder."""
        return is_dicom(start) or (path.is_dir() and series.holds_series(path))

    def read_scan(self, path: Path) -> VoxelGrid:
        """The series of a folder, or the frames of a file."""
        return series.read(path) if path.is_dir() else multiframe.read(path.read_bytes())

    def read_mask(self, path: Path) -> Mask:
        """The segments of a segmentation object; it may lie alone in a folder."""
        files = series.files_of(path) if path.is_dir() else [path]
        if len(files) != 1:
            rule, found = "a mask must be one file", f"the folder holds {len(files)} DICOM files"
            raise refuse("not_a_mask", rule, found, "Name the file of the mask.")
        return segmentation.read(files[0].read_bytes())

    def writes_for(self, source: Path | None) -> bool:
        """Whether the source is a series of slices."""
        return source is not None and len(series.files_of(source)) > 1

    def write(self, mask: MaskToWrite, source: Path | VoxelGrid | None) -> bytes:
        """A segmentation object that belongs to its series."""
        assert isinstance(source, Path)
        layers = mask.layers()
        names = mask.names or [f"label {number}" for number in range(1, len(layers) + 1)]
        files, distance = series.ordered_files(source)
        return segmentation_writer.segmentation_bytes(layers, names, files, distance, mask.version)
