"""Where a table lies: a file or a folder, a part of a file, or a database that is reached by its address."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
"""One stroke is what a path makes of two; a single letter before them is a drive."""


@dataclass(frozen=True)
class TableAddress:
    """Where a table lies.

    Attributes:
        path: The file or folder; of a database that is reached by its address, the folder of the study.
        part: The sheet, table or file in it; None = not said.
        url: The address of a database; None = a file or folder.
    """

    path: Path
    part: str | None = None
    url: str | None = None


def is_url(table: Path | str) -> bool:
    """Whether a table is reached by the address of a database and not by a path."""
    return _URL.match(os.fspath(table)) is not None


def stated_url(table: Path | str) -> str:
    """The address of a database with the two strokes that a path has only one of."""
    text = os.fspath(table)
    return text if "://" in text else _URL.sub(r"\1://", text, count=1)


def find_address(table: Path | str, folder: Path) -> TableAddress:
    """Where a table lies; a name of a file may hold the sign # itself."""
    text = os.fspath(table)
    if is_url(text):
        url, _, name = stated_url(text).partition("#")
        return TableAddress(folder, name or None, url)
    for whole, part in _readings(text):
        if (folder / whole).exists():
            return TableAddress(folder / whole, part)
    return TableAddress(folder / text)


def seen_from(table: str, folder: Path, other: Path) -> str:
    """The table of a study as a study file in the folder ``other`` names it.

    Args:
        table: As the study names it.
        folder: Where the file lies, or the folder that is the table.
        other: Where it is to be seen from.
    """
    if is_url(table):
        return table
    for whole, part in _readings(table):
        name = Path(whole).name
        path = folder if folder.name == name and not (folder / name).exists() else folder / name
        if path.exists():
            relative = Path(os.path.relpath(path, other)).as_posix()
            return relative if part is None else f"{relative}#{part}"
    return Path(os.path.relpath(folder / Path(table).name, other)).as_posix()


def _readings(text: str) -> Iterator[tuple[str, str | None]]:
    """What may be the file and what the part in it, the longest name of a file first."""
    yield text, None
    for cut in reversed([at for at, sign in enumerate(text) if sign == "#"]):
        yield text[:cut], text[cut + 1 :] or None
