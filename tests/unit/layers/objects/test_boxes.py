import numpy as np
import pytest
import torch

from polyclinic.evidence.metrics import detection
from polyclinic.layers.objects import boxes


def some(n, dim, seed=0):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 30, (n, dim))
    return torch.from_numpy(np.concatenate([low, low + rng.uniform(1, 20, (n, dim))], axis=1))


@pytest.mark.parametrize("dim", [2, 3])
def test_overlap_as_the_evidence_has_it(dim):
    one, other = some(20, dim), some(15, dim, 1)
    expected = detection.overlaps(one.numpy(), other.numpy())
    np.testing.assert_allclose(boxes.overlaps(one, other).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("dim", [2, 3])
def test_generalised_overlap(dim):
    one = some(9, dim)
    assert torch.allclose(boxes.generalised_overlap(one, one), torch.ones(9, dtype=one.dtype))
    apart = boxes.generalised_overlap(one, one + 1000)
    assert (apart < -0.9).all()
    # Two unit squares one apart: hull 3, union 2, so -1/3.
    pair = boxes.generalised_overlap(torch.tensor([0.0, 0, 1, 1]), torch.tensor([0.0, 2, 1, 3]))
    assert float(pair) == pytest.approx(-1 / 3)


def plain_suppression(corners, scores, classes, most):
    kept = []
    for k in np.argsort(-scores, kind="stable"):
        overlap = detection.overlaps(corners[k : k + 1], corners[kept])[0] if kept else np.zeros(0)
        if not (overlap[classes[kept] == classes[k]] > most).any():
            kept.append(k)
    return kept


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_suppression_gives_the_result_of_the_loop(dim, seed):
    corners = some(80, dim, seed)
    rng = np.random.default_rng(seed)
    scores, classes = rng.random(80), rng.integers(0, 2, 80)
    found = boxes.suppress(corners, torch.from_numpy(scores), torch.from_numpy(classes), 0.2)
    assert found.tolist() == plain_suppression(corners.numpy(), scores, classes, 0.2)
    assert len(found) < 80


def test_a_part_gives_way_to_the_whole():
    corners = torch.tensor([[0.0, 0, 10, 3], [0, 0, 10, 10], [0, 20, 10, 23]])
    scores, classes = torch.tensor([0.9, 0.5, 0.4]), torch.zeros(3, dtype=torch.int64)
    assert boxes.suppress(corners, scores, classes, 0.5).tolist() == [0, 1, 2]
    partial = torch.tensor([True, False, True])
    assert boxes.suppress(corners, scores, classes, 0.5, partial).tolist() == [1, 2]


def test_no_boxes_at_all():
    none = torch.zeros(0, 4)
    assert boxes.suppress(none, torch.zeros(0), torch.zeros(0, dtype=torch.int64), 0.5).tolist() == []


def test_boxes_from_points():
    found = boxes.from_points(torch.tensor([5.0, 6.0]), torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert found.tolist() == [4.0, 4.0, 8.0, 10.0]
