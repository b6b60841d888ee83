import numpy as np

from polyclinic.decoding.regions import decide


def test_exclusive_regions_are_decided_by_the_likeliest():
    points = np.array([[128, 100, 90, 0, 85, 127], [0, 100, 100, 200, 85, 0]], dtype=np.uint8)
    decided = decide(points, np.full(2, np.nan), exclusive=True)
    assert decided[0].tolist() == [True, True, False, False, False, False]
    assert decided[1].tolist() == [False, False, True, True, False, False]


def test_overlapping_regions_are_decided_by_their_thresholds():
    points = np.array([[128, 100, 255], [10, 51, 50]], dtype=np.uint8)
    decided = decide(points, np.array([0.5, 0.2]), exclusive=False)
    assert decided.tolist() == [[True, False, True], [False, True, False]]
