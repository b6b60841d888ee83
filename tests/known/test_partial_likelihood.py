"""Efron's partial likelihood against lifelines 0.30 (MIT), which maximises it by Newton's method."""

import numpy as np
import pandas as pd
import pytest
import torch
from lifelines import CoxPHFitter

from polyclinic.layers.survival.partial_likelihood import partial_likelihood_loss


@pytest.fixture(scope="module")
def cohort():
    """Patients with many tied event times."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    until = np.ceil(10 * rng.exponential(size=300) * np.exp(-x @ [0.8, -0.5]))
    left = np.ceil(20 * rng.uniform(size=300))
    return x, (until <= left), np.minimum(until, left)


@pytest.fixture(scope="module")
def peer(cohort):
    x, event, time = cohort
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "event": event.astype(int), "time": time})
    return CoxPHFitter(baseline_estimation_method="breslow").fit(frame, "time", "event")


def _loss(coefficients, cohort):
    x, event, time = (torch.from_numpy(array) for array in cohort)
    return partial_likelihood_loss((x @ coefficients)[:, None], event, time).sum()


def test_the_log_likelihood_is_that_of_lifelines(cohort, peer):
    loss = _loss(torch.from_numpy(peer.params_.to_numpy()), cohort)
    assert -loss.item() == pytest.approx(peer.log_likelihood_, rel=1e-10)


def test_gradient_and_curvature_lead_no_further_than_lifelines_went(cohort, peer):
    coefficients = torch.from_numpy(peer.params_.to_numpy()).requires_grad_()
    _loss(coefficients, cohort).backward()
    information = torch.autograd.functional.hessian(lambda c: _loss(c, cohort), coefficients.detach())
    step = torch.linalg.solve(information, coefficients.grad)
    assert step.abs().max() < 1e-3 * peer.standard_errors_.min()


def test_the_curvature_gives_the_standard_errors_of_lifelines(cohort, peer):
    coefficients = torch.from_numpy(peer.params_.to_numpy())
    information = torch.autograd.functional.hessian(lambda c: _loss(c, cohort), coefficients)
    errors = torch.linalg.inv(information).diagonal().sqrt()
    np.testing.assert_allclose(errors.numpy(), peer.standard_errors_.to_numpy(), rtol=1e-4)


def test_a_worked_example_by_hand():
    """Two tied deaths among three patients of hazards 2, 1 and 1: -log(2 / 4) - log(1 / (4 - 3 / 2))."""
    log_hazard = torch.tensor([[2.0], [1.0], [1.0]], dtype=torch.float64).log()
    loss = partial_likelihood_loss(
        log_hazard, torch.tensor([True, True, False]), torch.tensor([1.0, 1.0, 2.0]).double()
    )
    assert loss.sum().item() == pytest.approx(-np.log(2 / 4) - np.log(1 / 2.5))
