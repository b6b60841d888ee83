"""Cells from pictures of numbers and from folders of masks."""

import numpy as np
import pytest
from PIL import Image

from polyclinic.errors import ReadError
from polyclinic.records.masks import cells as instances


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values)).save(path)


def square(rows, columns, value=255, shape=(12, 12)):
    mask = np.zeros(shape, dtype=np.uint8)
    mask[rows, columns] = value
    return mask


def test_a_picture_of_numbers_keeps_its_numbers_also_above_255(tmp_path):
    labels = np.zeros((5, 7), dtype=np.uint16)
    labels[1, 1], labels[3, 3] = 300, 2
    save(tmp_path / "cells.png", labels)
    drawn = instances.read("cells.png", tmp_path)
    assert drawn.labels[1, 1] == 300
    assert (drawn.doubled, drawn.hidden) == (0, 0)


def test_a_folder_of_masks_numbers_cells_by_name_and_the_smaller_wins(tmp_path):
    save(tmp_path / "one" / "b.png", square(slice(0, 6), slice(0, 6)))
    save(tmp_path / "one" / "a.png", square(slice(4, 8), slice(4, 8)))
    (tmp_path / "one" / "Thumbs.db").write_bytes(b"")
    drawn = instances.read("one", tmp_path)
    assert drawn.labels[5, 5] == 1  # a.png is smaller
    assert drawn.labels[0, 0] == 2
    assert (drawn.doubled, drawn.hidden) == (4, 0)


def test_a_cell_under_another_of_the_same_extent_is_told_as_hidden(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / "one" / f"{name}.png", square(slice(0, 2), slice(0, 2)))
    drawn = instances.read("one", tmp_path)
    assert (drawn.doubled, drawn.hidden) == (4, 1)
    assert set(np.unique(drawn.labels)) == {0, 2}


def test_an_empty_folder_means_no_cells(tmp_path):
    (tmp_path / "none").mkdir()
    assert instances.read("none", tmp_path).labels.size == 0


@pytest.mark.parametrize(
    ("masks", "name"),
    [
        ([square(0, 0), square(0, 0, shape=(5, 5))], "other_extent"),
        ([square(0, 0) + square(3, 3, 7)], "several_cells"),
    ],
)
def test_masks_that_contradict_each_other_are_refused(tmp_path, masks, name):
    for number, mask in enumerate(masks):
        save(tmp_path / "one" / f"{number}.png", mask)
    with pytest.raises(ReadError) as caught:
        instances.read("one", tmp_path)
    assert caught.value.findings[0].name == name


def test_a_column_is_read_once_kept_and_tells_its_problems_by_row(tmp_path):
    save(tmp_path / "good.png", square(2, 2, 1))
    save(tmp_path / "one" / "a.png", square(slice(0, 6), slice(0, 6)))
    save(tmp_path / "one" / "b.png", square(slice(4, 8), slice(4, 8)))
    (tmp_path / "bad.png").write_bytes(b"\x89PNG nothing")
    cells = ["good.png", None, "bad.png", "one", "good.png", "lost.png"]
    for _ in range(2):
        column = instances.read_column(cells, tmp_path, tmp_path / "cache")
        assert column.entry.tolist() == [0, -1, -1, 2, 0, -1]
        assert column.doubled.tolist() == [0, 0, 0, 4, 0, 0]
        assert [fault is not None for fault in column.fault] == [False, False, True, False, False, True]
        assert column.row(0)[2, 2] == 1
        assert column.row(1) is None
    assert len(list((tmp_path / "cache").iterdir())) == 1
    save(tmp_path / "good.png", square(3, 3, 1))
    assert instances.read_column(cells, tmp_path, tmp_path / "cache").row(0)[3, 3] == 1


def test_a_column_of_nothing(tmp_path):
    column = instances.read_column([None, None], tmp_path)
    assert column.entry.tolist() == [-1, -1]
