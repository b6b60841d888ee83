from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyclinic.cohort.patient_groups import copies
from polyclinic.cohort.rows import Split
from polyclinic.cohort.split import divide
from polyclinic.cohort.table import Cohort
from polyclinic.errors import CohortError
from polyclinic.study.schema import SplitSection

CohortOf = Callable[..., Cohort]


def visits(patients: int = 60, each: int = 3) -> dict[str, list[object]]:
    """Patients with several visits, at four hospitals, in families of two, seen one after the other."""
    number = [p for p in range(patients) for _ in range(each)]
    return {
        "patient": [f"p{n:03}" for n in number],
        "sick": [n % 3 == 0 for n in number],
        "hospital": [f"h{n % 4}" for n in number],
        "family": [n // 2 for n in number],
        "day": [date(2020, 1, 1) + timedelta(days=n) for n in number],
        "part": ["test" if n % 5 == 0 else "valid" if n % 5 == 1 else "train" for n in number],
    }


def groups(cohort: Cohort) -> np.ndarray:
    return cohort.frame["sick"].cast(int).to_numpy().astype(np.int64)


def check(cohort: Cohort, split: Split, unit: np.ndarray | None = None) -> None:
    """Everybody is somewhere, once; nobody (no unit) is on two sides."""
    unit = cohort.patient if unit is None else unit
    for fold in split.folds:
        for inner in fold.members:
            sides = [set(unit[rows.index]) for rows in (inner.train, inner.tune, fold.test)]
            assert all(sides)
            assert sum(len(side) for side in sides) == len(set().union(*sides))
            assert len(inner.train) + len(inner.tune) + len(fold.test) == len(cohort)
            assert all((np.diff(rows.index) > 0).all() for rows in (inner.train, inner.tune, fold.test))


@pytest.mark.parametrize(
    "section",
    [
        SplitSection(),
        SplitSection(folds=5),
        SplitSection(folds=5, repeat=2),
        SplitSection(column="part"),
        SplitSection(by="time"),
        SplitSection(by="site", test=0.3),
        SplitSection(by="site", folds=3),
        SplitSection(by="group:family"),
        SplitSection(by="group:family", folds=4),
    ],
)
def test_every_way_divides_by_patient(cohort_of: CohortOf, section: SplitSection) -> None:
    cohort = cohort_of(visits(), patient="patient", site="hospital", date="day")
    split = divide(cohort, section, members=3, seed=1, groups=groups(cohort))
    check(cohort, split)
    assert len(split.folds) == (section.folds or 1) * section.repeat
    again = divide(cohort, section, members=3, seed=1, groups=groups(cohort))
    for one, other in zip(split.folds, again.folds, strict=True):
        assert one.test.index.tolist() == other.test.index.tolist()
        assert [m.tune.index.tolist() for m in one.members] == [m.tune.index.tolist() for m in other.members]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(-1, 2)), min_size=30, max_size=90), st.integers(0, 9))
def test_no_patient_is_ever_on_two_sides(cohort_of: CohortOf, rows: list[tuple[int, int]], seed: int) -> None:
    if len({patient for patient, _ in rows}) < 10:
        return
    cohort = cohort_of({"patient": [patient for patient, _ in rows]}, patient="patient")
    group = np.array([group for _, group in rows], dtype=np.int64)
    for section in (SplitSection(test=0.3), SplitSection(folds=3)):
        check(cohort, divide(cohort, section, seed=seed, groups=group, every_group=False))


def test_another_seed_draws_others(cohort_of: CohortOf) -> None:
    cohort = cohort_of(visits(), patient="patient")
    tests = {tuple(divide(cohort, SplitSection(), seed=s, groups=groups(cohort)).folds[0].test.index) for s in range(9)}
    assert len(tests) == 9


def test_shares_and_balance(cohort_of: CohortOf) -> None:
    cohort = cohort_of(visits(300, 1), patient="patient")
    (fold,) = divide(cohort, SplitSection(), seed=1, groups=groups(cohort)).folds
    assert len(fold.test) == 60
    assert len(fold.members[0].tune) == 36
    assert groups(cohort)[fold.test.index].sum() == 20
    assert groups(cohort)[fold.members[0].tune.index].sum() == 12


def test_in_cross_validation_every_row_is_tested_once_per_repetition(cohort_of: CohortOf) -> None:
    cohort = cohort_of(visits(), patient="patient")
    split = divide(cohort, SplitSection(folds=4, repeat=3), seed=1, groups=groups(cohort))
    for repeat in range(3):
        tested = np.concatenate([fold.test.index for fold in split.folds if fold.repeat == repeat])
        assert sorted(tested) == list(range(len(cohort)))
    assert split.folds[0].test.index.tolist() != split.folds[4].test.index.tolist()


def test_a_given_column_is_followed(cohort_of: CohortOf) -> None:
    cohort = cohort_of(visits(), patient="patient")
    split = divide(cohort, SplitSection(column="part"), members=2, seed=1, groups=groups(cohort))
    (fold,) = split.folds
    part = cohort.frame["part"].to_numpy()
    assert set(part[fold.test.index]) == {"test"}
    assert all(set(part[m.tune.index]) == {"valid"} and set(part[m.train.index]) == {"train"} for m in fold.members)
    assert [finding.name for finding in split.findings] == ["part_words"]


def test_a_column_without_tune_has_it_drawn_by_patient(cohort_of: CohortOf) -> None:
    columns = visits()
    columns["part"] = [" Training " if word != "test" else "TEST" for word in columns["part"]]
    cohort = cohort_of(columns, patient="patient")
    split = divide(cohort, SplitSection(column="part"), members=2, seed=1, groups=groups(cohort))
    check(cohort, split)
    one, other = split.folds[0].members
    assert one.tune.index.tolist() != other.tune.index.tolist()
    assert "no row does" in split.findings[0].found


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"] * 20, "no row says test"),
        (["test"] * 20, "no row says train"),
        (["train"] * 10 + ["test"] * 9 + ["holdout"], r"something else, or nothing, in 1 row \(row 20\)"),
        (["train"] * 10 + ["test"] * 9 + [None], r"\(row 20\)"),
        ([0] * 10 + [1] * 10, "something else, or nothing, in 20 rows"),
    ],
)
def test_a_column_that_does_not_divide_is_refused(cohort_of: CohortOf, words: list[object], message: str) -> None:
    cohort = cohort_of({"part": words})
    with pytest.raises(CohortError, match=message):
        divide(cohort, SplitSection(column="part"), seed=1, groups=np.zeros(20, dtype=np.int64))


def test_an_absent_column_is_named(cohort_of: CohortOf) -> None:
    cohort = cohort_of(visits(), patient="patient")
    with pytest.raises(CohortError, match='Did you mean "part"'):
        divide(cohort, SplitSection(column="prat"), seed=1, groups=groups(cohort))
    with pytest.raises(CohortError, match='Did you mean "family"'):
        divide(cohort, SplitSection(by="group:famly"), seed=1, groups=groups(cohort))


def test_by_time_the_test_is_later(cohort_of: CohortOf) -> None:
    cohort = cohort_of(visits(), patient="patient", date="day")
    (fold,) = divide(cohort, SplitSection(by="time"), seed=1, groups=groups(cohort)).folds
    assert cohort.dates is not None
    rest = np.setdiff1d(np.arange(len(cohort)), fold.test.index)
    assert cohort.dates[rest].max() < cohort.dates[fold.test.index].min()
    assert len(fold.test) == 36


def test_by_time_a_patient_counts_by_the_last_visit(cohort_of: CohortOf) -> None:
    days = [date(2020, 1, 1) + timedelta(days=n) for n in range(20)]
    cohort = cohort_of({"patient": [0, *range(1, 19), 0], "day": days}, patient="patient", date="day")
    (fold,) = divide(cohort, SplitSection(by="time", test=0.1), seed=1, groups=np.zeros(20, dtype=np.int64)).folds
    assert {0, 19} <= set(fold.test.index)


def test_by_time_the_same_day_stays_together(cohort_of: CohortOf) -> None:
    days = [date(2020, 1, 1)] * 15 + [date(2020, 2, 1)] * 5
    cohort = cohort_of({"day": days}, date="day")
    for share in (0.1, 0.2, 0.4):
        section = SplitSection(by="time", test=share)
        (fold,) = divide(cohort, section, seed=1, groups=np.zeros(20, dtype=np.int64)).folds
        assert fold.test.index.tolist() == [15, 16, 17, 18, 19]


@pytest.mark.parametrize(
    ("keys", "days", "message"),
    [
        ({}, [date(2020, 1, 1)] * 20, "date is not set"),
        ({"date": "day"}, [date(2020, 1, 1)] * 20, "all have one date"),
        ({"date": "day"}, [None, *[date(2020, 1, 1)] * 19], r"none in 1 of 20 rows \(row 1\)"),
    ],
)
def test_by_time_needs_dates(cohort_of: CohortOf, keys: dict[str, str], days: list[object], message: str) -> None:
    cohort = cohort_of({"day": days}, **keys)
    with pytest.raises(CohortError, match=message):
        divide(cohort, SplitSection(by="time"), seed=1, groups=np.zeros(20, dtype=np.int64))


def test_by_site_whole_sites_are_held_out(cohort_of: CohortOf) -> None:
    cohort = cohort_of(visits(), patient="patient", site="hospital")
    for seed in range(5):
        split = divide(cohort, SplitSection(by="site", test=0.5), seed=seed, groups=groups(cohort))
        assert cohort.site is not None
        check(cohort, split, cohort.patient)
        tested = set(cohort.site[split.folds[0].test.index])
        assert len(tested) == 2
        assert not tested & set(cohort.site[split.folds[0].members[0].train.index])
        assert split.by_site


def test_by_site_a_small_share_still_holds_one_site_out(cohort_of: CohortOf) -> None:
    cohort = cohort_of({"site": ["a"] * 12 + ["b"] * 8}, site="site")
    (fold,) = divide(cohort, SplitSection(by="site", test=0.1), seed=1, groups=np.zeros(20, dtype=np.int64)).folds
    assert fold.test.index.tolist() == list(range(12, 20))


@pytest.mark.parametrize(
    ("keys", "sites", "section", "message"),
    [
        ({}, ["a", "b"] * 10, SplitSection(by="site"), "site is not set"),
        ({"site": "s"}, ["a"] * 20, SplitSection(by="site"), "at least 2 sites"),
        ({"site": "s"}, ["a", "b"] * 10, SplitSection(by="site", folds=3), "at least 3 sites"),
        ({"site": "s"}, [None, *["a", "b"] * 9, "a"], SplitSection(by="site"), r"\(row 1\)"),
        ({}, [None, *["a", "b"] * 9, "a"], SplitSection(by="group:s"), r"must have a group.*\(row 1\)"),
        ({}, ["a", "b"] * 10, SplitSection(by="group:s"), "at least 3 groups; there are 2"),
    ],
)
def test_by_site_and_group_need_enough_of_them(
    cohort_of: CohortOf, keys: dict[str, str], sites: list[object], section: SplitSection, message: str
) -> None:
    cohort = cohort_of({"s": sites}, **keys)
    with pytest.raises(CohortError, match=message):
        divide(cohort, section, seed=1, groups=np.zeros(20, dtype=np.int64))


def test_by_group_no_group_is_on_two_sides(cohort_of: CohortOf) -> None:
    cohort = cohort_of(visits(), patient="patient")
    split = divide(cohort, SplitSection(by="group:family", folds=3), seed=1, groups=groups(cohort))
    check(cohort, split, cohort.frame["family"].to_numpy())


def test_copies_of_a_record_stay_on_one_side(cohort_of: CohortOf) -> None:
    cohort = cohort_of({"x": list(range(40))})
    prints = np.arange(1, 41, dtype=np.uint64)
    prints[:20] = prints[20:]
    prints[[5, 25]] = 0
    together = copies({"labs": prints, "film": np.zeros(40, dtype=np.uint64)})
    assert together[5] != together[25]
    assert together[0] == together[20]
    split = divide(cohort, SplitSection(folds=5), seed=1, groups=np.zeros(40, dtype=np.int64), together=together)
    check(cohort, split, together)
    (finding,) = split.findings
    assert finding.name == "copies_kept_together"
    assert len(finding.rows) == 38


def test_a_table_of_three_rows_is_refused(cohort_of: CohortOf) -> None:
    cohort = cohort_of({"x": [1, 2, 3]})
    with pytest.raises(CohortError, match="need at least 10 patients; there are 3"):
        divide(cohort, SplitSection(), seed=1, groups=np.array([0, 1, 0]))


def test_many_rows_of_few_patients_are_few(cohort_of: CohortOf) -> None:
    cohort = cohort_of({"patient": [1, 2, 3] * 50}, patient="patient")
    with pytest.raises(CohortError, match="there are 3"):
        divide(cohort, SplitSection(), seed=1, groups=np.zeros(150, dtype=np.int64))


def test_more_folds_than_patients_allow_are_refused(cohort_of: CohortOf) -> None:
    cohort = cohort_of({"x": list(range(30))})
    with pytest.raises(CohortError, match="20 folds need at least 40 patients; there are 30"):
        divide(cohort, SplitSection(folds=20), seed=1, groups=np.zeros(30, dtype=np.int64))


def test_a_class_with_one_patient_is_refused_with_its_rows(cohort_of: CohortOf) -> None:
    cohort = cohort_of({"patient": [*range(20), 19]}, patient="patient")
    group = np.array([0] * 10 + [1] * 9 + [2, 2])
    with pytest.raises(CohortError) as error:
        divide(cohort, SplitSection(), seed=1, groups=group)
    assert [f.rows for f in error.value.findings] == [(20, 21)]
    split = divide(cohort, SplitSection(), seed=1, groups=group, every_group=False)
    assert any(finding.name == "outcome_absent" for finding in split.findings)


def test_a_class_of_two_is_trained_and_tested(cohort_of: CohortOf) -> None:
    cohort = cohort_of({"x": list(range(40))})
    group = np.array([0] * 38 + [1, 1])
    for seed in range(10):
        (fold,) = divide(cohort, SplitSection(), seed=seed, groups=group).folds
        assert group[fold.test.index].sum() == 1
        assert group[fold.members[0].train.index].sum() == 1


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (SplitSection(column="part", folds=3), "column and folds are both set"),
        (SplitSection(column="part", by="time"), "column and by are both set"),
        (SplitSection(by="time", folds=3), "by = .time. and folds are both set"),
    ],
)
def test_contradictions_are_refused(cohort_of: CohortOf, section: SplitSection, words: str) -> None:
    cohort = cohort_of(visits(), patient="patient", date="day")
    with pytest.raises(CohortError, match=words):
        divide(cohort, section, seed=1, groups=groups(cohort))


def test_a_request_that_does_nothing_is_told(cohort_of: CohortOf) -> None:
    cohort = cohort_of(visits(), patient="patient")
    split = divide(cohort, SplitSection(repeat=3), seed=1, groups=groups(cohort))
    assert [finding.name for finding in split.findings] == ["repeat_without_folds"]


def test_a_test_so_large_that_nobody_is_left_is_refused(cohort_of: CohortOf) -> None:
    cohort = cohort_of({"x": list(range(10))})
    with pytest.raises(CohortError, match="at least 2 patients must be left"):
        divide(cohort, SplitSection(test=0.99), seed=1, groups=np.zeros(10, dtype=np.int64))
