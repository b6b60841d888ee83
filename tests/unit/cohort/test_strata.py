import numpy as np
import polars as pl

from polyclinic.cohort.strata import stratum


def test_few_values_are_groups_themselves() -> None:
    assert stratum(pl.Series([1.0, 2.0, None])).tolist() == ["1", "2", ""]
    assert stratum(pl.Series([True, False])).tolist() == ["true", "false"]


def test_many_numbers_are_cut_at_their_thirds() -> None:
    bands = stratum(pl.Series([*range(1, 100), None]))
    assert sorted(set(bands)) == ["", "33 to 66", "above 66", "up to 33"]
    assert np.unique(bands, return_counts=True)[1].tolist() == [1, 33, 33, 33]
