"""Volumes without a place in the patient: pages of a TIFF, a folder of slices, arrays of an archive. No torch."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from PIL import Image

from polyclinic.formats.pictures import raster
from polyclinic.formats.pictures.frame import MOST_BYTES, Frame
from polyclinic.formats.voxels.voxel_grid import Raw, VolumeFacts, check_shape, refuse

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NUMBER = re.compile(r"\d{1,9}")
_CHANNELS = re.compile(r'\b(?:channels=|frames=|SizeC="|SizeT=")(\d{1,9})')
_IMAGES = re.compile(r"\bimages=(\d{1,9})")
_DESCRIPTION = 270


def is_tiff(start: bytes) -> bool:
    """Whether content is a TIFF by its first bytes."""
    return start[:4] in _TIFF


def read_tiff(content: bytes) -> Raw:
    """The pages of a TIFF as slices: array axes are column, row, page.

    Raises:
        ReadError: one page, pages of several sizes, channels or times among pages, colour, or a damaged file.
    """
    count = _check_hyperstack(content)
    slices = _Slices(count)
    for frame in raster.read_pages(content):
        slices.add(frame)
    return slices.close("TIFF", len(content))


def _check_hyperstack(content: bytes) -> int:
    """How many pages there are; pages that are channels or times as well as slices are refused."""
    with raster.guarded(), tiff(content) as image:
        count = int(getattr(image, "n_frames", 1))
        text = str(image.tag_v2.get(_DESCRIPTION, ""))[:100_000]
    if any(int(number) > 1 for number in _CHANNELS.findall(text)):
        rule, found = "pages must be slices", "some are channels or times"
        raise refuse("four_axes", rule, found, "Save one channel and one time.")
    if any(int(number) != count for number in _IMAGES.findall(text)):
        rule, found = "there must be as many pages as the file says", "there are not"
        raise refuse("doubtful_voxels", rule, found, "Save the stack again.")
    if count < 2:
        rule, found = "a volume must have at least two slices", "the file holds one page"
        raise refuse("one_slice", rule, found, "Read it as an image.")
    return count


def tiff(content: bytes) -> Any:
    """A TIFF as Pillow opens it, with the tags that only a TIFF has."""
    return Image.open(io.BytesIO(content), formats=("TIFF",))


def read_folder(folder: Path) -> Raw:
    """A folder of PNG, JPEG or TIFF slices numbered 1, 2, 3, ... in their names: array axes are column, row, slice.

    Raises:
        ReadError: no numbers, a gap in the numbers, other files among them, several sizes, colour, damaged files.
    """
    paths = _numbered(folder)
    slices = _Slices(len(paths))
    size = 0
    for path in paths:
        size += path.stat().st_size
        slices.add(raster.read(_content(path)))
    return slices.close("images", size)


def _content(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        rule = f"a file may have at most {MOST_BYTES // 1024**2} MiB"
        raise refuse("file_too_large", rule, "a file is larger", "Crop or shrink it.")
    return path.read_bytes()


def _numbered(folder: Path) -> list[Path]:
    """Files in the order of the one number in which their names differ."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if any(path.is_dir() for path in inside):
        rule, found = "a folder of slices must hold slices only", "it holds folders"
        raise refuse("foreign_files", rule, found, "Name the folder of one volume.")
    if len(inside) < 2:
        rule, found = "a volume must have at least two slices", f"the folder holds {len(inside)} files"
        raise refuse("one_slice", rule, found, "Correct the path.")
    names = [path.name for path in inside]
    if len({_NUMBER.sub("#", name) for name in names}) > 1:
        rule, found = "names of slices must differ in their number only", "they differ otherwise"
        raise refuse("mixed_series", rule, found, "Give each series a folder of its own.")
    columns = list(zip(*(_NUMBER.findall(name) for name in names), strict=True))
    changing = [column for column in columns if len({int(word) for word in column}) > 1]
    if len(changing) != 1:
        rule, found = "one number in the names must tell the order", f"{len(changing)} numbers change"
        raise refuse("no_order", rule, found, "Number the slices 1, 2, 3, ...")
    numbers = [int(word) for word in changing[0]]
    if sorted(numbers) != list(range(min(numbers), min(numbers) + len(numbers))):
        rule, found = "no slice may be missing or come twice", "the numbers in the names have a gap or repeat"
        raise refuse("missing_slices", rule, found, "Copy the slices again.")
    return [path for _, path in sorted(zip(numbers, inside, strict=True))]


class _Slices:
    """A volume that is being filled, slice by slice; slices must be alike."""

    def __init__(self, count: int) -> None:
        self.count, self.filled = count, 0
        self.values: Shaped[np.ndarray, "slice row column"] = np.zeros((0, 0, 0), dtype=np.uint8)
        self.bits = 0

    def add(self, frame: Frame) -> None:
        """The next slice."""
        pixels = _grey(frame)
        if not self.filled:
            check_shape((pixels.shape[1], pixels.shape[0], self.count), pixels.dtype.itemsize)
            self.values = np.zeros((self.count, *pixels.shape), dtype=pixels.dtype)
            self.bits = frame.facts.bits
        if pixels.shape != self.values.shape[1:] or pixels.dtype != self.values.dtype or self.filled == self.count:
            rule, found = "all slices must have one size and depth", "they have several"
            raise refuse("mixed_images", rule, found, "Export the slices alike.")
        self.values[self.filled] = pixels
        self.filled += 1

    def close(self, form: str, size: int) -> Raw:
        """The volume; where it lies in the patient is not known."""
        if self.filled != self.count:
            rule, found = "every page must be readable", "some are not"
            raise refuse("doubtful_voxels", rule, found, "Export it again.")
        values = self.values.transpose(2, 1, 0)
        facts = VolumeFacts(form, "", self.bits, size, values.shape)
        return Raw(values, None, None, 1.0, 0.0, facts)


def _grey(frame: Frame) -> Shaped[np.ndarray, "row column"]:
    """One value per pixel; grey in colour's clothes is grey."""
    pixels = frame.pixels
    if pixels.shape[2] != 1 and not bool((pixels == pixels[:, :, :1]).all()):
        raise refuse("colour_volume", "a volume must be grey", "it is in colour", "Read single images instead.")
    return pixels[:, :, 0]


def from_array(stored: Shaped[np.ndarray, "sample ..."], index: int) -> Raw:
    """One volume of an opened array: its axes are as the array has them.

    Raises:
        ReadError: if the array ends before ``index``, or one volume is absurdly large.
    """
    values = _taken(stored, index)
    check_shape(values.shape, values.dtype.itemsize)
    values = values.astype(np.uint8) if values.dtype.kind == "b" else values
    return Raw(values, None, None, 1.0, 0.0, _array_facts(values))


def drawn_array(
    stored: Shaped[np.ndarray, "sample ..."], index: int
) -> tuple[Shaped[np.ndarray, "*grid"], VolumeFacts]:
    """One flat or solid mask of an opened array.

    Raises:
        ReadError: if the array ends before ``index``.
    """
    values = _taken(stored, index)
    return values, _array_facts(values)


def _taken(stored: Shaped[np.ndarray, "sample ..."], index: int) -> Shaped[np.ndarray, "..."]:
    if index >= len(stored):
        rule, found = "the index must lie within the array", "it lies behind its end"
        raise refuse("no_such_image", rule, found, "Correct the index.")
    return np.asarray(stored[index])


def _array_facts(values: Shaped[np.ndarray, "..."]) -> VolumeFacts:
    return VolumeFacts("NPZ", "", 8 * values.dtype.itemsize, values.nbytes, values.shape)


def slices_in(folder: Path) -> Iterator[Path]:
    """Files of a folder but hidden ones, for a digest of its content."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
