import numpy as np
import pytest
from scipy.stats import iqr, norm

from polyclinic.records.tables.scaling import NumberPlan, coded, learn_category, learn_number, scaled, unseen
from polyclinic.records.tables.variables import Categories


def test_scale_is_that_of_a_normal_distribution_without_its_tails():
    values = np.random.default_rng(0).normal(5, 2, 4000)
    plan = learn_number("x", np.append(values, [1e9, np.nan]), 8)
    assert plan.center == pytest.approx(np.median(values), abs=0.01)
    assert plan.scale == pytest.approx(iqr(values) / (2 * norm.ppf(0.75)), rel=0.01)
    assert plan.absent


def test_edges_are_quantiles_of_the_scaled_values():
    values = np.arange(101.0)
    plan = learn_number("x", values, 4)
    np.testing.assert_allclose(plan.edges, scaled(np.array([0.0, 25, 50, 75, 100]), plan))


@pytest.mark.parametrize(("zeros", "ones", "pieces"), [(255, 52, 6), (255, 52, 48)])
def test_quantiles_that_differ_by_rounding_are_one_edge(zeros, ones, pieces):
    """Where a quantile falls on the step of a flag, the interpolation leaves 0.99999999999997 of the one."""
    flag = np.repeat([0.0, 1.0], [zeros, ones])
    for values in (flag, (flag - flag.mean()) / flag.std()):
        edges = np.array(learn_number("flag", values, pieces).edges, dtype=np.float32)
        assert len(edges) == 3
        assert np.diff(edges).min() > 0.1


def test_edges_can_be_told_apart_in_single_precision_and_both_ends_stay():
    """Farther out than single precision can tell, the lowest and highest value are still those of the training rows."""
    rng = np.random.default_rng(1)
    for spread in (0.0, 1e-14, 1e-9, 1e-7, 1.0, 1e9):
        values = np.repeat(rng.normal(size=40), 5) + spread * rng.normal(size=200)
        plan = learn_number("x", values, 32)
        assert (np.diff(np.array(plan.edges, dtype=np.float32)) > 0).all()
        ends = scaled(np.array([values.min(), values.max()]), plan)
        np.testing.assert_array_equal(np.array(plan.edges)[[0, -1]], ends)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rare", [1e300, -1.7e308])
def test_rare_values_beyond_all_measure_still_give_edges(rare):
    plan = learn_number("x", np.array([0.0] * 99 + [rare]), 8)
    assert np.isfinite(plan.scale)
    assert len(plan.edges) == 3


def test_values_equal_but_for_rounding_never_varied():
    assert learn_number("x", np.array([0.3, 0.1 + 0.2, 0.3]), 8).scale == 0


@pytest.mark.parametrize("values", [[0, 1, 1, 0], [1, 1, 1], [np.nan], []])
def test_there_are_always_three_edges_in_order(values):
    edges = np.array(learn_number("x", np.array(values, dtype=float), 8).edges)
    assert len(edges) >= 3
    assert (np.diff(edges) > 0).all()


@pytest.mark.parametrize(("ones", "scale"), [(60, 1 / 1.349), (10, 1 / 3.29), (1, np.sqrt(0.01 * 0.99))])
def test_mostly_equal_values_look_further_out(ones, scale):
    values = np.array([0.0] * (100 - ones) + [1.0] * ones)
    assert learn_number("x", values, 8).scale == pytest.approx(scale, rel=1e-3)


def test_a_number_that_never_varied_scales_to_zero_and_stays_missing_where_missing():
    plan = learn_number("x", np.array([4.0, 4.0]), 8)
    np.testing.assert_array_equal(scaled(np.array([4.0, 9.0, np.nan]), plan), [0, 0, np.nan])


def test_bending_is_smooth_monotone_and_bounded():
    plan = learn_number("x", np.random.default_rng(0).normal(size=999), 8)
    bent = scaled(np.linspace(-50, 50, 1001), plan)
    assert (np.diff(bent) > 0).all()
    assert np.abs(bent).max() < 3
    middle = np.array([plan.center + 0.1 * plan.scale])
    assert scaled(middle, plan)[0] == pytest.approx(0.1, rel=1e-3)


def test_levels_count_training_rows_only():
    column = Categories(("a", "b", "c"), np.array([0, 0, 0, 1, 1, 2, -1, 1]))
    plan = learn_category("w", column, np.arange(5), 3)
    assert (plan.words, plan.other, plan.absent) == (("a",), True, False)
    assert coded(column, plan).tolist() == [0, 0, 0, 1, 1, 1, -1, 1]
    assert unseen(column, plan).tolist() == [False] * 3 + [True] * 3 + [False, True]


@pytest.mark.filterwarnings("error")
def test_a_number_beyond_all_measure_lies_at_the_end_and_nothing_overflows():
    plan = NumberPlan(name="x", center=50.0, scale=0.1, edges=(-1.0, 0.0, 1.0), absent=False)
    np.testing.assert_allclose(scaled(np.array([1e300, -1e308, 1.7e308]), plan), [3.0, -3.0, 3.0])
