"""NIfTI-1 and -2, plain or gzipped, with the affine that the file proves; a doubtful one is refused. No torch.

Source: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h (codes of forms, units and number types).
"""

import gzip
import importlib
import zlib
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Float, Integer

from polyclinic.errors import MissingPackage, ReadError
from polyclinic.formats.scans.base import ArrayFormat, MaskWriter, first_bytes
from polyclinic.formats.voxels.payload import unpack
from polyclinic.formats.voxels.to_write import MaskToWrite
from polyclinic.formats.voxels.voxel_grid import (
    Raw,
    VolumeFacts,
    VoxelGrid,
    check_affine,
    check_shape,
    contradiction,
    damaged,
    refuse,
    steps_of,
    three_axes,
)

_GZIP = b"\x1f\x8b"
_FIRST, _SECOND = 348, 540
_LATEST_START = 1 << 26
"""Extensions between header and voxels are a few kilobytes; 64 MiB is beyond any."""

_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_SHAPED = ("pixdim", "qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
_GEOMETRY = (*_SHAPED, "sform_code", "srow_x", "srow_y", "srow_z", "xyzt_units")
_NUMBERS = "uif"
_LONGEST = 8
"""Bytes of a number: longer ones (float128) mean something else on each machine."""

_BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, OSError, ValueError, KeyError, OverflowError)


@final
class Nifti(ArrayFormat, MaskWriter):
    """A .nii or .nii.gz file."""

    name = "NIfTI"
    suffixes = (".nii", ".nii.gz")
    ending = ".nii.gz"
    axes = 3

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the mark of a single-file NIfTI stands in the header."""
        return _is_nifti(start)

    def read(self, path: Path) -> Raw:
        """The array of a file and its geometry."""
        with path.open("rb") as stream:
            source, zipped = _unzipped(stream)
            header = _header(source)
            shape, dtype = _layout(header)
            _skip(source, header)
            values = unpack(source, "raw", shape, dtype)
        slope, intercept = _scaling(header)
        affine, spacing = _geometry(header, shape)
        facts = VolumeFacts("NIfTI", "", 8 * dtype.itemsize, path.stat().st_size, shape, "gzip" if zipped else "")
        return Raw(values, affine, spacing, slope, intercept, facts)

    def writes_for(self, source: Path | None) -> bool:
        """Whether the source is NIfTI; masks of all sources without a format of their own are written so too."""
        return source is not None and source.is_file() and _is_nifti(first_bytes(source))

    def write(self, mask: MaskToWrite, source: Path | VoxelGrid | None) -> bytes:
        """A label image with the geometry of its source: of a NIfTI file to the last bit."""
        labels = mask.labels()
        header = read_header(source) if isinstance(source, Path) else None
        scan = source if isinstance(source, VoxelGrid) else None
        shape = labels.shape if scan is None else scan.values.shape
        shape = shape if header is None else _layout(header)[0]
        if shape != labels.shape:
            rule, found = "a mask must have the shape of its source", f"{labels.shape} instead of {shape}"
            raise refuse("other_geometry", rule, found, "Name the scan that the mask belongs to.")
        return nifti_bytes(labels, header, None if scan is None else scan.affine)


def _is_nifti(start: bytes) -> bool:
    return start[344:348] == b"n+1\0" or start[4:12] == b"n+2\0\r\n\x1a\n"


def _unzipped(stream: BufferedReader) -> tuple[BufferedIOBase, bool]:
    """The content of an open file, and whether it is zipped."""
    zipped = stream.read(2) == _GZIP
    stream.seek(0)
    return (gzip.GzipFile(fileobj=stream) if zipped else stream), zipped


def read_header(path: Path) -> Any:
    """The header of a file as nibabel's object.

    Raises:
        ReadError: damaged.
        MissingPackage: if nibabel is not installed.
    """
    with path.open("rb") as stream:
        return _header(_unzipped(stream)[0])


def _nibabel(purpose: str) -> Any:
    """The package; its types are told in part only."""
    try:
        return importlib.import_module("nibabel")
    except ImportError:
        raise MissingPackage("nibabel", "volume", purpose) from None


def _header(source: BufferedIOBase) -> Any:
    nibabel = _nibabel("reading NIfTI volumes")
    try:
        start = source.read(_FIRST)
        if _is_nifti(start) and start[344:348] == b"n+1\0":
            return nibabel.Nifti1Header(start, check=False)
        if _is_nifti(start):
            return nibabel.Nifti2Header(start + source.read(_SECOND - _FIRST), check=False)
    except Exception as error:  # nibabel has errors of its own for headers
        raise damaged(error) from None
    raise refuse("unknown_volume", "a NIfTI file must say so", "its mark is missing", "Convert it to .nii or .nii.gz.")


def _layout(header: Any) -> tuple[tuple[int, int, int], np.dtype[np.generic]]:
    """Shape and number type, checked before anything is unpacked."""
    count = int(header["dim"][0])
    if not 1 <= count <= 7:
        raise contradiction("a volume must have 1 to 7 axes", f"the header says {count}")
    sides = tuple(int(side) for side in header["dim"][1 : count + 1])
    if min(sides) < 1:
        raise contradiction("every axis must have points", "the header says that one has none")
    shape = three_axes(sides)
    try:
        dtype = np.dtype(header.get_data_dtype())
    except Exception:  # nibabel has errors of its own for number types
        raise _no_numbers() from None
    if dtype.kind not in _NUMBERS or dtype.itemsize > _LONGEST:
        raise _no_numbers()
    if int(header["bitpix"]) != 8 * dtype.itemsize:
        raise contradiction("bitpix must fit datatype", "it does not")
    check_shape(shape, dtype.itemsize)
    return shape, dtype


def _no_numbers() -> ReadError:
    rule, found = "voxels must be whole or real numbers of at most 64 bits", "they are colours, complex or unknown"
    return refuse("unknown_depth", rule, found, "Save the volume as 16-bit integers or 32-bit floats.")


def _skip(source: BufferedIOBase, header: Any) -> None:
    """Forward to the first voxel."""
    start, read = float(header["vox_offset"]), int(header["sizeof_hdr"])
    if not (np.isfinite(start) and start.is_integer() and read <= start <= _LATEST_START):
        raise contradiction("vox_offset must be the place of the first voxel", "it lies elsewhere")
    try:
        missing = int(start) - read - len(source.read(int(start) - read))
    except _BROKEN as error:
        raise damaged(error) from None
    if missing:
        raise damaged(EOFError())


def _scaling(header: Any) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 or NaN means that there is none (nifti1.h, scl_slope)."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if np.isnan(slope) or slope == 0:
        return 1.0, 0.0
    if not (np.isfinite(slope) and np.isfinite(intercept)):
        raise contradiction("scl_slope and scl_inter must be numbers", "they are not")
    return slope, intercept


def _geometry(
    header: Any, shape: tuple[int, int, int]
) -> tuple[Float[np.ndarray, "4 4"] | None, tuple[float, float, float] | None]:
    """The affine in mm, of which two forms must not contradict each other; or the spacing alone."""
    unit = int(header["xyzt_units"]) & 7
    if unit not in _MILLIMETRES:
        raise contradiction("xyzt_units must be metres, millimetres or micrometres", "it is another")
    forms = [form for form in (_sform(header), _qform(header)) if form is not None]
    scaled = [check_affine(_scaled(form, _MILLIMETRES[unit])) for form in forms]
    steps = np.abs(np.asarray(header["pixdim"][1:4], dtype=np.float64)) * _MILLIMETRES[unit]
    if not np.isfinite(steps).all():
        raise refuse("broken_affine", "pixdim must be lengths", "NaN or infinite", "Correct the header.")
    if not scaled:
        spacing = (float(steps[0]), float(steps[1]), float(steps[2]))
        return None, spacing if min(spacing) > 0 else None
    affine = scaled[0]
    if len(scaled) == 2:
        _check_agree(scaled[0], scaled[1], shape)
    stated = steps > 0
    if not np.allclose(steps[stated], np.array(steps_of(affine))[stated], rtol=0.02):
        raise contradiction("pixdim must be the length of a step of the affine", "it is not")
    return affine, steps_of(affine)


def _sform(header: Any) -> Float[np.ndarray, "4 4"] | None:
    if int(header["sform_code"]) <= 0:
        return None
    return np.asarray(header.get_sform(), dtype=np.float64)


def _qform(header: Any) -> Float[np.ndarray, "4 4"] | None:
    if int(header["qform_code"]) <= 0:
        return None
    try:
        return np.asarray(header.get_qform(), dtype=np.float64)
    except Exception:  # quaternions longer than 1, NaN
        rule, found = "the qform must be a rotation", "it is none"
        raise refuse("broken_affine", rule, found, "Correct the header, or set qform_code to 0.") from None


def _scaled(affine: Float[np.ndarray, "4 4"], factor: float) -> Float[np.ndarray, "4 4"]:
    with np.errstate(invalid="ignore"):
        return np.asarray(affine * np.array([[factor], [factor], [factor], [1.0]]))


def _check_agree(one: Float[np.ndarray, "4 4"], other: Float[np.ndarray, "4 4"], shape: tuple[int, int, int]) -> None:
    """Two forms must put every corner at the same place, within half a step."""
    corners = np.array(np.meshgrid(*[(0, side - 1) for side in shape], indexing="ij")).reshape(3, -1)
    apart = np.linalg.norm((one - other)[:3] @ np.vstack([corners, np.ones(corners.shape[1])]), axis=0)
    if apart.max() > 0.5 * min(steps_of(one)):
        raise refuse(
            "contradictory_affine",
            "sform and qform must say the same",
            f"they put a corner {apart.max():.3g} mm apart",
            "Find out which is right and set the code of the other to 0.",
        )


def nifti_bytes(labels: Integer[np.ndarray, "i j k"], like: Any, affine: Float[np.ndarray, "4 4"] | None) -> bytes:
    """A label image as the bytes of a .nii.gz, with the geometry of ``like`` to the last bit.

    Args:
        labels: The mask.
        like: Header of a NIfTI file (``read_header``), or None.
        affine: Geometry where there is no such header; None = unknown.

    Raises:
        MissingPackage: if nibabel is not installed.
    """
    nibabel = _nibabel("writing NIfTI masks")
    if like is None:
        image = nibabel.Nifti1Image(labels, affine)
        image.header.set_xyzt_units("mm")
    else:
        second = int(like["sizeof_hdr"]) == _SECOND
        image = (nibabel.Nifti2Image if second else nibabel.Nifti1Image)(labels, None)
        for field in _GEOMETRY:  # nothing else: descriptions and extensions may name a patient
            image.header[field] = like[field]
    image.header["cal_max"] = 0
    content: bytes = image.to_bytes()
    return gzip.compress(content, mtime=0)
