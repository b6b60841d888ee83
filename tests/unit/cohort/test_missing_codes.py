import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.missing_codes import missing_codes_of, without_codes

RNG = np.random.default_rng(0)
AGES = [float(age) for age in RNG.integers(18, 90, 200)]
LEVELS = [float(level) for level in RNG.lognormal(1, 0.6, 200).round(2)]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([*AGES, 999.0], (999.0,)),
        ([*AGES, -9.0, -9.0], (-9.0,)),
        ([*AGES, *[99.0] * 40], (99.0,)),
        ([*AGES, 777.0, 888.0, 999.0], (777.0, 888.0, 999.0)),
        ([*LEVELS, 9999.0, 9999.0], (9999.0,)),
        ([*LEVELS, -1.0, -1.0], (-1.0,)),
        ([*LEVELS, -999.25], (-999.25,)),
        ([0.0, 1.0] * 50 + [9.0, 9.0], (9.0,)),
        ([1.0, 2.0] * 50 + [7.0, 7.0, 9.0], (7.0, 9.0)),
    ],
)
def test_codes_lie_far_from_all_other_values(values: list[float], codes: tuple[float, ...]) -> None:
    assert missing_codes_of(pl.Series(values)) == codes


@pytest.mark.parametrize(
    "values",
    [
        AGES,
        LEVELS,
        [*AGES, 99.0],
        [float(n % 10) for n in range(100)],
        [-1.0, 0.0, 1.0] * 30,
        [float(x) for x in RNG.normal(0, 1, 200)],
        [*LEVELS, 77.0],
        [0.0, 1.0, 2.0] * 30 + [9.0],
        [999.0] * 20,
        [],
    ],
)
def test_ordinary_values_are_no_codes(values: list[float]) -> None:
    assert missing_codes_of(pl.Series(values, dtype=pl.Float64)) == ()


def test_codes_become_missing_in_numbers_and_in_text() -> None:
    frame = pl.DataFrame({"age": [50, 999], "stage": ["II", "9"]})
    assert without_codes(frame, {"age": (999.0,), "stage": (9.0,)}).rows() == [(50, "II"), (None, None)]
