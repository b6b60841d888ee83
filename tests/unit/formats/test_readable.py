"""Run lengths as COCO writes them, read back by the definition alone."""

import json

import numpy as np
import pytest

from polyclinic.formats import readable
from polyclinic.formats.readable import json_column, run_lengths, shape_of, too_many


def drawn(size: list[int], counts: list[int]) -> np.ndarray:
    """A region out of its runs: outside and inside in turn, the first axis fastest."""
    inside = np.arange(len(counts)) % 2
    return np.repeat(inside, counts).reshape(size, order="F")


@pytest.mark.parametrize("shape", [(7, 5), (1, 9), (4, 3, 6)])
@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_every_region_comes_back_point_by_point(shape, share):
    rng = np.random.default_rng(2)
    labels = np.where(rng.random(shape) < share, rng.integers(1, 4, shape), 0)
    runs = run_lengths(labels)
    assert sorted(runs) == sorted(set(labels[labels > 0].tolist()))
    for number, counts in runs.items():
        assert min(counts[1:]) >= 0
        np.testing.assert_array_equal(drawn(shape_of(labels), counts), labels == number)


def test_the_published_example_of_the_form():
    """Columns first: a block of two rows in the middle column of three."""
    mask = np.array([[0, 1, 0], [0, 1, 0]])
    assert run_lengths(mask) == {1: [2, 2, 2]}
    assert run_lengths(np.zeros((2, 3), dtype=int)) == {}
    assert run_lengths(np.zeros((0, 3), dtype=int)) == {}
    assert run_lengths(np.ones((2, 2), dtype=int)) == {1: [0, 4, 0]}


def test_a_torn_region_is_left_to_the_packed_array(monkeypatch):
    monkeypatch.setattr(readable, "MOST_RUNS", 6)
    assert not too_many([[1, 2, 3], [1, 2, 3]])
    assert too_many([[1, 2, 3], [1, 2, 3, 4]])


def test_what_is_not_known_is_no_empty_list():
    column = json_column([[{"label": "Läsion"}], [], None])
    assert column.to_list() == ['[{"label": "Läsion"}]', "[]", None]
    assert json.loads(column[0]) == [{"label": "Läsion"}]
