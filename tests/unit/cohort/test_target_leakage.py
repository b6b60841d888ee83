from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from polyclinic.cohort.target_leakage import Classes, Values, as_outcome, strength

RNG = np.random.default_rng(1)
CODE = np.repeat([0, 1], [150, 50])
OUTCOME = Classes(CODE)


def test_outcomes_are_classes_or_values() -> None:
    assert isinstance(as_outcome(pl.Series(["a", "b", None])), Classes)
    assert isinstance(as_outcome(pl.Series(range(30))), Values)
    assert as_outcome(pl.Series([5, None, 7])).code.tolist() == [0, -1, 1]  # type: ignore[union-attr]


def test_the_area_is_the_known_one_in_its_better_direction() -> None:
    values = RNG.normal(size=200) - CODE
    area = strength(pl.Series(values), OUTCOME, 30)
    assert area == pytest.approx(1 - roc_auc_score(CODE, values), abs=1e-12)


@pytest.mark.parametrize(
    "column",
    [
        pl.Series(CODE),
        pl.Series(1 - CODE),
        pl.Series(["well", "ill"]).gather(CODE),
        pl.Series(CODE == 1),
        pl.Series(CODE * 10.0 + RNG.random(200)),
        pl.Series([None if c else "x" for c in CODE]),
        pl.Series([None if c else float(i % 7) for i, c in enumerate(CODE)]),
        pl.Series(np.where(CODE == 1, 2, RNG.choice([1, 3], 200))),
        pl.Series([date(2020, 1, 1) + timedelta(days=int(400 * c + i % 9)) for i, c in enumerate(CODE)]),
    ],
)
def test_an_outcome_in_any_dress_is_known(column: pl.Series) -> None:
    assert strength(column, OUTCOME, 30) == 1.0


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([f"patient {i}" for i in range(200)]),
        pl.Series(RNG.permutation(200)),
        pl.Series([[1]] * 200),
        pl.Series([1] * 200),
        pl.Series([None] * 200, dtype=pl.Float64),
    ],
)
def test_what_tells_nothing_tells_nothing(column: pl.Series) -> None:
    assert strength(column, OUTCOME, 30) < 0.7


def test_several_classes_must_all_be_told_apart() -> None:
    three = np.repeat([0, 1, 2], 50)
    assert strength(pl.Series(three * 1.0 + RNG.random(150) / 2), Classes(three), 30) == 1.0
    assert strength(pl.Series((three == 2) * 1.0 + RNG.random(150) / 2), Classes(three), 30) < 0.9


def test_few_rows_say_nothing() -> None:
    few = np.repeat([0, 1], [27, 11])
    assert strength(pl.Series(few), Classes(few), 30) == 0.0


def test_unknown_outcomes_are_left_aside() -> None:
    code = np.where(np.arange(200) < 20, -1, CODE)
    assert strength(pl.Series(CODE), Classes(code), 30) == 1.0


def test_numbers_are_told_by_their_rank() -> None:
    values = RNG.normal(size=100)
    assert strength(pl.Series(np.exp(-values)), Values(values), 30) == pytest.approx(1.0)
    assert strength(pl.Series(values + RNG.normal(size=100)), Values(values), 30) < 0.9
    assert strength(pl.Series([1.0] * 100), Values(values), 30) == 0.0
    assert strength(pl.Series(["a"] * 100), Values(values), 30) == 0.0
    assert strength(pl.Series(values[:10]), Values(values[:10]), 30) == 0.0
