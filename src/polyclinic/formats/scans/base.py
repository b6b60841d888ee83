"""What a format of scans or masks gives: a grid of voxels, what was drawn on one, or both."""

import gzip
import re
import zlib
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

from polyclinic.errors import ReadError
from polyclinic.formats.base import STARTS_WITH, Format, formats_of
from polyclinic.formats.voxels.to_write import MaskToWrite
from polyclinic.formats.voxels.voxel_grid import (
    MOST_VOXEL_BYTES,
    Mask,
    Raw,
    VoxelGrid,
    as_mask,
    as_volume,
    damaged,
    refuse,
)
from polyclinic.study.catalogue import broken

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class DetachedVoxels:
    """A kind of header whose voxels may lie in a file beside it.

    Attributes:
        suffix: How the header is called.
        named: Finds the name of the other file in the header.
    """

    suffix: str
    named: re.Pattern[bytes]


class GridFormat(Format):
    """A format of scans, of masks or of both, recognised by its content, whatever its name.

    Attributes:
        detached: Where voxels may lie in a file beside their header; None = never.
    """

    detached: ClassVar[DetachedVoxels | None] = None


class ScanFormat(GridFormat):
    """A format that scans come in."""

    @abstractmethod
    def read_scan(self, path: Path) -> VoxelGrid:
        """The scan in a file or folder.

        Raises:
            ReadError: damaged, or anything that would be a guess.
            MissingPackage: if a package that reads the format is not installed.
        """


class MaskFormat(GridFormat):
    """A format that masks come in."""

    @abstractmethod
    def read_mask(self, path: Path) -> Mask:
        """What was drawn, from a file or folder.

        Raises:
            ReadError: damaged, or what is stored is no label.
            MissingPackage: if a package that reads the format is not installed.
        """


class ArrayFormat(ScanFormat, MaskFormat):
    """A format that holds one array, which may be a scan or a mask."""

    @abstractmethod
    def read(self, path: Path) -> Raw:
        """The array with what the file says about it.

        Raises:
            ReadError: damaged, cut off, four axes, or a geometry that is broken or contradicts itself.
            MissingPackage: if a package that reads the format is not installed.
        """

    @final
    def read_scan(self, path: Path) -> VoxelGrid:
        """The array as measured values."""
        return as_volume(self.read(path))

    @final
    def read_mask(self, path: Path) -> Mask:
        """The array as labels."""
        return as_mask(self.read(path))


class MaskWriter(MaskFormat):
    """A format of masks that can be written too.

    Attributes:
        ending: How the files that are written end.
        axes: Axes of a mask that it can hold.
    """

    ending: ClassVar[str]
    axes: ClassVar[int]

    @abstractmethod
    def writes_for(self, source: Path | None) -> bool:
        """Whether masks of a source are written in this format; None = a flat image that has no file."""

    @abstractmethod
    def write(self, mask: MaskToWrite, source: Path | VoxelGrid | None) -> bytes:
        """The content of a file.

        Args:
            mask: What to write.
            source: The scan or image that it belongs to, whose geometry it gets; None = none.

        Raises:
            ReadError: if the mask does not fit its source, or regions overlap and the format has one label per point.
            MissingPackage: if a package that writes the format is not installed.
        """


def grid_formats() -> tuple[GridFormat, ...]:
    """All formats of scans and masks, in the order of their names."""
    return tuple(known for known in formats_of("formats.scans") if isinstance(known, GridFormat))


def unknown_grid() -> ReadError:
    """The error for content of another format."""
    words = [known.name for known in grid_formats() if isinstance(known, ScanFormat)]
    rule = f"a volume must be {', '.join(words[:-1])} or {words[-1]}"
    error = refuse("unknown_volume", rule, "the content is none of these", "Convert it, or correct the path.")
    return ReadError([*error.findings, *broken("formats.scans").values()])


def first_bytes(path: Path) -> bytes:
    """What a file begins with, unzipped where it is zipped; nothing of a folder.

    Raises:
        ReadError: empty, absurdly large, or not a whole zip.
    """
    if path.is_dir():
        return b""
    size = path.stat().st_size
    if size == 0:
        raise refuse("empty_file", "a file must have content", "it is empty", "Copy or export it again.")
    if size > MOST_VOXEL_BYTES + STARTS_WITH:
        rule, found = f"a file may have at most {MOST_VOXEL_BYTES // 1024**3} GiB", "it has more"
        raise refuse("file_too_large", rule, found, "Crop the volume or make it coarser.")
    with path.open("rb") as stream:
        start = stream.read(STARTS_WITH)
        if not start.startswith(_GZIP):
            return start
        stream.seek(0)
        try:
            return gzip.GzipFile(fileobj=stream).read(STARTS_WITH)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise damaged(error) from None
