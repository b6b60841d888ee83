"""Published folds: followed to the row, or refused with what is wrong with the column."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.given_folds import is_fold_column
from polyclinic.cohort.leaks import leaks
from polyclinic.cohort.split import divide
from polyclinic.cohort.table import Cohort
from polyclinic.errors import CohortError
from polyclinic.study.schema import SplitSection

CohortOf = Callable[..., Cohort]
ROWS = 120
SICK = np.arange(ROWS) % 3 == 0


def table(**more: object) -> pl.DataFrame:
    """Sixty patients with two visits each."""
    return pl.DataFrame({"patient": [f"p{n // 2:02}" for n in range(ROWS)], "sick": SICK.tolist(), **more})


def by_patient(folds: int) -> list[int]:
    """A fold for each row, from 1, the same for both visits."""
    return [n // 2 % folds + 1 for n in range(ROWS)]


def given(cohort: Cohort, *columns: str, **keys: object) -> SplitSection:
    return SplitSection(folds=tuple(f"column:{name}" for name in columns), **keys)


def divided(cohort: Cohort, *columns: str, members: int = 1):
    return divide(cohort, given(cohort, *columns), members=members, seed=1, groups=SICK.astype(np.int64))


def test_every_fold_of_the_column_is_tested_once_in_the_order_of_its_number(cohort_of: CohortOf) -> None:
    fold = by_patient(12)
    cohort = cohort_of(table(fold=fold), patient="patient")
    split = divide(cohort, SplitSection(folds="column:fold"), members=2, seed=1, groups=SICK.astype(np.int64))
    assert [(one.repeat, one.number) for one in split.folds] == [(0, number) for number in range(12)]
    for number, one in enumerate(split.folds, 1):
        assert one.test.index.tolist() == [row for row in range(ROWS) if fold[row] == number]
        first, second = one.members
        assert first.tune.index.tolist() != second.tune.index.tolist()
        for member in one.members:
            sides = [set(cohort.patient[rows.index]) for rows in (member.train, member.tune, one.test)]
            assert all(sides)
            assert sum(map(len, sides)) == 60


def test_each_column_is_one_repetition(cohort_of: CohortOf) -> None:
    words = [f" {'abcde'[n // 4 % 5]} " for n in range(ROWS)]
    cohort = cohort_of(table(first=by_patient(5), second=words), patient="patient")
    split = divided(cohort, "first", "second")
    assert [(one.repeat, one.number) for one in split.folds] == [
        *((0, n) for n in range(5)),
        *((1, n) for n in range(5)),
    ]
    assert split.folds[6].test.index.tolist() == [n for n in range(ROWS) if words[n] == " b "]
    for repeat in (0, 1):
        tested = np.concatenate([one.test.index for one in split.folds if one.repeat == repeat])
        assert sorted(tested) == list(range(ROWS))


@pytest.mark.parametrize(
    ("columns", "names", "message"),
    [
        (
            {"fold": [None, " ", *by_patient(5)[2:]]},
            ["fold"],
            "nothing in 2 rows",
        ),
        ({"fold": [1] * ROWS}, ["fold"], "at least 2 folds; there is 1"),
        ({"fold": [n // 2 for n in range(ROWS)]}, ["fold"], "at most 30 .* it holds 60"),
        ({"fold": by_patient(5)}, ["flod"], 'folds.*"flod".*"fold"'),
        ({"fold": by_patient(5)}, ["fold", "fold"], "is named 2 times"),
        ({"fold": by_patient(5), "again": by_patient(4)}, ["fold", "again"], "equally many folds; they hold 4, 5"),
        ({"fold": by_patient(5), "again": [f"f{n}" for n in by_patient(5)]}, ["fold", "again"], "give the same folds"),
    ],
)
def test_a_column_that_gives_no_folds_is_refused(
    cohort_of: CohortOf, columns: dict[str, list[object]], names: list[str], message: str
) -> None:
    columns = {name: [None if cell is None else str(cell) for cell in cells] for name, cells in columns.items()}
    cohort = cohort_of(table(**columns), patient="patient")
    with pytest.raises(CohortError, match=message):
        divided(cohort, *names)


def test_all_columns_are_judged_in_one_pass_with_the_rows_of_empty_cells(cohort_of: CohortOf) -> None:
    cohort = cohort_of(table(a=[None, *by_patient(5)[1:]], b=[7] * ROWS), patient="patient")
    with pytest.raises(CohortError) as stopped:
        divided(cohort, "a", "b")
    assert [(one.name, one.rows) for one in stopped.value.findings] == [("fold_missing", (1,)), ("one_fold", ())]


@pytest.mark.parametrize("section", [{"by": "site"}, {"column": "part"}])
def test_two_ways_of_dividing_are_refused(cohort_of: CohortOf, section: dict[str, str]) -> None:
    cohort = cohort_of(table(fold=by_patient(5), part=["train", "test"] * 60), patient="patient")
    with pytest.raises(CohortError, match="must say in one way how to divide"):
        divide(cohort, given(cohort, "fold", **section), seed=1, groups=SICK.astype(np.int64))


def test_a_patient_or_a_copy_in_two_folds_is_a_leak(cohort_of: CohortOf) -> None:
    torn = by_patient(5)
    torn[1] = 2
    cohort = cohort_of(table(fold=torn), patient="patient")
    prints = np.arange(1, ROWS + 1, dtype=np.uint64)
    prints[2] = prints[4]
    found = leaks(
        cohort,
        divided(cohort, "fold"),
        outcome=cohort.frame.select("sick"),
        candidates=cohort.frame.select("patient"),
        fingerprints={"labs": prints},
        properties={},
    )
    assert [(one.name, one.rows) for one in found] == [("patient_on_two_sides", (1, 2)), ("duplicate_records", (3, 5))]


@pytest.mark.parametrize(
    ("name", "values", "is_one"),
    [
        ("fold", [1, 2, 3, 4] * 5, True),
        ("strat_fold", [1, 2] * 10, True),
        ("cv_fold_2", ["a", "b"] * 10, True),
        ("rep1_fold", [1, 2] * 10, True),
        ("折", [1, 2] * 10, True),
        ("fold", list(range(20)), False),
        ("fold", [1, None] * 10, False),
        ("fold", [1.5, 2.5] * 10, False),
        ("fold_change", [1, 2] * 10, False),
        ("skinfold", [1, 2] * 10, False),
        ("cv", [1, 2] * 10, False),
    ],
)
def test_what_is_called_a_fold(name: str, values: list[object], is_one: bool) -> None:
    assert is_fold_column(pl.Series(name, values)) is is_one
