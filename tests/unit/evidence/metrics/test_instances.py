"""Objects held against objects: small pictures worked out by hand."""

import numpy as np
import pytest

from polyclinic.evidence.metrics import instances


def row(*numbers):
    return np.array([numbers])


def test_the_same_objects_with_other_numbers_are_perfect():
    found, _ = instances.judge(row(1, 1, 0, 2, 2, 2), row(9, 9, 0, 4, 4, 4))
    assert (found.aji, found.aji_plus, found.matched_iou) == (1, 1, 2)
    assert found.matched.tolist() == [2] * 10
    assert found.pairs.tolist() == [[0, 1], [1, 0]]  # 9 comes after 4 in the list of predicted numbers


def test_an_aggregated_jaccard_index_by_hand():
    # true 1 = 4 points, true 2 = 4; predicted 1 covers 3 of the first, predicted 2 one point of the second, 3 none.
    truth, predicted = row(1, 1, 1, 1, 2, 2, 2, 2, 0, 0), row(1, 1, 1, 0, 2, 0, 0, 0, 3, 3)
    found, _ = instances.judge(truth, predicted)
    assert found.aji == pytest.approx((3 + 1) / (4 + 4 + 2))
    assert found.matched.tolist() == [1] * 5 + [0] * 5  # 3/4 does not exceed .75
    assert found.matched_iou == pytest.approx(0.75)


def test_one_predicted_object_over_two_true_ones_is_used_twice_but_not_in_plus():
    truth, predicted = row(1, 1, 1, 2, 2), row(5, 5, 5, 5, 5)
    found, _ = instances.judge(truth, predicted)
    assert found.aji == pytest.approx((3 + 2) / (5 + 5))
    assert found.aji_plus == pytest.approx(3 / (5 + 2))


def test_plus_takes_the_pairs_with_the_largest_sum():
    truth, predicted = row(1, 1, 1, 1, 1, 2, 2), row(7, 7, 8, 8, 8, 8, 8)
    found, _ = instances.judge(truth, predicted)
    # 1-7 (.4) with 2-8 (.4) beats 1-8 (3/7) alone
    assert found.aji_plus == pytest.approx((2 + 2) / (5 + 5))


def test_half_an_object_is_no_match():
    found, _ = instances.judge(row(1, 1), row(1, 0))
    assert found.matched[0] == 0


def test_nothing_true_and_nothing_predicted_is_not_judged_and_false_objects_are():
    empty = np.zeros((3, 3), dtype=int)
    assert np.isnan(instances.judge(empty, empty)[0].aji)
    assert instances.judge(empty, empty + 1)[0].aji == 0
    assert instances.judge(empty + 1, empty)[0].aji_plus == 0


def test_overlaps_are_those_of_a_plain_double_loop():
    rng = np.random.default_rng(3)
    truth, predicted = rng.integers(0, 6, (20, 20)), rng.integers(0, 7, (20, 20)) * 1000
    found = instances.overlaps(truth, predicted)
    pairs = {
        (t, p): ((truth == t) & (predicted == p)).sum() / ((truth == t) | (predicted == p)).sum()
        for t in range(1, 6)
        for p in range(1000, 7000, 1000)
    }
    mine = zip(found.true_ids[found.true], found.predicted_ids[found.predicted], found.iou, strict=True)
    assert {(int(t), int(p)): pytest.approx(iou) for t, p, iou in mine} == {k: v for k, v in pairs.items() if v > 0}
