"""Bundles that an earlier version wrote are read, judged, asked and compared, with the numbers of then.

`make.py` says how they came about; between them they hold every form of answer, folds and members.
"""

import json
import math
import re
import tarfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import polyclinic

ARCHIVE = Path(__file__).parent / "bundles.tar.xz"
NAMES = ("whole", "folds", "again")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("golden")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYCLINIC_CACHE", str(tmp_path / "cache"))


MEANT_OTHERWISE = ("verdict", "baseline")
"""Keys that are there as then and say more: the verdict is about the least favourable plain model, which stands beside
ours; it was about the one that did best on tune rows."""


def differences(found: object, recorded: object, path: str = "") -> list[str]:
    """Where two documents differ, numbers to six digits; what is new may be there too."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        lost = [f"{path}.{key} is gone" for key in recorded if key not in found]
        both = [key for key in recorded if key in found and key not in MEANT_OTHERWISE]
        return lost + [one for key in both for one in differences(found[key], recorded[key], f"{path}.{key}")]
    if isinstance(recorded, list) and isinstance(found, list | tuple) and len(recorded) == len(found):
        pairs = enumerate(zip(found, recorded, strict=True))
        return [one for k, (new, old) in pairs for one in differences(new, old, f"{path}[{k}]")]
    if isinstance(recorded, float) and isinstance(found, float | int):
        return [] if math.isclose(found, recorded, rel_tol=1e-6, abs_tol=1e-9) else [f"{path}: {found}, was {recorded}"]
    return [] if found == recorded else [f"{path}: {found!r}, was {recorded!r}"]


@pytest.mark.parametrize("name", [pytest.param("whole", marks=pytest.mark.slow), "folds", "again"])
def test_it_is_judged_as_then(bundles, name):
    recorded = json.loads((bundles / name / "run" / "evidence.json").read_text(encoding="utf-8"))
    found = json.loads(json.dumps(polyclinic.judge(bundles / name / "run")))
    assert differences(found, recorded) == []


def missing_reasons(old, new):
    return set((old or "").split("; ")) - set((new or "").split("; ")) - {""}


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_as_then(bundles, name):
    table = bundles / name / "cohort.csv"
    written = polyclinic.predict(bundles / name / "run", table, bundles / f"{name}-again.csv")
    found, recorded = pl.read_csv(written.out), pl.read_csv(bundles / name / "answers.csv")
    assert set(recorded.columns) <= set(found.columns)
    assert found.height == recorded.height
    for column in recorded.columns:
        new, old = found[column], recorded[column]
        if old.dtype.is_float() and new.dtype.is_float():
            # The same sums in another order, as on another processor, may differ in the last digits of fp32.
            np.testing.assert_allclose(new.to_numpy(), old.to_numpy(), rtol=2e-4, atol=2e-5, err_msg=column)
        elif column in ("spans", "relations"):
            assert rounded(new) == rounded(old), column
        elif column == "abstain":  # later versions know more reasons, and drop none
            assert all(missing_reasons(*pair) == set() for pair in zip(old, new, strict=True))
        else:
            assert new.to_list() == old.to_list(), column
    files = bundles / name / "answers.files"
    if files.exists():
        assert written.files is not None
        assert sorted(p.name for p in written.files.iterdir()) == sorted(p.name for p in files.iterdir())


def rounded(column: pl.Series) -> list[str]:
    """Cells without the last digits of the chances in them."""
    return [re.sub(r"(\.\d\d)\d+", r"\1", cell or "") for cell in column.to_list()]


def test_they_are_compared_as_then(bundles):
    recorded = json.loads((bundles / "compared.json").read_text(encoding="utf-8"))
    found = polyclinic.compare([bundles / name / "run" for name in ("folds", "again")])
    text = json.dumps(found).replace(f"{bundles}/", "")
    assert differences(json.loads(text), recorded) == []


def test_what_they_hold():
    with tarfile.open(ARCHIVE) as archive:
        names = archive.getnames()
        predictions = [archive.extractfile(f"{name}/run/evidence.json") for name in NAMES]
        forms = {
            target["form"]
            for file in predictions
            if file is not None
            for target in json.loads(file.read())["targets"].values()
        }
    assert forms >= {"binary", "multilabel", "value", "survival", "mask", "boxes", "cells", "spans", "relations"}
    assert {f"folds/run/model/0-{fold}-{member}/plan.json" for fold in range(2) for member in range(2)} <= set(names)
    assert ARCHIVE.stat().st_size < 600_000
