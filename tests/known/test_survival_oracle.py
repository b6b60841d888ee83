"""Survival figures against scikit-survival. The numbers and the script that made them lie beside this file."""

import json
from pathlib import Path

import numpy as np
import pytest

from polyclinic.evidence.metrics import concordance, survival
from polyclinic.evidence.metrics.kaplan_meier import kaplan_meier

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def oracle():
    return json.loads((HERE / "survival_oracle.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def cohort():
    table = np.loadtxt(HERE / "survival_cohort.csv", delimiter=",", skiprows=1)
    return dict(zip(("event", "time", "risk", "tied_time", "tied_risk", "rate"), table.T, strict=True))


@pytest.mark.parametrize(
    ("name", "time", "risk"),
    [
        ("harrell", "time", "risk"),
        ("harrell_tied_time", "tied_time", "risk"),
        ("harrell_tied_both", "tied_time", "tied_risk"),
    ],
)
def test_harrell(oracle, cohort, name, time, risk):
    assert concordance.concordance_index(cohort["event"], cohort[time], cohort[risk]) == pytest.approx(
        oracle[name], abs=1e-12
    )


def test_uno(oracle, cohort):
    event, time = cohort["event"], cohort["time"]
    assert concordance.uno_concordance(event, time, cohort["risk"]) == pytest.approx(oracle["uno"], abs=1e-12)
    tied = concordance.uno_concordance(event, time, cohort["tied_risk"])
    assert tied == pytest.approx(oracle["uno_tied_risk"], abs=1e-12)
    cut = concordance.uno_concordance(event, time, cohort["risk"], tau=oracle["tau"])
    assert cut == pytest.approx(oracle["uno_tau"], abs=1e-12)
    assert cut != pytest.approx(oracle["uno"], abs=1e-4)


def test_brier(oracle, cohort):
    moments = np.array(oracle["moments"])
    curve = np.exp(-cohort["rate"][:, None] * moments[None, :])
    found = survival.brier_over_time(cohort["event"], cohort["time"], curve, moments)
    np.testing.assert_allclose(found, oracle["brier"], atol=1e-12)
    whole = survival.integrated_brier_score(cohort["event"], cohort["time"], curve, moments)
    assert whole == pytest.approx(oracle["integrated_brier"], abs=1e-12)


def test_time_dependent_auc(oracle, cohort):
    moments = np.array(oracle["moments"])
    found = survival.auc_over_time(cohort["event"], cohort["time"], cohort["risk"], moments)
    np.testing.assert_allclose(found, oracle["auc"], atol=1e-12)
    mean = survival.mean_auc(cohort["event"], cohort["time"], cohort["risk"], moments)
    assert mean == pytest.approx(oracle["mean_auc"], abs=1e-12)


def test_kaplan_meier_with_ties(oracle, cohort):
    curve = kaplan_meier(cohort["event"], cohort["tied_time"], 0.95)
    np.testing.assert_allclose(curve.times, oracle["km_times"])
    np.testing.assert_allclose(curve.survival, oracle["km_share"], atol=1e-12)
    inside = (curve.survival > 0) & (curve.survival < 1)
    np.testing.assert_allclose(curve.low[inside], np.array(oracle["km_low"])[inside], atol=1e-9)
    np.testing.assert_allclose(curve.high[inside], np.array(oracle["km_high"])[inside], atol=1e-9)
