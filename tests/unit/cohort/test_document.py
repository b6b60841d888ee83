import json
from collections.abc import Callable

import numpy as np

from polyclinic.cohort.document import MOST_ROWS, cohort_document
from polyclinic.cohort.table import Cohort
from polyclinic.delivery.cohort_document import CohortDocument
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


def test_the_document_is_what_delivery_reads(cohort_of: CohortOf) -> None:
    cohort = cohort_of(columns(), patient="patient", exclude="age < 18")
    document = cohort_document(cohort, outcome=["sick"])
    read = CohortDocument.model_validate(json.loads(json.dumps(document, allow_nan=False)))
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
    assert "secret" not in json.dumps(cohort_document(cohort, outcome=["sick"]))


def test_findings_keep_their_rows_up_to_a_bound(cohort_of: CohortOf) -> None:
    many = Finding("x", "p", "r", "f", "y", Severity.WARNING, tuple(range(1, 5000)))
    (written,) = cohort_document(cohort_of(columns()), findings=[many])["findings"]
    assert len(written["rows"]) == MOST_ROWS
    assert written["rows_in_all"] == 4999
    assert written["severity"] == "warning"


def test_an_outcome_of_many_values_gives_no_groups(cohort_of: CohortOf) -> None:
    document = cohort_document(cohort_of(columns(), patient="patient"), columns=["sick"], outcome=["age"])
    assert document["table_one"]["groups"] == ["all (n = 50)"]
    assert [row["name"] for row in document["table_one"]["rows"]] == ["sick", "sick"]


def test_the_first_outcome_that_makes_groups_is_taken(cohort_of: CohortOf) -> None:
    document = cohort_document(cohort_of(columns(), patient="patient"), outcome=["age", "sick"])
    assert "sick: 1" in document["table_one"]["groups"][2]
