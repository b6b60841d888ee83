"""A DICOM file opened by pydicom: recognised by its content, guarded against bombs and damage. No torch."""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from polyclinic.errors import MissingPackage, PolyclinicError
from polyclinic.formats.pictures.frame import MOST_BYTES, refuse

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_HEADER = 4096
"""Bytes in which a file says how it is stored: the preamble and group 2, which rarely exceeds a few hundred bytes."""

_PIECE = 1 << 24
"""Bytes unfolded at a time: a bomb is noticed after one piece too many, not when memory is full."""


def is_dicom(content: bytes) -> bool:
    """Whether a file is DICOM by its content, whatever its name."""
    return content[128:132] == b"DICM"


def open_dataset(content: bytes, *, pixels: bool = True) -> Any:
    """The dataset of a file; call it, and all that looks into the dataset, within ``guarded``.

    Args:
        content: The whole file.
        pixels: Whether the pixels are needed too.
    """
    import pydicom

    _check_deflated(content)
    return pydicom.dcmread(io.BytesIO(content), stop_before_pixels=not pixels)


@contextmanager
def guarded() -> Iterator[None]:
    """Whatever pydicom and its decoders raise on damaged files becomes a finding.

    Raises:
        ReadError: for anything raised inside.
        MissingPackage: if pydicom is not installed.
    """
    try:
        from pydicom.errors import InvalidDicomError
    except ImportError:
        raise MissingPackage("pydicom", "dicom", "reading DICOM images") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd dates and names in the header say nothing about the pixels
            yield
    except PolyclinicError:
        raise
    except InvalidDicomError:
        raise refuse("unknown_image", "a DICOM file must say so", "its header is missing", "Export it again.") from None
    except Exception as error:  # pydicom and its decoders raise anything at all on damaged files
        raise refuse(
            "damaged_image",
            "a DICOM file must be complete, undamaged and of a known compression",
            f"it could not be decoded ({type(error).__name__})",
            "Copy or export it again; compressed files need pip install 'polyclinic[dicom]'.",
        ) from None


def _check_deflated(content: bytes) -> None:
    """Refuse a deflated file that would unfold to an absurd size; pydicom unfolds it whole."""
    if _DEFLATED not in content[:_HEADER]:
        return
    # The group length at byte 140 says where the file's own header ends and the deflated part begins.
    start = 144 + struct.unpack("<I", content[140:144])[0]
    inflate, size, rest = zlib.decompressobj(-zlib.MAX_WBITS), 0, content[start:]
    while rest and size <= MOST_BYTES:
        size += len(inflate.decompress(rest, _PIECE))
        rest = inflate.unconsumed_tail
    if size > MOST_BYTES:
        raise refuse(
            "image_too_large",
            f"a file may unfold to at most {MOST_BYTES // 1024**2} MiB",
            "it unfolds to more (a decompression bomb?)",
            "Do not trust this file; export it again from its source.",
        )
