"""Lengths of pixels as the user gives them."""

import numpy as np
import polars as pl
import pytest

from polyclinic.errors import CohortError
from polyclinic.records.masks.pixel_length import pixel_lengths

FRAME = pl.DataFrame({"um": ["0.5", None, " 2 "], "bad": ["0.5", "-1", "wide"]})


def test_one_length_for_all_none_or_one_a_row():
    assert pixel_lengths(0.25, FRAME, "cohort.csv").tolist() == [0.25] * 3
    assert np.isnan(pixel_lengths(None, FRAME, "cohort.csv")).all()
    np.testing.assert_array_equal(pixel_lengths("um", FRAME, "cohort.csv"), [0.5, np.nan, 2])


def test_what_is_no_length_is_refused_with_its_rows():
    with pytest.raises(CohortError) as caught:
        pixel_lengths("bad", FRAME, "cohort.csv")
    assert caught.value.findings[0].rows == (2, 3)
