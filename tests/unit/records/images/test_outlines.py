"""Outlines drawn on a picture."""

import io

import numpy as np
import pytest
from PIL import Image

from polyclinic.formats.pictures.frame import FileProperties, Frame
from polyclinic.geometry import BoxMarks, ObjectMarks, RegionMarks
from polyclinic.records.images import outlines as marked

FRAME = Frame(np.full((48, 96, 1), 20, dtype=np.uint8), 0.0, 255.0, FileProperties("PNG", "L", 8, 1, 96, 48))


def drawn(marks):
    return np.asarray(Image.open(io.BytesIO(marked.outlined_png(FRAME, marks))))


def coloured(picture, colour):
    return (picture == colour).all(axis=2)


def region(top, left, bottom, right):
    plane = np.zeros((1, 48, 96), dtype=np.uint8)
    plane[0, top:bottom, left:right] = 1
    return plane


def test_truth_answer_and_agreement_have_colours_of_their_own():
    picture = drawn(RegionMarks(("spot",), region(5, 5, 20, 20), region(5, 30, 20, 50)))
    assert picture.shape == (192, 384, 3)
    assert coloured(picture, marked.TRUTH)[20, 20:80].all()
    assert coloured(picture, marked.ANSWER)[20, 120:200].all()
    same = drawn(RegionMarks(("spot",), region(5, 5, 20, 20), region(5, 5, 20, 20)))
    assert coloured(same, marked.BOTH).sum() == 4 * 60 - 4
    assert not coloured(same, marked.TRUTH).any()


def test_boxes_and_objects_are_outlined():
    boxes = np.array([[0, 5, 5, 20, 20]], dtype=np.float32)
    assert coloured(drawn(BoxMarks(("cell",), None, boxes)), marked.ANSWER).sum() == 4 * 60 - 4
    objects = np.zeros((48, 96), dtype=np.int32)
    objects[5:20, 5:20], objects[5:20, 20:30] = 1, 2
    picture = drawn(ObjectMarks(("cell",), objects, None))
    assert coloured(picture, marked.TRUTH)[40, 79:81].all()


@pytest.mark.parametrize("sort", [RegionMarks, BoxMarks, ObjectMarks])
def test_nothing_to_draw_leaves_the_picture(sort):
    assert (drawn(sort(("spot",), None, None)) == 20).all()
