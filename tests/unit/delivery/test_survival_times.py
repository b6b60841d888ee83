"""Survival at 1, 3 and 5 years, or when the study says, for new patients: of the right row at the right time."""

from dataclasses import replace

import numpy as np
import pytest

from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.delivery.forms.base import AnswerLimits, delivery_of

HAZARDS = np.array([0.1, 0.5, 1.0])


def answer(
    unit: str = "years", year: float = 1.0, end: float = 4.0, horizons: tuple[float, ...] = ()
) -> SurvivalAnswer:
    """Constant hazards by year on a fine grid that ends with the last event."""
    times = np.tile(np.linspace(0, end * year, 801), (3, 1))
    curves, unknown = np.exp(-HAZARDS[:, None] * times / year), np.full(3, np.nan)
    return SurvivalAnswer(unit, np.log(HAZARDS), times, curves, unknown, unknown, horizons=horizons)


def tuned(longest: float) -> SurvivalAnswer:
    return replace(answer(), event=np.array([1.0, 0.0, 1.0]), time=np.array([0.5, longest, 1.0]))


@pytest.mark.parametrize(("unit", "year"), [("years", 1.0), ("months", 12.0), ("days", 365.25)])
def test_years_are_converted_to_the_unit_of_the_study(unit, year):
    given = answer(unit, year)
    columns = delivery_of(given).columns(given, AnswerLimits(tuned(3.5 * year), 0.9))
    assert [name for name in columns if name.startswith("survival_at")] == [
        *("survival_at_1_year", "survival_at_3_years", "survival_at_5_years")
    ]
    np.testing.assert_allclose(columns["survival_at_1_year"].to_list(), np.exp(-HAZARDS), rtol=1e-4)
    np.testing.assert_allclose(columns["survival_at_3_years"].to_list(), np.exp(-3 * HAZARDS), rtol=1e-4)
    assert columns["survival_at_5_years"].to_list() == [None] * 3


def test_beyond_the_last_event_as_far_as_patients_were_followed():
    """After 4 years nobody had an event any more, but some were still watched after 5: the curve stays where it was."""
    given = answer()
    watched = AnswerLimits(tuned(5.0), 0.9)
    columns = delivery_of(given).columns(given, watched)
    np.testing.assert_allclose(columns["survival_at_5_years"].to_list(), np.exp(-4 * HAZARDS), rtol=1e-4)
    assert delivery_of(given).unanswered(given, watched) == ()
    assert delivery_of(given).unanswered(given, AnswerLimits(tuned(4.99), 0.9)) == ("survival_at_5_years",)


def test_times_that_the_study_names_and_none_without_a_unit():
    named = answer("days", 365.25, horizons=(182.5, 365.25))
    columns = delivery_of(named).columns(named, AnswerLimits(tuned(1000.0), 0.9))
    assert {"survival_at_182.5_days", "survival_at_365.25_days"} <= set(columns)
    assert "survival_at_1_year" not in columns
    np.testing.assert_allclose(columns["survival_at_365.25_days"].to_list(), np.exp(-HAZARDS), rtol=1e-4)
    assert answer("").named_times() == answer("cycles").named_times() == {}
    assert answer("", horizons=(2.0,)).named_times() == {"2": 2.0}
