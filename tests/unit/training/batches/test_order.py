from time import sleep

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.training.batches.order import ahead, shuffle


@given(rows=st.integers(1, 400), size=st.integers(1, 130))
def test_every_row_comes_once_in_steps_of_nearly_equal_size(rows, size):
    parts = shuffle(np.arange(rows), size, np.random.default_rng(0))
    lengths = [len(part) for part in parts]
    assert sorted(np.concatenate(parts)) == list(range(rows))
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1


def test_a_lone_last_row_is_shared_out():
    assert [len(part) for part in shuffle(np.arange(33), 32, np.random.default_rng(0))] == [17, 16]


class TestLengths:
    lengths = np.random.default_rng(1).integers(50, 900, 301)

    def shuffled(self, seed):
        rows = np.arange(301)
        return shuffle(rows, 4, np.random.default_rng(seed), self.lengths[rows])

    def padded(self, parts):
        return sum(len(part) * self.lengths[part].max() for part in parts) / self.lengths.sum()

    def test_every_row_comes_once_in_steps_of_nearly_equal_size(self):
        parts = self.shuffled(0)
        assert sorted(np.concatenate(parts)) == list(range(301))
        assert {len(part) for part in parts} == {3, 4}

    def test_little_is_padded(self):
        assert self.padded(shuffle(np.arange(301), 4, np.random.default_rng(0))) > 1.4
        assert self.padded(self.shuffled(0)) < 1.15

    def test_steps_come_in_another_order_and_company_every_time(self):
        first, second = ([tuple(sorted(part)) for part in self.shuffled(seed)] for seed in (0, 1))
        assert len(set(first) & set(second)) < len(first) / 4
        means = [self.lengths[list(part)].mean() for part in first]
        assert abs(np.corrcoef(np.arange(len(means)), means)[0, 1]) < 0.4

    def test_copies_of_a_record_rarely_meet(self):
        drawn = np.repeat(np.arange(75), 4)
        parts = shuffle(drawn, 4, np.random.default_rng(0), np.repeat(self.lengths[:75], 4))
        assert np.mean([len(set(part)) for part in parts]) > 3.3

    def test_records_of_one_length_are_shuffled_as_ever(self):
        alike = shuffle(np.arange(50), 8, np.random.default_rng(3), np.full(50, 7))
        plain = shuffle(np.arange(50), 8, np.random.default_rng(3))
        assert all(np.array_equal(a, b) for a, b in zip(alike, plain, strict=True))


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
