"""Which decoder sees a compressed image, and which frames GDCM is never shown."""

import io

import pytest
from PIL import Image

from polyclinic.formats.dicom.decoders import decoder_for, may_see

pydicom = pytest.importorskip("pydicom")
from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.pixels import get_decoder  # noqa: E402

JPEG = "1.2.840.10008.1.2.4.50"
EXTENDED = "1.2.840.10008.1.2.4.51"
LOSSLESS = "1.2.840.10008.1.2.4.70"
OTHERS = ("1.2.840.10008.1.2.5", JPEG, "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.90")


def dataset(syntax, bits=8):
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    made.BitsAllocated, made.SamplesPerPixel = bits, 1
    return made


@pytest.mark.parametrize("syntax", OTHERS)
def test_the_named_decoder_is_there_and_is_not_gdcm(syntax):
    name = decoder_for(dataset(syntax))
    assert name in get_decoder(syntax).available_plugins
    assert name != "gdcm"


def test_gdcm_sees_sound_streams_only():
    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "JPEG")
    assert decoder_for(dataset(EXTENDED)) == "pillow"
    assert decoder_for(dataset(EXTENDED, 16)) == decoder_for(dataset(LOSSLESS)) == ""
    assert may_see(stream.getvalue(), dataset(LOSSLESS))
    assert not may_see(stream.getvalue()[:-2], dataset(LOSSLESS))
    assert not may_see(b"rubbish", dataset(EXTENDED, 16))
    assert may_see(b"rubbish", dataset(JPEG))
