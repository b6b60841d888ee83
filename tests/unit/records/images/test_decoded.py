"""A column of cells to images: formats mixed, each file once, faults by row."""

import os

import numpy as np
import pytest
from PIL import Image

from polyclinic.records.images import decoded as module
from polyclinic.records.images.decoded import decode


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (6, 8), dtype=np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    Image.fromarray(np.stack([grey] * 3, axis=2)).save(tmp_path / "same.tif")
    Image.fromarray(rng.integers(0, 256, (9, 4, 3), dtype=np.uint8)).save(tmp_path / "colour.png")
    np.savez(tmp_path / "many.npz", images=np.stack([grey, 255 - grey]))
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("no image")
    Image.new("L", (5, 5), 7).save(tmp_path / "blank.png")
    return tmp_path


CELLS = ["a.png", "many.npz#images[1]", None, "empty.png", "a.png", "absent.png", "colour.png", "", "text.png"]


def test_mixed_column(folder):
    decoded = decode(CELLS, folder)
    assert len(decoded) == len(CELLS)
    assert [frame is not None for frame in map(decoded.frame, range(9))] == [1, 1, 0, 0, 1, 0, 1, 0, 0]
    assert [p.name if p else None for p in decoded.fault] == [
        *(None, None, None, "empty_file", None, "no_such_file", None, None, "unknown_image")
    ]
    assert np.array_equal(decoded.frame(0).pixels, 255 - decoded.frame(1).pixels)
    assert decoded.frame(6).pixels.shape == (9, 4, 3)
    assert decoded.entry[0] == decoded.entry[4]


def test_grey_in_colours_clothes(folder):
    decoded = decode(["a.png", "same.tif"], folder)
    assert np.array_equal(decoded.frame(0).pixels, decoded.frame(1).pixels)
    assert decoded.frame(1).facts.mode == "RGB"


def test_blank(folder):
    assert decode(["a.png", "blank.png"], folder).blank == (False, True)


def test_cache_gives_the_same(folder, tmp_path, monkeypatch):
    first = decode(CELLS, folder, tmp_path / "cache")
    monkeypatch.setattr(module, "read_image", None)  # a second decoding would fail
    again = decode(CELLS, folder, tmp_path / "cache")
    assert again.key == first.key
    assert again.fault == first.fault
    assert again.facts == first.facts
    for row in range(len(CELLS)):
        one, two = first.frame(row), again.frame(row)
        assert (one is None) == (two is None)
        assert one is None or np.array_equal(one.pixels, two.pixels)


def test_key_follows_content_not_names(folder):
    before = decode(["a.png"], folder).key
    os.utime(folder / "a.png", (1, 1))
    assert decode(["a.png"], folder).key == before
    (folder / "copy.png").write_bytes((folder / "a.png").read_bytes())
    assert decode(["copy.png"], folder).key == before
    Image.new("L", (3, 3)).save(folder / "a.png")
    assert decode(["a.png"], folder).key != before
    assert decode(["a.png"], folder, window="none").key != decode(["a.png"], folder).key


def test_a_file_that_comes_later_is_found(folder, tmp_path):
    assert decode(["late.png"], folder, tmp_path / "cache").frame(0) is None
    Image.new("L", (3, 3)).save(folder / "late.png")
    assert decode(["late.png"], folder, tmp_path / "cache").frame(0) is not None


def test_a_folder_is_no_image(folder):
    (folder / "sub").mkdir()
    assert decode(["sub"], folder).fault[0].name == "unreadable_file"


def test_a_broken_archive_is_tried_once(folder, monkeypatch):
    calls = []
    original = module.archive.open_array
    monkeypatch.setattr(module.archive, "open_array", lambda *a: calls.append(a) or original(*a))
    (folder / "bad.npz").write_bytes(b"PK no archive")
    decoded = decode([f"bad.npz#images[{i}]" for i in range(4)], folder)
    assert len(calls) == 1
    assert {fault.name for fault in decoded.fault} == {"damaged_archive"}


def test_no_rows(folder):
    assert len(decode([], folder)) == 0


def test_messages_name_no_file(folder):
    for fault in decode(CELLS, folder).fault:
        assert fault is None or not any(cell in str(fault) for cell in CELLS if cell)
