import numpy as np
import pytest

from polyclinic.records.tables.scaling import learn_number
from polyclinic.records.tables.training_range import training_range

NORMAL = np.random.default_rng(0).normal(50, 5, 400)


def ranged(values, name="x", pieces=8):
    return training_range(learn_number(name, np.asarray(values, dtype=float), pieces))


def outside(values, new, **keys):
    return ranged(values, **keys).outside(np.asarray(new, dtype=float)).tolist()


def test_no_training_value_is_outside_and_half_the_outermost_piece_more_is_allowed():
    assert not ranged(NORMAL).outside(NORMAL).any()
    top, inner = NORMAL.max(), np.quantile(NORMAL, 7 / 8)
    limit = top + (top - inner) / 2
    assert ranged(NORMAL).high == pytest.approx(limit, abs=0.005)  # quantiles are of bent values
    assert outside(NORMAL, [limit - 0.02, limit + 0.02]) == [False, True]
    low, inner = NORMAL.min(), np.quantile(NORMAL, 1 / 8)
    assert ranged(NORMAL).low == pytest.approx(low - (inner - low) / 2, abs=0.005)


def test_few_new_patients_of_the_same_sort_are_outside_also_where_tails_are_heavy():
    rng = np.random.default_rng(1)
    for draw in (rng.standard_normal, rng.standard_exponential, lambda rows: rng.lognormal(0, 1, rows)):
        alarms = [ranged(draw(200), pieces=4).outside(draw(1000)).mean() for _ in range(40)]
        assert np.mean(alarms) < 0.004


def test_a_missing_value_is_nothing():
    found = ranged(NORMAL)
    assert not found.outside(np.array([np.nan])).any()
    assert not found.impossible(np.array([np.nan])).any()


def test_nothing_below_zero_where_no_training_value_was():
    assert outside([0.0, 0.1, 0.2, 5, 9, 30], [-0.01, 0, 0.01]) == [True, False, False]
    assert outside([-0.1, 0.1, 0.2, 5, 9, 30], [-0.11]) == [False]


def test_another_grade_than_those_of_training():
    assert outside([1, 2, 3, 4, 5] * 20, [0, 1, 5, 6]) == [True, False, False, True]


def test_a_column_that_never_varied_knows_its_one_value():
    assert outside([7, 7, 7], [7, 8, np.nan]) == [False, True, False]


def test_a_value_far_out_ends_the_range_however_far_it_lies():
    values = [*NORMAL, 1e15]
    assert outside(values, [1e15, 1e18, -1e9]) == [False, True, True]


def test_what_no_patient_has_goes_by_the_name_and_the_unit_of_training():
    ages = np.linspace(20, 90, 80)
    assert ranged(ages, "age").impossible(np.array([-1.0, 130, 131])).tolist() == [True, False, True]
    assert not ranged(ages, "marker").impossible(np.array([-1.0, 131])).any()
    celsius, fahrenheit = (
        ranged(np.linspace(36, 41, 80), "temperature"),
        ranged(np.linspace(97, 105, 80), "temperature"),
    )
    assert celsius.impossible(np.array([38.0, 99])).tolist() == [False, True]
    assert fahrenheit.impossible(np.array([38.0, 99])).tolist() == [True, False]


def test_a_standardised_measure_is_no_measurement():
    scores = (NORMAL - NORMAL.mean()) / NORMAL.std()
    assert not ranged(scores, "age").impossible(np.array([-1.5])).any()


def test_another_unit_is_told_where_all_values_lie_outside():
    found = ranged(NORMAL)
    assert found.other_unit(NORMAL[:40]) is None
    assert found.other_unit(NORMAL[:3] * 1000) == "all 3 lie outside the range seen in training, about 1000 times those"
    assert found.other_unit(np.array([200.0, 210, 190])) == "all 3 lie outside the range seen in training"
    assert found.other_unit(NORMAL[:2] * 1000) is None
    assert found.other_unit(np.array([*NORMAL[:2] * 1000, 50])) is None


def test_another_unit_is_told_where_the_middle_moved_by_a_power_of_ten():
    """C-reactive protein from 0.1 to 300 mg/L: in mg/dL most values still lie within."""
    rng = np.random.default_rng(3)
    crp = np.exp(rng.normal(2.5, 1.2, 300))
    new = np.exp(rng.normal(2.5, 1.2, 60))
    assert ranged(crp).other_unit(new) is None
    assert not ranged(crp).outside(new / 10).all()
    assert "about 0.1 times" in ranged(crp).other_unit(new / 10)
    assert ranged(crp).other_unit(new * 1.5) is None
    assert ranged(crp).other_unit(new[:9] / 10) is None
