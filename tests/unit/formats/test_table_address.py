from pathlib import Path

import pytest

from polyclinic.formats.table_address import TableAddress, find_address, is_url, seen_from, stated_url


def test_what_stands_after_the_sign_is_a_part(tmp_path):
    for name in ("a.xlsx", "b#1.csv", "c#1.zip"):
        (tmp_path / name).write_text("x")
    assert find_address("a.xlsx#Sheet #2", tmp_path) == TableAddress(tmp_path / "a.xlsx", "Sheet #2")
    assert find_address("b#1.csv", tmp_path) == TableAddress(tmp_path / "b#1.csv")
    assert find_address("c#1.zip#in/d.csv", tmp_path) == TableAddress(tmp_path / "c#1.zip", "in/d.csv")
    assert find_address("none.csv", tmp_path) == TableAddress(tmp_path / "none.csv")


def test_a_database_is_reached_by_its_address(tmp_path):
    stated = "postgresql://anna@db/heart#ward.patients"
    assert is_url(stated)
    assert not is_url(Path("C:/data/a.csv"))
    assert find_address(stated, tmp_path) == TableAddress(tmp_path, "ward.patients", "postgresql://anna@db/heart")
    assert find_address(Path(stated), tmp_path) == find_address(stated, tmp_path)
    assert stated_url(Path(stated)) == stated


@pytest.mark.parametrize(
    ("table", "seen"),
    [
        ("../in/a.zip#x/y.csv", "../in/a.zip#x/y.csv"),
        ("a.csv", "../in/a.csv"),
        ("in", "../in"),
        ("mysql://db/x#y", "mysql://db/x#y"),
        ("gone.csv", "../in/gone.csv"),
    ],
)
def test_a_table_is_named_as_seen_from_another_folder(tmp_path, table, seen):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.zip", "a.csv"):
        (folder / name).write_text("x")
    assert seen_from(table, folder, tmp_path / "out") == seen
