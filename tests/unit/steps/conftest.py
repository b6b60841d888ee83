"""A small cohort put together and divided in two folds of two members each, one row left out in front."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from polyclinic.cohort.rows import Fold, Split
from polyclinic.cohort.table import load
from polyclinic.steps.assemble import assemble, divide_cohort
from polyclinic.steps.example_cohort import example_cohort
from polyclinic.steps.kinds import kinds_of
from polyclinic.steps.network import FoldPlan
from polyclinic.study.read import read_study
from polyclinic.training.assembled import Assembled

SETTINGS: dict[str, dict[str, Any]] = {
    "cohort": {"exclude": "patient_id = 'P00000'"},
    "split": {"folds": 2},
    "model": {"size": "tiny", "ensemble": 2},
    "training": {"epochs": 2},
    "evidence": {"resamples": 0, "baselines": False},
}


@dataclass(frozen=True)
class Divided:
    """A study as the folds are given it, and the table that it was made from."""

    assembled: Assembled
    split: Split
    table: pl.DataFrame

    def fold(self, number: int = 0) -> Fold:
        return self.split.folds[number]

    def plan(self, scratch: Path, **training: Any) -> FoldPlan:
        study = self.assembled.study
        section = study.training.model_copy(update=training)
        return FoldPlan(study.model, section, study.study.seed, None, scratch, None, 0)


@pytest.fixture(scope="session")
def divided_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Divided]:
    def make(patients: int = 61, **settings: Any) -> Divided:
        folder = tmp_path_factory.mktemp("divided")
        sections = {name: {**SETTINGS.get(name, {}), **settings.get(name, {})} for name in {**SETTINGS, **settings}}
        targets = {"sick": "classify", "level": "regress"}
        made = example_cohort(folder, {"labs": "tabular"}, targets, patients=patients, settings=sections)
        study = read_study(made.study)
        kinds = kinds_of(study)
        cohort = load(study.cohort, folder, uses=kinds.column_uses(study.split))
        split, assembled = divide_cohort(assemble(study, kinds, cohort, None))
        return Divided(assembled, split, pl.read_csv(made.table))

    return make


@pytest.fixture(scope="session")
def divided(divided_of: Callable[..., Divided]) -> Divided:
    return divided_of()
