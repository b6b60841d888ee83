"""Parts with another share of the outcome are told; what chance or a small difference explains is not."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.part_prevalence import uneven_parts
from polyclinic.cohort.split import divide
from polyclinic.cohort.table import Cohort
from polyclinic.errors import Finding, Severity
from polyclinic.study.schema import SplitSection

CohortOf = Callable[..., Cohort]
ROWS = 300
PART = np.array(["train", "train", "test"] * (ROWS // 3))
FOLD = np.arange(ROWS) % 5 + 1


def told(cohort: Cohort, section: SplitSection, *outcome: str) -> list[Finding]:
    split = divide(cohort, section, seed=1, groups=np.zeros(len(cohort), dtype=np.int64), every_group=False)
    return list(uneven_parts(cohort, split, section, cohort.frame.select(outcome)))


def sick(share_of_test: float, share_of_train: float = 0.2) -> list[str]:
    """The first patients of each part are sick, as many as the shares say."""
    place = np.array([np.sum(PART[:row] == PART[row]) / np.sum(PART[row] == PART) for row in range(ROWS)])
    return [
        "ill" if p < (share_of_test if part == "test" else share_of_train) else "well"
        for p, part in zip(place, PART, strict=True)
    ]


def test_the_shares_of_a_class_are_told_by_part(cohort_of: CohortOf) -> None:
    cohort = cohort_of(pl.DataFrame({"part": PART, "sick": sick(0.5)}))
    [finding] = told(cohort, SplitSection(column="part"), "sick")
    assert finding.name == "prevalence_differs"
    assert finding.severity is Severity.WARNING
    assert finding.place.endswith('outcome "sick"')
    assert 'the share of "ill": ' in finding.found
    assert "50.0% in test (100 patients)" in finding.found
    assert "in train (" in finding.found
    assert finding.rows == ()


@pytest.mark.parametrize("share", [0.2, 0.25])
def test_chance_is_not_told(cohort_of: CohortOf, share: float) -> None:
    cohort = cohort_of(pl.DataFrame({"part": PART, "sick": sick(share)}))
    assert told(cohort, SplitSection(column="part"), "sick") == []


def test_a_small_difference_among_many_is_not_told(cohort_of: CohortOf) -> None:
    """One point in twenty thousand patients is no chance, and matters to nobody."""
    row = np.arange(40_000)
    part = np.where(row % 2 == 0, "train", "test")
    ill = (row // 2) % 1000 < np.where(row % 2 == 0, 500, 520)
    cohort = cohort_of(pl.DataFrame({"part": part, "sick": ill.astype(int)}))
    assert told(cohort, SplitSection(column="part"), "sick") == []


def test_patients_count_not_rows(cohort_of: CohortOf) -> None:
    """Fifteen patients a part, each with many rows of one outcome, prove less than their rows seem to."""
    patient = np.repeat(np.arange(30), 40)
    part = np.where(patient < 15, "train", "test")
    ill = np.isin(patient, [0, 1, 2, 3, 15, 16, 17, 18, 19, 20, 21])
    columns = pl.DataFrame({"who": patient, "part": part, "sick": ill.astype(int)})
    cohort = cohort_of(columns, patient="who")
    assert told(cohort, SplitSection(column="part"), "sick") == []
    assert told(cohort_of(columns), SplitSection(column="part"), "sick")


def test_the_mean_of_a_number(cohort_of: CohortOf) -> None:
    level = np.random.default_rng(0).normal(10, 2, ROWS)
    cohort = cohort_of(pl.DataFrame({"part": PART, "level": level, "moved": level + 3 * (PART == "test")}))
    [finding] = told(cohort, SplitSection(column="part"), "level", "moved")
    assert "the mean of moved" in finding.found
    assert "in test (100 patients)" in finding.found


def test_given_folds_are_compared_and_the_extremes_named(cohort_of: CohortOf) -> None:
    row = np.arange(ROWS)
    ill = np.where(FOLD == 3, row // 5 % 10 < 7, row // 5 % 10 < 2).astype(int)
    cohort = cohort_of(pl.DataFrame({"fold": FOLD, "even": (row // 7) % 5 + 1, "sick": ill}))
    [finding] = told(cohort, SplitSection(folds="column:fold"), "sick")
    assert "70.0% in fold 3 (60 patients)" in finding.found
    assert finding.found.count("patients") == 2
    [finding] = told(cohort, SplitSection(folds=("column:even", "column:fold")), "sick")
    assert "in fold 3 of repetition 2" in finding.found


def test_sites_and_time_are_compared_and_drawn_parts_are_not(cohort_of: CohortOf) -> None:
    frame = pl.DataFrame({"site": [f"s{n // 100}" for n in range(ROWS)], "sick": [int(n < 60) for n in range(ROWS)]})
    cohort = cohort_of(frame, site="site")
    assert told(cohort, SplitSection(by="site", folds=3), "sick")
    assert told(cohort, SplitSection(by="random", test=0.3), "sick") == []


def test_shares_of_few_patients_are_not_told(cohort_of: CohortOf) -> None:
    part = ["train"] * 50 + ["test"] * 5
    cohort = cohort_of(pl.DataFrame({"part": part, "sick": [0] * 50 + [1] * 5}))
    assert told(cohort, SplitSection(column="part"), "sick") == []
