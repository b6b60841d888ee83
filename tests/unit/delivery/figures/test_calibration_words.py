"""Slope and intercept in words, and the correction in two rows."""

import pytest

from polyclinic.delivery.figures.calibration_words import NUMBERS, in_words, recalibrated, slope_and_intercept
from polyclinic.delivery.markup import EMPTY, render
from polyclinic.evidence.records import Calibration, Estimate, TargetEvidence


def said(what: str, estimate: Estimate) -> str:
    return render(slope_and_intercept(TargetEvidence(form="binary", metrics={f"calibration_{what}": estimate})))


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Estimate(0.73, 0.61, 0.85), "Slope 0.730 (0.610 to 0.850): the chances are too extreme."),
        (Estimate(1.3, 1.1, 1.5), "Slope 1.30 (1.10 to 1.50): the chances are too timid."),
        (Estimate(0.9, 0.7, 1.1), "Slope 0.900 (0.700 to 1.10): not clearly too extreme or too timid."),
        (Estimate(0.9), "Slope 0.900."),
    ],
)
def test_the_interval_decides_what_is_said_of_the_slope(estimate: Estimate, words: str) -> None:
    drawn = said("slope", estimate)
    assert f"<strong>{words}</strong>" in drawn
    assert "1 is ideal; below 1: the chances are too extreme; above 1: too timid." in drawn


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Estimate(-0.3, -0.5, -0.1), "Intercept −0.300 (−0.500 to −0.100): the chances are too high on the whole."),
        (Estimate(0.3, 0.1, 0.5), "Intercept +0.300 (+0.100 to +0.500): the chances are too low on the whole."),
        (
            Estimate(0.1, -0.1, 0.3),
            "Intercept +0.100 (−0.100 to +0.300): not clearly too high or too low on the whole.",
        ),
        (Estimate(0.1), "Intercept +0.100."),
    ],
)
def test_the_interval_decides_what_is_said_of_the_intercept(estimate: Estimate, words: str) -> None:
    assert f"<strong>{words}</strong>" in said("intercept", estimate)


def test_numbers_are_called_numbers() -> None:
    target = TargetEvidence(form="value", metrics={"calibration_slope": Estimate(0.8, 0.7, 0.9)})
    assert "the predicted numbers are too extreme" in render(slope_and_intercept(target, NUMBERS))


def test_the_correction_stands_in_two_rows_of_slope_and_log_loss() -> None:
    before = {"brier_score": Estimate(0.2), "log_loss": Estimate(0.43), "calibration_slope": Estimate(0.5)}
    after = {"brier_score": Estimate(0.1), "log_loss": Estimate(0.41), "calibration_slope": Estimate(0.9)}
    drawn = render(recalibrated(Calibration(before, after)))
    assert drawn.count("<tr>") == 3
    assert [
        drawn.index(word) for word in ("Calibration slope", "Log loss", "0.500", "0.430", "0.900", "0.410")
    ] == sorted(drawn.index(word) for word in ("Calibration slope", "Log loss", "0.500", "0.430", "0.900", "0.410"))
    assert "Brier" not in drawn


def test_chances_that_were_left_alone_say_so() -> None:
    same = {"log_loss": Estimate(0.4), "expected_calibration_error": Estimate(0.1)}
    assert "nothing was corrected" in render(recalibrated(Calibration(same, same)))
    assert not recalibrated(Calibration({}, same))


def test_nothing_told_is_no_card() -> None:
    assert not in_words(EMPTY, slope_and_intercept(TargetEvidence(form="own")))
    assert "Calibration in words" in render(
        in_words(EMPTY, recalibrated(Calibration({"log_loss": Estimate(1.0)}, {"log_loss": Estimate(0.9)})))
    )
