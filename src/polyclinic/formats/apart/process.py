"""Starting a reader in a process of its own, and taking what it says as JSON. What it leaves on the way is dropped."""

import datetime as dt
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from polyclinic.errors import MissingPackage

_LONGEST_S = 900
"""A quarter of an hour: the largest workbooks take seconds, and a damaged one may have no end."""


def read_apart(reader: str, package: str, extra: str, path: Path, *words: str) -> Any:
    """What a reader of this folder says about a file; None if it fell over it.

    Args:
        reader: Name of the file in this folder that reads.
        package: The package that it reads with.
        extra: The extra that installs it.
        path: The file to read.
        words: What else the reader is to know.

    Raises:
        MissingPackage: if the package is not installed.
    """
    if importlib.util.find_spec(package) is None:
        raise MissingPackage(package, extra, f"reading {path.name}")
    # -P: the folder of the reader is none in which packages are looked for.
    command = [sys.executable, "-P", str(Path(__file__).with_name(f"{reader}.py")), str(path), *words]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_LONGEST_S
        )
        return json.loads(done.stdout, object_hook=_moment) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        return None


def _moment(found: dict[str, Any]) -> Any:
    """A day, a moment, a time of day or a length of time, which JSON has no form for; anything else as it is."""
    match found:
        case {"day": str(text)}:
            return dt.date.fromisoformat(text)
        case {"moment": str(text)}:
            return dt.datetime.fromisoformat(text)
        case {"time": str(text)}:
            return dt.time.fromisoformat(text)
        case {"seconds": float(length)}:
            return dt.timedelta(seconds=length)
    return found
