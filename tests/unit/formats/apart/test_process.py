import datetime as dt
import sys

import pytest

from polyclinic.errors import MissingPackage
from polyclinic.formats.apart import process
from polyclinic.formats.apart.process import read_apart


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """A reader that does what a line says."""
    monkeypatch.setattr(process, "__file__", str(tmp_path / "process.py"))

    def made(line: str) -> object:
        (tmp_path / "made.py").write_text(f"import os, sys\n{line}\n")
        return read_apart("made", "json", "office", tmp_path / "a.xls", "word")

    return made


def test_what_it_prints_is_what_it_says(reader):
    assert reader("print('[1, null]')") == [1, None]
    assert reader("import json; print(json.dumps(sys.argv[2:]))") == ["word"]
    assert reader('print(\'[{"day": "2020-01-31"}, {"moment": "2020-01-31T08:30:00"}]\')') == [
        dt.date(2020, 1, 31),
        dt.datetime(2020, 1, 31, 8, 30),
    ]
    assert reader('print(\'[{"time": "08:30:00"}, {"seconds": 90.0}, {"day": 1}]\')') == [
        dt.time(8, 30),
        dt.timedelta(seconds=90),
        {"day": 1},
    ]


@pytest.mark.parametrize("line", ["os.abort()", "1 / 0", "print('[1,')"])
def test_one_that_falls_takes_nothing_down_and_says_nothing(reader, line, capfd):
    assert reader(line) is None
    assert capfd.readouterr() == ("", "")


def test_one_without_end_is_stopped(reader, monkeypatch):
    monkeypatch.setattr(process, "_LONGEST_S", 1)
    assert reader("import time; time.sleep(60)") is None


def test_a_package_that_lacks_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(MissingPackage, match=r"polyclinic\[statistics\]"):
        read_apart("statistics", "pyreadstat", "statistics", tmp_path / "a.sav")
