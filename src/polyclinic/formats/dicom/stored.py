"""Pixels of a DICOM dataset as stored and as measured, one frame or many; what contradicts its header is refused.

No torch. Source: DICOM PS3.3 C.7.6.3 (pixels), C.11.1 (modality LUT), C.7.5.1.1.2 (padding).
"""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped

from polyclinic.errors import ReadError
from polyclinic.formats.dicom.codestream import declared_extent
from polyclinic.formats.dicom.decoders import decoder_for, may_see
from polyclinic.formats.pictures.frame import refuse


def stored_pixels(dataset: Any) -> Shaped[np.ndarray, "height width *channel"]:
    """Stored values of the one image, colour as RGB, freed of bits that carry no image."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            _check_streams(dataset, 1)
            dataset.pixel_array_options(decoding_plugin=decoder_for(dataset))
            pixels: Shaped[np.ndarray, "height width *channel"] = dataset.pixel_array
        except UserWarning:
            raise _doubtful("their length or layout differs from the header") from None
    if pixels.shape[:2] != (dataset.Rows, dataset.Columns):
        raise _doubtful("another number of rows or columns")
    return _without_overlay(pixels, dataset)


def stored_frames(dataset: Any, count: int) -> Iterator[Shaped[np.ndarray, "height width"]]:
    """Stored values of each of several grey frames, one after another; only one is in memory at a time."""
    from pydicom.pixels.utils import iter_pixels

    found = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            _check_streams(dataset, count)
            for pixels in iter_pixels(dataset, decoding_plugin=decoder_for(dataset)):
                if pixels.shape != (dataset.Rows, dataset.Columns):
                    raise _doubtful("another number of rows or columns")
                yield _without_overlay(pixels, dataset)
                found += 1
        except UserWarning:
            raise _doubtful("their length or layout differs from the header") from None
    if found != count:
        raise _doubtful("another number of frames")


def _check_streams(dataset: Any, count: int) -> None:
    """Compressed frames must declare the size that the header declares: decoders believe them, whatever they say."""
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    from pydicom.encaps import generate_frames

    found = 0
    for stream in generate_frames(dataset.PixelData, number_of_frames=count):
        declared = declared_extent(stream)
        if declared is not None and declared != (dataset.Rows, dataset.Columns):
            raise _doubtful("another number of rows or columns")
        if not may_see(stream, dataset):
            raise _doubtful("a JPEG stream with a damaged part, or of a rare kind")
        found += 1
    if found != count:
        raise _doubtful("another number of frames")


def _doubtful(found: str) -> ReadError:
    rule = "the pixels must fit what the header says about them"
    return refuse("doubtful_pixels", rule, found, "Export it again.")


def _without_overlay(pixels: Shaped[np.ndarray, "..."], dataset: Any) -> Shaped[np.ndarray, "..."]:
    """Old files keep overlays in the bits above the image: cut them off, keep the sign."""
    bits, allocated = int(dataset.BitsStored), int(dataset.BitsAllocated)
    if bits >= allocated or pixels.dtype.kind not in "ui":
        return pixels
    if int(dataset.HighBit) != bits - 1:
        raise _doubtful("HighBit is not BitsStored - 1")
    low = pixels.astype(np.int64) & (2**bits - 1)
    if dataset.PixelRepresentation == 1:
        low = np.where(low >= 2 ** (bits - 1), low - 2**bits, low)
    return np.asarray(low, dtype=pixels.dtype)


def measured_pixels(
    dataset: Any, stored: Shaped[np.ndarray, "height width"]
) -> tuple[Float[np.ndarray, "height width"], float, float]:
    """Values after the modality LUT, and the least and greatest that the file's bits could give."""
    from pydicom.pixels.processing import apply_modality_lut

    table = dataset.get("ModalityLUTSequence")
    if table:
        measured = np.asarray(apply_modality_lut(stored, dataset), dtype=np.float64)
        return measured, 0.0, float(2 ** int(table[0].LUTDescriptor[2]) - 1)
    slope, intercept = rescale_of(dataset)
    bits = int(dataset.BitsStored)
    least = -(2 ** (bits - 1)) if dataset.PixelRepresentation == 1 else 0
    ends = sorted((least * slope + intercept, (least + 2**bits - 1) * slope + intercept))
    return stored.astype(np.float64) * slope + intercept, ends[0], ends[1]


def rescale_of(dataset: Any) -> tuple[float, float]:
    """RescaleSlope and RescaleIntercept; 1 and 0 where there are none.

    Raises:
        ReadError: if they are no numbers, or the slope is 0.
    """
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    slope, intercept = float(1 if slope is None else slope), float(0 if intercept is None else intercept)
    if not (np.isfinite(slope) and np.isfinite(intercept)) or slope == 0:
        raise refuse(
            "contradictory_header",
            "RescaleSlope must be a number other than 0",
            "it is not",
            "Correct the header.",
        )
    return slope, intercept


def padding_of(dataset: Any, stored: Shaped[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Which pixels lie outside the field of view."""
    value = dataset.get("PixelPaddingValue")
    if not isinstance(value, int):
        return np.zeros(stored.shape, dtype=bool)
    limit = dataset.get("PixelPaddingRangeLimit")
    least, greatest = sorted((value, limit if isinstance(limit, int) else value))
    return (stored >= least) & (stored <= greatest)
