"""One run per folder: a lock that the operating system drops when its process dies, however it dies."""

import os
import socket
import sys
from pathlib import Path
from typing import final

from filelock import FileLock, Timeout

from polyclinic.errors import BundleError, Finding

_READ = 200
"""Bytes that are read of the word on who holds a lock: a number and the name of a machine are shorter."""


@final
class Hold:
    """A lock that this process holds on a folder, until it is let go; letting go again does nothing.

    Attributes:
        path: The lock file; it names the process, for the message to a second one.
    """

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path = path
        self._lock = lock

    def release(self) -> None:
        """Let the folder go. The lock file stays: a leftover without a living process holds nobody up."""
        self._lock.release()

    def vanish(self) -> None:
        """Remove the lock file, then let the folder go: in this order, or another's lock could be removed."""
        if self._lock.is_locked and sys.platform != "win32":  # Windows cannot remove an open file; filelock does it
            self.path.unlink(missing_ok=True)
        self.release()


def hold(path: Path) -> Hold:
    """Take the lock file ``path``, whose folder is made; one that a dead process left is taken over.

    Raises:
        BundleError: if a living process holds it.
        OSError: if the file cannot be made.
    """
    handles: list[int] = []
    lock = FileLock(path, timeout=0, thread_local=False, fallback_to_soft=False, on_acquired=handles.append)
    while not lock.is_locked:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout as refusal:
            # If the file is gone, its holder finished between our opening it and our locking it: once more.
            if path.exists():
                raise BundleError(_in_use(path)) from refusal
        except FileNotFoundError:  # the holder finished and removed the folder before we opened the file: once more
            continue
        except OSError:  # a disk that cannot lock: then nobody holds this file
            path.unlink(missing_ok=True)
            raise
    return _signed(Hold(path, lock), handles[0])


def _signed(held: Hold, handle: int) -> Hold:
    """The same lock, with a word on who holds it; given back where even that cannot be written."""
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
    except OSError:
        held.vanish()
        raise
    return held


def _in_use(path: Path) -> Finding:
    try:
        holder = path.read_bytes()[:_READ].decode("utf-8", "replace").strip()
    except OSError:  # removed in this very moment, or locked against reading, as Windows does
        holder = ""
    return Finding(
        name="folder_in_use",
        place=str(path.parent.parent),
        rule="one run at a time works in a folder",
        found=f"{holder or 'another process'} is working in it",
        remedy="Wait for it, stop it, or choose another folder with --out.",
    )
