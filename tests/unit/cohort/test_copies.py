"""Copies: by content, by both halves of a row of a table, or by inputs and outcome together."""

from collections.abc import Callable

import numpy as np
import polars as pl

from polyclinic.cohort.copies import Content, Copies, find_copies
from polyclinic.cohort.repeats import frame_halves, numbered
from polyclinic.cohort.table import Cohort
from polyclinic.errors import Severity

CohortOf = Callable[..., Cohort]

WHOLE = "row of inputs and outcome"
LABS = "record of the input labs"


def content_of(table: np.ndarray) -> Content:
    """A table as an input reads it."""
    frame = pl.DataFrame({f"c{i}": column for i, column in enumerate(table.T)})
    return Content(numbered(*table.T).astype(np.uint64) + np.uint64(1), lambda: frame_halves(frame))


def search(cohort_of: CohortOf, table: np.ndarray, outcome: dict[str, np.ndarray] | None, **keys: object) -> Copies:
    columns = {"n": list(range(len(table)))} if outcome is None else {k: v.tolist() for k, v in outcome.items()}
    cohort = cohort_of(columns, **keys)
    asked = None if outcome is None else cohort.frame.select(*outcome)
    return find_copies(cohort, {"labs": content_of(table)}, asked)


def rows(copies: Copies, what: str) -> list[int]:
    """The rows that are copies of others."""
    prints = copies.prints[what]
    _, place, times = np.unique(prints, return_inverse=True, return_counts=True)
    return np.flatnonzero((prints > 0) & (times[place] > 1)).tolist()


def small_table(rng: np.random.Generator, patients: int = 400) -> dict[str, np.ndarray]:
    """Sex, age and two signs: what patients of a small survival study are known by."""
    return {
        "inputs": np.column_stack([rng.integers(0, 2, (patients, 3)), rng.integers(40, 90, patients)]),
        "time": np.ceil(rng.exponential(900, patients)),
        "event": rng.integers(0, 2, patients),
    }


def test_rows_that_repeat_with_their_follow_up_are_copies(cohort_of: CohortOf) -> None:
    made = small_table(np.random.default_rng(1))
    for column in made.values():
        column[300:] = column[:100]
    copies = search(cohort_of, made["inputs"], {"time": made["time"], "event": made["event"]})
    assert rows(copies, WHOLE) == [*range(100), *range(300, 400)]
    assert rows(copies, LABS) == []
    pairs = copies.prints[WHOLE]
    assert (pairs[:100] == pairs[300:]).all()
    assert len(np.unique(pairs)) == 101
    assert copies.findings == ()


def test_strangers_of_one_age_and_sex_are_none(cohort_of: CohortOf) -> None:
    made = small_table(np.random.default_rng(1))
    copies = search(cohort_of, made["inputs"], {"time": made["time"], "event": made["event"]})
    assert rows(copies, WHOLE) == rows(copies, LABS) == []
    assert copies.findings == ()


def test_nobody_is_a_copy_for_a_yes_or_no_that_half_of_all_share(cohort_of: CohortOf) -> None:
    made = small_table(np.random.default_rng(1))
    made["inputs"][300:], made["event"][300:] = made["inputs"][:100], made["event"][:100]
    copies = search(cohort_of, made["inputs"], {"event": made["event"]})
    assert rows(copies, WHOLE) == rows(copies, LABS) == []


def test_measures_to_the_last_digit_are_copies_whatever_is_asked(cohort_of: CohortOf) -> None:
    rng = np.random.default_rng(2)
    table, ill = rng.normal(size=(100, 6)), np.arange(100) % 2
    table[60], ill[60] = table[10], ill[10]
    for outcome in ({"ill": ill}, None):
        copies = search(cohort_of, table, outcome)
        assert rows(copies, LABS) == [10, 60]
        assert WHOLE not in copies.prints or rows(copies, WHOLE) == []  # told once
        assert copies.findings == ()


def test_a_copy_is_told_once(cohort_of: CohortOf) -> None:
    rng = np.random.default_rng(2)
    table, days = rng.normal(size=(100, 6)), rng.integers(1, 9000, 100)
    table[60], days[60] = table[10], days[10]
    copies = search(cohort_of, table, {"days": days})
    assert rows(copies, LABS) == [10, 60]
    assert rows(copies, WHOLE) == []


def test_one_record_with_two_outcomes_is_told_and_no_copy(cohort_of: CohortOf) -> None:
    table, ill = np.random.default_rng(2).normal(size=(100, 6)), np.arange(100) % 2
    table[61] = table[10]
    copies = search(cohort_of, table, {"ill": ill})
    assert rows(copies, LABS) == []
    (finding,) = copies.findings
    assert finding.name == "two_outcomes"
    assert finding.severity is Severity.WARNING
    assert finding.rows == (11, 62)
    assert "1 record" in finding.found


def test_where_rows_alike_differ_as_strangers_do_they_are_strangers(cohort_of: CohortOf) -> None:
    """Weight, height and what follows from both: whoever shares the one half must share the other."""
    rng = np.random.default_rng(3)
    height = np.round(rng.normal(170, 9, 500))
    weight = np.round(height - 100 + rng.normal(0, 12, 500))
    table = np.column_stack([height, weight, np.round(weight / height**2 * 1e4, 2)])
    copies = search(cohort_of, table, {"ill": rng.integers(0, 2, 500)})
    assert rows(copies, LABS) == rows(copies, WHOLE) == []
    assert copies.findings == ()


def test_pictures_of_one_content_are_copies_and_two_outcomes_are_told(cohort_of: CohortOf) -> None:
    prints = np.arange(40, dtype=np.uint64)  # the first is absent
    prints[[7, 20]] = prints[[3, 5]]
    ill = np.arange(40) % 2
    cohort = cohort_of({"ill": ill.tolist()})
    copies = find_copies(cohort, {"film": Content(prints, lambda: None)}, cohort.frame)
    assert (copies.prints["record of the input film"] == prints).all()
    (finding,) = copies.findings
    assert finding.rows == (6, 21)


def test_visits_of_one_patient_are_no_copies(cohort_of: CohortOf) -> None:
    made = small_table(np.random.default_rng(1))
    for column in made.values():
        column[300:] = column[:100]
    patient = np.arange(400)
    patient[300:] = patient[:100]
    asked = {"time": made["time"], "event": made["event"], "who": patient}
    assert rows(search(cohort_of, made["inputs"], asked, patient="who"), WHOLE) == []


def test_an_outcome_in_single_precision_is_the_same(cohort_of: CohortOf) -> None:
    made = small_table(np.random.default_rng(1))
    for column in made.values():
        column[300:] = column[:100]
    made["time"] = made["time"] / 7
    made["time"][300:] = made["time"][300:].astype(np.float32)
    copies = search(cohort_of, made["inputs"], {"time": made["time"], "event": made["event"]})
    assert len(rows(copies, WHOLE)) == 200


def test_whole_rows_take_in_every_input(cohort_of: CohortOf) -> None:
    made = small_table(np.random.default_rng(1))
    for column in made.values():
        column[300:] = column[:100]
    cohort = cohort_of({"time": made["time"].tolist()})
    films = np.arange(1, 401, dtype=np.uint64)
    both = {"labs": content_of(made["inputs"]), "film": Content(films, lambda: None)}
    assert not find_copies(cohort, both, cohort.frame).prints[WHOLE].any()
    films[:] = 0  # nobody has a film
    assert np.count_nonzero(find_copies(cohort, both, cohort.frame).prints[WHOLE]) == 200
