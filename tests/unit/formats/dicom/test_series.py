"""Folders of DICOM slices: right where the geometry proves it, else refused; SimpleITK and highdicom beside."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from cases import head, made
from polyclinic.errors import ReadError, Severity
from polyclinic.formats.dicom import series
from polyclinic.formats.read_scan import read_scan

# What SimpleITK 2.5 does otherwise, seen in `benchmarks/dicom_cases.py`; in all other cases it must agree.
ITK_DIFFERS = {
    "identical copy of a slice",
    "monochrome1 in hounsfield units",
    "gantry tilt",
    "padding outside the field",
    "enhanced with rescale in groups",
}


@pytest.fixture(autouse=True)
def quiet():
    """ITK warns on standard error, highdicom by warnings: here it is ours that is judged."""
    made.SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(made.CASES))
def test_right_or_refused(name, tmp_path):
    path, truth = made.CASES[name](tmp_path / "case")
    found = made.ours(path)
    if isinstance(truth, str):
        assert isinstance(found, str)
        assert set(found.split("|")) & set(truth.split("|"))
        return
    assert made.verdict(found, truth) == "right"
    if name not in ITK_DIFFERS:
        assert made.verdict(found, made.by_simpleitk(path)) == "right"


def refusal(folder):
    with pytest.raises(ReadError) as caught:
        read_scan(folder)
    return {finding.name for finding in caught.value.findings}


def notes(folder):
    return {finding.name: finding.severity for finding in read_scan(folder).notes}


def test_what_is_said_of_a_plain_series(tmp_path):
    volume = read_scan(made.write(tmp_path / "s", made.series()))
    assert volume.values.dtype == np.int16
    assert (volume.low, volume.high) == (-1024, 3071)
    assert volume.spacing == pytest.approx((0.9, 0.7, 2.5))
    assert volume.notes == ()
    assert (volume.facts.format, volume.facts.modality, volume.facts.bits) == ("DICOM series", "CT", 12)
    assert volume.facts.shape == volume.values.shape == (made.COLUMNS, made.ROWS, made.SLICES)
    assert volume.facts.origin.startswith("Maker Model")


def test_a_path_may_be_relative(tmp_path):
    made.write(tmp_path / "s", made.series())
    assert np.array_equal(read_scan("s", tmp_path).values, read_scan(tmp_path / "s").values)


def test_folders_below_belong_to_the_series(tmp_path):
    slices = made.series()
    made.write(tmp_path / "s" / "a", slices[:3])
    made.write(tmp_path / "s" / "b", slices[3:])
    assert read_scan(tmp_path / "s").values.shape[2] == made.SLICES


def test_what_was_put_right_is_told(tmp_path):
    slices = made.series()
    slices[0].InstanceNumber = 5
    assert notes(made.write(tmp_path / "a", slices)) == {"instance_numbers": Severity.NOTE}
    assert notes(made.write(tmp_path / "b", [*made.series(), made.series()[2]])) == {"copied_slices": Severity.WARNING}
    path, _ = made.CASES["gantry tilt"](tmp_path / "c")
    assert notes(path) == {"sheared_volume": Severity.NOTE}


def test_numbers_in_the_other_direction_are_no_doubt(tmp_path):
    slices = made.series()
    for one in slices:
        one.InstanceNumber = 100 - one.InstanceNumber
    assert notes(made.write(tmp_path / "s", slices)) == {}


def test_fewer_slices_than_the_scanner_counted(tmp_path):
    slices = made.series()
    for one in slices:
        one.ImagesInAcquisition = 12
    assert notes(made.write(tmp_path / "s", slices)) == {"fewer_slices": Severity.WARNING}


def test_every_second_slice_is_told_where_the_header_knows(tmp_path):
    slices = made.series()
    for one in slices:
        one.SpacingBetweenSlices = 2.5
    assert notes(made.write(tmp_path / "a", slices)) == {}
    assert notes(made.write(tmp_path / "b", made.series()[::2])) == {}
    assert notes(made.write(tmp_path / "c", slices[::2])) == {"other_spacing": Severity.WARNING}


def test_a_ct_with_two_rescales_is_told(tmp_path):
    slices = made.series()
    slices[2].RescaleIntercept = -1000
    assert notes(made.write(tmp_path / "s", slices)) == {"mixed_rescale": Severity.WARNING}


def test_an_image_that_lost_its_size_is_not_passed_over(tmp_path):
    slices = made.series(count=3)
    del slices[1].Rows
    assert refusal(made.write(tmp_path / "s", slices)) == {"no_pixels"}


def test_texts_are_passed_over_but_nothing_else(tmp_path):
    folder = made.write(tmp_path / "s", made.series())
    (folder / ".hidden").write_bytes(b"x")
    assert notes(folder) == {}
    (folder / "readme.txt").write_text("x")
    assert notes(folder) == {"foreign_files": Severity.NOTE}
    (folder / "slice9").write_bytes(b"x" * 200)
    assert refusal(folder) == {"foreign_files"}


def test_documents_without_pixels_are_passed_over(tmp_path):
    document = head("SR", "1.2.840.10008.5.1.4.1.1.88.11")
    for name in ("Rows", "Columns"):
        delattr(document, name)
    document.SOPInstanceUID = document.file_meta.MediaStorageSOPInstanceUID = "1.2.9"
    assert notes(made.write(tmp_path / "s", [*made.series(), document])) == {"foreign_files": Severity.NOTE}


def test_every_difference_is_told_at_once(tmp_path):
    slices = made.series()
    slices[0].Modality, slices[1].Rows = "MR", 2
    slices[2].PatientID = "2"
    del slices[3].ImagePositionPatient
    with pytest.raises(ReadError) as caught:
        read_scan(made.write(tmp_path / "s", slices))
    names = [finding.name for finding in caught.value.findings]
    assert names.count("mixed_images") == 3
    assert names.count("no_positions") == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("RescaleType", "US"), ("FrameOfReferenceUID", "1.9"), ("PhotometricInterpretation", "MONOCHROME1")],
)
def test_slices_of_two_kinds(field, value, tmp_path):
    slices = made.series()
    setattr(slices[2], field, value)
    assert refusal(made.write(tmp_path / "s", slices)) == {"mixed_images"}


def test_a_slice_without_rescale_among_slices_with(tmp_path):
    slices = made.series()
    del slices[2].RescaleSlope
    del slices[2].RescaleIntercept
    assert refusal(made.write(tmp_path / "s", slices)) == {"mixed_images"}


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], "broken_affine"),
        ("ImageOrientationPatient", [2, 0, 0, 0, 1, 0], "broken_affine"),
        ("PixelSpacing", [0, 1], "broken_affine"),
        ("PixelSpacing", [-1, 1], "broken_affine"),
        ("RescaleSlope", 0, "contradictory_header"),
    ],
)
def test_broken_headers(field, value, name, tmp_path):
    slices = made.series()
    for one in slices:
        setattr(one, field, value)
    assert refusal(made.write(tmp_path / "s", slices)) == {name}


def test_without_pixel_spacing(tmp_path):
    slices = made.series()
    for one in slices:
        del one.PixelSpacing
    assert refusal(made.write(tmp_path / "s", slices)) == {"no_spacing"}


def test_one_slice_is_no_volume(tmp_path):
    folder = made.write(tmp_path / "s", made.series(count=1))
    assert refusal(folder) == {"one_slice"}
    assert refusal(next(folder.iterdir())) == {"one_slice"}


def test_an_empty_folder(tmp_path):
    assert refusal(tmp_path) == {"one_slice"}


def test_bytes_stay_bytes_and_fractions_become_floats(tmp_path):
    small, wide = made.series(modality="MR"), made.series(modality="MR")
    for one in small:
        one.BitsAllocated, one.BitsStored, one.HighBit = 8, 8, 7
        one.PixelData = (np.frombuffer(one.PixelData, np.uint16) // 16).astype(np.uint8).tobytes()
        one["PixelData"].VR = "OB"
    for one in wide:
        one.RescaleSlope, one.RescaleIntercept = 20, 0
    first = read_scan(made.write(tmp_path / "a", small))
    assert (first.values.dtype, first.low, first.high) == (np.uint8, 0, 255)
    second = read_scan(made.write(tmp_path / "b", wide))
    assert second.values.dtype == np.float32  # 4095 * 20 does not fit into 16 bits
    assert second.values.max() == second.high > 32767


def test_a_table_of_values(tmp_path):
    slices = made.series(modality="MR")
    for one in slices:
        table = Dataset()
        table.LUTDescriptor, table.ModalityLUTType = [4096, 0, 16], "OD"
        table.LUTData = (np.arange(4096, dtype="<u2") * 3).tobytes()
        table["LUTData"].VR, table["LUTDescriptor"].VR = "OW", "US"
        one.ModalityLUTSequence = [table]
    found = read_scan(made.write(tmp_path / "s", slices))
    assert np.array_equal(found.values, 3 * made.truth_of(offset=0).values)


def test_files_in_the_order_of_the_volume(tmp_path):
    folder = made.write(tmp_path / "s", made.series(made.oblique()))
    paths, distance = series.ordered_files(folder)
    assert distance == pytest.approx(2.5)
    assert [made.pydicom.dcmread(path).InstanceNumber for path in paths] == list(range(1, made.SLICES + 1))
    path, _ = made.CASES["gantry tilt"](tmp_path / "tilt")
    assert series.ordered_files(path)[1] == pytest.approx(2.5 * np.cos(0.3))
