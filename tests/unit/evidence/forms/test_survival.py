"""Predicted and observed survival at named times, held against counts by hand."""

import json

import numpy as np
import pytest

from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.evidence.judge import judge
from polyclinic.evidence.named_times import read_named_times
from polyclinic.evidence.records import Evidence
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.study.schema import EvidenceSection

N = 40


def judged(horizons: tuple[float, ...] = (), unit: str = "years"):
    """Nobody is censored before 4 years; the chance is right on average at 1 and too low by 0.2 at 3."""
    time = np.linspace(0.1, 4.0, N)
    event = np.ones(N)
    times = np.tile([0.0, 1.0, 3.0, 3.9], (N, 1))
    first, third = float((time > 1).mean()), float((time > 3).mean())
    survival = np.tile([1.0, first, third - 0.2, third - 0.22], (N, 1))
    answer = SurvivalAnswer(unit, -time, times, survival, event, time, horizons=horizons)
    zeros = np.zeros(N, dtype=np.int64)
    samples = Samples(np.arange(1, N + 1), np.arange(N), np.full(N, "test", dtype=object), zeros, zeros, None, {})
    predictions = Predictions("m", samples, {"death": answer}, np.zeros(N))
    return judge(predictions, [], EvidenceSection(resamples=30), seed=1), time


def test_predicted_and_observed_survival_stand_side_by_side():
    evidence, time = judged()
    one, three, five = read_named_times(evidence.targets["death"])
    assert (one.name, three.name, five.name) == ("1 year", "3 years", "5 years")
    for found, at in ((one, 1), (three, 3)):
        assert found.observed.value == pytest.approx((time > at).mean())
        assert found.observed.low < found.observed.value < found.observed.high
        assert found.at_risk == (time >= at).sum()
        assert found.auc.value == 1.0  # who dies first has the highest risk
    assert one.predicted == pytest.approx(one.observed.value)
    assert three.predicted == pytest.approx(three.observed.value - 0.2)
    share = one.predicted
    assert one.brier_score.value == pytest.approx(share * (1 - share))


def test_nothing_is_said_of_a_time_that_nobody_was_followed_to():
    five = read_named_times(judged()[0].targets["death"])[2]
    assert five.predicted is None
    assert five.observed.value is None
    assert five.auc.value is None
    assert five.brier_score.value is None
    assert five.at_risk == 0


def test_the_study_names_the_times_and_without_a_unit_there_are_none():
    named = read_named_times(judged((2.0, 3.5), "cycles")[0].targets["death"])
    assert [(one.name, one.time) for one in named] == [("2 cycles", 2.0), ("3.5 cycles", 3.5)]
    assert "at_named_times" not in judged(unit="")[0].targets["death"].curves


def test_the_document_gives_them_back():
    document = json.loads(json.dumps(judged()[0].document()))
    read = Evidence.read(document).targets["death"]
    assert [one.name for one in read_named_times(read)] == ["1 year", "3 years", "5 years"]
    assert read_named_times(read)[2].predicted is None
    assert len(read.groups_of("kaplan_meier")) == 3
