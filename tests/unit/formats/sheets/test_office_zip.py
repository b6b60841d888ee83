import zipfile

import openpyxl
import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.sheets.office_zip import SheetMarks, refuse_vast_ods, xlsx_marks


@pytest.fixture
def book():
    return openpyxl.Workbook()


def saved(book, tmp_path):
    book.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


def test_errors_formulas_and_what_is_hidden_are_found_by_sheet(book, tmp_path):
    sheet = book.active
    sheet.title = "A & B"
    sheet["A1"], sheet["AB3"], sheet["A2"] = "id", "#N/A", "=1/0"
    sheet.row_dimensions[2].hidden = True
    sheet.column_dimensions["A"].hidden = True
    book.create_sheet("C")["A1"] = 1
    assert xlsx_marks(saved(book, tmp_path)) == {
        "A & B": SheetMarks(frozenset({(2, 27)}), hidden_rows=1, hidden_columns=1, uncounted=1),
        "C": SheetMarks(),
    }


def test_a_cell_far_outside_is_refused_before_a_grid_is_made(book, tmp_path):
    book.active["XFD1048576"] = 1
    with pytest.raises(CohortError, match="perhaps one far outside"):
        xlsx_marks(saved(book, tmp_path))


def test_a_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 2**27)
    with pytest.raises(CohortError, match="decompression bomb"):
        xlsx_marks(tmp_path / "a.xlsx")


def test_what_is_no_zip_is_left_to_its_reader(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"nothing")
    assert xlsx_marks(tmp_path / "a.xlsx") == {}


def test_a_zip_whose_names_are_damaged_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/ä.xml", "x")
    content = (tmp_path / "a.xlsx").read_bytes().replace("ä".encode(), b"\xd6\xd6")
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(CohortError, match="damaged"):
        xlsx_marks(tmp_path / "a.xlsx")


@pytest.mark.parametrize(("rows", "vast"), [(1048576, True), (3, False)])
def test_repeated_cells_are_counted_and_empty_ones_at_the_end_are_not(tmp_path, rows, vast):
    content = (
        f'<table:table-row table:number-rows-repeated="{rows}"><table:table-cell office:value-type="float" '
        'table:number-columns-repeated="100"/></table:table-row>'
        '<table:table-row table:number-rows-repeated="1048576"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
    )
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as archive:
        archive.writestr("content.xml", content)
    if not vast:
        refuse_vast_ods(tmp_path / "a.ods")
        return
    with pytest.raises(CohortError, match="its cells reach further"):
        refuse_vast_ods(tmp_path / "a.ods")
