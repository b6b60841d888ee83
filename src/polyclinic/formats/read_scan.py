"""Any scan that a cell names, read by its content: DICOM folders and files, NIfTI, MetaImage, NRRD, stacks. No torch.

Readers refuse to guess: what the geometry proves is put right and noted, anything else stops with its finding.
"""

import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from polyclinic.errors import PolyclinicError
from polyclinic.formats.dicom import multiframe, series
from polyclinic.formats.dicom import pixels as dicom
from polyclinic.formats.pictures import archive
from polyclinic.formats.scans import metaimage, nifti, nrrd
from polyclinic.formats.voxels import pages
from polyclinic.formats.voxels.voxel_grid import MOST_VOXEL_BYTES, Raw, VoxelGrid, as_volume, damaged, refuse

VERSION = 1
"""Raised whenever the same file would be read to other voxels; part of every cache key."""

Kept = dict[tuple[str, str], Shaped[np.ndarray, "sample ..."]]
"""Arrays of archives that are open already, by file and name: give the same one to every call of a column."""

_START = 1024
_HEADER = 1 << 16
_PAIRED = (".mhd", ".nhdr")
_VOXELS = re.compile(rb"(?:ElementDataFile[ \t]*=|data ?file:)([^\r\n\0]+)", re.IGNORECASE)
_GZIP = b"\x1f\x8b"
_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[Path], Raw]], ...] = (
    (nifti.recognise, nifti.read),
    (nrrd.recognise, nrrd.read),
    (metaimage.recognise, metaimage.read),
)


def read_volume(cell: str | Path, folder: Path | None = None, kept: Kept | None = None) -> VoxelGrid:
    """The scan that a cell names.

    Args:
        cell: A file, a folder of slices, or ``file.npz#array[index]``.
        folder: What relative paths start from; the current folder if None.
        kept: Arrays of archives that are open already, or None.

    Raises:
        ReadError: anything that would be a guess: see the modules of the formats.
        MissingPackage: if a package that reads the format is not installed.
    """
    root = folder or Path()
    address = archive.parse(str(cell))
    with readable():
        if address is not None:
            stored = opened(address, root, {} if kept is None else kept, volumes=True)
            return as_volume(pages.from_array(stored, address.index))
        path = root / cell
        if path.is_dir():
            return series.read(path) if series.holds_series(path) else as_volume(pages.read_folder(path))
        start = first_bytes(path)
        if dicom.recognise(start):
            return multiframe.read(path.read_bytes())
        return as_volume(read_raw(path, start))


def read_raw(path: Path, start: bytes) -> Raw:
    """The array of one file that is not DICOM.

    Args:
        path: The file.
        start: Its first bytes, unzipped (``first_bytes``).

    Raises:
        ReadError: as ``read_volume``.
    """
    if pages.is_tiff(start):
        return pages.read_tiff(path.read_bytes())
    for recognise, read in _READERS:
        if recognise(start):
            return read(path)
    raise refuse(
        "unknown_volume",
        "a volume must be DICOM, NIfTI, MetaImage, NRRD, a TIFF of several pages, or a folder of slices",
        "the content is none of these",
        "Convert it, or correct the path.",
    )


def first_bytes(path: Path) -> bytes:
    """What a file begins with, unzipped where it is zipped.

    Raises:
        ReadError: empty, absurdly large, or not a whole zip.
    """
    size = path.stat().st_size
    if size == 0:
        raise refuse("empty_file", "a file must have content", "it is empty", "Copy or export it again.")
    if size > MOST_VOXEL_BYTES + _START:
        rule, found = f"a file may have at most {MOST_VOXEL_BYTES // 1024**3} GiB", "it has more"
        raise refuse("file_too_large", rule, found, "Crop the volume or make it coarser.")
    with path.open("rb") as stream:
        start = stream.read(_START)
        if not start.startswith(_GZIP):
            return start
        stream.seek(0)
        try:
            return gzip.GzipFile(fileobj=stream).read(_START)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise damaged(error) from None


def opened(
    address: archive.Address, folder: Path, kept: Kept, *, volumes: bool = False
) -> Shaped[np.ndarray, "sample ..."]:
    """An array of an archive, read once."""
    path = folder / address.file
    name = (str(path), address.array)
    if name not in kept:
        if volumes:
            kept[name] = archive.open_array(path, address.array, volumes=True)
        else:
            kept[name] = archive.open_grids(path, address.array)
    return kept[name]


@contextmanager
def readable() -> Iterator[None]:
    """What the system says about a path becomes a finding.

    Raises:
        ReadError: no such file, or no right to read it.
    """
    try:
        yield
    except PolyclinicError:
        raise
    except FileNotFoundError:
        rule, found = "the file must exist", "there is no such file"
        raise refuse("no_such_file", rule, found, "Correct the path, or add the file.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        rule, found = "the file must be readable", f"it cannot be opened ({why})"
        raise refuse("unreadable_file", rule, found, "Correct the path or its rights.") from None


def content_digest(cell: str | Path, folder: Path | None = None) -> bytes:
    """Digest of all that a cell names: a file, a folder's files with their names, a header with its voxels.

    Missing files have a digest too, of that fact.
    """
    root = folder or Path()
    address = archive.parse(str(cell))
    total = hashlib.blake2b(f"volume {VERSION}".encode(), digest_size=20)
    if address is not None:
        total.update(f"{address.array}[{address.index}]".encode())
    path = root / (address.file if address else cell)
    for one in _files(path):
        total.update(one.name.encode() + b"\0" + _digest(one))
    return total.digest()


def _files(path: Path) -> list[Path]:
    """A folder's files; a file, and what its header names beside it."""
    if path.is_dir():
        return list(pages.slices_in(path))
    try:
        with path.open("rb") as stream:
            named = _VOXELS.search(stream.read(_HEADER)) if path.suffix.lower() in _PAIRED else None
    except OSError:
        named = None
    if named is None:
        return [path]
    return [path, path.parent / Path(named[1].decode("latin-1").strip()).name]


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=20)).digest()
    except OSError as error:
        return f"unreadable {error.errno}".encode()
