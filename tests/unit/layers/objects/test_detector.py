import pytest
import torch

from polyclinic.layers.objects import detector


def objects(classes, boxes):
    return detector.ObjectTensors(torch.tensor(classes), torch.tensor(boxes, dtype=torch.float32))


ONE = objects([[0, 1, -1]], [[[8, 8, 24, 24], [40, 30, 50, 60], [0, 0, 0, 0]]])


def test_the_heat_is_highest_at_the_centre_and_only_there():
    truth = detector.truth_on(ONE, 2, (64, 64), (16, 16))
    assert truth.heat.shape == (1, 2, 16, 16)
    assert (truth.heat[0, 0] == 1).nonzero().tolist() == [[4, 4]]
    assert (truth.heat[0, 1] == 1).nonzero().tolist() == [[11, 11]]
    assert (truth.heat == 1).sum() == 2


def test_every_object_is_learned_with_the_same_weight():
    truth = detector.truth_on(ONE, 2, (64, 64), (16, 16))
    assert float(truth.weight.sum()) == pytest.approx(2.0, abs=1e-5)
    assert truth.boxes[0, 4, 4].tolist() == [8, 8, 24, 24]


def test_the_smaller_of_two_objects_is_learned_where_both_lie():
    both = objects([[0, 0]], [[[0, 0, 60, 60], [24, 24, 40, 40]]])
    assert detector.truth_on(both, 1, (64, 64), (16, 16)).boxes[0, 8, 8].tolist() == [24, 24, 40, 40]


@pytest.mark.parametrize("dim", [2, 3])
def test_what_is_said_rightly_is_read_off(dim):
    """An output made from the truth gives the objects back, and costs next to nothing."""
    size, grid = (64, 48, 32)[:dim], (16, 12, 8)[:dim]
    low, high = [[8, 12, 4][:dim], [36, 24, 16][:dim]], [[24, 24, 12][:dim], [52, 44, 28][:dim]]
    there = objects([[1, 0]], [[[*a, *b] for a, b in zip(low, high, strict=True)]])
    truth = detector.truth_on(there, 2, size, grid)
    points = torch.stack(torch.meshgrid(*[(torch.arange(n) + 0.5) * 4 for n in grid], indexing="ij"), -1)
    below, above = points - truth.boxes[0, ..., :dim], truth.boxes[0, ..., dim:] - points
    reach = torch.cat([below, above], -1).clamp(min=0.1).movedim(-1, 0)
    heat = torch.where(truth.heat[0] == 1, 12.0, -12.0)
    output = torch.cat([heat, (reach / 16).log()])
    score, klass, boxes = detector.read_off(output, 2, size, 10)
    assert sorted(klass[score > 0].tolist()) == [0, 1]
    assert torch.allclose(boxes[score > 0][klass[score > 0].argsort(descending=True)], there.boxes[0], atol=1e-3)
    assert float(detector.detection_loss(output[None], there, 2, size)) < 0.05


def test_the_loss_falls_when_an_output_learns():
    torch.manual_seed(0)
    layer = detector.Detector(8, 2, 2)
    seen = torch.randn(1, 8, 16, 16)
    first = last = None
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.02)
    for _ in range(80):
        loss = detector.detection_loss(layer(seen), ONE, 2, (64, 64)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        first, last = loss.item() if first is None else first, loss.item()
    assert last < first / 5


def test_a_view_without_objects_costs_little_and_is_finite():
    empty = objects([[-1]], [[[0, 0, 0, 0]]])
    output = torch.zeros(1, 6, 16, 16)
    output[:, :2] = -6
    loss = detector.detection_loss(output, empty, 2, (64, 64))
    assert 0 < float(loss) < 0.01


def test_the_map_that_is_fine_enough():
    strides = ((1, 1, 1), (1, 2, 2), (2, 4, 4))
    assert [detector.level_near(strides, stride) for stride in (1, 2, 4, 16)] == [0, 1, 2, 2]
