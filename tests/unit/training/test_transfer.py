import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from polyclinic.errors import StudyError
from polyclinic.study.schema import ModelSection
from polyclinic.training.transfer import read_start, transfer


def test_without_the_key_there_is_nothing_to_begin_with():
    assert read_start(ModelSection()) is None


def test_a_file_and_the_first_fit_of_a_bundle(tmp_path):
    for name in ("0-0-0", "0-1-0"):
        (tmp_path / "model" / name).mkdir(parents=True)
        save_file({"weight": torch.full((2,), float(name[2]))}, tmp_path / "model" / name / "weights.safetensors")
    bundle = read_start(ModelSection(start_from=str(tmp_path)))
    file = read_start(ModelSection(start_from=str(tmp_path / "model" / "0-1-0" / "weights.safetensors")))
    assert bundle is not None
    assert file is not None
    assert bundle["weight"].tolist() == [0, 0]
    assert file["weight"].tolist() == [1, 1]


@pytest.mark.parametrize("content", [None, b"", b"no weights"])
def test_what_holds_no_weights_is_refused(tmp_path, content):
    path = tmp_path / "old.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StudyError, match="start_from"):
        read_start(ModelSection(start_from=str(path)))


def test_what_fits_by_name_and_shape_is_copied():
    model = nn.Linear(3, 2)
    before = model.bias.detach().clone()
    start = {"weight": torch.ones(2, 3), "bias": torch.ones(5), "other": torch.ones(1)}
    assert transfer(model, start) == 1
    assert torch.equal(model.weight, torch.ones(2, 3))
    assert torch.equal(model.bias, before)


def test_weights_of_which_none_fits_are_refused():
    with pytest.raises(StudyError, match="none of 1"):
        transfer(nn.Linear(3, 2), {"weight": torch.ones(4, 4)})
