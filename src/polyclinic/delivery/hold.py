"""One run per folder: a lock that the operating system drops when its process dies, however it dies."""

import os
import socket
import sys
from pathlib import Path
from typing import final

from polyclinic.errors import BundleError, Finding

if sys.platform == "win32":  # pragma: no cover - the other branch is tested
    import msvcrt

    def _try_lock(handle: int) -> None:
        os.lseek(handle, 1 << 20, os.SEEK_SET)  # beyond the text, which a second process must be able to read
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError as refusal:
            raise BlockingIOError from refusal

else:
    import fcntl

    def _try_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@final
class Hold:
    """A lock that this process holds on a folder, until it is let go; letting go again does nothing.

    Attributes:
        path: The lock file; it names the process, for the message to a second one.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle: int | None = handle

    def release(self) -> None:
        """Let the folder go. The lock file stays: a leftover without a living process holds nobody up."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def vanish(self) -> None:
        """Remove the lock file, then let the folder go."""
        if self._handle is not None:
            self.path.unlink(missing_ok=True)
        self.release()


def hold(path: Path) -> Hold:
    """Take the lock file ``path``; one that a dead process left is taken over.

    Raises:
        BundleError: if a living process holds it.
        OSError: if the file cannot be made.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _try_lock(handle)
        except BlockingIOError as refusal:
            os.lseek(handle, 0, os.SEEK_SET)
            holder = os.read(handle, 200).decode("utf-8", "replace").strip()
            os.close(handle)
            raise BundleError(_in_use(path, holder)) from refusal
        except OSError:  # a disk that cannot lock: then nobody holds this file
            os.close(handle)
            path.unlink(missing_ok=True)
            raise
        if _is_still(path, handle):
            return _signed(Hold(path, handle), handle)
        os.close(handle)  # its holder finished and removed it between our opening and our locking: once more


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _signed(held: Hold, handle: int) -> Hold:
    """The same lock, with a word on who holds it; given back where even that cannot be written."""
    try:
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
    except OSError:
        held.vanish()
        raise
    return held


def _in_use(path: Path, holder: str) -> Finding:
    return Finding(
        name="folder_in_use",
        place=str(path.parent.parent),
        rule="one run at a time works in a folder",
        found=f"{holder or 'another process'} is working in it",
        remedy="Wait for it, stop it, or choose another folder with --out.",
    )
