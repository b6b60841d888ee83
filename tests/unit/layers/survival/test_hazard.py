import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.layers.survival import hazard
from polyclinic.layers.survival.hazard import Drift

EDGES = np.array([0.0, 10.0, 20.0, 40.0])


def test_each_interval_holds_as_many_events():
    times = np.random.default_rng(0).exponential(size=1000)
    edges = hazard.quantile_edges(times, 20)
    events = np.bincount(hazard.interval_of(times, edges))
    assert len(events) == 20
    assert set(events) == {50}
    assert edges[0] == 0
    assert edges[-1] == times.max()


def test_tied_times_give_fewer_intervals_never_empty_ones():
    edges = hazard.quantile_edges(np.array([1.0, 1.0, 1.0, 2.0]), 24)
    assert edges.tolist() == [0, 1, 2]


def test_times_that_differ_by_rounding_tie_and_end_one_interval():
    years = np.array([0.3, 0.1 + 0.2, 1.0])
    assert years[0] < years[1], "else nothing is tested here"
    edges = hazard.quantile_edges(years, 24)
    assert edges.tolist() == [0, 0.1 + 0.2, 1]
    assert hazard.interval_of(years, edges).tolist() == [0, 0, 1]


def test_more_intervals_than_events_are_not_made():
    assert hazard.quantile_edges(np.array([3.0, 5.0]), 24).tolist() == [0, 3, 5]


def test_an_edge_ends_its_interval():
    assert hazard.interval_of(np.array([0.1, 10, 10.1, 40, 99]), EDGES).tolist() == [0, 0, 1, 2, 2]


def test_follow_up_counts_part_of_an_interval():
    exposure, happened = hazard.follow(np.array([25.0, 25.0, 99.0]), np.array([0.0, 1.0, 0.0]), EDGES)
    np.testing.assert_allclose(exposure, [[1, 1, 0.25], [1, 1, 0], [1, 1, 1]])
    np.testing.assert_allclose(happened, [[0, 0, 0], [0, 0, 1], [0, 0, 0]])


def test_the_loss_is_the_likelihood_by_hand():
    output = torch.tensor([[[0.0, 1.0, -1.0]], [[0.0, 1.0, -1.0]]], dtype=torch.float64)
    exposure, happened = (
        torch.from_numpy(a) for a in hazard.follow(np.array([25.0, 25.0]), np.array([0.0, 1.0]), EDGES)
    )
    chance = 1 / (1 + np.exp(-output[0, 0].numpy()))
    quiet = np.log1p(-chance)
    expected = [-(quiet[0] + quiet[1] + 0.25 * quiet[2]), -(quiet[0] + quiet[1] + np.log(chance[2]))]
    np.testing.assert_allclose(hazard.hazard_loss(output, exposure, happened)[:, 0], expected)


def test_fitting_the_loss_gives_the_share_of_those_at_risk_who_had_the_event():
    rng = np.random.default_rng(1)
    time, event = np.ceil(rng.exponential(size=500) * 3), np.ones(500)
    edges = np.arange(0.0, time.max() + 1)
    exposure, happened = (torch.from_numpy(a) for a in hazard.follow(time, event, edges))
    at_risk, died = exposure.sum(0) + happened.sum(0), happened.sum(0)
    chance = died / at_risk
    output = torch.logit(chance)[None, None].expand(500, 1, -1).clone().clamp(-40, 40).requires_grad_()
    hazard.hazard_loss(output, exposure, happened).sum().backward()
    assert output.grad.sum(dim=0).abs().max() < 1e-6


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-1000, 1000), st.floats(0.1, 99), st.booleans()), min_size=1, max_size=20),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_the_loss_is_finite_for_outputs_of_any_size(rows, dtype):
    output = torch.tensor([[[z, -z, z]] for z, _, _ in rows], dtype=dtype, requires_grad=True)
    time, event = np.array([t for _, t, _ in rows]), np.array([float(e) for _, _, e in rows])
    exposure, happened = (torch.from_numpy(a).to(dtype) for a in hazard.follow(time, event, EDGES))
    loss = hazard.hazard_loss(output, exposure, happened)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert output.grad.abs().max() <= 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=20))
def test_curves_are_chances_that_never_rise(values):
    outputs = np.array([[[z, -z, z], [0.0, 1.0, z]] for z in values])
    risk = hazard.risks(Drift(), outputs)
    curve = np.exp(hazard.log_survival(risk, hazard.refine(EDGES, 72), EDGES))
    assert np.all(curve[:, 0] == 1)
    assert np.all((curve >= 0) & (curve <= 1))
    assert np.all(np.diff(curve, axis=1) <= 0)
    assert np.isfinite(hazard.mortality(risk, np.full(3, 1 / 3), EDGES)).all()


def test_within_an_interval_the_hazard_is_constant():
    risk = np.array([[[0.2, 0.4, 0.8]]])
    times = np.array([5.0, 15.0, 30.0, 40.0, 100.0])
    np.testing.assert_allclose(hazard.log_survival(risk, times, EDGES)[0], [-0.1, -0.4, -1.0, -1.4, -1.4])


def test_mortality_is_the_mean_cumulative_hazard():
    risk, share = np.array([[[0.2, 0.4, 0.8]]]), np.array([0.5, 0.25, 0.25])
    by_hand = 0.5 * 0.2 + 0.25 * 0.6 + 0.25 * 1.4
    assert hazard.mortality(risk, share, EDGES)[0] == pytest.approx(np.log(by_hand))


def test_log_odds_undo_softplus():
    risk = np.array([1e-6, 0.01, 0.5, 5.0, 50.0])
    np.testing.assert_allclose(np.logaddexp(0, hazard.log_odds(risk)), risk, rtol=1e-9)


def test_cosines_begin_with_a_constant_and_are_independent():
    shape = hazard.cosines(24, 4)
    np.testing.assert_array_equal(shape[0], 1)
    np.testing.assert_allclose(shape @ shape.T, np.diag([24, 12, 12, 12]), atol=1e-9)
    assert hazard.cosines(3, 10).shape == (3, 3)


def _cohort(rows, seed=0):
    """Rows whose events come exactly as the outputs say."""
    rng = np.random.default_rng(seed)
    outputs = rng.normal(-1.0, 1.0, size=(rows, 1, 1)) + np.zeros((rows, 2, 3))
    cumulative = np.cumsum(hazard.risks(Drift(), outputs)[:, 0], axis=1)
    until = rng.exponential(size=rows)
    time = np.array([np.interp(u, np.append(0, c), EDGES) for u, c in zip(until, cumulative, strict=True)])
    event = (until < cumulative[:, -1]).astype(float)
    return outputs, *hazard.follow(np.maximum(time, 1e-3), event, EDGES)


def test_a_model_that_is_right_is_left_alone():
    drift = hazard.learn(*_cohort(8000), "auto")
    assert drift.scale == pytest.approx(1, abs=0.1)
    assert drift.offset == pytest.approx(0, abs=0.1)


def test_a_model_that_is_too_sure_and_too_gloomy_is_corrected():
    outputs, exposure, happened = _cohort(8000)
    centre = outputs.mean(axis=(0, 1))
    drift = hazard.learn((outputs - centre) * 2 + centre + 1, exposure, happened, "auto")
    assert drift.scale == pytest.approx(0.5, rel=0.1)
    assert drift.offset == pytest.approx(-1, abs=0.1)


def test_the_gradient_of_the_correction_is_right():
    rng = np.random.default_rng(3)
    outputs, exposure, happened = _cohort(40)
    spread, centre = outputs + rng.normal(size=outputs.shape), np.array([0.1, -0.2, 0.3])
    at = np.array([0.2, -0.3])
    share = np.random.default_rng(2).random(len(spread))
    _, gradient = hazard._objective(at, spread, centre, exposure, happened, share)
    for k in range(2):
        step = np.eye(2)[k] * 1e-6
        up, down = (hazard._objective(at + s, spread, centre, exposure, happened, share)[0] for s in (step, -step))
        assert gradient[k] == pytest.approx((up - down) / 2e-6, rel=1e-5)


def test_few_events_or_none_change_nothing():
    outputs, exposure, happened = _cohort(5)
    assert hazard.learn(outputs, exposure, happened, "auto").centre == ()
    assert "too few" in hazard.learn(outputs, exposure, happened, "auto").note
    assert "too few" in hazard.learn(outputs[:0], exposure[:0], happened[:0], "auto").note
    assert "switched off" in hazard.learn(*_cohort(500), "none").note


def test_a_patient_counts_once_however_many_rows_there_are():
    outputs, exposure, happened = _cohort(600)
    once = hazard.learn(0.5 * outputs, exposure, happened, "auto")
    rows = (np.repeat(values, 4, axis=0) for values in (0.5 * outputs, exposure, happened))
    often = hazard.learn(*rows, "auto", np.full(2400, 0.25))
    assert often.scale == pytest.approx(once.scale, rel=1e-4)
    assert often.offset == pytest.approx(once.offset, abs=1e-4)
