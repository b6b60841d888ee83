import pytest
import torch
from torch import nn

from polyclinic.errors import Severity
from polyclinic.training.devices import precision
from polyclinic.training.devices.precision import choose_precision

PICTURES = nn.Sequential(nn.Conv2d(3, 4, 3))
TABLES = nn.Linear(3, 4)


@pytest.fixture(params=[True, False])
def able(request, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": request.param})
    return request.param


def test_auto_goes_by_hardware_and_network(bench, able):
    chosen, findings = choose_precision(PICTURES, bench.training())
    assert (chosen.half, chosen.channels_last, findings) == (able, able, [])
    plain, _ = choose_precision(TABLES, bench.training())
    assert (plain.half, plain.channels_last) == (False, False)


def test_the_study_may_insist(bench, able):
    wide, _ = choose_precision(PICTURES, bench.training(precision="fp32"))
    assert not wide.half
    half, findings = choose_precision(TABLES, bench.training(precision="bf16"))
    assert half.half
    assert [f.severity for f in findings] == ([] if able else [Severity.WARNING])


def test_a_network_can_train_in_bfloat16(bench):
    fitted = bench.fit(precision="bf16", epochs=15)
    assert fitted.precision.half
    assert fitted.tune_loss < 0.9 * fitted.history[0].tune_loss
    assert all(p.dtype == torch.float32 for p in fitted.model.parameters())


def test_pictures_are_moved_into_channels_last():
    model = nn.Conv2d(3, 4, 3)
    precision.Precision("cpu", half=True, channels_last=True).place(model)
    assert model.weight.is_contiguous(memory_format=torch.channels_last)
