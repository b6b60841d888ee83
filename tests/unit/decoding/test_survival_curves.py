import numpy as np

from polyclinic.decoding.survival_curves import average_curves


def test_curves_on_different_grids_are_averaged_at_common_times():
    a = (np.array([[0.0, 10.0, 20.0]] * 2), np.exp(-np.array([[0.0, 1.0, 2.0]] * 2)))
    b = (np.array([[0.0, 5.0, 40.0]] * 2), np.exp(-np.array([[0.0, 0.5, 4.0]] * 2)))
    times, survival = average_curves([a, b], 72)
    assert times.shape == survival.shape == (2, 73)
    assert times[0, 0] == 0
    assert times[0, -1] == 40
    first = np.exp(-0.1 * np.minimum(times, 20.0))
    np.testing.assert_allclose(survival, (first + np.exp(-0.1 * times)) / 2)


def test_each_row_keeps_its_own_grid_in_an_average():
    times = np.array([[0.0, 1.0, 2.0], [0.0, 10.0, 20.0]])
    survival = np.exp(-np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]))
    common, averaged = average_curves([(times, survival), (times, survival)], 4)
    np.testing.assert_allclose(common[:, -1], [2, 20])
    np.testing.assert_allclose(averaged, np.exp(-common / common[:, -1:] * 2))
