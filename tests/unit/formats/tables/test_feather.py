"""Feather under the three names that it goes by."""

from pathlib import Path

import polars as pl
import pytest

from polyclinic.formats.tables.feather import Feather


@pytest.mark.parametrize("suffix", [".feather", ".arrow", ".IPC"])
def test_types_are_those_of_the_file(tmp_path, suffix):
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"]})
    path: Path = tmp_path / f"a{suffix}"
    frame.write_ipc(path)
    assert Feather().recognises(path, b"")
    assert Feather().frame(path).equals(frame)
