"""Multi-frame DICOM: geometry and rescale from functional groups, contradictions refused."""

import io

import numpy as np
import pytest

from cases import made
from polyclinic.errors import ReadError
from polyclinic.formats.dicom import multiframe


def content(whole):
    stream = io.BytesIO()
    whole.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def whole(order=(0, 1, 2, 3), **keys):
    return made.enhanced(made.series(), list(order), **keys)


def refusal(dataset):
    with pytest.raises(ReadError) as caught:
        multiframe.read(content(dataset))
    return caught.value.findings[0].name


def test_frames_in_any_order():
    straight, shuffled = multiframe.read(content(whole())), multiframe.read(content(whole((2, 0, 3, 1))))
    assert np.array_equal(straight.values, shuffled.values)
    assert np.array_equal(straight.affine, shuffled.affine)
    assert (straight.low, straight.high) == (-1024, 3071)
    assert straight.values.dtype == np.int16
    assert straight.facts.format == "DICOM"


def test_another_unit_is_not_hounsfield():
    dataset = whole()
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        frame.PixelValueTransformationSequence[0].RescaleType = "US"
    found = multiframe.read(content(dataset))
    assert (found.low, found.high) == (found.values.min(), found.values.max())


def test_a_property_told_twice():
    dataset = whole()
    dataset.SharedFunctionalGroupsSequence[0].PlanePositionSequence = dataset.PerFrameFunctionalGroupsSequence[
        0
    ].PlanePositionSequence
    assert refusal(dataset) == "contradictory_header"


def test_a_second_rescale_outside_the_groups():
    dataset = whole()
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -1024
    assert refusal(dataset) == "contradictory_header"
    dataset.RescaleSlope = 1
    assert multiframe.read(content(dataset)).values.shape[2] == 4


def test_several_stacks():
    dataset = whole()
    dataset.PerFrameFunctionalGroupsSequence[1].FrameContentSequence[0].StackID = "2"
    assert refusal(dataset) == "several_stacks"


def test_fewer_groups_than_frames():
    dataset = whole()
    del dataset.PerFrameFunctionalGroupsSequence[-1]
    assert refusal(dataset) == "contradictory_header"


def test_without_groups():
    dataset = whole()
    del dataset.PerFrameFunctionalGroupsSequence
    assert refusal(dataset) == "no_positions"


@pytest.mark.parametrize("count", [5, 1_000_000, 2_000_000_000])
def test_more_frames_than_there_are(count):
    dataset = whole()
    dataset.NumberOfFrames = count
    assert refusal(dataset) in ("contradictory_header", "volume_too_large")


def test_absurd_sides_are_refused_before_anything_is_decoded():
    dataset = whole()
    dataset.Rows = dataset.Columns = 65535
    assert refusal(dataset) == "volume_too_large"


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("PhotometricInterpretation", "RGB", "colour_volume"),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.66.4", "not_a_scan"),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.481.2", "not_a_scan"),
        ("NumberOfFrames", 1, "one_slice"),
        ("HighBit", 13, "doubtful_pixels"),
    ],
)
def test_refused(field, value, name):
    dataset = whole()
    setattr(dataset, field, value)
    assert refusal(dataset) == name


def test_too_few_and_too_many_pixels():
    dataset = whole()
    dataset.PixelData = dataset.PixelData[:-200]
    assert refusal(dataset) == "damaged_image"
    dataset.PixelData = dataset.PixelData + bytes(400)
    assert refusal(dataset) == "doubtful_pixels"


@pytest.mark.parametrize("syntax", [made.RLELossless, made.JPEGLSLossless, made.JPEG2000Lossless])
def test_compressed(syntax):
    straight, packed = multiframe.read(content(whole())), whole()
    packed.compress(syntax, generate_instance_uid=False)
    assert np.array_equal(multiframe.read(content(packed)).values, straight.values)
    packed.Rows += 1
    assert refusal(packed) in ("doubtful_pixels", "damaged_image")
