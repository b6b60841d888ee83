from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.table import Cohort, Step, leave_out, load
from polyclinic.errors import CohortError, Severity
from polyclinic.study.schema import CohortSection

CohortOf = Callable[..., Cohort]

COLUMNS: dict[str, list[object]] = {
    "patient_id": ["a", "a", "b", "c"],
    "age": [10, 11, 50, 60],
    "hospital": ["x", "x", None, "y"],
    "day": ["2020-01-01", "2020-02-01", "2020-03-01", None],
}


def test_columns_of_the_section_become_arrays(cohort_of: CohortOf) -> None:
    cohort = cohort_of(COLUMNS, patient="patient_id", site="hospital", date="day", strata=("hospital",))
    assert cohort.patient.tolist() == ["a", "a", "b", "c"]
    assert cohort.site is not None
    assert cohort.site.tolist() == ["x", "x", "", "y"]
    assert cohort.dates is not None
    assert np.isnat(cohort.dates).tolist() == [False, False, False, True]
    assert cohort.strata["hospital"].tolist() == ["x", "x", "", "y"]
    assert cohort.row.tolist() == [1, 2, 3, 4]
    assert cohort.frame.columns == list(COLUMNS)
    assert cohort.frame["day"].dtype == pl.Date
    assert cohort.flow == (Step("in the table", 4, 3),)


def test_exclusion_is_counted_in_rows_and_patients(cohort_of: CohortOf) -> None:
    cohort = cohort_of(COLUMNS, patient="patient_id", exclude="age < 11")
    assert cohort.flow == (Step("in the table", 4, 3), Step("excluded: age < 11", 3, 3))
    assert cohort.row.tolist() == [2, 3, 4]
    assert len(cohort) == cohort.frame.height == 3


def test_further_steps_are_added_and_the_first_cohort_stays(cohort_of: CohortOf) -> None:
    cohort = cohort_of(COLUMNS, patient="patient_id")
    left = leave_out(cohort, np.array([True, True, False, False]), "outcome not known")
    assert left.flow[-1] == Step("outcome not known", 2, 2)
    assert left.patient.tolist() == ["b", "c"]
    assert len(cohort) == 4
    assert left.fingerprints == cohort.fingerprints


def test_nobody_left_is_an_error(cohort_of: CohortOf) -> None:
    with pytest.raises(CohortError, match='after the step "excluded: age > 0" nobody is'):
        cohort_of(COLUMNS, exclude="age > 0")


def test_every_row_another_patient(cohort_of: CohortOf) -> None:
    assert cohort_of(COLUMNS, patient="row").patient.tolist() == [1, 2, 3, 4]


def test_a_column_called_row_is_not_the_patient(cohort_of: CohortOf) -> None:
    (finding,) = cohort_of({"row": [5, 5, 6]}, patient="row").findings
    assert finding.severity is Severity.WARNING


def test_rows_without_a_patient_are_named(cohort_of: CohortOf) -> None:
    with pytest.raises(CohortError) as error:
        cohort_of({"id": ["a", None, "c", " "]}, patient="id")
    assert error.value.findings[0].rows == (2, 4)


@pytest.mark.parametrize("ids", [[1, 1, 2], [1.0, 1.0, 2.0]])
def test_numbers_of_patients_are_whole(cohort_of: CohortOf, ids: list[object]) -> None:
    patient = cohort_of({"id": ids}, patient="id").patient
    assert patient.dtype == np.int64
    assert patient.tolist() == [1, 1, 2]


def test_all_absent_columns_come_together(cohort_of: CohortOf) -> None:
    with pytest.raises(CohortError) as error:
        cohort_of(COLUMNS, patient="patient", site="hospitl", date="when", strata=("sex",))
    assert len(error.value.findings) == 4
    assert 'study.toml [cohort] site: must name a column of the table; there is no column "hospitl"' in str(error.value)
    assert 'Did you mean "hospital"?' in str(error.value)


def test_ambiguous_dates_are_refused(cohort_of: CohortOf) -> None:
    with pytest.raises(CohortError, match="day and month cannot be told apart"):
        cohort_of({"day": ["01/02/2020", "02/03/2020"]}, date="day")


def test_fingerprints_follow_content_not_format(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "a.parquet")
    one, other = (load(CohortSection(table=f"a.{s}", patient="row"), tmp_path) for s in ("csv", "parquet"))
    assert one.fingerprints.table == other.fingerprints.table
    assert set(one.fingerprints.sources.values()) != set(other.fingerprints.sources.values())


def test_missing_values_are_the_studys(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n-9\n2\n")
    section = CohortSection(table="a.csv", patient="row", missing_values=("-9",))
    assert load(section, tmp_path).frame["a"].to_list() == [1, None, 2]


def test_a_chinese_table_loads_with_its_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("编号,年龄\n甲,50\n乙,60\n".encode("gb18030"))
    with pytest.raises(CohortError, match="gb18030"):
        load(CohortSection(table="a.csv", patient="编号"), tmp_path)
    assert load(CohortSection(table="a.csv", patient="编号", encoding="gb18030"), tmp_path).patient.tolist() == [
        "甲",
        "乙",
    ]


def test_a_relative_table_is_found_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.csv").write_text("a\n1\n2\n")
    assert load(CohortSection(table="inner/a.csv", patient="row"), tmp_path).folder == tmp_path / "inner"


def test_a_zero_that_means_not_measured_is_emptied(tmp_path):
    (tmp_path / "t.csv").write_text("pressure,sons\n0,0\n120,2\n", encoding="utf-8")
    section = CohortSection(table="t.csv", patient="row", zero_missing=("pressure",))
    cohort = load(section, tmp_path)
    assert cohort.frame["pressure"].to_list() == [None, 120]
    assert cohort.frame["sons"].to_list() == [0, 2]


def test_a_column_of_zeros_that_is_not_there(tmp_path):
    (tmp_path / "t.csv").write_text("pressure\n0\n", encoding="utf-8")
    with pytest.raises(CohortError, match="zero_missing"):
        load(CohortSection(table="t.csv", patient="row", zero_missing=("presure",)), tmp_path)


def test_patients_are_who_was_written(tmp_path: Path) -> None:
    ids = [f"{n % 20 + 1}{form}" for n in range(20) for form in ("2E3", "20E2", "2000")]
    (tmp_path / "t.csv").write_text("id,age\n" + "".join(f"{one},{50 + n % 9}\n" for n, one in enumerate(ids)))
    cohort = load(CohortSection(table="t.csv", patient="id"), tmp_path)
    assert cohort.flow[0].patients == 60
    assert cohort.patient.tolist() == ids


def test_long_identifiers_with_a_decimal_point_stay_apart(tmp_path: Path) -> None:
    ids = [f"1234567890123456{n:02d}.0" for n in range(80)]
    (tmp_path / "t.csv").write_text("id\n" + "\n".join(ids) + "\n")
    assert load(CohortSection(table="t.csv", patient="id"), tmp_path).flow[0].patients == 80


def test_sites_and_strata_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("ward,floor\n2.1,1.1\n2.10,1.10\n")
    cohort = load(CohortSection(table="t.csv", patient="row", site="ward", strata=("floor",)), tmp_path)
    assert cohort.site is not None
    assert cohort.site.tolist() == ["2.1", "2.10"]
    assert cohort.strata["floor"].tolist() == ["1.1", "1.10"]


def test_what_was_done_to_a_column_is_told_where_it_is_used(tmp_path: Path) -> None:
    ages = [f"{n % 50 + 30}" if n % 30 else "-" for n in range(200)]
    (tmp_path / "t.csv").write_text("age\n" + "\n".join(ages) + "\n")
    cohort = load(CohortSection(table="t.csv", patient="row"), tmp_path)
    assert cohort.frame["age"].dtype == pl.Int64
    assert cohort.frame["age"].null_count() == 7
    assert cohort.findings == ()
    assert [f.name for f in cohort.readings["age"].findings] == ["read_as_numbers"]
