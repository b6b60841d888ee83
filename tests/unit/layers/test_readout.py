"""What turns a summary, or maps, into the numbers of a question."""

import numpy as np
import pytest
import torch
from torch import nn

from polyclinic.layers.readout import OnMaps, Readout
from polyclinic.tensors import Encoded, Fused


def _fused(summary):
    return Fused(summary, summary[:, :1], torch.ones(len(summary), 1, dtype=torch.bool), None, {})


def test_one_set_of_weights_serves_all_members():
    readout = Readout(4, np.array([1.0, -1.0]))
    summary = torch.randn(5, 1, 4).expand(-1, 3, -1)
    output = readout(_fused(summary))
    assert output.shape == (5, 3, 2)
    torch.testing.assert_close(output[:, 0], output[:, 2])


def test_members_with_weights_of_their_own_differ():
    readout = Readout(4, np.zeros(2), members=3)
    output = readout(_fused(torch.randn(5, 1, 4).expand(-1, 3, -1)))
    assert (output[:, 0] - output[:, 1]).abs().max() > 0.01


def test_another_number_of_members_is_refused():
    with pytest.raises(RuntimeError):
        Readout(4, np.zeros(2), members=3)(_fused(torch.randn(5, 2, 4)))


def test_it_starts_where_it_is_told():
    readout = Readout(4, np.array([0.5, -2.0]), members=2)
    torch.testing.assert_close(readout(_fused(torch.zeros(3, 2, 4)))[0, 1], torch.tensor([0.5, -2.0]))


class _Sum(nn.Module):
    def forward(self, maps):
        return maps[0] + 10 * maps[1]


@pytest.mark.parametrize(
    ("module", "level", "seen"), [(nn.Identity(), 0, 1), (nn.Identity(), 1, 2), (_Sum(), None, 21)]
)
def test_what_reads_the_maps_is_given_the_level_that_was_asked_for(module, level, seen):
    summary, present = torch.zeros(1, 1, 4), torch.ones(1, 1, dtype=torch.bool)
    maps = torch.full((1, 1, 2, 2), 1.0), torch.full((1, 1, 2, 2), 2.0)
    fused = Fused(summary, summary, present, None, {"scan": Encoded(summary, present, maps)})
    assert (OnMaps("scan", "outputs", module, level)(fused) == seen).all()


def test_what_reads_the_maps_keeps_its_name_in_the_weights_of_bundles():
    assert set(OnMaps("scan", "voters", nn.Linear(2, 1)).state_dict()) == {"voters.weight", "voters.bias"}
