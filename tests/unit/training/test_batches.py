from time import sleep

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.training.batches import ahead, shuffle


@given(rows=st.integers(1, 400), size=st.integers(1, 130))
def test_every_row_comes_once_in_steps_of_nearly_equal_size(rows, size):
    parts = shuffle(np.arange(rows), size, np.random.default_rng(0))
    lengths = [len(part) for part in parts]
    assert sorted(np.concatenate(parts)) == list(range(rows))
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1


def test_a_lone_last_row_is_shared_out():
    assert [len(part) for part in shuffle(np.arange(33), 32, np.random.default_rng(0))] == [17, 16]


class TestAhead:
    def test_order_and_results_are_those_of_map(self):
        assert list(ahead(lambda x: sleep(0.001) or x * x, range(20))) == [x * x for x in range(20)]

    def test_errors_come_through(self):
        with pytest.raises(ZeroDivisionError):
            list(ahead(lambda x: 1 // x, [1, 0, 1]))

    def test_it_runs_only_a_little_ahead(self):
        made = []
        stream = ahead(lambda x: made.append(x), range(50))
        next(stream)
        stream.close()
        assert len(made) < 6
