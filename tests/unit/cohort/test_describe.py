import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.describe import (
    FEW_OF_MANY,
    MOST_COLUMNS,
    Middle,
    Share,
    choose_described,
    difference_of_numbers,
    difference_of_shares,
    table_one,
)

BY = np.array(["sick"] * 10 + ["well"] * 10 + [""] * 2)


def test_numbers_have_median_quartiles_and_what_is_missing() -> None:
    one = table_one(pl.DataFrame({"age": [*range(1, 21), None, None]}), BY)
    assert one.groups == ("all", "sick", "well")
    assert one.sizes == (22, 10, 10)
    age, missing = one.lines
    assert age.cells == (Middle(10.5, 5.75, 15.25), Middle(5.5, 3.25, 7.75), Middle(15.5, 13.25, 17.75))
    assert age.difference == pytest.approx(10 / np.sqrt(55 / 6))
    assert (missing.level, missing.cells[0]) == ("missing", Share(2, 2 / 22))
    assert str(age.cells[0]) == "10.5 [5.75, 15.25]"


def test_categories_have_counts_and_shares_of_what_is_known() -> None:
    one = table_one(pl.DataFrame({"sex": ["f"] * 12 + ["m"] * 8 + [None] * 2}), BY)
    women, men, missing = one.lines
    assert (women.level, women.cells) == ("f", (Share(12, 0.6), Share(10, 1.0), Share(2, 0.2)))
    assert (men.level, men.cells[2]) == ("m", Share(8, 0.8))
    assert missing.cells == (Share(2, 2 / 22), Share(0, 0.0), Share(0, 0.0))
    assert women.difference is not None
    assert men.difference is None
    assert str(women.cells[0]) == "12 (60.0%)"


def test_no_rare_level_is_named() -> None:
    frame = pl.DataFrame({"town": ["Paris"] * 12 + ["Wangjiazhuang"] * 3 + ["x", "y"] * 3 + ["z"]})
    assert [line.level for line in table_one(frame).lines] == ["Paris", "other"]
    assert table_one(pl.DataFrame({"name": [f"Mr {n}" for n in range(30)]})).lines == ()


def test_many_levels_are_shortened() -> None:
    frame = pl.DataFrame({"ward": [f"w{n % 20:02}" for n in range(400)]})
    assert [line.level for line in table_one(frame).lines] == [*(f"w{n:02}" for n in range(8)), "other"]


def test_codes_of_zero_and_one_are_categories_and_dates_are_left_out() -> None:
    frame = pl.DataFrame({"ill": [0.0, 1.0] * 10, "day": ["2020-01-01"] * 20}).with_columns(pl.col("day").str.to_date())
    assert [(line.name, line.level) for line in table_one(frame).lines] == [("ill", "0"), ("ill", "1")]


def test_an_empty_group_has_no_number() -> None:
    one = table_one(pl.DataFrame({"age": [*range(10), *[None] * 12]}), BY)
    assert str(one.lines[0].cells[2]) == "-"
    assert one.lines[0].difference is None


def test_wide_tables_are_cut() -> None:
    one = table_one(pl.DataFrame({f"g{i}": range(5) for i in range(100)}))
    assert ([line.name for line in one.lines], one.left_out) == ([f"g{i}" for i in range(FEW_OF_MANY)], 90)


def test_inputs_of_few_columns_come_first_and_of_many_columns_a_few_stand_for_all() -> None:
    genes = [f"g{n}" for n in range(3000)]
    assert choose_described([genes, ["age", "sex"], ["sex", "ward"]]) == ["age", "sex", "ward", *genes[:FEW_OF_MANY]]
    laboratory = [f"l{n}" for n in range(MOST_COLUMNS)]
    assert choose_described([genes, laboratory, ["age"]]) == ["age", *laboratory[:-1]]


def test_columns_are_described_in_the_order_asked_for_and_the_others_are_counted() -> None:
    frame = pl.DataFrame({name: range(5) for name in "abcd"})
    one = table_one(frame, columns=["c", "a"])
    assert ([line.name for line in one.lines], one.left_out) == (["c", "a"], 2)


def test_difference_of_two_shares_is_the_usual_formula() -> None:
    # Austin 2009: |p1 - p2| / sqrt((p1 (1 - p1) + p2 (1 - p2)) / 2) for a yes-or-no variable
    usual = abs(0.3 - 0.5) / np.sqrt((0.3 * 0.7 + 0.5 * 0.5) / 2)
    assert difference_of_shares(np.array([0.7, 0.3]), np.array([0.5, 0.5])) == pytest.approx(usual)
    assert difference_of_shares(np.array([0.2, 0.3, 0.5]), np.array([0.2, 0.3, 0.5])) == 0


def test_difference_of_numbers_without_spread() -> None:
    same = np.array([1.0, 1.0])
    assert difference_of_numbers(same, same) == 0
    assert difference_of_numbers(same, same + 1) == np.inf
    assert np.isnan(difference_of_numbers(same, same[:1]))
    tenths = np.full(10, 0.1)
    assert difference_of_numbers(tenths, tenths[:6]) == 0, "two means of equal numbers differ by rounding"
