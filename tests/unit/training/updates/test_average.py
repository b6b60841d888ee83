import pytest
import torch

from polyclinic.training.updates.average import Average


def test_it_follows_the_weights_with_a_growing_decay(bench):
    model = bench.model()
    average = Average(model, 0.5)
    name, weight = next(iter(model.named_parameters()))
    start = weight.detach().clone()
    expected = start.clone()
    for step, decay in enumerate([1 / 10, 2 / 11, 3 / 12, 4 / 13]):
        with torch.no_grad():
            weight.fill_(float(step))
        average.update()
        expected = decay * expected + (1 - decay) * step
    assert dict(average.model.named_parameters())[name].flatten()[0].item() == pytest.approx(
        expected.flatten()[0].item()
    )


def test_without_decay_it_is_the_weights(bench):
    model = bench.model()
    average = Average(model, 0.0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1.0)
    average.update()
    for ours, theirs in zip(average.model.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_it_never_asks_for_gradients(bench):
    assert not any(weight.requires_grad for weight in Average(bench.model(), 0.9).model.parameters())
