import numpy as np

from polyclinic.decoding.box_votes import fused


def test_several_models_are_averaged():
    one = np.array([[0.9, 0, 0, 0, 10, 10], [0.6, 1, 0, 0, 10, 10]])
    other = np.array([[0.3, 0, 0, 0, 10, 12], [0.8, 0, 50, 50, 60, 60]])
    found = fused([one, other])
    np.testing.assert_allclose(
        found, [[0.6, 0, 0, 0, 10, 10.5], [0.4, 0, 50, 50, 60, 60], [0.3, 1, 0, 0, 10, 10]], atol=1e-9
    )
    assert fused([one[:0], other[:0]]).shape == (0, 6)


def test_boxes_of_one_model_never_join():
    one = np.array([[0.9, 0, 0, 0, 10, 10], [0.8, 0, 0, 0, 10, 11]])
    assert len(fused([one, one[:0]])) == 2
