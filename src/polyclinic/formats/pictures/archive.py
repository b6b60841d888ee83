"""Images that lie together in one array of a numpy archive, as in MedMNIST: ``file.npz#array[index]``. No torch."""

import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Shaped

from polyclinic.errors import ReadError
from polyclinic.formats.pictures.frame import FileProperties, Frame, check_extent, check_finite, refuse

VERSION = 1
"""Raised whenever the same file would be decoded to other pixels; part of every cache key."""

MOST_BYTES = 64 * 1024**3
"""Largest array that is unpacked."""

Content = Literal["images", "scans", "masks"]
"""What an array holds; masks may be flat, (sample, height, width), or solid, (sample, i, j, k)."""

_ADDRESS = re.compile(r"(?P<file>.+\.npz)#(?P<array>[^\[\]#]+)\[(?P<index>\d{1,12})\]")
_LEVELS = {"b": 1.0, "f": 1.0}


@dataclass(frozen=True)
class Address:
    """One image within an archive.

    Attributes:
        file: Path of the archive as written in the cell.
        array: Name of the array in it.
        index: Position along its first axis, from 0.
    """

    file: str
    array: str
    index: int


def parse(cell: str) -> Address | None:
    """The address in a cell, or None if the cell is a plain path."""
    match = _ADDRESS.fullmatch(cell)
    return Address(match["file"], match["array"], int(match["index"])) if match else None


def open_array(path: Path, array: str, holds: Content = "images") -> Shaped[np.ndarray, "sample ..."]:
    """One array, read whole: images (sample, height, width, perhaps channel), scans (sample, i, j, k), or masks.

    Raises:
        ReadError: no such file or array, a damaged or absurdly large archive, or an array that holds something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo(f"{array}.npy")
            shape, dtype = _declared(archive, entry)
        _CHECKS[holds](shape, dtype)
        with np.load(path, allow_pickle=False) as arrays:
            stored: Shaped[np.ndarray, "sample ..."] = arrays[array]
    except FileNotFoundError:
        raise refuse("no_such_file", "the archive must exist", "there is no such file", "Correct the path.") from None
    except KeyError:
        raise refuse(
            "no_such_array", "the archive must hold the array", "it does not", "Correct the name after the #."
        ) from None
    except ReadError:
        raise
    # zipfile says NotImplementedError of a compression that it does not know
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, NotImplementedError) as error:
        raise refuse(
            "damaged_archive",
            "an archive must be complete, undamaged and hold numbers only",
            f"it could not be read ({type(error).__name__})",
            "Copy or export it again.",
        ) from None
    return stored


class OpenArrays:
    """Arrays of archives that are open already: one object serves all cells of a column, so that each is read once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, Content], Shaped[np.ndarray, "sample ..."] | ReadError] = {}

    def entry(self, address: Address, folder: Path, holds: Content) -> Shaped[np.ndarray, "..."]:
        """What stands at the index of an array; one that cannot be read fails for each index, and is tried only once.

        Raises:
            ReadError: as ``open_array`` does, or if the array ends before the index.
        """
        path = folder / address.file
        name = (str(path), address.array, holds)
        if name not in self._found:
            try:
                self._found[name] = open_array(path, address.array, holds)
            except ReadError as error:
                self._found[name] = error
        found = self._found[name]
        if isinstance(found, ReadError):
            raise ReadError(found.findings)  # a new one: the same one would grow with every cell
        if address.index >= len(found):
            rule, seen = "the index must lie within the array", "it lies behind its end"
            raise refuse("no_such_image", rule, seen, "Correct the index.")
        return np.asarray(found[address.index])


def as_frame(pixels: Shaped[np.ndarray, "height width ..."]) -> Frame:
    """One image of an array. Fractions (floats) count as 0 = black, 1 = white.

    Raises:
        ReadError: if pixels are not numbers.
    """
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    check_finite(pixels)
    kind = pixels.dtype.kind
    high = _LEVELS.get(kind) or float(np.iinfo(pixels.dtype).max)
    stored = pixels.astype(np.uint8 if kind == "b" else np.float32 if kind == "f" else pixels.dtype)
    height, width, channel = stored.shape
    mode = "L" if channel == 1 else "RGB"
    facts = FileProperties("NPZ", mode, 8 * pixels.dtype.itemsize, pixels.nbytes, width, height)
    return Frame(stored, 0.0, high, facts)


def _declared(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and number type that the archive declares; an absurd size is refused before it is unpacked."""
    with archive.open(entry) as stream:
        version = np.lib.format.read_magic(stream)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = reader(stream)
    if dtype.itemsize * int(np.prod(shape, dtype=object)) > MOST_BYTES or entry.file_size > MOST_BYTES:
        raise refuse(
            "archive_too_large",
            f"an array may unpack to at most {MOST_BYTES // 1024**3} GiB",
            "it declares more (a decompression bomb?)",
            "Do not trust this file; export it again from its source.",
        )
    return shape, dtype


def _check_images(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
    pixel = dtype.kind in "bf" or (dtype.kind == "u" and dtype.itemsize <= 2)
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)) or not pixel:
        raise refuse(
            "not_images",
            "the array must be images: (sample, height, width) or (sample, height, width, 1 or 3)",
            f"{len(shape)} axes of type {dtype}",
            "Name the array that holds the images.",
        )
    check_extent(shape[2], shape[1])


def _check_grids(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
    if len(shape) not in (3, 4) or dtype.kind not in "buif" or dtype.itemsize > 8 or min(shape[1:]) < 1:
        raise refuse(
            "not_volumes",
            "the array must be scans or masks: (sample, height, width) or (sample, i, j, k)",
            f"{len(shape)} axes of type {dtype}",
            "Name the array that holds them.",
        )


def _check_volumes(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
    _check_grids(shape, dtype)
    if len(shape) != 4 or (shape[3] == 3 and dtype == np.uint8):
        raise refuse(
            "not_volumes",
            "the array must be scans: (sample, i, j, k)",
            "it holds images",
            "Name the array that holds the scans.",
        )


_CHECKS: dict[Content, Callable[[tuple[int, ...], np.dtype[np.generic]], None]] = {
    "images": _check_images,
    "scans": _check_volumes,
    "masks": _check_grids,
}
