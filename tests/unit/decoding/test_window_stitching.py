"""Windows put together on one grid."""

import numpy as np
import pytest

from polyclinic.decoding.window_stitching import Gathered, bell, pyramid, quantised
from polyclinic.layers.volumes.views import window_starts


@pytest.mark.parametrize(("shape", "size"), [((40, 33), (16, 16)), ((20, 9, 14), (8, 12, 8))])
def test_windows_that_agree_give_what_they_say(shape, size):
    whole = np.random.default_rng(0).random((2, *shape)).astype(np.float32)
    gathered = Gathered(2, shape)
    for start in window_starts(shape, size, 0.5):
        wide = np.pad(whole, [(0, 0), *[(n, n) for n in size]], mode="edge")
        gathered.add(wide[(slice(None), *[slice(s + n, s + 2 * n) for s, n in zip(start, size, strict=True)])], start)
    np.testing.assert_allclose(gathered.mean(0), whole[0], rtol=1e-5)
    np.testing.assert_allclose(gathered.mean(1), whole[1], rtol=1e-5)


def test_the_middle_of_a_window_counts_most():
    weight = bell((9, 17))
    assert weight[4, 8] == 1
    assert weight.min() == pytest.approx(1e-3)
    np.testing.assert_allclose(weight, weight[::-1, ::-1])
    gathered = Gathered(1, (16,))
    gathered.add(np.zeros((1, 16), dtype=np.float32), (0,))
    gathered.add(np.ones((1, 16), dtype=np.float32), (8,))
    mean = gathered.mean(0)
    assert mean[7] == 0
    assert mean[8] < 0.1 < 0.9 < mean[15]


def test_windows_are_averaged_and_what_lies_beyond_is_dropped():
    together = Gathered(2, (5, 6), pyramid)
    together.add(np.full((2, 4, 4), 1.0, dtype=np.float32), (-1, -2))
    together.add(np.full((2, 4, 4), 3.0, dtype=np.float32), (2, 1))
    mean = np.stack([together.mean(0), together.mean(1)])
    assert mean[:, 0, 0].tolist() == [1, 1]
    assert mean[:, 4, 4].tolist() == [3, 3]
    assert mean[:, 0, 5].tolist() == [0, 0]
    assert 1 < mean[0, 2, 1] < 3


def test_points_that_no_window_reached_are_0():
    gathered = Gathered(1, (10,))
    gathered.add(np.ones((1, 4), dtype=np.float32), (0,))
    assert gathered.mean(0).tolist() == [1, 1, 1, 1] + [0] * 6


def test_levels_are_the_nearest():
    given = np.array([[0, 0.5, 1.0, 1.1, 1e-5]], dtype=np.float32)
    assert quantised(given).tolist() == [[0, 32768, 65535, 65535, 1]]
