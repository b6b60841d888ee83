import torch

from polyclinic.layers.maps.mirrors import backwards, every_mirror


def test_every_mirror_of_three_axes():
    assert every_mirror(()) == ()
    assert every_mirror((1,)) == ((1,),)
    assert every_mirror((0, 1, 2)) == ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2))


def test_a_mirror_runs_axes_of_the_grid_backwards_and_undoes_itself():
    values = torch.arange(2 * 1 * 2 * 3).reshape(2, 1, 2, 3).float()
    assert backwards(values, (1,))[0, 0].tolist() == [[2, 1, 0], [5, 4, 3]]
    assert backwards(values, (0,))[0, 0].tolist() == [[3, 4, 5], [0, 1, 2]]
    for axes in every_mirror((0, 1)):
        assert torch.equal(backwards(backwards(values, axes), axes), values)
    assert torch.equal(backwards(values, ()), values)
