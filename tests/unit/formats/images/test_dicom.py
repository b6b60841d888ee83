"""Single-frame DICOM against files made here: what a viewer would show, or a refusal."""

import builtins
import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from polyclinic.errors import MissingPackage, ReadError
from polyclinic.formats.images.dicom import Dicom

pydicom = pytest.importorskip("pydicom")
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset  # noqa: E402
from pydicom.pixels.processing import apply_windowing  # noqa: E402
from pydicom.uid import (  # noqa: E402
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

RAMP = np.arange(16, dtype=np.uint16).reshape(4, 4) * 100


def make(pixels=RAMP, *, bits=12, signed=False, photometric="MONOCHROME2", big=False, content=None, **header):
    """The bytes of a DICOM file of one image; entries of ``header`` that are None are left out."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRBigEndian if big else ExplicitVRLittleEndian
    dataset = FileDataset(
        None, {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=False, is_little_endian=not big
    )
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = meta.MediaStorageSOPClassUID, "1.2.3", "CT"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = int(signed)
    order = ">" if big else "<"
    stored = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes() if content is None else content
    dataset.PixelData = stored + b"\0" * (len(stored) % 2)
    dataset["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"
    for name, value in header.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def shown(content, window="file"):
    """Fractions from black to white."""
    frame = Dicom().read(content, window)
    return (frame.pixels[:, :, 0].astype(float) - frame.low) / (frame.high - frame.low)


def refusal(content, window="file"):
    with pytest.raises(ReadError) as caught:
        Dicom().read(content, window)
    (finding,) = caught.value.findings
    return finding.name


def test_recognised_by_content():
    assert Dicom().recognises(Path("x"), make())
    assert not Dicom().recognises(Path("x"), b"\x89PNG" + b"\0" * 200)
    assert not Dicom().recognises(Path("x"), b"")


def test_without_window_the_measured_values_stay():
    frame = Dicom().read(make(RescaleSlope=2, RescaleIntercept=-1024))
    assert np.array_equal(frame.pixels[:, :, 0], RAMP * 2.0 - 1024)
    assert (frame.low, frame.high) == (-1024, 4095 * 2 - 1024)
    assert frame.facts.format == "DICOM"
    assert frame.facts.bits == 12


def test_signed_pixels():
    pixels = RAMP.astype(np.int16) - 800
    frame = Dicom().read(make(pixels, bits=16, signed=True))
    assert np.array_equal(frame.pixels[:, :, 0], pixels)
    assert (frame.low, frame.high) == (-32768, 32767)


def test_big_endian():
    assert np.array_equal(Dicom().read(make(big=True)).pixels, Dicom().read(make()).pixels)


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_agree_with_pydicom(function):
    """Numbers of pydicom's own apply_windowing, which spans the range of the stored bits."""
    header = {"WindowCenter": 700, "WindowWidth": 401, "RescaleSlope": 1, "RescaleIntercept": 0}
    if function:
        header["VOILUTFunction"] = function
    content = make(**header)
    theirs = apply_windowing(RAMP, pydicom.dcmread(io.BytesIO(content))) / 4095
    assert np.allclose(shown(content), theirs, atol=1 / 65535)


def test_linear_window_by_hand():
    """PS3.3 C.11.2.1.2.1: black at centre - 0.5 - (width - 1) / 2, white half a width above."""
    content = make(np.array([[0, 99, 100, 101, 200]], dtype=np.uint16), WindowCenter=100.5, WindowWidth=201)
    assert np.allclose(shown(content)[0], [0, 0.495, 0.5, 0.505, 1], atol=1e-4)


def test_window_comes_after_rescale():
    content = make(RescaleSlope=1, RescaleIntercept=-1000, WindowCenter=0, WindowWidth=1000)
    below = shown(content)[RAMP < 500]
    assert (below == 0).all()
    assert shown(content)[3, 3] == 1


def test_the_first_of_several_windows_counts():
    many = make(WindowCenter=[700, 40], WindowWidth=[401, 80])
    assert np.array_equal(shown(many), shown(make(WindowCenter=700, WindowWidth=401)))


def test_window_asked_for():
    content = make(RescaleSlope=1, RescaleIntercept=-1000, WindowCenter=0, WindowWidth=10)
    assert np.allclose(shown(content, (0.0, 2000.0)), np.clip((RAMP - 1000.0) / 2000 + 0.5, 0, 1), atol=1e-4)
    assert np.array_equal(Dicom().read(content, "none").pixels[:, :, 0], RAMP - 1000.0)


def test_voi_table_comes_before_the_window():
    table = Dataset()
    table.LUTDescriptor = [16, 0, 12]
    table.LUTData = (np.arange(16, dtype="<u2") * 273).tobytes()
    table["LUTData"].VR = "OW"
    table["LUTDescriptor"].VR = "US"
    pixels = np.arange(16, dtype=np.uint16).reshape(4, 4)
    content = make(pixels, VOILUTSequence=[table], WindowCenter=1, WindowWidth=1)
    assert np.allclose(shown(content).ravel() * 15, np.arange(16), atol=1e-3)


def test_modality_table():
    table = Dataset()
    table.LUTDescriptor = [4, 0, 16]
    table.LUTData = np.array([7, 100, 2000, 60000], dtype="<u2").tobytes()
    table["LUTData"].VR = "OW"
    table["LUTDescriptor"].VR = "US"
    table.ModalityLUTType = "OD"
    pixels = np.array([[0, 1], [2, 3]], dtype=np.uint16)
    frame = Dicom().read(make(pixels, ModalityLUTSequence=[table]))
    assert frame.pixels[:, :, 0].tolist() == [[7, 100], [2000, 60000]]
    assert (frame.low, frame.high) == (0, 65535)


@pytest.mark.parametrize("header", [{}, {"WindowCenter": 700, "WindowWidth": 401}])
def test_monochrome1_is_inverted(header):
    straight = shown(make(**header))
    inverted = shown(make(photometric="MONOCHROME1", **header))
    assert np.allclose(inverted, 1 - straight, atol=1e-4)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("header", [{}, {"WindowCenter": 700, "WindowWidth": 401}])
def test_padding_is_black(photometric, header):
    pixels = RAMP.copy()
    pixels[0, :2] = 4000
    fractions = shown(make(pixels, photometric=photometric, PixelPaddingValue=4000, **header))
    assert (fractions[0, :2] == 0).all()
    assert fractions[2:].max() > 0


def test_overlay_bits_above_the_image_are_cut_off():
    assert np.array_equal(Dicom().read(make(RAMP | 0x8000)).pixels, Dicom().read(make()).pixels)


def test_colour():
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    frame = Dicom().read(make(pixels, bits=8, photometric="RGB"))
    assert np.array_equal(frame.pixels, pixels)
    assert (frame.low, frame.high) == (0, 255)


def test_ybr_becomes_rgb():
    """Source of the numbers: DICOM PS3.3 C.7.6.3.1.2, white, pure red and black."""
    pixels = np.array([[[255, 128, 128], [76, 85, 255], [0, 128, 128]]], dtype=np.uint8)
    read = Dicom().read(make(pixels, bits=8, photometric="YBR_FULL")).pixels[0].astype(int)
    assert np.abs(read - [[255, 255, 255], [254, 0, 0], [0, 0, 0]]).max() <= 1


def palette(values, bits=16):
    header = {}
    for number, colour in enumerate(("Red", "Green", "Blue")):
        header[f"{colour}PaletteColorLookupTableDescriptor"] = [len(values), 0, bits]
        header[f"{colour}PaletteColorLookupTableData"] = (np.array(values, dtype="<u2") * (number + 1)).tobytes()
    return header


def test_palette():
    pixels = np.array([[0, 1, 2]], dtype=np.uint8)
    frame = Dicom().read(make(pixels, bits=8, photometric="PALETTE COLOR", **palette([0, 1000, 20000])))
    assert frame.pixels[0].tolist() == [[0, 0, 0], [1000, 2000, 3000], [20000, 40000, 60000]]
    assert frame.high == 65535


def test_palette_of_bytes_that_says_words():
    pixels = np.array([[0, 1, 2]], dtype=np.uint8)
    frame = Dicom().read(make(pixels, bits=8, photometric="PALETTE COLOR", **palette([0, 10, 85])))
    assert frame.pixels[0, 2].tolist() == [85, 170, 255]
    assert frame.high == 255


def test_several_frames():
    assert refusal(make(np.zeros((4, 4), np.uint16), content=b"\0" * 64, NumberOfFrames=2)) == "several_frames"
    assert Dicom().read(make(NumberOfFrames=1)).pixels.shape == (4, 4, 1)


def test_no_pixels():
    assert refusal(make(PixelData=None)) == "no_pixels"


@pytest.mark.parametrize("count", [0, 10, 30])
def test_too_few_pixels(count):
    assert refusal(make(content=b"\0" * count)) == "damaged_image"


def test_too_many_pixels_are_doubtful():
    assert refusal(make(content=b"\0" * 64)) == "doubtful_pixels"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated(share):
    content = make(np.zeros((64, 64), np.uint16))
    assert refusal(content[: int(len(content) * share)]) in ("damaged_image", "no_pixels", "doubtful_pixels")


@pytest.mark.parametrize(("rows", "columns"), [(0, 4), (65535, 65535)])
def test_absurd_extent(rows, columns):
    assert refusal(make(Rows=rows, Columns=columns)) in ("image_too_large", "empty_image")


def compressed(stream, syntax, rows=8, columns=8):
    """A DICOM file around a compressed stream."""
    from pydicom.encaps import encapsulate

    whole = pydicom.dcmread(io.BytesIO(make(np.zeros((rows, columns), np.uint8), bits=8)))
    whole.file_meta.TransferSyntaxUID = syntax
    whole.PixelData = encapsulate([stream])
    whole["PixelData"].VR = "OB"
    whole["PixelData"].is_undefined_length = True
    file = io.BytesIO()
    whole.save_as(file, enforce_file_format=True)
    return file.getvalue()


@pytest.mark.parametrize(("form", "syntax"), [("JPEG", JPEGBaseline8Bit), ("JPEG2000", JPEG2000Lossless)])
def test_compressed(form, syntax):
    image = Image.fromarray(np.tile(np.arange(0, 256, 32, dtype=np.uint8), (8, 1)))
    stream = io.BytesIO()
    image.save(stream, form, **({"quality": 95} if form == "JPEG" else {"no_jp2": True}))
    read = Dicom().read(compressed(stream.getvalue(), syntax)).pixels[:, :, 0]
    assert np.abs(read - np.asarray(image, dtype=float)).max() <= (0 if form == "JPEG2000" else 4)
    assert refusal(compressed(stream.getvalue(), syntax, rows=9)) == "doubtful_pixels"


def test_a_stream_that_declares_another_size_is_never_decoded():
    image = io.BytesIO()
    Image.new("L", (8, 8)).save(image, "JPEG")
    stream = bytearray(image.getvalue())
    at = stream.index(b"\xff\xc0") + 5
    stream[at : at + 4] = b"\xff\xff\xff\xff"
    assert refusal(compressed(bytes(stream), JPEGBaseline8Bit)) == "doubtful_pixels"


def test_deflated(monkeypatch):
    whole = pydicom.dcmread(io.BytesIO(make()))
    whole.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    stream = io.BytesIO()
    whole.save_as(stream, enforce_file_format=True)
    assert np.array_equal(Dicom().read(stream.getvalue()).pixels, Dicom().read(make()).pixels)
    monkeypatch.setattr("polyclinic.formats.dicom.dataset.MOST_BYTES", 100)
    assert refusal(stream.getvalue()) == "image_too_large"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ({"RescaleSlope": 0, "RescaleIntercept": 0}, "contradictory_header"),
        ({"WindowCenter": 5, "WindowWidth": 0}, "impossible_window"),
        ({"WindowCenter": 5, "WindowWidth": -10, "VOILUTFunction": "SIGMOID"}, "impossible_window"),
        ({"WindowCenter": 5, "WindowWidth": 10, "VOILUTFunction": "CUBIC"}, "impossible_window"),
        ({"PresentationLUTShape": "INVERSE"}, "contradictory_header"),
        ({"HighBit": 13}, "doubtful_pixels"),
        ({"PhotometricInterpretation": "HSV"}, "unknown_mode"),
    ],
)
def test_contradictions(header, name):
    assert refusal(make(**header)) == name


def test_monochrome1_with_its_own_inverse_shape():
    content = make(photometric="MONOCHROME1", PresentationLUTShape="INVERSE")
    assert np.allclose(shown(content), 1 - shown(make()))


def test_header_without_dicom_mark():
    assert refusal(make()[132:]) in ("unknown_image", "damaged_image")


def test_random_damage_never_escapes():
    rng = np.random.default_rng(5)
    whole = make(WindowCenter=700, WindowWidth=401, RescaleSlope=1, RescaleIntercept=0)
    for _ in range(150):
        content = bytearray(whole)
        for place in rng.integers(132, len(content), size=3):
            content[place] = rng.integers(0, 256)
        with contextlib.suppress(ReadError):
            assert Dicom().read(bytes(content)).pixels.ndim == 3


def test_without_pydicom(monkeypatch):
    original = builtins.__import__

    def refuse(name, *rest, **keys):
        if name.startswith("pydicom"):
            raise ImportError(name)
        return original(name, *rest, **keys)

    content = make()
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingPackage, match=r"polyclinic\[dicom\]"):
        Dicom().read(content)


@pytest.mark.parametrize("place", range(0, 200, 7))
def test_a_damaged_stream_without_loss_never_ends_the_process(place):
    """GDCM, the one decoder of these, ends the process on a second frame header or on other components."""
    image = io.BytesIO()
    Image.new("L", (8, 8)).save(image, "JPEG")
    stream = bytearray(image.getvalue())
    stream[place : place + 2] = b"\xff\xc0"
    with contextlib.suppress(ReadError):
        Dicom().read(compressed(bytes(stream), "1.2.840.10008.1.2.4.51"))


@pytest.mark.parametrize(
    ("told", "spacing"), [([0.5, 0.25], (0.5, 0.25)), ([0.5, 0], None), (None, None)], ids=["told", "zero", "silent"]
)
def test_spacing_in_the_patient(told, spacing):
    facts = Dicom().read(make(**({} if told is None else {"PixelSpacing": told}))).facts
    assert facts.spacing == spacing
    assert facts.unit == ("px" if spacing is None else "mm")
