import pytest

from polyclinic.formats.read_table import read_table


@pytest.mark.parametrize("ending", ["txt", "dat"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_its_rows_tell_what_divides_them(tmp_path, ending, sign):
    path = tmp_path / f"a.{ending}"
    path.write_text(f"Export of the ward\n\nid{sign}age\n007{sign}54\n008{sign}61\n", encoding="utf-16")
    read = read_table(path)
    assert read.frame.rows() == [("007", 54), ("008", 61)]
    assert [note.name for note in read.notes] == ["title_lines"]
