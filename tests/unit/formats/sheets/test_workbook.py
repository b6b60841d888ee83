"""Which sheet is read. The workbooks are written by openpyxl, and read by another library."""

import sys

import openpyxl
import pytest
import xlwt

from polyclinic.errors import CohortError, MissingPackage
from polyclinic.formats.read_table import read_table
from polyclinic.formats.sheets.workbook import read_sheet


@pytest.fixture
def path(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Read me"
    for title, state in (("Baseline", "visible"), ("Codes", "hidden")):
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        sheet.append(["id", "age"])
        sheet.append([title, 54])
    book.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


def add(path, name):
    book = openpyxl.load_workbook(path)
    book.create_sheet(name).append(["id", "age"])
    book.save(path)


def test_the_only_shown_sheet_with_cells_is_read_and_the_hidden_ones_are_told(path):
    sheet = read_sheet(path, None, {})
    assert sheet.rows == [["id", "age"], ["Baseline", 54]]
    assert [note.name for note in sheet.notes] == ["hidden_sheets"]
    assert "Codes" in sheet.notes[0].found


def test_several_sheets_are_listed(path):
    add(path, "Visit 2")
    with pytest.raises(CohortError, match=r'2 sheets with cells \(Baseline, Visit 2\).*table = "a.xlsx#Baseline"'):
        read_table(path)


def test_a_sheet_is_named_after_the_sign(path):
    add(path, "Visit #2")
    assert read_table(f"{path}#Codes").frame.rows() == [("Codes", 54)]
    with pytest.raises(CohortError, match='no sheet "Nothing"'):
        read_table(f"{path}#Nothing")
    with pytest.raises(CohortError, match="header and rows"):
        read_table(f"{path}#Visit #2")


def test_a_workbook_without_cells_is_refused(tmp_path):
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    with pytest.raises(CohortError, match="0 sheets with cells"):
        read_table(tmp_path / "a.xlsx")


def test_a_workbook_with_a_password_says_so(tmp_path):
    book = xlwt.Workbook()
    book.add_sheet("a").write(0, 0, "id")
    book.save(tmp_path / "a.xls")
    content = bytearray((tmp_path / "a.xls").read_bytes())
    entry, name = content.find("Workbook".encode("utf-16-le")), "EncryptedPackage".encode("utf-16-le")
    content[entry : entry + len(name)] = name
    content[entry + 64 : entry + 66] = (len(name) + 2).to_bytes(2, "little")
    (tmp_path / "b.xlsx").write_bytes(content)
    with pytest.raises(CohortError, match="asks for a password"):
        read_table(tmp_path / "b.xlsx")


def test_without_the_package_the_extra_is_named(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingPackage, match=r"polyclinic\[office\]"):
        read_table(path)
