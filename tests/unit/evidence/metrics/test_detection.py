import numpy as np
import pytest

from polyclinic.evidence.metrics import detection


def boxes(*rows):
    return np.array(rows, dtype=np.float64)


def ranking(score, hit, owner, objects):
    return detection.rank(np.array(score, float), np.array(hit, bool), np.array(owner), np.array(objects, float))


def test_overlap_in_a_picture_and_in_a_scan():
    # Two squares of 2 x 2 that share a quarter: 1 / 7.
    assert detection.overlaps(boxes([0, 0, 2, 2]), boxes([1, 1, 3, 3]))[0, 0] == pytest.approx(1 / 7)
    # Two cubes of side 2 that share an eighth: 1 / 15.
    assert detection.overlaps(boxes([0, 0, 0, 2, 2, 2]), boxes([1, 1, 1, 3, 3, 3]))[0, 0] == pytest.approx(1 / 15)


def test_apart_and_empty_boxes_do_not_overlap():
    found = detection.overlaps(boxes([0, 0, 1, 1], [5, 5, 5, 5]), boxes([2, 2, 3, 3], [5, 5, 5, 5]))
    assert not found.any()


def test_a_box_takes_an_object_once():
    truth = boxes([0, 0, 0, 10, 10])
    predicted = boxes([0.9, 0, 0, 0, 10, 9], [0.8, 0, 0, 0, 10, 10])
    assert detection.match(predicted, truth, np.array([0.5, 0.95])).tolist() == [[True, False], [False, True]]


def test_the_next_best_object_is_left_for_the_next_box():
    # Both boxes overlap the first object most; the second box must be content with the second object.
    truth = boxes([0, 0, 0, 10, 10], [0, 0, 2, 10, 14])
    predicted = boxes([0.9, 0, 0, 0, 10, 10], [0.8, 0, 0, 1, 10, 11])
    assert detection.match(predicted, truth, np.array([0.5]))[:, 0].tolist() == [True, True]


def test_a_box_of_another_class_finds_nothing():
    hits = detection.match(boxes([0.9, 1, 0, 0, 10, 10]), boxes([0, 0, 0, 10, 10]), np.array([0.5]))
    assert not hits.any()


def test_average_precision_by_hand():
    # Hit, miss, hit, of 4 objects: recall 1/4 at precision 1, recall 2/4 at 2/3.
    ranked = ranking([0.9, 0.8, 0.7], [1, 0, 1], [0, 0, 1], [2, 2])
    assert detection.average_precision(ranked)[0] == pytest.approx(0.25 * 1 + 0.25 * 2 / 3)
    # COCO's points 0 ... .25 (26 of them) and .26 ... .5 (25).
    assert detection.average_precision(ranked, points=101)[0] == pytest.approx((26 * 1 + 25 * 2 / 3) / 101)


def test_equal_scores_are_taken_together():
    one = ranking([0.5, 0.5], [1, 0], [0, 1], [1, 0])
    other = ranking([0.5, 0.5], [0, 1], [1, 0], [1, 0])
    assert detection.average_precision(one)[0] == detection.average_precision(other)[0] == pytest.approx(0.5)


def test_no_objects_cannot_be_judged_and_no_boxes_find_nothing():
    assert np.isnan(detection.average_precision(ranking([0.5], [0], [0], [0]))[0])
    assert detection.average_precision(ranking([], [], np.zeros(0, int), [3]))[0] == 0
    assert detection.sensitivity_at(ranking([], [], np.zeros(0, int), [3]), np.ones(1))[0, 0] == 0


def test_sensitivity_at_rates_by_hand():
    # Two pictures; in falling order hit, miss, hit, miss, miss, hit of 4 objects.
    ranked = ranking([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [1, 0, 1, 0, 0, 1], [0, 0, 1, 1, 0, 1], [2, 2])
    found = detection.sensitivity_at(ranked, np.array([0.25, 0.5, 1.0, 2.0]))[0]
    assert found.tolist() == [0.25, 0.5, 0.5, 0.75]


@pytest.mark.parametrize("points", [0, 101])
def test_weights_are_repetitions(points):
    rng = np.random.default_rng(3)
    pictures, n = 12, 150
    score, hit, owner = rng.permutation(n) / n, rng.random(n) < 0.5, rng.integers(pictures, size=n)
    objects = np.bincount(owner[hit], minlength=pictures) + rng.integers(0, 3, pictures).astype(float)
    drawn = rng.integers(0, 3, (5, pictures)).astype(float)
    whole = detection.rank(score, hit, owner, objects)
    rates, grid = np.array(detection.RATES), np.linspace(0, 1, 11)
    for row, weights in enumerate(drawn):
        picked = np.repeat(np.arange(pictures), weights.astype(int))
        parts = [np.flatnonzero(owner == picture) for picture in picked]
        index = np.concatenate(parts)
        again = np.repeat(np.arange(len(picked)), [len(part) for part in parts])
        plain = detection.rank(score[index], hit[index], again, objects[picked])
        assert detection.average_precision(whole, drawn, points)[row] == pytest.approx(
            detection.average_precision(plain, points=points)[0]
        )
        np.testing.assert_allclose(
            detection.sensitivity_at(whole, rates, drawn)[row], detection.sensitivity_at(plain, rates)[0]
        )
        np.testing.assert_allclose(
            detection.precision_over_recall(whole, grid, drawn)[row], detection.precision_over_recall(plain, grid)[0]
        )


def test_the_area_is_that_under_the_curve():
    rng = np.random.default_rng(4)
    hit = rng.random(200) < 0.4
    ranked = ranking(rng.permutation(200), hit, rng.integers(9, size=200), np.full(9, 12))
    curve = detection.precision_over_recall(ranked, np.linspace(0, 1, 20001))[0]
    assert detection.average_precision(ranked)[0] == pytest.approx(curve.mean(), abs=1e-3)
