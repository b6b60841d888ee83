"""What every column of files has in common: each file once, kept, with its faults by row."""

from pathlib import Path

import numpy as np

from polyclinic.formats.pictures.frame import refuse
from polyclinic.records.column_files import decode_column, rows_by_fault

EMPTY = np.zeros(0, dtype=np.uint8)


class Decoder:
    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, []

    def __call__(self, cell: str):
        self.calls.append(cell)
        content = (self.folder / cell).read_bytes()
        if not content:
            raise refuse("empty", "must hold something", "it is empty", "Fill it.")
        return np.frombuffer(content, dtype=np.uint8), {"length": len(content)}


def column(folder, cells, cache=None, version="1"):
    decoder = Decoder(folder)
    return decode_column(cells, folder, cache, version, decoder, EMPTY), decoder.calls


def test_each_file_is_decoded_once_and_kept(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").write_bytes(b"")
    cells = ["a", None, "b", "a", ""]
    files, calls = column(tmp_path, cells, tmp_path / "cache")
    assert calls == ["a", "b"]
    assert files.entry.tolist() == [0, -1, -1, 0, -1]
    assert files.notes == ({"length": 3}, {})
    assert bytes(files.arrays[0]) == b"abc"
    again, calls = column(tmp_path, cells, tmp_path / "cache")
    assert calls == []
    assert again.notes == files.notes
    assert again.fault == files.fault
    assert column(tmp_path, cells, tmp_path / "cache", version="2")[1] == ["a", "b"]


def test_faults_are_told_by_row_and_equal_ones_together(tmp_path):
    for name in "abc":
        (tmp_path / name).write_bytes(b"x" if name == "b" else b"")
    files, _ = column(tmp_path, ["a", "b", None, "c", "a"])
    (fault,) = rows_by_fault(files.fault)
    assert fault.name == "empty"
    assert rows_by_fault(files.fault) == {fault: (1, 4, 5)}
