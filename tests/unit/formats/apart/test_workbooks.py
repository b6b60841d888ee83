import datetime as dt
import json

import openpyxl
import pytest

from polyclinic.formats.apart.workbooks import main, plain


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (dt.datetime(2020, 1, 31, 8), {"moment": "2020-01-31T08:00:00"}),
        (dt.date(2020, 1, 31), {"day": "2020-01-31"}),
        (dt.time(8, 30), {"time": "08:30:00"}),
        (dt.timedelta(hours=30), {"seconds": 108000.0}),
    ],
)
def test_times_are_said_in_words(value, said):
    assert plain(value) == said


def test_the_cells_of_one_sheet_are_printed(tmp_path, capsys):
    book = openpyxl.Workbook()
    book.active.append(["a", 1.5, True])
    book.create_sheet("B").append(["b"])
    book.save(tmp_path / "a.xlsx")
    main(str(tmp_path / "a.xlsx"))
    everything = json.loads(capsys.readouterr().out)
    assert everything == {
        "shown": {"Sheet": True, "B": True},
        "filled": ["Sheet", "B"],
        "only": ["Sheet", "B"],
        "rows": None,
    }
    main(str(tmp_path / "a.xlsx"), "Sheet")
    assert json.loads(capsys.readouterr().out)["rows"] == [["a", 1.5, True]]
