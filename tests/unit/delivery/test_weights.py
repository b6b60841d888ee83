import errno
import math
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from polyclinic.delivery.weights import fit_name, fits, load_model, save_model
from polyclinic.errors import BundleError
from polyclinic.study.options import Plan


class Scale(Plan):
    mean: float
    spread: tuple[float, ...]
    names: dict[str, str]


PLAN = Scale(mean=0.1 + 0.2, spread=(1e-300, math.inf), names={"age": "years", "性别": "男"})


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    network[0].weight.data = torch.tensor([[1.0, math.pi, -0.0], [1e-40, 3.4e38, 2.0]])
    save_model(tmp_path, "0-0-0", PLAN, network.state_dict())
    plan, state = load_model(tmp_path, "0-0-0", Scale)
    assert plan == PLAN
    assert list(state) == sorted(network.state_dict())
    for name, value in network.state_dict().items():
        assert state[name].dtype == value.dtype
        assert torch.equal(state[name], value)


def test_tensors_that_share_memory_and_halves_are_saved(tmp_path: Path) -> None:
    base = torch.arange(6, dtype=torch.bfloat16).reshape(2, 3)
    save_model(tmp_path, "0-0-0", PLAN, {"a": base, "b": base.T, "c": base[:1]})
    _, state = load_model(tmp_path, "0-0-0", Scale)
    assert torch.equal(state["b"], base.T)
    assert state["a"].dtype == torch.bfloat16


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    state = {"b": torch.ones(2), "a": torch.zeros(3)}
    save_model(tmp_path / "one", "0-0-0", PLAN, state)
    save_model(tmp_path / "two", "0-0-0", PLAN, dict(reversed(state.items())))
    for name in ("plan.json", "weights.safetensors"):
        assert (tmp_path / "one/0-0-0" / name).read_bytes() == (tmp_path / "two/0-0-0" / name).read_bytes()


def test_fits_are_listed_in_the_order_they_were_made(tmp_path: Path) -> None:
    for fold in (10, 2, 0):
        save_model(tmp_path, fit_name(0, fold, 0), PLAN, {"a": torch.zeros(1)})
    (tmp_path / "notes").mkdir()
    assert fits(tmp_path) == ("0-0-0", "0-2-0", "0-10-0")


@pytest.mark.parametrize("name", ["plan.json", "weights.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "missing", "nonsense"])
def test_a_damaged_model_is_refused_by_name(tmp_path: Path, name: str, damage: str) -> None:
    save_model(tmp_path, "0-0-0", PLAN, {"a": torch.zeros(100)})
    path = tmp_path / "0-0-0" / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-20] if damage == "cut" else b"\xff" * 50)
    with pytest.raises(BundleError, match=name):
        load_model(tmp_path, "0-0-0", Scale)


def test_a_full_disk_leaves_no_half_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match="disk is full"):
        save_model(tmp_path, "0-0-0", PLAN, {"a": torch.zeros(1)})
    assert list((tmp_path / "0-0-0").iterdir()) == []
