import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.layers.survival.partial_likelihood import partial_likelihood_loss


def slow(log_hazard, event, time):
    """Efron's formula written out term by term."""
    total = log_hazard.new_zeros(())
    for moment in torch.unique(time[event]):
        tied, at_risk = (time == moment) & event, time >= moment
        deaths = int(tied.sum())
        for rank in range(deaths):
            share = tied.to(log_hazard.dtype) * float(np.log1p(-rank / deaths))
            total = total + torch.logsumexp((log_hazard + share)[at_risk], dim=0)
        total = total - log_hazard[tied].sum()
    return total


rows = st.lists(st.tuples(st.floats(-1, 1), st.booleans(), st.integers(1, 6)), min_size=1, max_size=30)


def _tensors(rows, size):
    log_hazard = torch.tensor([[h * size] for h, _, _ in rows], dtype=torch.float64, requires_grad=True)
    return log_hazard, torch.tensor([e for _, e, _ in rows]), torch.tensor([t for _, _, t in rows], dtype=torch.float64)


@settings(deadline=None, max_examples=50)
@given(rows, st.sampled_from([1.0, 100.0, 1000.0]))
def test_loss_and_gradient_are_efrons_whatever_the_size(rows, size):
    log_hazard, event, time = _tensors(rows, size)
    loss = partial_likelihood_loss(log_hazard, event, time).sum()
    (gradient,) = torch.autograd.grad(loss, log_hazard)
    if event.any():
        expected = slow(log_hazard[:, 0], event, time)
        (by_hand,) = torch.autograd.grad(expected, log_hazard)
        torch.testing.assert_close(loss, expected, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(gradient, by_hand, rtol=1e-8, atol=1e-9)
    else:
        assert loss == 0
        assert not gradient.any()


@settings(deadline=None, max_examples=50)
@given(rows, st.floats(-500, 500))
def test_a_shift_of_all_log_hazards_changes_nothing(rows, shift):
    log_hazard, event, time = _tensors(rows, 10.0)
    here = partial_likelihood_loss(log_hazard, event, time)
    there = partial_likelihood_loss(log_hazard + shift, event, time)
    torch.testing.assert_close(here, there, rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=50)
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    log_hazard, event, time = _tensors(rows, 3.0)
    here = partial_likelihood_loss(log_hazard, event, time)[order]
    there = partial_likelihood_loss(log_hazard[order], event[order], time[order])
    torch.testing.assert_close(here, there, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [100.0, 1000.0])
def test_huge_log_hazards_stay_finite_in_single_precision(dtype, size):
    generator = torch.Generator().manual_seed(1)
    log_hazard = (torch.randn(64, 3, generator=generator, dtype=dtype) * size).requires_grad_()
    event, time = torch.rand(64, generator=generator) < 0.5, torch.rand(64, generator=generator, dtype=dtype)
    loss = partial_likelihood_loss(log_hazard, event, time)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(log_hazard.grad).all()
    assert log_hazard.grad.abs().max() <= 64


def test_one_row_with_an_event_is_no_surprise():
    log_hazard = torch.tensor([[5.0]], requires_grad=True)
    loss = partial_likelihood_loss(log_hazard, torch.tensor([True]), torch.tensor([1.0]))
    loss.sum().backward()
    assert loss.item() == 0
    assert log_hazard.grad.item() == 0


def test_a_batch_without_events_gives_zero_with_a_gradient():
    log_hazard = torch.randn(8, 2, requires_grad=True)
    loss = partial_likelihood_loss(log_hazard, torch.zeros(8, dtype=torch.bool), torch.rand(8))
    loss.mean().backward()
    assert not loss.any()
    assert not log_hazard.grad.any()


def test_members_do_not_touch_each_other():
    log_hazard = torch.randn(20, 3, dtype=torch.float64)
    event, time = torch.arange(20) % 2 == 0, torch.arange(20).double() // 3
    together = partial_likelihood_loss(log_hazard, event, time)
    alone = [partial_likelihood_loss(log_hazard[:, m : m + 1], event, time) for m in range(3)]
    torch.testing.assert_close(together, torch.cat(alone, dim=1))


def test_gradients_are_right_by_finite_differences():
    event, time = torch.tensor([1, 1, 0, 1, 1, 0]).bool(), torch.tensor([1, 1, 1, 2, 3, 3]).double()
    log_hazard = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda h: partial_likelihood_loss(h, event, time), log_hazard)
