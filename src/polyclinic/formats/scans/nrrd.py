"""NRRD: .nrrd, and .nhdr with its file of voxels. No torch.

Source: https://teem.sourceforge.net/nrrd/format.html.
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

_MOST_HEADER = 1 << 20
"""A header is text of a few lines and of the pairs that a scanner adds; beyond 1 MiB it is none."""

_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_NUMBER = {name: short for short, names in _TYPES.items() for name in names}
_PACKING = {"raw": "raw", "gz": "gzip", "gzip": "gzip", "bz2": "bzip2", "bzip2": "bzip2"}
_LPS = TO_RAS
_LAS = np.diag([-1.0, 1.0, 1.0, 1.0])
_SPACES = {
    **dict.fromkeys(("left-posterior-superior", "lps"), _LPS),
    **dict.fromkeys(("left-anterior-superior", "las"), _LAS),
    **dict.fromkeys(("right-anterior-superior", "ras"), np.eye(4)),
}
_UNITS = {"mm": 1.0, "millimeter": 1.0, "um": 0.001, "cm": 10.0, "m": 1000.0}
_ALIASES = {"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip", "centers": "centerings"}
_SOLID = ("domain", "space", "none", "???")

Header = dict[str, str]


@final
class Nrrd(ArrayFormat):
    """A .nrrd file, or a .nhdr header with a file of voxels beside it."""

    name = "NRRD"
    suffixes = (".nrrd", ".nhdr")
    detached = DetachedVoxels(".nhdr", re.compile(rb"data ?file:([^\r\n\0]+)", re.IGNORECASE))

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the content begins as one does."""
        return re.match(rb"NRRD000[1-5]\r?\n", start) is not None

    def read(self, path: Path) -> Raw:
        """The array of a file and its geometry; voxels in another folder are refused."""
        with path.open("rb") as stream:
            header = _header(stream)
            sides = _sides(header)
            shape = three_axes(sides)
            dtype = _number_type(header)
            check_shape(shape, dtype.itemsize)
            packing = _packing(header)
            size = path.stat().st_size
            if "data file" not in header:
                values = unpack(stream, packing, shape, dtype)
            else:
                voxels = beside(path, header["data file"].removeprefix("./"), ".nrrd")
                size += voxels.stat().st_size
                with voxels.open("rb") as source:
                    values = unpack(source, packing, shape, dtype)
        affine, spacing = _geometry(header, len(sides))
        facts = VolumeFacts("NRRD", "", 8 * dtype.itemsize, size, shape, packing)
        return Raw(values, affine, spacing, 1.0, 0.0, facts)


def _header(stream: BufferedIOBase) -> Header:
    """Fields ``name: value`` up to the empty line, or to the end of a detached header."""
    stream.readline(16)
    header: Header = {}
    left = _MOST_HEADER
    while True:
        line = stream.readline(left)
        left -= len(line)
        text = line.decode("latin-1").strip("\r\n")
        if not text:
            break
        if text.startswith("#") or ":=" in text:
            continue
        key, separator, value = text.partition(": ")
        name = _ALIASES.get(key.strip().lower(), key.strip().lower())
        if not separator or left <= 0 or name in header:
            raise _malformed("a line is not of the form field: value, or a field comes twice")
        header[name] = value.strip()
    if not line and "data file" not in header:
        raise _malformed("it ends before the voxels")
    return header


def _malformed(found: str) -> ReadError:
    return refuse("damaged_header", "the header must be a whole NRRD header", found, "Export the volume again.")


def _sides(header: Header) -> tuple[int, ...]:
    words = header.get("sizes", "").split()
    if not words or not all(re.fullmatch(r"[1-9]\d{0,9}", word) for word in words):
        raise _malformed("sizes does not hold whole numbers above 0")
    if header.get("dimension") != str(len(words)):
        raise contradiction("sizes must have as many numbers as dimension says", "it has not")
    kinds = header.get("kinds", "").lower().split()
    if len(words) <= 3 and any(kind not in _SOLID for kind in kinds):
        rule, found = "every axis must be one of space", "one is of colours, vectors or a list"
        raise refuse("four_axes", rule, found, "Save one grey volume.")
    return tuple(int(word) for word in words)


def _number_type(header: Header) -> np.dtype[np.generic]:
    short = _NUMBER.get(header.get("type", "").lower())
    if short is None:
        raise refuse("unknown_depth", "type must be a number", "it is another", "Save it as short or float.")
    endian = header.get("endian", "" if short[1] != "1" else "little").lower()
    if endian not in ("little", "big"):
        raise _malformed("endian is neither little nor big")
    return np.dtype(("<" if endian == "little" else ">") + short)


def _packing(header: Header) -> str:
    packing = _PACKING.get(header.get("encoding", "").lower())
    skipped = header.get("line skip", "0") != "0" or header.get("byte skip", "0") != "0"
    if packing is None or skipped:
        rule, found = "voxels must be raw, gzip or bzip2, from the first byte", "text, another form, or bytes to skip"
        raise refuse("unknown_form", rule, found, "Save the volume as one .nrrd file.")
    return packing


def _geometry(header: Header, axes: int) -> tuple[Float[np.ndarray, "4 4"] | None, tuple[float, float, float] | None]:
    """Affine and spacing as far as they are told; directions without a known space give the spacing alone."""
    factor = _millimetres(header)
    if "space directions" not in header:
        return None, _spacings(header, factor)
    found = _vectors(header["space directions"])
    if len(found) != axes or any(vector is None for vector in found[:3]) or len(found[:3]) < 3:
        return None, None
    if any(vector is not None for vector in found[3:]):
        raise contradiction("a fourth axis must have no direction in space", "it has")
    local = np.eye(4)
    local[:3, :3] = np.array([vector for vector in found[:3] if vector is not None]).T * factor
    origin = _vectors(header.get("space origin", "(0,0,0)"))
    if len(origin) != 1 or origin[0] is None:
        raise _malformed("space origin is no vector")
    local[:3, 3] = np.array(origin[0]) * factor
    check_affine(local)
    space = _SPACES.get(header.get("space", "").lower())
    return (None if space is None else check_affine(np.asarray(space @ local))), steps_of(local)


def _vectors(text: str) -> list[tuple[float, float, float] | None]:
    """Vectors such as ``(1,0,0)``; None where the file says ``none``."""
    vectors: list[tuple[float, float, float] | None] = []
    for word in re.findall(r"none|\([^)]*\)", text):
        try:
            numbers = None if word == "none" else [float(number) for number in word[1:-1].split(",")]
        except ValueError:
            raise _malformed("a vector does not hold numbers") from None
        if numbers is not None and len(numbers) != 3:
            raise _malformed("a vector does not hold 3 numbers")
        vectors.append(None if numbers is None else (numbers[0], numbers[1], numbers[2]))
    return vectors


def _spacings(header: Header, factor: float) -> tuple[float, float, float] | None:
    words = header.get("spacings", "").lower().split()[:3]
    if len(words) < 3 or "nan" in words:
        return None
    try:
        steps = [abs(float(word)) * factor for word in words]
    except ValueError:
        raise _malformed("spacings does not hold numbers") from None
    check_affine(np.diag([*steps, 1.0]))
    return steps[0], steps[1], steps[2]


def _millimetres(header: Header) -> float:
    units = {unit.lower() for unit in re.findall(r'"([^"]*)"', header.get("space units", ""))} - {""}
    if not units:
        return 1.0
    if len(units) > 1 or not units <= set(_UNITS):
        raise refuse("unknown_unit", "space units must be a length", "it is another", "Save the volume in mm.")
    return _UNITS[units.pop()]
