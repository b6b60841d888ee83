"""DICOM segmentation objects: written here, read here, by highdicom and by pydicom; contradictions refused."""

import io

import numpy as np
import pytest

from cases import made
from polyclinic.errors import ReadError
from polyclinic.formats.dicom import segmentation
from polyclinic.formats.read_mask import read_mask
from polyclinic.formats.read_scan import read_scan
from polyclinic.formats.voxels.voxel_grid import on_scan_grid
from polyclinic.formats.write_mask import write_mask

highdicom = made.highdicom
pytestmark = pytest.mark.filterwarnings("ignore")
SHAPE = (made.COLUMNS, made.ROWS, made.SLICES)


def layers():
    """Two regions that overlap, on a few slices with a gap."""
    drawn = np.zeros((2, *SHAPE), np.uint8)
    drawn[0, 5:20, 4:12, 1:3] = 1
    drawn[1, 10:30, 8:30, 2] = 1
    drawn[1, 10:12, 8:9, 6] = 1
    return drawn


@pytest.fixture
def written(tmp_path):
    folder = made.write(tmp_path / "s", made.series(made.oblique()))
    path = write_mask(layers(), folder, tmp_path / "m.nii.gz", ["tumour", "oedema"], "1.2")
    return folder, path


def refusal(path, change):
    whole = made.pydicom.dcmread(path)
    change(whole)
    stream = io.BytesIO()
    whole.save_as(stream, enforce_file_format=True)
    with pytest.raises(ReadError) as caught:
        segmentation.read(stream.getvalue())
    return caught.value.findings[0].name


def test_read_back_on_the_grid_of_the_scan(written):
    folder, path = written
    assert path.name == "m.dcm"
    scan, mask = read_scan(folder), read_mask(path)
    assert mask.names == ("tumour", "oedema")
    assert mask.values == (0, 1)
    assert mask.labels.shape == (2, *SHAPE[:2], 6)  # slices 1 to 6; between them some were left out
    laid = on_scan_grid(mask, scan.values.shape, scan.affine)
    assert np.array_equal(laid.labels, layers())


def test_read_by_highdicom_and_pydicom(written):
    folder, path = written
    theirs = highdicom.seg.segread(path).get_volume(combine_segments=False)
    found = made.by_highdicom(folder)
    assert np.array_equal(theirs.array.transpose(3, 2, 1, 0)[..., ::-1], layers()[..., 1:7])
    assert np.allclose(read_mask(path).affine[:3, :3], found.affine[:3, :3], atol=1e-4)
    whole = made.pydicom.dcmread(path)
    assert whole.pixel_array.sum() == layers().sum()
    assert [str(one.SegmentLabel) for one in whole.SegmentSequence] == ["tumour", "oedema"]


def test_it_belongs_to_its_series_and_makes_nothing_up(written):
    folder, path = written
    whole, source = made.pydicom.dcmread(path), made.pydicom.dcmread(next(folder.iterdir()))
    for name in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID", "StudyDate"):
        assert whole[name].value == source[name].value
    assert whole.SeriesInstanceUID != source.SeriesInstanceUID
    assert whole.ContentDate == source.StudyDate
    assert whole.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodingSchemeDesignator == "99POLYCLINIC"


def test_the_same_mask_gives_the_same_bytes(written, tmp_path):
    folder, path = written
    again = write_mask(layers(), folder, tmp_path / "n", ["tumour", "oedema"], "1.2")
    assert again.read_bytes() == path.read_bytes()
    other = write_mask(layers()[::-1], folder, tmp_path / "o", ["tumour", "oedema"], "1.2")
    assert made.pydicom.dcmread(other).SOPInstanceUID != made.pydicom.dcmread(path).SOPInstanceUID


def test_labels_become_segments(tmp_path):
    folder = made.write(tmp_path / "s", made.series())
    labels = np.zeros(SHAPE, np.uint8)
    labels[3:9, 4:9, 2:5], labels[20:25, 4:9, 3] = 1, 2
    mask = read_mask(write_mask(labels, folder, tmp_path / "m"))
    assert mask.names == ("label 1", "label 2")
    scan = read_scan(folder)
    laid = on_scan_grid(mask, scan.values.shape, scan.affine).labels
    assert np.array_equal(laid[0] + 2 * laid[1], labels)


def test_what_does_not_fit_is_not_written(tmp_path):
    folder = made.write(tmp_path / "s", made.series())
    with pytest.raises(ReadError, match="must have the shape"):
        write_mask(layers()[:, :-1], folder, tmp_path / "m", ["a", "b"])
    with pytest.raises(ReadError, match="the mask is empty"):
        write_mask(layers() * 0, folder, tmp_path / "m", ["a", "b"])
    assert not (tmp_path / "m.dcm").exists()


def test_contradictions(written):
    _, path = written

    def fractional(whole):
        whole.SegmentationType = "FRACTIONAL"

    def shared_number(whole):
        whole.SegmentSequence[1].SegmentNumber = 1

    def unknown_number(whole):
        frame = whole.PerFrameFunctionalGroupsSequence[0]
        frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 9

    def twice(whole):
        frames = whole.PerFrameFunctionalGroupsSequence
        frames[1].PlanePositionSequence = frames[0].PlanePositionSequence

    def no_place(whole):
        del whole.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence

    def fewer(whole):
        del whole.PerFrameFunctionalGroupsSequence[-1]

    def spacing(whole):
        whole.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices = 1.7

    def scan(whole):
        whole.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"

    names = [refusal(path, change) for change in (fractional, shared_number, unknown_number, twice)]
    assert names == ["fractional_mask", *["contradictory_header"] * 3]
    names = [refusal(path, change) for change in (no_place, fewer, spacing, scan)]
    assert names == ["no_positions", "contradictory_header", "uneven_spacing", "not_a_mask"]


def test_one_slice_with_the_distance_of_its_neighbours(tmp_path):
    folder = made.write(tmp_path / "s", made.series())
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[3:9, 4:9, 5] = 1
    mask = read_mask(write_mask(drawn, folder, tmp_path / "m", ["one"]))
    scan = read_scan(folder)
    assert mask.labels.shape[3] == 1
    assert np.array_equal(on_scan_grid(mask, scan.values.shape, scan.affine).labels[0], drawn)


def test_a_tilted_series(tmp_path):
    folder, _ = made.CASES["gantry tilt"](tmp_path / "s")
    mask = read_mask(write_mask(layers(), folder, tmp_path / "m", ["a", "b"]))
    scan = read_scan(folder)
    assert np.array_equal(on_scan_grid(mask, scan.values.shape, scan.affine).labels, layers())


def test_a_scan_is_no_mask_and_a_mask_no_scan(written):
    folder, path = written
    for call in (lambda: read_mask(next(folder.iterdir())), lambda: read_mask(folder)):
        with pytest.raises(ReadError) as caught:
            call()
        assert caught.value.findings[0].name == "not_a_mask"
    with pytest.raises(ReadError, match="must be a scan"):
        read_scan(path)
