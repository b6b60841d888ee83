"""Which decoder may see a compressed DICOM image: one that answers damage with an error. No torch."""

from typing import Any

from polyclinic.formats.dicom.codestream import is_sound_jpeg

_EXTENDED = "1.2.840.10008.1.2.4.51"
_BY_GDCM = (_EXTENDED, "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
"""JPEG of 12 bits and without loss, which GDCM alone decodes. It ends the whole process on damage that it sees late."""

_DECODERS = {
    "1.2.840.10008.1.2.5": "pydicom",
    "1.2.840.10008.1.2.4.50": "pillow",
    "1.2.840.10008.1.2.4.80": "pyjpegls",
    "1.2.840.10008.1.2.4.81": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pylibjpeg",
    "1.2.840.10008.1.2.4.91": "pylibjpeg",
}
"""RLE, JPEG, JPEG-LS, JPEG 2000. HTJ2K has one decoder only."""


def decoder_for(dataset: Any) -> str:
    """The name that pydicom has for the decoder to use, "" for the only one there is."""
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    return "pillow" if syntax == _EXTENDED and dataset.BitsAllocated == 8 else _DECODERS.get(syntax, "")


def may_see(stream: bytes, dataset: Any) -> bool:
    """Whether the decoder may be shown a frame: GDCM only those that are sound in every part."""
    if decoder_for(dataset) or str(dataset.file_meta.TransferSyntaxUID) not in _BY_GDCM:
        return True
    return is_sound_jpeg(stream, int(dataset.SamplesPerPixel), int(dataset.BitsAllocated))
