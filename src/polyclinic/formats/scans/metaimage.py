"""MetaImage: .mha, and .mhd with its file of voxels. No torch.

Source: https://itk.org/Wiki/ITK/MetaIO/Documentation; rows of TransformMatrix are the directions of the axes.
"""

import re
from io import BufferedIOBase
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float

from polyclinic.errors import ReadError
from polyclinic.formats.scans.base import ArrayFormat, DetachedVoxels
from polyclinic.formats.voxels.payload import beside, unpack
from polyclinic.formats.voxels.voxel_grid import (
    TO_RAS,
    Raw,
    VolumeFacts,
    check_affine,
    check_shape,
    contradiction,
    refuse,
    steps_of,
    three_axes,
)

_MOST_HEADER = 1 << 16
"""A header has a few lines; beyond 64 KiB it is none."""

_FIRST = re.compile(rb"\s*(ObjectType|NDims|Comment|ObjectSubType|ID|Name)\s*=", re.IGNORECASE)
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_ALIASES = {
    "position": "offset",
    "origin": "offset",
    "rotation": "transformmatrix",
    "orientation": "transformmatrix",
    "elementbyteordermsb": "binarydatabyteordermsb",
}
_YES = ("true", "1", "t", "yes", "y")

Header = dict[str, str]
"""Keys in small letters, with one name for each meaning."""


@final
class MetaImage(ArrayFormat):
    """An .mha file, or an .mhd header with a file of voxels beside it."""

    name = "MetaImage"
    suffixes = (".mha", ".mhd")
    detached = DetachedVoxels(".mhd", re.compile(rb"ElementDataFile[ \t]*=([^\r\n\0]+)", re.IGNORECASE))

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the content begins as one does."""
        return _FIRST.match(start) is not None

    def read(self, path: Path) -> Raw:
        """The array of a file and its geometry; voxels in another folder are refused."""
        with path.open("rb") as stream:
            header = _header(stream)
            shape, dtype = _layout(header)
            packing = "zlib" if _is(header, "compresseddata") else "raw"
            size = path.stat().st_size
            if header["elementdatafile"] in ("LOCAL", "Local", "local"):
                if header.get("headersize", "0") not in ("0", "-1"):
                    raise contradiction(
                        "voxels in the same file follow the header at once", "HeaderSize says otherwise"
                    )
                values = unpack(stream, packing, shape, dtype)
            else:
                voxels = beside(path, header["elementdatafile"], ".mha")
                size += voxels.stat().st_size
                with voxels.open("rb") as source:
                    source.seek(_start(header, voxels, shape, dtype))
                    values = unpack(source, packing, shape, dtype)
        affine = _affine(header)
        facts = VolumeFacts(
            "MetaImage", header.get("modality", "").removeprefix("MET_MOD_"), 8 * dtype.itemsize, size, shape, packing
        )
        return Raw(values, affine, None if affine is None else steps_of(affine), 1.0, 0.0, facts)


def _header(stream: BufferedIOBase) -> Header:
    """Lines ``key = value`` up to ElementDataFile, which is the last; two values for one meaning are refused."""
    header: Header = {}
    left = _MOST_HEADER
    while "elementdatafile" not in header:
        line = stream.readline(left)
        left -= len(line)
        key, separator, value = line.decode("latin-1").partition("=")
        if not separator or left <= 0:
            raise _malformed("a line is not of the form key = value, or ElementDataFile is missing")
        name = key.strip().lower()
        name = _ALIASES.get(name, name)
        if header.get(name, value.strip()) != value.strip() and name != "comment":
            raise contradiction("a key must have one value", f"{name} has two")
        header[name] = value.strip()
    return header


def _malformed(found: str) -> ReadError:
    return refuse("damaged_header", "the header must be a whole MetaImage header", found, "Export the volume again.")


def _numbers(header: Header, key: str, count: int) -> Float[np.ndarray, " number"] | None:
    if key not in header:
        return None
    try:
        numbers = np.array([float(word) for word in header[key].split()])
    except ValueError:
        raise _malformed(f"{key} does not hold numbers") from None
    if len(numbers) != count:
        raise _malformed(f"{key} does not hold {count} numbers")
    return numbers


def _is(header: Header, key: str) -> bool:
    return header.get(key, "false").lower() in _YES


def _layout(header: Header) -> tuple[tuple[int, int, int], np.dtype[np.generic]]:
    axes = _axes(header)
    sides = _numbers(header, "dimsize", axes)
    if sides is None or not all(side.is_integer() and 1 <= side < 2**31 for side in sides):
        raise _malformed("DimSize does not hold whole numbers above 0")
    shape = three_axes(tuple(int(side) for side in sides))
    if header.get("elementnumberofchannels", "1") != "1":
        raise refuse("four_axes", "a volume must have one value per voxel", "it has several", "Save one of them.")
    if header.get("elementtype") not in _TYPES:
        raise refuse("unknown_depth", "ElementType must be a number", "it is another", "Save it as MET_SHORT.")
    if header.get("binarydata", "true").lower() not in _YES:
        raise refuse("unknown_form", "voxels must be binary", "they are text", "Save it as binary.")
    order = ">" if _is(header, "binarydatabyteordermsb") else "<"
    dtype = np.dtype(order + _TYPES[header["elementtype"]])
    check_shape(shape, dtype.itemsize)
    return shape, dtype


def _axes(header: Header) -> int:
    if header.get("objecttype", "Image").lower() != "image":
        raise refuse("not_a_volume", "ObjectType must be Image", "it is another", "Correct the path.")
    if not re.fullmatch(r"[1-9]", header.get("ndims", "")):
        raise _malformed("NDims is not a number from 1 to 9")
    return int(header["ndims"])


def _start(header: Header, voxels: Path, shape: tuple[int, int, int], dtype: np.dtype[np.generic]) -> int:
    """Where the voxels begin in their own file; -1 means that they end it."""
    words = header.get("headersize", "0")
    if not re.fullmatch(r"-1|\d{1,12}", words):
        raise _malformed("HeaderSize is not a number")
    if words != "-1":
        return int(words)
    return max(0, voxels.stat().st_size - int(np.prod(shape, dtype=np.int64)) * dtype.itemsize)


def _affine(header: Header) -> Float[np.ndarray, "4 4"] | None:
    """From index to the patient; None where neither spacing nor origin nor directions are told."""
    axes = _axes(header)
    spacing, offset = _numbers(header, "elementspacing", axes), _numbers(header, "offset", axes)
    size = _numbers(header, "elementsize", axes)
    spacing = size if spacing is None else spacing
    turned = _numbers(header, "transformmatrix", axes * axes)
    if spacing is None or axes < 3:
        return None
    directions = np.eye(axes) if turned is None else turned.reshape(axes, axes).T
    if not np.allclose(directions[3:, :3], 0) or not np.allclose(directions[:3, 3:], 0):
        raise contradiction("a fourth axis must not lean into space", "it does")
    lps = np.eye(4)
    lps[:3, :3] = directions[:3, :3] * spacing[:3]
    lps[:3, 3] = 0 if offset is None else offset[:3]
    if not (np.isfinite(lps).all() and (spacing[:3] > 0).all()):
        raise refuse("broken_affine", "ElementSpacing must be lengths", "0, negative or NaN", "Correct the header.")
    if not np.allclose(np.linalg.norm(directions[:3, :3], axis=0), 1, atol=1e-3):
        rule, found = "directions of axes must have length 1", "they have not"
        raise refuse("broken_affine", rule, found, "Correct TransformMatrix.")
    return check_affine(np.asarray(TO_RAS @ lps))
