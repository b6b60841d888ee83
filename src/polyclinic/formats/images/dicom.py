"""One-frame DICOM images as a viewer shows them: modality LUT, window, inversion, colour. Doubt is refused. No torch.

Source: DICOM PS3.3 C.7.6.3 (pixels), C.11.1 (modality LUT), C.11.2 (VOI LUT and window), C.7.5.1.1.2 (padding).
"""

from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.formats.dicom.dataset import guarded, is_dicom, open_dataset
from polyclinic.formats.dicom.stored import measured_pixels, padding_of, stored_pixels
from polyclinic.formats.images.base import ImageFormat, Window
from polyclinic.formats.pictures.frame import FileProperties, Frame, check_extent, refuse

_LEVELS = 65535
"""Windowed grey is kept in 16 bits: more than any monitor shows."""

_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR")


@final
class Dicom(ImageFormat):
    """A DICOM file of one frame."""

    name = "DICOM"
    suffixes = (".dcm",)
    version = 2

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the content says so, whatever the name."""
        return is_dicom(start)

    def read(self, content: bytes, window: Window = "file") -> Frame:
        """The one image of a file; grey in 16 bits after its window, or as measured where there is none.

        Raises:
            ReadError: damaged, several frames, no pixels, or header entries that contradict each other.
            MissingPackage: if pydicom is not installed.
        """
        with guarded():
            return _decode(open_dataset(content), len(content), window)


def _decode(dataset: Any, size: int, window: Window) -> Frame:
    _check_header(dataset)
    stored = stored_pixels(dataset)
    facts = _facts(dataset, size)
    if dataset.PhotometricInterpretation in _GREY:
        return _grey(dataset, stored, facts, window)
    return _colour(dataset, stored, facts)


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
    stated = dataset.get("PixelSpacing")
    if stated is None or len(stated) != 2:
        return None
    down, across = (float(step) for step in stated)
    known = np.isfinite([down, across]).all() and min(down, across) > 0
    return (down, across) if known else None


def _grey(dataset: Any, stored: Shaped[np.ndarray, "height width"], facts: FileProperties, window: Window) -> Frame:
    """Grey: measured value, then window, then inversion; padding outside the field of view becomes black."""
    measured, low, high = measured_pixels(dataset, stored)
    fraction = _fractions(dataset, measured, window)
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    padding = padding_of(dataset, stored)
    if fraction is not None:
        fraction = 1.0 - fraction if inverted else fraction
        levels = np.where(padding, 0.0, fraction * _LEVELS)
        return Frame(np.rint(levels).astype(np.uint16)[:, :, None], 0.0, float(_LEVELS), facts)
    values = np.where(padding, high if inverted else low, measured).astype(np.float32)[:, :, None]
    return Frame(values, *((high, low) if inverted else (low, high)), facts)


def _fractions(
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
    bits = int(dataset.BitsStored)
    if palette:  # some makers declare 16 bits of colour and fill in 8 (and say so nowhere)
        bits = 8 if stored.dtype.itemsize == 1 or stored.max() <= 255 else 16
    if bits > 16:
        stored, bits = (stored >> (bits - 16)).astype(np.uint16), 16
    pixels = np.ascontiguousarray(stored, dtype=stored.dtype.newbyteorder("="))
    return Frame(pixels, 0.0, float(2**bits - 1), facts)
