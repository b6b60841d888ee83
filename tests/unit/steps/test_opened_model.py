"""A model that is opened once answers as often as it is asked."""

import tarfile
from pathlib import Path

import pytest
import torch

from polyclinic.delivery.bundle import load
from polyclinic.errors import BundleError
from polyclinic.steps.opened_model import open_model

ARCHIVE = Path(__file__).parents[2] / "golden" / "bundles.tar.xz"


@pytest.fixture
def bundle(tmp_path) -> Path:
    """A bundle with two folds and two members of each."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "folds" / "run"


def test_every_fit_is_there_with_its_own_weights_ready_to_answer(bundle):
    opened = open_model(load(bundle))
    names = sorted(path.parent.name for path in bundle.glob("model/*/plan.json"))
    assert len(opened.fits) == len(names) > 1
    assert not any(fit.model.training for fit in opened.fits)
    first, second = (torch.cat([w.flatten() for w in fit.model.parameters()]) for fit in opened.fits[:2])
    assert first.shape != second.shape or not torch.equal(first, second)


def test_only_tune_rows_are_kept(bundle):
    assert set(open_model(load(bundle)).tune.samples.part) == {"tune"}


def test_a_damaged_weight_is_told(bundle):
    opened = load(bundle)
    next(bundle.glob("model/*/weights.safetensors")).write_bytes(b"not weights")
    with pytest.raises(BundleError, match="damaged"):
        open_model(opened)
