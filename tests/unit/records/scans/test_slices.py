import io

import numpy as np
import pytest
from PIL import Image

from polyclinic.formats.voxels.voxel_grid import VolumeFacts
from polyclinic.geometry import BoxMarks, GridGeometry, ObjectMarks, RegionMarks
from polyclinic.records.scans.scans import Scan
from polyclinic.records.scans.slices import choose_slice, slice_png, slice_svg


def scan_of(values, affine=None, spacing=None) -> Scan:
    geometry = GridGeometry(values.shape, affine, spacing, "px" if spacing is None else "mm")
    return Scan(values, geometry, VolumeFacts("NIfTI", "", 16, 0, values.shape))


@pytest.fixture
def scan():
    values = np.random.default_rng(0).integers(0, 99, (10, 12, 6)).astype(np.int16)
    return scan_of(values, np.diag([1.0, 1.0, 3.0, 1.0]), (1.0, 1.0, 3.0))


def test_the_slice_lies_across_the_coarsest_axis_where_most_of_the_truth_is(scan):
    truth = np.zeros((1, 10, 12, 6), dtype=np.uint8)
    truth[0, 2:8, 2:5, 4] = 1
    truth[0, 2:4, 2:4, 1] = 1
    where = choose_slice(scan.geometry, RegionMarks(("organ",), truth, None))
    assert (where.axis, where.index) == (2, 4)
    assert where.words == "axial slice 5 of 6, the patient's right on the left"
    assert choose_slice(scan.geometry).index == 3


def test_a_picture_keeps_the_shape_of_the_patient():
    values = np.random.default_rng(0).integers(0, 99, (10, 12, 6)).astype(np.int16)
    scan = scan_of(values, np.diag([1.0, 3.0, 2.0, 1.0]), (1.0, 3.0, 2.0))
    where = choose_slice(scan.geometry)
    assert where.axis == 1
    image = Image.open(io.BytesIO(slice_png(scan, where, np.ones(values.shape))))
    assert image.size == (213, 256)


def test_left_and_right_are_as_radiologists_hold_films(scan):
    values = np.zeros(scan.values.shape, dtype=np.int16)
    values[9, 11, :] = 1
    plane = choose_slice(scan.geometry).of(values)
    assert plane[0, 0] == 1


def test_outlines_follow_the_edges_of_points(scan):
    truth = np.zeros((2, 10, 12, 6), dtype=np.uint8)
    truth[1, 4, 5, 3] = 1
    marks = RegionMarks(("a", "b<c"), truth, truth)
    svg = slice_svg(scan, choose_slice(scan.geometry, marks), marks).decode()
    assert svg.count("<path") == 2
    assert "M5 6H6" in svg
    assert "M5 7H6" in svg
    assert "b&lt;c" in svg
    assert "stroke-dasharray" in svg


def test_boxes_and_instances_are_drawn_where_the_slice_cuts_them(scan):
    boxes = np.array([[0, 1, 2, 3, 4, 6, 5], [0, 1, 1, 0, 2, 2, 1]], dtype=np.float32)
    marks = BoxMarks(("nodule",), boxes, None)
    where = choose_slice(scan.geometry, marks)
    assert where.index in (0, 1, 3, 4, 5)
    assert slice_svg(scan, where, marks).decode().count("<rect") == 1
    cells = np.zeros((10, 12, 6), dtype=np.int32)
    cells[2:4, 2:4, 2] = 1
    cells[4:6, 2:4, 2] = 2
    marks = ObjectMarks(("cell",), cells, None)
    assert slice_svg(scan, choose_slice(scan.geometry, marks), marks).decode().count("<path") == 1
