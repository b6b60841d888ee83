"""A finished run as the material of report and card: what happened in it, and pictures of its cases."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any, cast

import numpy as np
from jaxtyping import Float

from polyclinic.cohort.document import CohortDocument
from polyclinic.cohort.rows import Split
from polyclinic.delivery.material import Material, PartCount, RunFacts
from polyclinic.delivery.plan import revive_heads, revive_inputs
from polyclinic.evidence.metrics.kaplan_meier import median_follow_up
from polyclinic.evidence.records import Estimate, Evidence, TargetEvidence
from polyclinic.heads.base import Dense, Question, dense_questions
from polyclinic.records.base import Picture
from polyclinic.steps.folds import FoldAnswers
from polyclinic.steps.network import fit_name
from polyclinic.study.schema import Study
from polyclinic.study.write import write_study
from polyclinic.training.assembled import Assembled

_NOBODY = np.zeros(0, dtype=np.int64)
_PACKAGES = ("polyclinic", "torch", "numpy", "polars", "scikit-learn", "scipy")

Known = Float[np.ndarray, " row"]


@dataclass(frozen=True)
class FinishedRun:
    """What is known at the end of a run.

    Attributes:
        assembled: Study, cohort, records and findings.
        split: Who trained, tuned and tested.
        answered: Predictions and plans.
        evidence: The document of ``evidence.json``.
        out: Folder that the user named.
    """

    assembled: Assembled
    split: Split
    answered: FoldAnswers
    evidence: Mapping[str, Any]
    out: Path

    @cached_property
    def index(self) -> dict[int, int]:
        """Where each row of the user's table stands among the records."""
        return {int(row): i for i, row in enumerate(self.assembled.cohort.row)}


def report_material(run: FinishedRun, study: Study, cohort: CohortDocument, split_hash: str) -> Material:
    """What report and card are made from.

    Args:
        run: The finished run.
        study: As resolved.
        cohort: As it stands in ``cohort.json``.
        split_hash: sha256 of ``split.parquet``.
    """
    evidence = Evidence.read(run.evidence)
    dense = dense_questions(run.assembled.questions)
    others = [target for name, target in evidence.targets.items() if name not in dense]
    inputs = run.assembled.inputs.values()
    worst = sorted({mistake.row for target in others for mistake in target.worst} & run.index.keys())
    return Material(
        study=study,
        cohort=cohort,
        evidence=evidence,
        predictions=run.answered.ours,
        facts=_facts(run, write_study(study), split_hash),
        pictures={row: tuple(one.records.show(run.index[row]) for one in inputs) for row in worst},
        marked={name: _marked(run, name, question, evidence.targets[name]) for name, question in dense.items()},
    )


def _facts(run: FinishedRun, study_text: str, split_hash: str) -> RunFacts:
    plans = run.answered.plans
    first = next(iter(plans.values()))
    inputs = revive_inputs(first.inputs)
    return RunFacts(
        study_text=study_text,
        split_hash=split_hash,
        versions={name: version(name) for name in _PACKAGES},
        processor=f"{platform.machine()}, {os.cpu_count()} cores",
        precision=first.record.precision,
        parameters=first.record.weights,
        parts=_parts(run.assembled, run.split),
        folds=len(run.split.folds),
        fits=tuple(plan.record for plan in plans.values()),
        notes={name: tuple(kind.parameters_note()) for name, kind in inputs.items()},
        follow_up=_follow_up(run.assembled),
        day=_day(os.environ.get("SOURCE_DATE_EPOCH", "")),
    )


def _day(seconds: str) -> str:
    """The day that the environment says a page is made on, in seconds since 1970; of the clock a page knows nothing.

    Source: https://reproducible-builds.org/specs/source-date-epoch/
    """
    return datetime.fromtimestamp(int(seconds), UTC).date().isoformat() if seconds.isdecimal() else ""


def _events(assembled: Assembled) -> dict[str, tuple[Known, Known]]:
    """Whether the event was seen, and after which time, of each question for the time to an event."""
    found = {name: question.outcomes.followed() for name, question in assembled.questions.items()}
    return {name: both for name, both in found.items() if both is not None}


def _follow_up(assembled: Assembled) -> dict[str, Estimate]:
    """How long all patients were watched: half of them longer than this."""
    confidence = assembled.study.evidence.confidence
    return {
        name: median_follow_up(event[known], time[known], confidence)
        for name, (event, time) in _events(assembled).items()
        if (known := np.isfinite(time)).any()
    }


def _parts(assembled: Assembled, split: Split) -> tuple[PartCount, ...]:
    """How many train, tune and test: of one fold and member on average."""
    folds = split.folds
    parts = {
        "train": [fold.members[0].train.index for fold in folds],
        "tune": [fold.members[0].tune.index for fold in folds],
        "left_out": [np.concatenate([inner.tune.index for inner in fold.crossed] or [_NOBODY]) for fold in folds],
        "test": [fold.test.index for fold in folds],
    }
    patient = assembled.cohort.patient
    seen = {name: event for name, (event, _) in _events(assembled).items()}
    return tuple(
        PartCount(
            part,
            fmean(map(len, many)),
            fmean(len(np.unique(patient[index])) for index in many),
            {name: fmean(float(np.nansum(event[index])) for index in many) for name, event in seen.items()},
        )
        for part, many in parts.items()
        if any(map(len, many))
    )


def _marked(run: FinishedRun, name: str, question: Question[Dense], target: TargetEvidence) -> dict[int, Picture]:
    """The cases and the worst mistakes of a dense question, with the answer and the truth drawn on each record."""
    records = run.assembled.inputs[question.head.ground].located
    cases = () if target.cases is None else (target.cases.best, target.cases.median, target.cases.worst)
    test = run.answered.ours.part("test")
    pictures: dict[int, Picture] = {}
    for row in sorted({case.row for case in (*cases, *target.worst)} & run.index.keys()):
        sample = int(np.flatnonzero(test.samples.row == row)[0])
        head = _fitted(run, name, int(test.samples.repeat[sample]), int(test.samples.fold[sample]))
        pictures[row] = records.show_marks(run.index[row], head.marks(test.answers[name], sample))
    return pictures


def _fitted(run: FinishedRun, name: str, repeat: int, number: int) -> Dense:
    """The head that answered in a fold: of its first member."""
    fold = next(fold for fold in run.split.folds if (fold.repeat, fold.number) == (repeat, number))
    plan = run.answered.plans[fit_name(fold, 0)].heads[name]
    return cast(Dense, revive_heads({name: plan})[name])
