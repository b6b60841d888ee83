"""Writing files so that a reader sees all of a file or nothing, and so that a full disk is told in clear words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polyclinic.errors import BundleError, Finding

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space, or choose another disk with --out; then run again."),
    errno.EDQUOT: ("your share of the disk is used up", "Free some space, or choose another disk with --out."),
    errno.ENOENT: ("there is no such folder", "Make the folder first, or choose another with --out."),
    errno.EACCES: ("no permission to write there", "Choose a folder that you may write to with --out."),
    errno.EPERM: ("no permission to write there", "Choose a folder that you may write to with --out."),
    errno.EROFS: ("the disk is read-only", "Choose a folder that you may write to with --out."),
    errno.EEXIST: ("a file of that name is in the way", "Choose another folder with --out."),
    errno.ENOTDIR: ("part of the path is a file, not a folder", "Choose another folder with --out."),
    errno.ENAMETOOLONG: ("the path is too long for this disk", "Choose a shorter one with --out."),
    errno.ENOLCK: ("this disk cannot lock files", "Choose a folder on a local disk with --out."),
    errno.ENOSYS: ("this disk cannot lock files", "Choose a folder on a local disk with --out."),
    errno.EOPNOTSUPP: ("this disk cannot lock files", "Choose a folder on a local disk with --out."),
}


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn the system's refusal to write (full disk, no permission) into words for the user.

    Raises:
        BundleError: instead of an ``OSError`` that is not of our making; any other error passes as it is.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REASONS:
            raise
        found, remedy = _REASONS[error.errno]
        raise BundleError(
            Finding("cannot_write", str(folder), "the run must be able to write here", found, remedy)
        ) from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file wholly or not at all: under another name first, then renamed into place.

    Raises:
        BundleError: if the disk is full or may not be written to; an older file of that name is then as it was.
    """
    draft = path.with_name(f".{path.name}.part")
    with writing_to(path.parent):
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make the renaming itself last; Windows does it unasked and cannot open folders."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
