"""Cross-entropy plus Dice, against torch and by hand."""

import pytest
import torch
from torch.nn import functional as F

from polyclinic.layers.maps.overlap_loss import graded_loss, overlap_loss

LABEL = torch.tensor([[[0, 1, 2, 2], [1, 1, 0, 0]]])
EVERYWHERE = torch.ones(1, 2, 4, dtype=torch.bool)


def planes(label=LABEL):
    return F.one_hot(label, 3).movedim(-1, 1)[:, 1:].float()


def output(seed=0):
    return torch.randn(1, 3, 2, 4, generator=torch.Generator().manual_seed(seed))


def test_the_entropy_is_that_of_torch():
    said = output()
    chance = said.softmax(1)[:, 1:]
    dice = (2 * (chance * planes()).sum((2, 3)) + 1) / (chance.sum((2, 3)) + planes().sum((2, 3)) + 1)
    expected = F.cross_entropy(said, LABEL) + (1 - dice).mean()
    torch.testing.assert_close(overlap_loss(said, planes(), EVERYWHERE, 0.0, exclusive=True)[0], expected)


def test_smoothing_is_that_of_torch():
    said, smooth = output(), 0.2
    change = overlap_loss(said, planes(), EVERYWHERE, smooth, exclusive=True) - overlap_loss(
        said, planes(), EVERYWHERE, 0.0, exclusive=True
    )
    expected = F.cross_entropy(said, LABEL, label_smoothing=smooth) - F.cross_entropy(said, LABEL)
    torch.testing.assert_close(change[0], expected)


@pytest.mark.parametrize("exclusive", [True, False])
def test_records_do_not_touch_each_other(exclusive):
    said = torch.cat([output(1), output(2)])[:, : 3 if exclusive else 2]
    truth, where = planes().repeat(2, 1, 1, 1), EVERYWHERE.repeat(2, 1, 1)
    both = overlap_loss(said, truth, where, 0.0, exclusive=exclusive)
    alone = [overlap_loss(said[[k]], truth[[k]], where[[k]], 0.0, exclusive=exclusive)[0] for k in range(2)]
    torch.testing.assert_close(both, torch.stack(alone))


def test_a_record_of_which_nothing_counts_gives_a_loss_without_slope():
    said = output().requires_grad_()
    overlap_loss(said, planes(), ~EVERYWHERE, 0.0, exclusive=True).sum().backward()
    assert said.grad.abs().max() == 0


def test_half_precision_is_widened():
    said = output().bfloat16()
    wide = overlap_loss(said.float(), planes(), EVERYWHERE, 0.0, exclusive=True)
    torch.testing.assert_close(overlap_loss(said, planes(), EVERYWHERE, 0.0, exclusive=True), wide)


@pytest.mark.parametrize("exclusive", [True, False])
def test_coarser_outputs_count_half_as_much_each(exclusive):
    outs = 3 if exclusive else 2
    said = [output(seed)[:, :outs] for seed in range(3)]
    each = [overlap_loss(one, planes(), EVERYWHERE, 0.0, exclusive=exclusive) for one in said]
    expected = (each[0] + each[1] / 2 + each[2] / 4) / 1.75
    torch.testing.assert_close(
        graded_loss(torch.cat(said, 1), planes(), EVERYWHERE, 0.0, exclusive=exclusive), expected
    )
    torch.testing.assert_close(graded_loss(said[0], planes(), EVERYWHERE, 0.0, exclusive=exclusive), each[0])


def test_the_entropy_of_a_repeated_output_is_that_against_the_shares_of_its_blocks():
    coarse = torch.randn(1, 3, 1, 2, generator=torch.Generator().manual_seed(4))
    fine = F.interpolate(coarse, size=(2, 4))
    share = F.avg_pool2d(torch.cat([1 - planes().sum(1, keepdim=True), planes()], 1), 2)
    chance = fine.softmax(1)[:, 1:]
    dice = (2 * (chance * planes()).sum((2, 3)) + 1) / (chance.sum((2, 3)) + planes().sum((2, 3)) + 1)
    expected = F.cross_entropy(coarse, share) + (1 - dice).mean()
    torch.testing.assert_close(overlap_loss(fine, planes(), EVERYWHERE, 0.0, exclusive=True)[0], expected)
