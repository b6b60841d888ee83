import torch

from polyclinic.layers.maps.point_outputs import PointOutputs

STRIDES = ((1, 1), (2, 2), (4, 4), (8, 8), (16, 16))
WIDTHS = (4, 8, 16, 32, 64)


def maps():
    grid = 16
    return [torch.randn(2, w, grid // s[0], grid // s[1]) for w, s in zip(WIDTHS, STRIDES, strict=True)]


def test_while_training_coarser_maps_answer_too_each_over_its_blocks():
    torch.manual_seed(0)
    layer, seen = PointOutputs(2, WIDTHS, STRIDES, (0.5, -1.0, 0.0)), maps()
    out = layer.train()(seen)
    assert out.shape == (2, 9, 16, 16)
    for grade, step in enumerate((1, 2, 4)):
        part = out[:, 3 * grade : 3 * grade + 3]
        coarse = layer.each[grade](seen[grade])
        for row in range(step):
            torch.testing.assert_close(part[:, :, row::step, ::step], coarse)
    torch.testing.assert_close(layer.eval()(seen), out[:, :3])


def test_outputs_begin_where_they_are_told():
    layer = PointOutputs(3, (4, 8, 8, 8), ((1, 1, 1), (2, 2, 1), (4, 4, 2), (8, 8, 4)), (2.0, -3.0))
    assert len(layer.each) == 2
    blank = [torch.zeros(1, 4, 8, 8, 4), *(torch.zeros(1, 8, n, n, n) for n in (4, 2, 1))]
    assert layer.train()(blank)[0, :, 0, 0, 0].tolist() == [2.0, -3.0, 2.0, -3.0]


def test_a_network_with_one_map_or_a_coarse_finest_map_answers_once():
    lone = PointOutputs(2, (4,), ((1, 1),), (0.0,)).train()
    assert lone([torch.randn(1, 4, 6, 6)]).shape == (1, 1, 6, 6)
    coarse = PointOutputs(2, WIDTHS[1:], STRIDES[1:], (0.0, 0.0)).train()
    assert coarse(maps()[1:]).shape == (2, 2, 16, 16)
