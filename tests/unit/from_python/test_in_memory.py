"""What is learned from one table in memory, and how it is kept."""

import json

import numpy as np
import polars as pl
import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.columns.headers import TableCells
from polyclinic.from_python.in_memory import TableStudy, ask_table, train_table

STUDY = TableStudy("regress", {}, "tiny", 1, 2, None, 7)


def cells(**columns) -> TableCells:
    frame = pl.DataFrame(columns)
    return TableCells(frame, declared=frozenset(c.name for c in frame if c.dtype != pl.String))


def made(rows: int = 60) -> TableCells:
    rng = np.random.default_rng(3)
    names = ["outcome", "patient", "row"]  # words that the study itself needs
    return cells(**{name: rng.normal(size=rows) for name in names})


def test_columns_may_be_called_as_the_study_calls_its_own():
    table = made()
    fits = train_table(STUDY, table, np.arange(60.0), np.arange(60) // 2).fits
    assert list(json.loads(fits[0].plan)["columns"]["table"]) == ["outcome", "patient", "row"]
    assert len(ask_table(fits, table).value) == 60


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others():
    table, outcome = made(), np.arange(60.0)
    first, again = (train_table(STUDY, table, outcome, None) for _ in range(2))
    assert first == again
    other = TableStudy("regress", {}, "tiny", 1, 2, None, 8)
    assert train_table(other, table, outcome, None) != first


def test_one_patient_cannot_be_divided():
    with pytest.raises(CohortError, match="two patients"):
        train_table(STUDY, made(), np.arange(60.0), np.zeros(60))


def test_what_is_kept_is_found_with_its_words_again():
    words = ["a", "b", "c"] * 20
    fits = train_table(STUDY, cells(ward=words), np.tile([0.0, 5.0, 9.0], 20), None).fits
    answers = ask_table(fits, cells(ward=["a", "c", None])).value
    assert np.isfinite(answers).all()
    assert answers[0] != answers[1]
