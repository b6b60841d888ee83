"""Attempts to let the answer into the training: each must be found, and named with its rows."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.leaks import leaks
from polyclinic.cohort.rows import Split
from polyclinic.cohort.split import divide
from polyclinic.cohort.table import Cohort
from polyclinic.errors import Finding, LeakError, Severity, stop_on
from polyclinic.study.findings import sift
from polyclinic.study.schema import SplitSection

CohortOf = Callable[..., Cohort]
RNG = np.random.default_rng(3)
SICK = np.arange(200) % 2
NOISE = RNG.normal(size=200)


def columns(**more: object) -> dict[str, object]:
    return {"sick": SICK.tolist(), "noise": NOISE.tolist(), **more}


def divided(cohort: Cohort, section: SplitSection | None = None) -> Split:
    groups = cohort.frame["sick"].cast(pl.Int64).to_numpy()
    return divide(cohort, section or SplitSection(), seed=1, groups=groups)


def search(
    cohort: Cohort,
    split: Split | None = None,
    prints: np.ndarray | None = None,
    properties: dict[str, np.ndarray] | None = None,
    outcome: tuple[str, ...] = ("sick",),
    left_out: tuple[str, ...] = (),
) -> list[Finding]:
    empty = np.zeros(len(cohort), dtype=np.uint64)
    return leaks(
        cohort,
        split or divided(cohort),
        outcome=cohort.frame.select(outcome),
        candidates=cohort.frame.drop(*outcome, *left_out),
        fingerprints={"labs": empty if prints is None else prints},
        properties={"film": properties or {}},
    )


def only(findings: list[Finding], name: str) -> Finding:
    assert [finding.name for finding in findings] == [name]
    return findings[0]


def test_a_clean_cohort_has_no_leak(cohort_of: CohortOf) -> None:
    cohort = cohort_of(columns())
    assert search(cohort, prints=np.arange(1, 201, dtype=np.uint64)) == []


def test_a_patient_on_both_sides_of_a_given_split(cohort_of: CohortOf) -> None:
    part = ["test" if n % 4 == 0 else "train" for n in range(200)]
    patient = [*range(199), 0]
    cohort = cohort_of(columns(part=part, patient=patient), patient="patient")
    found = search(cohort, divided(cohort, SplitSection(column="part")), left_out=("part", "patient"))
    finding = only(found, "patient_on_two_sides")
    assert finding.rows == (1, 200)
    assert finding.severity is Severity.REFUSED
    with pytest.raises(LeakError, match="a patient must be on one side"):
        stop_on(found, LeakError)


def test_a_patient_in_train_and_tune_counts_too(cohort_of: CohortOf) -> None:
    part = ["test" if n % 4 == 0 else "tune" if n % 4 == 1 else "train" for n in range(200)]
    cohort = cohort_of(columns(part=part, patient=[*range(199), 1]), patient="patient")
    found = search(cohort, divided(cohort, SplitSection(column="part")), left_out=("part", "patient"))
    assert only(found, "patient_on_two_sides").rows == (2, 200)


def test_a_copy_of_a_record_in_the_test(cohort_of: CohortOf) -> None:
    cohort = cohort_of(columns())
    split = divided(cohort)
    prints = np.arange(1, 201, dtype=np.uint64)
    tested, trained = int(split.folds[0].test.index[0]), int(split.folds[0].members[0].train.index[0])
    prints[tested] = prints[trained]
    finding = only(search(cohort, split, prints), "duplicate_records")
    assert set(finding.rows) == {tested + 1, trained + 1}
    assert "labs" in finding.rule


def test_a_copy_in_any_fold(cohort_of: CohortOf) -> None:
    cohort = cohort_of(columns())
    split = divided(cohort, SplitSection(folds=5, repeat=2))
    prints = np.arange(1, 201, dtype=np.uint64)
    one, other = (int(fold.test.index[0]) for fold in split.folds[2:4])
    prints[one] = prints[other]
    assert set(only(search(cohort, split, prints), "duplicate_records").rows) == {one + 1, other + 1}


def test_copies_on_one_side_are_no_leak(cohort_of: CohortOf) -> None:
    cohort = cohort_of(columns())
    split = divided(cohort)
    prints = np.arange(1, 201, dtype=np.uint64)
    prints[split.folds[0].test.index] = 7_000
    assert search(cohort, split, prints) == []


def test_a_copy_in_train_and_tune_is_a_warning(cohort_of: CohortOf) -> None:
    cohort = cohort_of(columns())
    split = divided(cohort)
    prints = np.arange(1, 201, dtype=np.uint64)
    inner = split.folds[0].members[0]
    prints[inner.tune.index[0]] = prints[inner.train.index[0]]
    assert only(search(cohort, split, prints), "duplicate_tune_records").severity is Severity.WARNING


def test_absent_records_are_no_copies(cohort_of: CohortOf) -> None:
    assert search(cohort_of(columns())) == []


@pytest.mark.parametrize(
    "disguise",
    [
        SICK.tolist(),
        [f"code {1 - s}" for s in SICK],
        (SICK * 5 + RNG.random(200)).tolist(),
        [None if s else 3.0 for s in SICK],
        [date(2021, 1, 1) if s else None for s in SICK],
    ],
)
def test_the_target_in_disguise(cohort_of: CohortOf, disguise: list[object]) -> None:
    finding = only(search(cohort_of(columns(ward=disguise))), "target_in_disguise")
    assert "it is told by: ward" in finding.found
    assert finding.severity is Severity.REFUSED


def test_a_strong_honest_measure_is_no_disguise(cohort_of: CohortOf) -> None:
    area_of_about_97 = (SICK * 2.7 + RNG.normal(size=200)).tolist()
    assert search(cohort_of(columns(marker=area_of_about_97))) == []


def test_one_disguise_among_genes_of_few_patients_is_not_claimed(cohort_of: CohortOf) -> None:
    few = {"sick": [0] * 27 + [1] * 11, "gene": [0.0] * 27 + [1.0] * 11}
    assert search(cohort_of(few)) == []


def test_a_number_in_disguise(cohort_of: CohortOf) -> None:
    value = RNG.gamma(2.0, size=200)
    cohort = cohort_of(columns(value=value.tolist(), log=np.log(value).tolist()))
    finding = only(search(cohort, outcome=("value",), left_out=("sick",)), "target_in_disguise")
    assert "log" in finding.found


def test_the_time_of_an_event_is_an_outcome_too(cohort_of: CohortOf) -> None:
    time = RNG.gamma(2.0, size=200)
    cohort = cohort_of(columns(time=time.tolist(), stay=(time * 24).tolist()))
    finding = only(search(cohort, outcome=("sick", "time")), "target_in_disguise")
    assert 'outcome "time"' in finding.place


def test_the_test_rows_are_not_looked_at_for_disguises(cohort_of: CohortOf) -> None:
    cohort = cohort_of(columns())
    split = divided(cohort)
    trick = RNG.normal(size=200)
    trick[split.folds[0].test.index] = SICK[split.folds[0].test.index] * 100
    cohort = cohort_of(columns(trick=trick.tolist()))
    assert search(cohort, divided(cohort)) == []


def test_a_file_property_that_gives_the_label_away(cohort_of: CohortOf) -> None:
    cohort = cohort_of(columns())
    bytes_of_file = SICK * 1000 + RNG.integers(0, 500, 200)
    finding = only(search(cohort, properties={"size": bytes_of_file}), "file_property_gives_label_away")
    assert finding.severity is Severity.REFUSED
    assert "input film" in finding.place
    assert "the size of the file alone does, to 100%" in finding.found
    text = np.where(SICK == 1, "png", "jpeg")
    assert only(search(cohort, properties={"format": text}), "file_property_gives_label_away")


def test_a_file_property_that_hints_is_a_warning_and_chance_is_nothing(cohort_of: CohortOf) -> None:
    cohort = cohort_of(columns())
    hint = SICK * 1.3 + RNG.normal(size=200)
    assert (
        only(search(cohort, properties={"size": hint}), "file_property_gives_label_away").severity is Severity.WARNING
    )
    assert search(cohort, properties={"size": NOISE}) == []


def test_an_event_after_the_index_time(cohort_of: CohortOf) -> None:
    index = [date(2020, 1, 1) + timedelta(days=n) for n in range(200)]
    before = [day - timedelta(days=n % 9) for n, day in enumerate(index)]
    after = [*before[:50], index[50] + timedelta(days=1), *before[51:]]
    cohort = cohort_of(columns(index=index, before=before, after=after), date="index")
    finding = only(search(cohort), "after_index_time")
    assert 'column "after"' in finding.rule
    assert finding.rows == (51,)


def test_a_moment_within_the_index_day_is_not_later(cohort_of: CohortOf) -> None:
    index = [date(2020, 1, 1) + timedelta(days=n) for n in range(200)]
    moment = [f"{day} 10:00" for day in index]
    frame = pl.DataFrame(columns(index=index, moment=moment)).with_columns(pl.col("moment").str.to_datetime())
    assert search(cohort_of(frame, date="index")) == []


def test_a_site_on_both_sides_where_sites_are_held_out(cohort_of: CohortOf) -> None:
    site = [f"h{n % 5}" for n in range(200)]
    cohort = cohort_of(columns(site=site, patient=[*range(198), 0, 1]), patient="patient", site="site")
    section = SplitSection(by="site", test=0.3)
    found = search(cohort, divided(cohort, section), left_out=("site", "patient"))
    assert only(found, "site_on_two_sides").severity is Severity.REFUSED
    clean = cohort_of(columns(site=site), site="site")
    assert search(clean, divided(clean, section), left_out=("site",)) == []


def test_a_refusal_may_be_accepted_by_its_name(cohort_of: CohortOf) -> None:
    found = search(cohort_of(columns(ward=SICK.tolist())))
    accepted = sift(found, {"target_in_disguise": "a check of the pipeline"})
    stop_on(accepted, LeakError)
    assert accepted[0].severity is Severity.NOTE


def test_a_hundred_thousand_rows_are_searched_in_seconds() -> None:
    import time
    from pathlib import Path

    from polyclinic.cohort.table import Fingerprints

    rows = 100_000
    frame = pl.DataFrame(
        {
            "sick": np.arange(rows) % 2,
            **{f"n{i}": RNG.normal(size=rows) for i in range(25)},
            **{f"c{i}": pl.Series(["a", "b", "c", "d"]).gather(RNG.integers(0, 4, rows)) for i in range(25)},
        }
    )
    cohort = Cohort(
        frame=frame,
        row=np.arange(1, rows + 1),
        patient=np.arange(rows),
        site=None,
        dates=None,
        strata={},
        folder=Path(),
        name="large.csv",
        flow=(),
        findings=(),
        fingerprints=Fingerprints({}, ""),
    )
    began = time.process_time()
    assert search(cohort, prints=np.arange(1, rows + 1, dtype=np.uint64)) == []
    assert time.process_time() - began < 10
