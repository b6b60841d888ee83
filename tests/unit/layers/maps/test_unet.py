import pytest
import torch
from torch import nn
from torch.nn import functional as F

from polyclinic.layers.maps.unet import ResidualUNet, Rise, Stages, block_mean
from polyclinic.records.network_shape import plan_steps


def stages(patch, spacing, width=8, channels=1) -> Stages:
    strides, kernels = plan_steps(spacing, patch)
    return Stages(channels, tuple(width * 2**n for n in range(len(strides))), strides, kernels, (1,) * len(strides))


@pytest.mark.parametrize(
    ("patch", "spacing"), [((16, 24, 16), (1, 1, 1)), ((16, 16, 4), (1, 1, 6)), ((32, 16), (1, 1))]
)
def test_maps_have_the_promised_strides(patch, spacing):
    shape = stages(patch, spacing)
    seen = ResidualUNet(shape)(torch.randn(2, 1, *patch))
    assert len(seen.maps) == len(shape.widths)
    for one, width, stride in zip(seen.maps, shape.widths, shape.total_strides(), strict=True):
        assert one.shape == (2, width, *(n // s for n, s in zip(patch, stride, strict=True)))
    assert seen.pooled.shape == (2, shape.widths[-1])


@pytest.mark.parametrize("width", [3, 5, 8])
@pytest.mark.parametrize("patch", [(16, 8, 16), (16, 24)])
def test_half_precision_with_few_channels_gives_finite_gradients(width, patch):
    network = ResidualUNet(stages(patch, (1,) * len(patch), width, channels=2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        seen = network(torch.randn(2, 2, *patch))
        loss = sum(one.float().square().mean() for one in seen.maps) + seen.pooled.float().sum()
    loss.backward()
    assert all(torch.isfinite(weight.grad).all() for weight in network.parameters())


def test_rising_is_a_transposed_convolution():
    torch.manual_seed(0)
    rise = Rise(5, 3, (2, 1, 2))
    weight = rise.spread.weight.reshape(3, 2, 1, 2, 5).permute(4, 0, 1, 2, 3)
    x = torch.randn(2, 5, 3, 4, 2)
    bias = rise.spread.bias.reshape(3, 2, 1, 2)
    expected = F.conv_transpose3d(x, weight, stride=(2, 1, 2)) + bias.repeat(1, 3, 4, 2)
    torch.testing.assert_close(rise(x), expected)


def test_block_means_count_what_is_there():
    x = torch.arange(5.0).reshape(1, 1, 5, 1)
    assert block_mean(x, (2, 1)).flatten().tolist() == [0.5, 2.5, 4.0]


def test_the_norm_of_a_record_does_not_depend_on_its_company():
    network = ResidualUNet(stages((8, 8, 8), (1, 1, 1)))
    x = torch.randn(3, 1, 8, 8, 8)
    torch.testing.assert_close(network(x).maps[0][:1], network(x[:1]).maps[0], rtol=1e-4, atol=1e-5)
    assert not any(isinstance(module, nn.BatchNorm3d) for module in network.modules())
