import gzip
import zipfile
from pathlib import Path

import polars as pl
import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.read_table import read_table

TEXT = "patient_id,age,sex\n007,54,M\n008,61,F\n"


def says(error: pytest.ExceptionInfo[CohortError], *words: str) -> None:
    for word in words:
        assert word in str(error.value)


def zipped(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return path


def test_the_same_table_in_every_format_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TEXT)
    (tmp_path / "a.tsv").write_text(TEXT.replace(",", "\t"))
    (tmp_path / "semicolon.csv").write_text(TEXT.replace(",", ";"))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    zipped(tmp_path / "a.zip", a__csv=TEXT)
    frame = read_table(tmp_path / "a.csv").frame
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ipc(tmp_path / "a.feather")
    folder = tmp_path / "parts"
    folder.mkdir()
    frame[:1].write_parquet(folder / "1.parquet")
    frame[1:].write_parquet(folder / "2.parquet")
    assert frame.schema == {"patient_id": pl.String, "age": pl.Int64, "sex": pl.String}
    for name in ("a.tsv", "semicolon.csv", "a.csv.gz", "a.zip", "a.parquet", "a.feather", "parts"):
        assert read_table(tmp_path / name).frame.equals(frame), name


def test_folder_and_sources_are_told(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.csv").write_text(TEXT)
    table = read_table(tmp_path / "inner" / "a.csv")
    assert table.folder == tmp_path / "inner"
    assert table.name == "a.csv"
    assert set(table.sources) == {"a.csv"}
    assert len(table.sources["a.csv"]) == 64


def test_a_missing_file_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "cohort.csv").write_text(TEXT)
    with pytest.raises(CohortError) as error:
        read_table(tmp_path / "cohrot.csv", place="study.toml [cohort] table")
    says(error, "study.toml [cohort] table", "there is no file", 'Did you mean "cohort.csv"?')


def test_an_unknown_format_lists_those_on_offer(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"PK")
    with pytest.raises(CohortError) as error:
        read_table(tmp_path / "a.docx")
    says(error, ".csv", ".parquet", "Save the table as csv")


def test_a_gz_of_an_unknown_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(b"PAR1"))
    with pytest.raises(CohortError, match="must be one of"):
        read_table(tmp_path / "a.parquet.gz")


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_a_damaged_binary_table_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(b"nothing of the kind")
    with pytest.raises(CohortError, match=f"must be a whole .{suffix} file"):
        read_table(tmp_path / f"a.{suffix}")


def test_an_empty_binary_table_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"a": pl.Series([], dtype=pl.Int64)}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(CohortError, match="must hold rows of patients"):
        read_table(tmp_path / "a.parquet")


def test_a_folder_without_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    with pytest.raises(CohortError, match="it holds none"):
        read_table(tmp_path / "parts")


def test_a_folder_of_files_that_differ_is_refused(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "parts" / "1.parquet")
    pl.DataFrame({"b": [1]}).write_parquet(tmp_path / "parts" / "2.parquet")
    with pytest.raises(CohortError) as error:
        read_table(tmp_path / "parts")
    says(error, "parts/2.parquet", "differ from those of 1.parquet")


def test_parquet_types_become_plain_ones(tmp_path: Path) -> None:
    moment = pl.Series("when", ["2020-01-01 10:00"]).str.to_datetime(time_zone="Asia/Shanghai")
    frame = pl.DataFrame(
        {
            "kind": pl.Series(["a"], dtype=pl.Categorical),
            "dose": pl.Series(["1.5"]).cast(pl.Decimal(10, 2)),
            "when": moment,
            "none": pl.Series([None], dtype=pl.Null),
            "value": [float("nan")],
            "text": [" NA "],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    read = read_table(tmp_path / "a.parquet").frame
    assert read.dtypes == [pl.String, pl.Float64, pl.Datetime("us"), pl.String, pl.Float64, pl.String]
    assert read["when"].item().hour == 2
    assert read["value"].null_count() == 1
    assert read["text"].null_count() == 1


def test_no_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text(TEXT)

    def refuse(self: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(CohortError, match="permission denied"):
        read_table(tmp_path / "a.csv")


def test_one_table_of_a_zip_can_be_named(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", one__csv=TEXT, two__csv="x\n1\n2\n")
    assert read_table(tmp_path / "a.zip#two.csv").frame.columns == ["x"]
    with pytest.raises(CohortError) as error:
        read_table(tmp_path / "a.zip")
    says(error, "exactly one table", "it holds 2", '"a.zip#one.csv"')
    with pytest.raises(CohortError, match='it holds no table "three'):
        read_table(tmp_path / "a.zip#three.csv")


def test_names_that_are_patterns_are_read_from_text_and_typed_files(tmp_path):
    frame = pl.DataFrame({"*": ["a", "-", "b"], "^a$": ["1,5", "2,5", "3"], "^.*$": ["1", "2", "3"]})
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        table = read_table(tmp_path / name)
        assert table.frame.columns == ["column_1", "column_2", "column_3"]
        assert "pattern_name" in [note.name for note in table.notes]
