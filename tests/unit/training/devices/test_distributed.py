import numpy as np
import pytest
import torch

from polyclinic.errors import StudyError
from polyclinic.training.devices.process_group import ALONE, ProcessGroup


class TestCrew:
    def test_slices_share_out_a_batch(self):
        batch = np.arange(7)
        parts = [ProcessGroup(rank, 3).share(batch) for rank in range(3)]
        assert sorted(np.concatenate(parts)) == list(range(7))

    def test_alone_nothing_changes(self):
        weight = torch.nn.Parameter(torch.ones(2))
        ALONE.sum_gradients([weight])
        assert weight.grad is None
        assert ALONE.agree(True)
        assert ALONE.follow(4) == 4
        assert ALONE.leads


@pytest.mark.slow
class TestProcesses:
    def test_two_processes_come_close_to_one(self, bench):
        one = bench.fit(epochs=8)
        two = bench.fit(epochs=8, processes=2)
        assert two.done == 8
        assert two.tune_loss == pytest.approx(one.tune_loss, rel=0.1)
        assert not two.model.training

    def test_two_processes_repeat_themselves_and_return_at_once_when_done(self, bench, tmp_path):
        first = bench.fit(epochs=3, processes=2, folder=tmp_path)
        second = bench.fit(epochs=3, processes=2, folder=tmp_path)
        assert bench.content(first) == bench.content(second)

    def test_what_a_process_raises_comes_through(self, bench):
        with pytest.raises(StudyError, match="must be a number"):
            bench.fit(optimizer="sgd", learning_rate=1e30, epochs=3, ema=0.0, processes=2)
