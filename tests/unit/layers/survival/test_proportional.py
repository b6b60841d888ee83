import numpy as np
import pytest

from polyclinic.layers.survival import hazard, proportional
from polyclinic.layers.survival.proportional import BaselineHazard

EDGES = np.array([0.0, 0.2, 0.5, 1.0, 3.0])
FLAT = np.diff(EDGES)


def _cohort(rows, seed=0):
    """Exponential times with hazard exp(log hazard) and censoring."""
    rng = np.random.default_rng(seed)
    log_hazard = rng.normal(size=rows)
    until, left = rng.exponential(size=rows) * np.exp(-log_hazard), rng.uniform(0, 3, size=rows)
    return log_hazard, np.minimum(until, left), (until <= left).astype(float)


def test_the_baseline_of_a_right_model_is_found():
    log_hazard, time, event = _cohort(20_000)
    found = proportional.learn(log_hazard, time, event, EDGES, FLAT * 0.3, "auto")
    assert found.scale == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(np.array(found.risks) * np.exp(-found.centre), FLAT, rtol=0.1)


def test_a_model_that_is_too_sure_is_flattened():
    log_hazard, time, event = _cohort(5000)
    assert proportional.learn(3 * log_hazard, time, event, EDGES, FLAT, "auto").scale == pytest.approx(1 / 3, rel=0.1)


def test_the_same_curves_come_from_any_level_of_the_log_hazard():
    log_hazard, time, event = _cohort(400)
    curves = []
    for shift in (0.0, 700.0):
        found = proportional.learn(log_hazard + shift, time, event, EDGES, FLAT, "auto")
        relative = proportional.relative(found, log_hazard + shift)
        curves.append(hazard.log_survival(proportional.risks(found, relative, FLAT), EDGES, EDGES))
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-6)


def test_few_events_keep_the_shape_of_the_training_rows():
    log_hazard, time = np.zeros(30), np.full(30, 2.0)
    found = proportional.learn(log_hazard, time, np.zeros(30), EDGES, FLAT, "auto")
    ratio = np.array(found.risks) / FLAT
    assert found.scale == 1
    assert np.all((ratio > 0) & (ratio < 1))
    assert "0 events" in found.note


def test_no_rows_leave_the_baseline_of_the_training_rows():
    nobody = np.zeros(0)
    found = proportional.learn(nobody, nobody, nobody, EDGES, FLAT, "auto")
    np.testing.assert_allclose(proportional.risks(found, np.zeros(1), FLAT)[0, 0], FLAT)


def test_none_still_gives_a_baseline_but_no_scale():
    found = proportional.learn(*_cohort(400), EDGES, FLAT, "none")
    assert found.scale == 1
    assert found.risks


@pytest.mark.parametrize("size", [100.0, 1000.0])
def test_huge_log_hazards_give_curves(size):
    log_hazard, time, event = _cohort(200)
    for scale in ("auto", "none"):
        found = proportional.learn(size * log_hazard, time, event, EDGES, FLAT, scale)
        risk = proportional.risks(found, proportional.relative(found, size * log_hazard), FLAT)
        curve = np.exp(hazard.log_survival(risk, hazard.refine(EDGES, 72), EDGES))
        assert np.isfinite(curve).all()
        assert np.all((curve >= 0) & (curve <= 1))


def test_a_baseline_survives_json():
    found = proportional.learn(*_cohort(100), EDGES, FLAT, "auto")
    assert BaselineHazard.model_validate_json(found.model_dump_json()) == found
