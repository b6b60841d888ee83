from collections.abc import Callable

import numpy as np
import pytest

from polyclinic.cohort.follow_up_leaks import follow_up_findings
from polyclinic.cohort.table import Cohort
from polyclinic.errors import Finding, Severity

CohortOf = Callable[..., Cohort]
RNG = np.random.default_rng(0)
ROWS = 120
TIMES = (RNG.random(ROWS) * 900 + 1).round(1).tolist()
YES_NO = RNG.integers(0, 2, ROWS).tolist()
AGES = RNG.integers(20, 90, ROWS).tolist()


def found(cohort: Cohort, *outcomes: tuple[str, ...]) -> dict[str, Finding]:
    asked = {name for group in outcomes for name in group}
    inputs = [name for name in cohort.frame.columns if name not in asked]
    return {finding.name: finding for finding in follow_up_findings(cohort, inputs, outcomes)}


def test_a_classifier_may_not_read_its_follow_up(cohort_of: CohortOf) -> None:
    refused = found(cohort_of({"week": TIMES, "arrest": YES_NO, "age": AGES}), ("arrest",))["follow_up_as_input"]
    assert refused.severity is Severity.REFUSED
    assert "week" in refused.found
    assert "age" not in refused.found
    assert "immortal time" in refused.rule


def test_another_end_point_may_not_be_read_either(cohort_of: CohortOf) -> None:
    columns = {"OS_STATUS": YES_NO, "OS_MONTHS": TIMES, "DFS_STATUS": YES_NO[::-1], "DFS_MONTHS": TIMES[::-1]}
    refused = found(cohort_of(columns), ("OS_STATUS", "OS_MONTHS"))["follow_up_as_input"]
    assert "DFS_MONTHS" in refused.found
    assert "OS_MONTHS" not in refused.found


def test_beside_another_question_it_is_told(cohort_of: CohortOf) -> None:
    columns = {"diagnosis": ["a", "b"] * 60, "status": YES_NO, "time": TIMES}
    assert found(cohort_of(columns), ("diagnosis",))["follow_up_as_input"].severity is Severity.WARNING


def test_a_survival_question_without_more_is_clean(cohort_of: CohortOf) -> None:
    assert found(cohort_of({"died": YES_NO, "followup_days": TIMES, "age": AGES}), ("died", "followup_days")) == {}


@pytest.mark.parametrize(("start", "stop"), [("start", "stop"), ("tstart", "tstop"), ("time1", "time2")])
def test_intervals_of_follow_up_are_refused(cohort_of: CohortOf, start: str, stop: str) -> None:
    begins = [time * event for time, event in zip(TIMES, YES_NO, strict=True)]
    columns = {"id": [n // 2 for n in range(ROWS)], start: begins, stop: [time + 5 for time in begins], "event": YES_NO}
    refused = found(cohort_of(columns, patient="id"), ("event", stop))
    assert refused["start_stop_rows"].severity is Severity.REFUSED
    assert start in refused["start_stop_rows"].place
    assert start in refused["follow_up_as_input"].found


def test_a_time_that_nobody_claims_is_told_beside_an_outcome_of_two_values(cohort_of: CohortOf) -> None:
    told = found(cohort_of({"reinfection_seen": YES_NO, "time": TIMES, "age": AGES}), ("reinfection_seen",))
    assert told["follow_up_as_input"].severity is Severity.WARNING
    assert "perhaps" in told["follow_up_as_input"].found
    assert found(cohort_of({"reinfection_seen": TIMES[::-1], "time": TIMES}), ("reinfection_seen",)) == {}


@pytest.mark.parametrize(("short", "severity"), [(0, Severity.NOTE), (1, Severity.WARNING)])
def test_patients_who_repeat_their_follow_up_are_told(cohort_of: CohortOf, short: int, severity: Severity) -> None:
    who = [n // 3 for n in range(ROWS - short)]
    columns = {"id": who, "died": [YES_NO[n] for n in who], "days": [TIMES[n] for n in who], "age": AGES[short:]}
    told = found(cohort_of(columns, patient="id"), ("died", "days"))["repeated_follow_up"]
    assert told.severity is severity
    assert "weigh more" in told.rule
    assert "40 patients of 40" in told.found


def test_patients_with_several_events_and_several_labels_are_another_matter(cohort_of: CohortOf) -> None:
    who = [n // 2 for n in range(ROWS)]
    columns = {"id": who, "died": YES_NO, "days": TIMES, "one": [n % 2 for n in who], "two": [n % 3 > 1 for n in who]}
    cohort = cohort_of(columns, patient="id")
    assert "repeated_follow_up" not in found(cohort, ("died", "days"))
    assert "repeated_follow_up" not in found(cohort, ("one", "two"))
