import json

import numpy as np
import pytest

from polyclinic.records.boxes.boxes import read_objects
from polyclinic.records.boxes.parse import NotBoxes, read_boxes

VOC = """<annotation><size><width>100</width><height>80</height><depth>3</depth></size>
<object><name>WBC</name><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>30</xmax><ymax>50</ymax></bndbox></object>
</annotation>"""


def cell(*boxes, label="cell"):
    return json.dumps([{"label": label, "box": list(box)} for box in boxes])


def read(cells, classes=(), extents=None, folder=None):
    return read_objects(cells, extents or [(80, 100)] * len(cells), folder, classes, 'cohort.csv column "boxes"')


def names(result):
    return [finding.name for finding in (*result[1], *result[2])]


def test_a_list_in_a_cell(tmp_path):
    found = read_boxes(cell((10, 20, 30, 50)), tmp_path)
    assert found.labels == ("cell",)
    assert found.corners.tolist() == [[20, 10, 50, 30]]


def test_a_file_of_pascal_voc_says_its_size(tmp_path):
    (tmp_path / "a.xml").write_text(VOC)
    found = read_boxes("a.xml", tmp_path)
    assert (found.labels, found.corners.tolist(), found.extent) == (("WBC",), [[20, 10, 50, 30]], (80, 100))


def test_a_list_in_a_file_and_boxes_of_volumes_as_they_are(tmp_path):
    (tmp_path / "a.json").write_text(cell((1, 2, 3, 4, 5, 6)))
    assert read_boxes("a.json", tmp_path).corners.tolist() == [[1, 2, 3, 4, 5, 6]]


def test_an_empty_list_says_that_nothing_is_there(tmp_path):
    assert read_boxes("[]", tmp_path).labels == ()
    objects, _, _ = read([cell((1, 1, 5, 5)), "[]", None], folder=tmp_path)
    assert [len(boxes) for boxes in objects.boxes] == [1, 0, 0]


@pytest.mark.parametrize(
    "wrong",
    [
        "three red cells",
        "[1, 2",
        "[[1, 2, 3, 4]]",
        '[{"label": "a", "box": [1, 2, 3]}]',
        '[{"label": "a", "box": [1, 2, 3, "x"]}]',
        '[{"label": "a", "box": [1, 2, 3, NaN]}]',
        '[{"label": "a", "box": [1, 2, 3, true]}]',
        '[{"box": [1, 2, 3, 4]}]',
        '[{"label": "a", "box": [1, 2, 3, 4]}, {"label": "a", "box": [1, 2, 3, 4, 5, 6]}]',
    ],
)
def test_text_instead_of_boxes(tmp_path, wrong):
    with pytest.raises(NotBoxes):
        read_boxes(wrong, tmp_path)
    result = read([cell((1, 1, 5, 5)), wrong], folder=tmp_path)
    assert names(result) == ["not_boxes"]
    assert result[1][0].rows == (2,)
    assert wrong not in str(result[1][0])


@pytest.mark.parametrize("content", ["<a>", "<html></html>", VOC.replace("10", "ten"), "<!DOCTYPE x><annotation/>"])
def test_damaged_files(tmp_path, content):
    (tmp_path / "a.xml").write_text(content)
    with pytest.raises(NotBoxes):
        read_boxes("a.xml", tmp_path)


def test_a_file_that_is_not_there(tmp_path):
    result = read(["lost.xml", cell((1, 1, 5, 5))], folder=tmp_path)
    assert [(finding.name, finding.rows) for finding in result[2]] == [("unreadable_boxes", (1,))]


def test_boxes_of_no_area_are_refused_and_left_out(tmp_path):
    objects, _, _ = read([cell((10, 10, 10, 10), (1, 1, 5, 5)), cell((1, 1, 5, 5))], folder=tmp_path)
    (found,) = objects.findings("column")
    assert (found.name, found.severity, found.rows) == ("empty_boxes", "refused", (1,))
    assert len(objects.boxes[0]) == 1


def test_boxes_beyond_the_picture_are_refused_and_cut(tmp_path):
    cells = [cell((90, 70, 130, 90)), cell((200, 200, 210, 210)), cell((0, 0, 101, 81))]
    objects, _, _ = read(cells, folder=tmp_path)
    (found,) = objects.findings("column")
    assert (found.name, found.severity, found.rows) == ("boxes_outside", "refused", (1, 2))
    assert [boxes[:, 1:].tolist() for boxes in objects.boxes] == [[[70, 90, 80, 100]], [], [[0, 0, 80, 100]]]


def test_an_unknown_class(tmp_path):
    result = read([cell((1, 1, 5, 5)), cell((1, 1, 5, 5), label="Jane Doe")], classes=("cell",), folder=tmp_path)
    assert [(finding.name, finding.rows) for finding in result[1]] == [("unknown_class", (2,))]
    assert "Jane" not in str(result[1][0])


def test_a_width_and_a_height_instead_of_a_corner(tmp_path):
    assert names(read([cell((50, 50, 10, 10))], folder=tmp_path)) == ["reversed_boxes"]


def test_boxes_that_are_about_another_record(tmp_path):
    (tmp_path / "a.xml").write_text(VOC)
    assert names(read(["a.xml"], extents=[(80, 80)], folder=tmp_path)) == ["another_size"]
    assert names(read([cell((1, 2, 3, 4, 5, 6))], folder=tmp_path)) == ["wrong_axes"]


def test_everything_wrong_is_told_together(tmp_path):
    cells = ["text", cell((50, 50, 10, 10)), cell((1, 1, 5, 5), label="x"), "lost.xml"]
    assert names(read(cells, classes=("cell",), folder=tmp_path)) == [
        "not_boxes",
        "reversed_boxes",
        "unknown_class",
        "unreadable_boxes",
    ]


def test_no_object_anywhere(tmp_path):
    assert names(read(["[]", "[]"], folder=tmp_path)) == ["no_objects"]
    objects, _, _ = read(["[]"], classes=("cell",), folder=tmp_path)
    assert objects.classes == ("cell",)


def test_classes_that_occur_in_alphabetical_order(tmp_path):
    objects, _, _ = read([cell((1, 1, 5, 5), label="b"), cell((1, 1, 5, 5), label="a")], folder=tmp_path)
    assert objects.classes == ("a", "b")
    np.testing.assert_array_equal([boxes[0, 0] for boxes in objects.boxes], [1, 0])
