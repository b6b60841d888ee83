import numpy as np
import pytest

from polyclinic.cohort.plausible import impossible, limits_of, possible_range


@pytest.mark.parametrize(
    ("name", "lowest", "highest", "expected"),
    [
        ("age", 18, 90, (0, 130)),
        ("Age_Years", 18, 90, (0, 130)),
        ("age", 18, 999, None),
        ("age", -1.2, 2.1, None),
        ("temp_c", 35, 41, (12, 48)),
        ("temp_c", 95, 104, (53, 120)),
        ("temp_c", 35, 104, None),
        ("marker", 18, 90, None),
    ],
)
def test_the_range_is_that_of_the_unit_of_the_known_values(name, lowest, highest, expected):
    assert possible_range(name, lowest, highest) == expected


def test_impossible_values_are_those_of_the_unit_that_fits_best():
    limits = limits_of("body temperature")
    assert impossible(np.array([36.0, 37, 38, 98]), limits).tolist() == [False, False, False, True]
