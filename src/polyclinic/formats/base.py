"""What every file format says about itself. The families are tables, images, and scans with masks: a folder each."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar, TypeVar

from polyclinic.study.catalogue import Axis, find, names

STARTS_WITH = 1024
"""Bytes that a format is recognised by: the mark of NIfTI, the one that stands furthest back, ends at byte 348."""


class Format(ABC):
    """One file format: a file in the folder of its family, or an entry point ``polyclinic.formats`` of a package.

    No two formats of a family recognise the same file, so it does not matter which is asked first.

    Attributes:
        family: Folder of the family.
        name: What messages call it.
        suffixes: How its files are called, in small letters, with the dot.
        version: Raised whenever the same file would be read to something else; part of every cache key.
    """

    family: ClassVar[Axis]
    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    version: ClassVar[int] = 1

    @abstractmethod
    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether a file is of this format.

        Args:
            path: The file, or a folder.
            start: The first bytes of a file, unzipped where it is zipped; none of a folder.
        """


_Family = TypeVar("_Family", bound=Format)


def formats_of(family: type[_Family]) -> tuple[_Family, ...]:
    """All formats of a family, or of a part of it, in the order of their names."""
    return tuple(known for known in _known(family.family) if isinstance(known, family))


@cache
def _known(axis: Axis) -> tuple[Format, ...]:
    found: list[type] = [find(axis, name) for name in names(axis)]
    return tuple(kind() for kind in found if issubclass(kind, Format))


def offered(formats: Sequence[Format]) -> str:
    """Their names for a message: "A, B or C"."""
    words = [known.name for known in formats]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def versions(family: type[Format]) -> str:
    """The versions of all formats of a family, for a cache key."""
    return " ".join(f"{type(known).__name__} {known.version}" for known in formats_of(family))
