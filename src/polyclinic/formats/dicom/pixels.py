"""One-frame DICOM images as a viewer shows them: modality LUT, window, inversion, colour. Doubt is refused. No torch.

Source: DICOM PS3.3 C.7.6.3 (pixels), C.11.1 (modality LUT), C.11.2 (VOI LUT and window), C.7.5.1.1.2 (padding).
"""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Shaped

from polyclinic.errors import MissingPackage, PolyclinicError, ReadError
from polyclinic.formats.dicom.codestream import declared_extent
from polyclinic.formats.dicom.decoders import decoder_for, may_see
from polyclinic.formats.pictures.frame import MOST_BYTES, FileProperties, Frame, check_extent, refuse

VERSION = 2
"""Raised whenever the same file would be decoded to other pixels; part of every cache key."""

Window = Literal["file", "none"] | tuple[float, float]
"""What becomes black and white: what the file says, nothing (the measured values stay), or centre and width."""

_LEVELS = 65535
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_HEADER = 4096
_PIECE = 1 << 24
_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR")


def recognise(content: bytes) -> bool:
    """Whether a file is DICOM by its content, whatever its name."""
    return content[128:132] == b"DICM"


def read(content: bytes, window: Window = "file") -> Frame:
    """The one image of a DICOM file; grey in 16 bits after its window, or as measured where there is none.

    Raises:
        ReadError: damaged, several frames, no pixels, or header entries that contradict each other.
        MissingPackage: if pydicom is not installed.
    """
    with guarded():
        return _decode(opened(content), len(content), window)


def opened(content: bytes, *, pixels: bool = True) -> Any:
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


def _decode(dataset: Any, size: int, window: Window) -> Frame:
    _check_header(dataset)
    stored = stored_pixels(dataset)
    facts = _facts(dataset, size)
    if dataset.PhotometricInterpretation in _GREY:
        return _grey(dataset, stored, facts, window)
    return _colour(dataset, stored, facts)


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


def _check_header(dataset: Any) -> None:
    if "PixelData" not in dataset:
        raise refuse(
            "no_pixels", "the file must hold an image", "it holds none that can be shown", "Leave its row out."
        )
    check_extent(int(dataset.Columns), int(dataset.Rows))
    if int(dataset.get("NumberOfFrames") or 1) != 1:
        raise refuse(
            "several_frames",
            "a file must hold one image",
            "it holds several frames",
            "Read it as a volume, or save the frame that is meant.",
        )
    if dataset.PhotometricInterpretation not in (*_GREY, *_COLOUR):
        raise refuse(
            "unknown_mode",
            "pixels must be grey or colour",
            "another photometric interpretation",
            "Convert the image to MONOCHROME2 or RGB.",
        )
    shape = dataset.get("PresentationLUTShape")
    if shape and (shape == "INVERSE") != (dataset.PhotometricInterpretation == "MONOCHROME1"):
        raise refuse(
            "contradictory_header",
            "PresentationLUTShape must fit PhotometricInterpretation",
            "one says that high is white, the other that it is black",
            "Ask the maker of the file which is right and correct the header.",
        )


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


def _facts(dataset: Any, size: int) -> FileProperties:
    maker = " ".join(str(dataset.get(key) or "") for key in ("Modality", "Manufacturer", "ManufacturerModelName"))
    syntax = str(getattr(dataset.file_meta, "TransferSyntaxUID", ""))
    bits = int(dataset.BitsStored)
    mode = str(dataset.PhotometricInterpretation)
    spacing = _spacing(dataset)
    return FileProperties(
        "DICOM",
        mode,
        bits,
        size,
        int(dataset.Columns),
        int(dataset.Rows),
        f"{maker} {syntax}".strip(),
        spacing,
        "px" if spacing is None else "mm",
    )


def _spacing(dataset: Any) -> tuple[float, float] | None:
    """Length of a step down and across in the patient; that on the detector alone (ImagerPixelSpacing) is not it."""
    told = dataset.get("PixelSpacing")
    if told is None or len(told) != 2:
        return None
    down, across = (float(step) for step in told)
    known = np.isfinite([down, across]).all() and min(down, across) > 0
    return (down, across) if known else None


def _grey(dataset: Any, stored: Shaped[np.ndarray, "height width"], facts: FileProperties, window: Window) -> Frame:
    """Grey: measured value, then window, then inversion; padding outside the field of view becomes black."""
    measured, low, high = measured_pixels(dataset, stored)
    shown = _shown(dataset, measured, window)
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    padding = padding_of(dataset, stored)
    if shown is not None:
        fraction = 1.0 - shown if inverted else shown
        levels = np.where(padding, 0.0, fraction * _LEVELS)
        return Frame(np.rint(levels).astype(np.uint16)[:, :, None], 0.0, float(_LEVELS), facts)
    values = np.where(padding, high if inverted else low, measured).astype(np.float32)[:, :, None]
    return Frame(values, *((high, low) if inverted else (low, high)), facts)


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


def _shown(
    dataset: Any, measured: Float[np.ndarray, "height width"], window: Window
) -> Float[np.ndarray, "height width"] | None:
    """Fractions from black to white, or None where nothing says what black and white are."""
    if isinstance(window, tuple):
        return apply_window(measured, window[0], window[1], "LINEAR_EXACT")
    if window == "none":
        return None
    table = dataset.get("VOILUTSequence")
    if table:
        from pydicom.pixels.processing import apply_voi

        levels = np.asarray(apply_voi(np.rint(measured).astype(np.int64), dataset), dtype=np.float64)
        return np.asarray(levels / (2 ** int(table[0].LUTDescriptor[2]) - 1))
    centre, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if centre is None or width is None:
        return None
    return apply_window(measured, centre, width, str(dataset.get("VOILUTFunction") or "LINEAR").upper())


def _first(value: Any) -> float | None:
    """The first of several windows is the one to show; the others are alternatives (C.11.2.1.2)."""
    if value is None or value == "":
        return None
    return float(value[0] if hasattr(value, "__len__") and not isinstance(value, str) else value)


def apply_window(
    values: Float[np.ndarray, "height width"], centre: float, width: float, function: str
) -> Float[np.ndarray, "height width"]:
    """Measured values to fractions from black (0) to white (1).

    Args:
        values: Measured values, such as Hounsfield units.
        centre: Middle of the window, in the same unit.
        width: Width of the window, in the same unit.
        function: "LINEAR" (black at centre - width / 2, white at centre + width / 2 - 1), "LINEAR_EXACT", "SIGMOID".

    Raises:
        ReadError: if the width is not positive (LINEAR: below 1) or the function is none of these.

    Source: DICOM PS3.3 C.11.2.1.2.1 and C.11.2.1.3.
    """
    narrow = width < 1 if function == "LINEAR" else width <= 0
    if narrow or not (np.isfinite(width) and np.isfinite(centre)):
        raise refuse("impossible_window", "WindowWidth must be positive", "it is not", "Correct the header.")
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            return np.asarray(1.0 / (1.0 + np.exp(-4.0 * (values - centre) / width)))
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1.0
    elif function != "LINEAR_EXACT":
        raise refuse(
            "impossible_window",
            "VOILUTFunction must be LINEAR, LINEAR_EXACT or SIGMOID",
            "it is another",
            "Correct the header.",
        )
    if width == 0:
        return np.where(values > centre, 1.0, 0.0)
    return np.asarray(np.clip((values - centre) / width + 0.5, 0.0, 1.0))


def padding_of(dataset: Any, stored: Shaped[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Which pixels lie outside the field of view."""
    value = dataset.get("PixelPaddingValue")
    if not isinstance(value, int):
        return np.zeros(stored.shape, dtype=bool)
    limit = dataset.get("PixelPaddingRangeLimit")
    least, greatest = sorted((value, limit if isinstance(limit, int) else value))
    return (stored >= least) & (stored <= greatest)


def _colour(dataset: Any, stored: Shaped[np.ndarray, "height width *channel"], facts: FileProperties) -> Frame:
    palette = dataset.PhotometricInterpretation == "PALETTE COLOR"
    if palette:
        from pydicom.pixels.processing import apply_color_lut

        stored = apply_color_lut(stored, dataset)[:, :, :3]
    if stored.ndim != 3 or stored.shape[2] != 3 or stored.dtype.kind != "u":
        raise refuse(
            "contradictory_header",
            "a colour image must have three channels of unsigned integers",
            "it has not",
            "Export it again.",
        )
    bits = _palette_bits(stored) if palette else int(dataset.BitsStored)
    if bits > 16:
        stored, bits = (stored >> (bits - 16)).astype(np.uint16), 16
    pixels = np.ascontiguousarray(stored, dtype=stored.dtype.newbyteorder("="))
    return Frame(pixels, 0.0, float(2**bits - 1), facts)


def _palette_bits(colours: Shaped[np.ndarray, "height width channel"]) -> int:
    """Bits of the palette's colours; some makers declare 16 and fill in 8 (and say so nowhere)."""
    return 8 if colours.dtype.itemsize == 1 or colours.max() <= 255 else 16
