from collections.abc import Callable

import numpy as np

from polyclinic.cohort.document import MOST_ROWS, CohortDocument, DescribedTable, cohort_document
from polyclinic.cohort.table import Cohort
from polyclinic.cohort.unused_columns import UnusedColumn
from polyclinic.errors import Finding, Severity

CohortOf = Callable[..., Cohort]


def columns() -> dict[str, list[object]]:
    rng = np.random.default_rng(0)
    return {
        "patient": [f"secret-{n}" for n in range(50)],
        "age": rng.integers(10, 90, 50).tolist(),
        "same": [1.0] * 50,
        "sick": ([0, 1] * 25),
    }


def _table(document: CohortDocument) -> DescribedTable:
    assert document.table_one is not None
    return document.table_one


def test_the_document_is_read_back_as_it_was_written(cohort_of: CohortOf) -> None:
    cohort = cohort_of(columns(), patient="patient", exclude="age < 18")
    document = cohort_document(cohort, outcome=["sick"])
    read = CohortDocument.model_validate_json(document.model_dump_json())
    assert read == document
    assert [step.step for step in read.flow] == ["in the table", "excluded: age < 18"]
    assert read.flow[1].left_out == 50 - len(cohort)
    assert read.table_one is not None
    sick, well = int(cohort.frame["sick"].sum()), int((cohort.frame["sick"] == 0).sum())
    assert read.table_one.groups == (
        f"all (n = {len(cohort)})",
        f"sick: 0 (n = {well})",
        f"sick: 1 (n = {sick})",
        "standardised difference",
    )
    assert all(len(row.cells) == 4 for row in read.table_one.rows)
    assert set(read.fingerprints) == {"cohort.parquet", "table"}


def test_no_patient_is_named(cohort_of: CohortOf) -> None:
    cohort = cohort_of(columns(), patient="patient")
    assert "secret" not in cohort_document(cohort, outcome=["sick"]).model_dump_json()


def test_findings_keep_their_rows_up_to_a_bound(cohort_of: CohortOf) -> None:
    many = Finding("x", "p", "r", "f", "y", Severity.WARNING, tuple(range(1, 5000)))
    (written,) = cohort_document(cohort_of(columns()), findings=[many]).findings
    assert len(written.rows) == MOST_ROWS
    assert written.rows_in_all == 4999
    assert written.severity == "warning"


def test_an_outcome_of_many_values_gives_no_groups(cohort_of: CohortOf) -> None:
    document = cohort_document(cohort_of(columns(), patient="patient"), groups=[["sick"]], outcome=["age"])
    assert _table(document).groups == ("all (n = 50)",)
    assert [row.name for row in _table(document).rows] == ["sick", "sick"]


def test_the_first_outcome_that_makes_groups_is_taken(cohort_of: CohortOf) -> None:
    document = cohort_document(cohort_of(columns(), patient="patient"), outcome=["age", "sick"])
    assert "sick: 1" in _table(document).groups[2]


def test_the_period_is_told_in_months_and_sites_are_counted(cohort_of: CohortOf) -> None:
    days = ["2019-01-31", "2021-03-07", None, "2020-06-01", "2019-02-02"] * 10
    sites = ["north", "south", None, "north", "south"] * 10
    cohort = cohort_of(columns() | {"day": days, "hospital": sites}, patient="patient", date="day", site="hospital")
    document = cohort_document(cohort, outcome=["sick"])
    assert (document.period, document.sites) == (("2019-01", "2021-03"), 2)
    assert "2021-03-07" not in document.model_dump_json()


def test_without_dates_and_sites_nothing_is_said_of_them(cohort_of: CohortOf) -> None:
    document = cohort_document(cohort_of(columns()), outcome=["sick"])
    assert (document.period, document.sites) == ((), None)


def test_unused_columns_are_counted_beyond_those_listed(cohort_of: CohortOf) -> None:
    unused = [UnusedColumn(f"c{n}", "no value in any row") for n in range(MOST_ROWS + 5)]
    document = cohort_document(cohort_of(columns()), unused=unused)
    assert (len(document.unused), document.unused_in_all) == (MOST_ROWS, MOST_ROWS + 5)
