"""A small synthetic cohort made ready, and networks for it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from polyclinic.cohort.rows import Fold, Inner, TestRows, TrainRows, TuneRows
from polyclinic.heads.base import Question
from polyclinic.inputs.base import InputColumns
from polyclinic.model import Model, build
from polyclinic.records.base import ColumnCells
from polyclinic.study import catalogue
from polyclinic.study.schema import ModelSection, Size, TrainingSection
from polyclinic.training.fit import Fitted, fit
from polyclinic.training.progress import QUIET
from polyclinic.training.ready import Ready


@dataclass(frozen=True)
class Bench:
    """One ready cohort with its rows."""

    ready: Ready
    fold: Fold

    @property
    def rows(self) -> Inner:
        return self.fold.members[0]

    def model(self, seed: int = 3) -> Model:
        return build(self.ready.inputs, self.ready.heads, ModelSection(size=Size.TINY), seed)

    @staticmethod
    def training(**settings) -> TrainingSection:
        return TrainingSection.model_validate({"epochs": 4, "batch": 16, "device": "cpu", **settings})

    @staticmethod
    def content(fitted: Fitted) -> bytes:
        state = fitted.model.state_dict()
        return b"".join(state[name].numpy().tobytes() for name in sorted(state))

    def fit(self, seed: int = 5, folder: Path | None = None, progress=QUIET, cap_s=None, **settings) -> Fitted:
        chosen = self.training(**settings)
        return fit(
            self.model(), self.ready, self.rows, chosen, seed=seed, folder=folder, cap_s=cap_s, progress=progress
        )


def _frozen(keys: dict) -> dict:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in keys.items()}


def make_bench(folder: Path, targets: dict[str, str], rows: int = 96, train: int = 64, rare: float = 0.0) -> Bench:
    rng = np.random.default_rng(7)
    signal = np.sort(rng.standard_normal(rows)) - rare if rare else rng.standard_normal(rows)
    order = rng.permutation(rows)
    frame, keys = catalogue.find("inputs", "tabular").example(rng, signal, folder, "labs")
    kind = catalogue.find("inputs", "tabular")
    labs = kind("labs", kind.Options(**_frozen(keys), members=2))
    questions = {}
    for name, word in targets.items():
        kind = catalogue.find("heads", word)
        outcome, keys = kind.example(rng, signal, name)
        head = kind(name, kind.Options(**_frozen(keys)))
        questions[name] = Question(head, head.read_target(outcome, "cohort.csv"))
    inputs = {"labs": InputColumns.read(labs, ColumnCells(frame, folder, "cohort.csv"))}
    inner = Inner(TrainRows(np.sort(order[:train])), TuneRows(np.sort(order[train : train + (rows - train) // 2])))
    ready = Ready.fit(inputs, questions, inner.train)
    test = TestRows(np.sort(order[train + (rows - train) // 2 :]))
    return Bench(ready, Fold(0, 0, (inner,), test))


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_bench(tmp_path_factory.mktemp("bench"), {"sick": "classify"})


@pytest.fixture(scope="session")
def bench_of(tmp_path_factory: pytest.TempPathFactory):
    def make(targets: dict[str, str], **keys) -> Bench:
        return make_bench(tmp_path_factory.mktemp("bench"), targets, **keys)

    return make
