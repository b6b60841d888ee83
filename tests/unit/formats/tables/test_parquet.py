"""Parquet: the name of a file is a name, not a pattern, and its folders are no columns."""

import polars as pl

from polyclinic.formats.tables.parquet import Parquet


def test_a_name_is_no_pattern(tmp_path):
    one, other = pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [2]})
    other.write_parquet(tmp_path / "ab.parquet")
    one.write_parquet(tmp_path / "a[b].parquet")
    assert Parquet().frame(tmp_path / "a[b].parquet").equals(one)


def test_a_folder_with_an_equals_sign_is_no_column(tmp_path):
    (tmp_path / "site=north").mkdir()
    path = tmp_path / "site=north" / "a.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    assert Parquet().frame(path).columns == ["a"]
