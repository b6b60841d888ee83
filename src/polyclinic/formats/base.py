"""What every file format says about itself. The families are tables, images, and scans with masks: a folder each."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import ClassVar

from polyclinic.study.catalogue import AXES, Axis, usable

STARTS_WITH = 1024
"""Bytes that a format is recognised by: the mark of NIfTI, the one that stands furthest back, ends at byte 348."""


class Format(ABC):
    """One file format: a file in the folder of its family, or an entry point ``polyclinic.formats`` of a package.

    No two formats of a family recognise the same file, so it does not matter which is asked first.

    Attributes:
        name: What messages call it.
        suffixes: How its files are called, in small letters, with the dot.
        version: Raised whenever the same file would be read to something else; part of every cache key.
    """

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


@cache
def formats_of(family: Axis) -> tuple[Format, ...]:
    """All formats of a family, ours and those of installed packages, in the order of their names.

    One of a package that cannot be loaded is left out; it is named where a file is of no other format.
    """
    base: type = getattr(import_module(f"polyclinic.{family}.base"), AXES[family].base)
    kinds: list[type[Format]] = list(usable(family).values())
    return tuple(kind() for kind in kinds if issubclass(kind, base))


def versions(formats: Sequence[Format]) -> str:
    """The versions of some formats, for a cache key."""
    return " ".join(f"{type(known).__name__} {known.version}" for known in formats)
