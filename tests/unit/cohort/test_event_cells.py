import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.event_cells import doubtful_codes, read_event, strange_codes
from polyclinic.errors import Severity


@pytest.mark.parametrize(
    ("cells", "occurred", "seen"),
    [
        ([1, 2, None], (2,), [0, 1, np.nan]),
        (["0:LIVING", "1:DECEASED", ""], ("1:DECEASED",), [0, 1, np.nan]),
        ([0, 1, 2], (1, 2), [0, 1, 1]),
        ([True, False], (False,), [0, 1]),
        ([1.0, 2.0], (2,), [0, 1]),
        ([0, 1], (), [0, 1]),
    ],
)
def test_the_codes_of_the_study_are_the_event(
    cells: list[object], occurred: tuple[int | str, ...], seen: list[float]
) -> None:
    read = read_event(pl.Series("status", cells), occurred)
    np.testing.assert_array_equal(read.value, seen)
    assert not read.wrong.any()


def test_without_codes_only_yes_and_no_are_read() -> None:
    assert read_event(pl.Series("status", [1, 2]), ()).wrong.tolist() == [False, True]


def test_a_code_that_nobody_has_is_named_without_rare_cells() -> None:
    [finding] = strange_codes(pl.Series("status", ["dead", "Mrs Smith"] + ["alive"] * 9), ("deceased",), "here")
    assert "deceased" in str(finding)
    assert "Smith" not in str(finding)
    assert strange_codes(pl.Series("status", [1, 2]), (2,), "here") == []


def test_competing_events_are_told() -> None:
    assert [f.name for f in doubtful_codes(pl.Series("status", [0, 1, 2]), (2,), "here")] == ["competing_events"]
    assert list(doubtful_codes(pl.Series("status", [0, 1, 2]), (1, 2), "here")) == []


@pytest.mark.parametrize("name", ["cens", "censorship", "Censored", "os_censor", "pfscens", "删失", "zensiert"])
def test_a_column_named_for_censoring_is_refused_until_the_study_says_what_it_means(name: str) -> None:
    column = pl.Series(name, [0, 1])
    [finding] = doubtful_codes(column, (), "here")
    assert (finding.name, finding.severity) == ("assumed_event", Severity.ERROR)
    assert "occurred = 0" in finding.remedy
    assert list(doubtful_codes(column, (0,), "here")) == []


@pytest.mark.parametrize("name", ["event", "status", "uncensored", "dead", "license"])
def test_other_columns_of_events_are_read_as_they_stand(name: str) -> None:
    assert list(doubtful_codes(pl.Series(name, [0, 1]), (), "here")) == []


def test_censored_taken_for_the_event_is_doubted() -> None:
    assert [f.name for f in doubtful_codes(pl.Series("censorship", [0, 1]), (1,), "here")] == ["turned_event"]
    assert list(doubtful_codes(pl.Series("cens", [0, 1]), (1,), "here")) == []
