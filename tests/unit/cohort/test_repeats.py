"""Rows that repeat: copies that were put in are found; strangers of a common pattern are left in peace."""

import time

import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.repeats import Halves, copied, frame_halves, halves, numbered, sharing


def rows_of(table: np.ndarray) -> Halves:
    columns = {f"c{i}": column for i, column in enumerate(np.asarray(table, dtype=float).T)}
    return frame_halves(pl.DataFrame(columns).fill_nan(None))


def found(table: np.ndarray, patient: np.ndarray | None = None) -> list[int]:
    return np.flatnonzero(copied(rows_of(table), np.arange(len(table)) if patient is None else patient)).tolist()


def copies_put_in(table: np.ndarray, many: int) -> np.ndarray:
    """The same with its first rows written over the next ones."""
    table = table.copy()
    table[many : 2 * many] = table[:many]
    return table


def copy_numbers(seed: int, patients: int = 480, genes: int = 200) -> np.ndarray:
    """Gains and losses of whole arms, in a part of the tumours; many tumours have none."""
    rng = np.random.default_rng(seed)
    unrest = rng.gamma(1.2, 0.12, patients) * (rng.random(patients) > 0.3)
    arms = (rng.random((patients, 40)) < unrest[:, None] * 2 * rng.beta(1, 2, 40)) * rng.choice([-1, 1], 40)
    return arms[:, np.sort(rng.integers(0, 40, genes))]


def test_one_copied_row_of_measures_is_found_in_fifty() -> None:
    assert found(copies_put_in(np.random.default_rng(0).normal(size=(50, 6)), 1)) == [0, 1]


def test_with_twenty_rows_a_copy_cannot_be_told_from_chance() -> None:
    table = np.random.default_rng(0).normal(size=(30, 6))
    assert found(copies_put_in(table[:20], 1)) == []
    assert found(copies_put_in(table[:22], 1)) == [0, 1]


def test_few_columns_of_few_values_repeat_among_strangers() -> None:
    rng = np.random.default_rng(0)
    assert found(rng.integers(0, 3, (500, 4))) == []
    assert found(np.column_stack([rng.integers(0, 2, (300, 3)), rng.integers(20, 90, 300)])) == []


@pytest.mark.parametrize("seed", range(4))
def test_patients_without_any_change_are_no_copies(seed: int) -> None:
    table = copy_numbers(seed)
    none = np.flatnonzero((table == 0).all(axis=1))
    assert len(none) > 140
    assert not set(none) & set(found(table))


def test_genes_beside_each_other_are_counted_once() -> None:
    """A gain of one arm is in a hundred genes; five patients who have it and nothing else are no copies."""
    table = copy_numbers(0)
    for order in (np.arange(200), np.random.default_rng(0).permutation(200)):
        assert len(found(table[:, order])) <= 2


@pytest.mark.parametrize("seed", range(3))
def test_grades_that_hang_together_show_copies_and_only_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(1000, 2)) @ rng.normal(size=(2, 14)) + rng.normal(size=(1000, 14))
    grades = np.column_stack([np.clip(np.round(hidden[:, :8] * 1.2 + 5), 1, 10), hidden[:, 8:] > 0])
    assert found(grades) == []
    assert found(copies_put_in(grades, 50)) == list(range(100))


def test_a_class_that_was_written_tenfold_is_found() -> None:
    table = np.random.default_rng(0).normal(size=(1000, 6))
    assert found(np.vstack([table, np.repeat(table[:40], 9, axis=0)])) == [*range(40), *range(1000, 1360)]


def test_rows_of_one_patient_are_no_copies_of_each_other() -> None:
    table = copies_put_in(np.random.default_rng(0).normal(size=(100, 6)), 10)
    patient = np.arange(100)
    patient[10:20] = patient[:10]
    assert found(table, patient) == []
    patient[10] = 1000
    assert found(table, patient) == [0, 10]


def test_rows_that_lack_nearly_everything_are_not_alike_for_what_they_lack() -> None:
    table = np.random.default_rng(0).normal(size=(300, 20))
    table[:3, 2:] = np.nan
    table[:3, :2] = 1.0
    assert found(table) == []
    full = copies_put_in(table[50:], 1)
    assert found(full) == [0, 1]


def test_equal_follow_up_and_equal_inputs_are_a_copy_and_a_common_pattern_is_none() -> None:
    rng = np.random.default_rng(0)
    inputs, days = rng.integers(0, 40, 400), rng.integers(1, 9000, 400)
    inputs[200:220], days[200:220] = inputs[:20], days[:20]
    rows = Halves(inputs, days, np.ones(400, dtype=np.int64))
    assert set(np.flatnonzero(copied(rows, np.arange(400)))) == {*range(20), *range(200, 220)}
    nobody = Halves(np.zeros(400), days, np.ones(400, dtype=np.int64))
    assert not copied(nobody, np.arange(400)).any()


@pytest.mark.parametrize("seed", range(3))
def test_what_chance_joins_somewhere_in_the_table_is_not_called_a_copy(seed: int) -> None:
    """One pair may look unlikely by itself; among four hundred rows a few such are expected."""
    rng = np.random.default_rng(seed)
    inputs, days = rng.integers(0, 40, 400), rng.integers(1, 900, 400)
    assert len(np.unique(numbered(inputs, days))) < 400
    assert not copied(Halves(inputs, days, np.ones(400, dtype=np.int64)), np.arange(400)).any()


def test_a_common_pattern_stays_one_beside_many_copies() -> None:
    one, other = np.arange(1000) + 10, np.arange(1000) + 10
    one[200:400], other[200:400] = one[:200], other[:200]
    one[500:560], other[550:590] = 0, 0
    assert np.flatnonzero(copied(Halves(one, other, np.ones(1000, dtype=np.int64)), np.arange(1000))).tolist() == [
        *range(400)
    ]


def test_halves_keep_together_what_hangs_together() -> None:
    rng = np.random.default_rng(0)
    blood, heart = rng.integers(0, 30, (2, 400))
    codes = np.stack([blood, heart, blood // 2, heart // 2, 30 - blood, heart // 3], axis=1)
    half = halves(codes)
    assert half[[0, 2, 4]].all() != half[[1, 3, 5]].any()
    assert halves(codes[:, :1]).tolist() == [True]


def test_every_half_tells_something() -> None:
    codes = np.zeros((100, 6), dtype=np.int64)
    codes[:, [1, 4]] = np.random.default_rng(0).integers(0, 50, (100, 2))
    half = halves(codes)
    assert half[1] != half[4]


def test_halves_of_a_table_of_any_columns() -> None:
    frame = pl.DataFrame({"sex": ["f", "m", None], "seen": [True, None, None], "size": [1.5, 2.0, 1.5]})
    rows = frame_halves(frame)
    assert rows.filled.tolist() == [3, 2, 1]
    assert len(np.unique(numbered(rows.one, rows.other))) == 3
    assert rows.take(np.array([2])).filled.tolist() == [1]


def test_sharing_counts_others_not_rows() -> None:
    assert sharing(np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 2, 2])).tolist() == [1, 1, 1, 0, 0]


def test_numbers_are_those_of_combinations() -> None:
    assert numbered(np.array([5, 5, 7, 5]), np.array(["a", "b", "a", "a"])).tolist() == [0, 1, 2, 0]


def test_a_hundred_thousand_rows_take_seconds() -> None:
    rng = np.random.default_rng(0)
    table = copies_put_in(rng.integers(0, 9, (100_000, 20)), 10)
    began = time.process_time()
    assert found(table) == list(range(20))
    assert time.process_time() - began < 20
