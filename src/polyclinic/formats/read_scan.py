"""Any scan that a cell names, read by its content: DICOM folders and files, NIfTI, MetaImage, NRRD, stacks. No torch.

Readers refuse to guess: what the geometry proves is put right and noted, anything else stops with its finding.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from polyclinic.errors import PolyclinicError, ReadError
from polyclinic.formats.base import versions
from polyclinic.formats.pictures import archive
from polyclinic.formats.scans.base import ScanFormat, first_bytes, grid_formats, unknown_grid
from polyclinic.formats.voxels.from_archive import scan_at
from polyclinic.formats.voxels.voxel_grid import VoxelGrid, refuse

_HEADER = 1 << 16
"""Bytes in which a header names the file of its voxels: the longest header of MetaImage that is read."""


def read_scan(cell: str | Path, folder: Path | None = None, kept: archive.OpenArrays | None = None) -> VoxelGrid:
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
    with readable(refuse):
        if address is not None:
            return scan_at(address, root, kept or archive.OpenArrays())
        return _from_file(root / cell)


def _from_file(path: Path) -> VoxelGrid:
    start = first_bytes(path)
    for known in grid_formats():
        if isinstance(known, ScanFormat) and known.recognises(path, start):
            return known.read_scan(path)
    raise unknown_grid()


@contextmanager
def readable(refuse: Callable[[str, str, str, str], ReadError]) -> Iterator[None]:
    """What the system says about a path becomes a finding of those that read pictures, or of those that read volumes.

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

    The same file under another name has the same digest. Missing files have one too, of that fact.
    """
    root = folder or Path()
    address = archive.parse(str(cell))
    total = hashlib.blake2b(f"volume {versions(grid_formats())}".encode(), digest_size=20)
    if address is not None:
        total.update(f"{address.array}[{address.index}]".encode())
    path = root / (address.file if address else cell)
    for one in _files(path):
        total.update((one.name.encode() + b"\0" if path.is_dir() else b"") + _digest(one))
    return total.digest()


def _files(path: Path) -> list[Path]:
    """A folder's files but hidden ones; a file, and what its header names beside it."""
    if path.is_dir():
        return sorted(inside for inside in path.rglob("*") if inside.is_file() and not inside.name.startswith("."))
    detached = [known.detached for known in grid_formats() if known.detached]
    named = next((one.named for one in detached if one.suffix == path.suffix.lower()), None)
    if named is None:
        return [path]
    try:
        with path.open("rb") as stream:
            found = named.search(stream.read(_HEADER))
    except OSError:
        found = None
    return [path] if found is None else [path, path.parent / Path(found[1].decode("latin-1").strip()).name]


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=20)).digest()
    except OSError as error:
        return f"unreadable {error.errno}".encode()
