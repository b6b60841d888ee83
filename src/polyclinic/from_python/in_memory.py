"""A study of one table trained in memory, by the house's own rules, and kept as text and bytes: nothing that runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import tomli_w
from jaxtyping import Shaped
from safetensors.torch import load, save

from polyclinic.answers.base import Answer
from polyclinic.cohort.crossed import left_out_in_turn
from polyclinic.cohort.draw import windows
from polyclinic.cohort.patient_groups import patient_groups
from polyclinic.cohort.rows import Fold, Inner, TestRows, TrainRows, TuneRows
from polyclinic.cohort.table import ROW, Cohort
from polyclinic.cohort.table import load as load_cohort
from polyclinic.delivery.forms.base import AnswerLimits, delivery_of
from polyclinic.delivery.plan import FitPlan
from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.frames import GIVEN, GivenTable
from polyclinic.heads.base import Head, Question
from polyclinic.inputs.base import InputColumns
from polyclinic.steps.cohort_reader import CohortReader
from polyclinic.steps.cross_fit import cross_fit_parts
from polyclinic.steps.fold import run_fold
from polyclinic.steps.folds import plan_of
from polyclinic.steps.kinds import StudyKinds, kinds_of
from polyclinic.steps.network import FoldPlan
from polyclinic.steps.opened_model import OpenedFit
from polyclinic.steps.predict import ask_networks
from polyclinic.study.read import parse_study
from polyclinic.study.schema import Study
from polyclinic.training.assembled import Assembled
from polyclinic.training.epochs.time_estimate import share_minutes
from polyclinic.training.progress import QUIET

INPUT, TARGET = "table", "answer"
_PLACE = "the estimator"
_OPENED = 8
"""Models whose networks stay open between questions; a round number, more than a program asks in turns."""

TableQuestion = Literal["classify", "regress"]


@dataclass(frozen=True)
class KeptFit:
    """One trained network as plain text and bytes; reading it back runs no code.

    Attributes:
        plan: Everything but the weights, as JSON.
        weights: As safetensors.
    """

    plan: str
    weights: bytes


@dataclass(frozen=True)
class TrainedTable:
    """What was learned from a table.

    Attributes:
        fits: The networks.
        threshold: From which probability on the second of two classes is decided for; None where no rule was asked
            for, or there are not two.
    """

    fits: tuple[KeptFit, ...]
    threshold: float | None


@dataclass(frozen=True)
class TableStudy:
    """What is to be learned from one table.

    Attributes:
        question: Kind of question.
        keys: Of the target, as a study file has them, but for its column.
        size: The one dial.
        ensemble: Members, averaged.
        epochs: "auto", or a number.
        minutes: A cap on the training time, or None.
        seed: The same table and seed give the same answers.
        threshold: The rule by which one of two classes is decided for; None: the more probable one.
    """

    question: TableQuestion
    keys: Mapping[str, Any]
    size: str
    ensemble: int
    epochs: int | str
    minutes: float | None
    seed: int
    threshold: str | float | None = None

    def study(self, columns: tuple[str, ...], outcome: str, patient: str) -> Study:
        """The same as a study file says it.

        Raises:
            StudyError: if a value is none that a study may have.
        """
        training = {"epochs": self.epochs, **({} if self.minutes is None else {"minutes": self.minutes})}
        document = {
            "study": {"seed": self.seed},
            "cohort": {"table": GIVEN, "patient": patient},
            "inputs": {INPUT: {"kind": "tabular", "columns": list(columns), "missing": "allow"}},
            "targets": {TARGET: {"kind": self.question, "column": outcome, **self.keys}},
            "model": {"size": self.size, "ensemble": self.ensemble},
            "training": training,
            "evidence": {} if self.threshold is None else {"threshold": self.threshold},
        }
        return parse_study(tomli_w.dumps(document), _PLACE)


def train_table(
    asked: TableStudy,
    cells: TableCells,
    outcome: Shaped[np.ndarray, " row"],
    groups: Shaped[np.ndarray, " row"] | None,
) -> TrainedTable:
    """Train on a table; the rows by which training is stopped and answers are calibrated are drawn from it by patient.

    Args:
        asked: What is to be learned.
        cells: The columns to learn from.
        outcome: Of every row.
        groups: The patient behind each row, or None: every row is another patient.

    Raises:
        StudyError, CohortError: if settings or cells cannot be used.
    """
    columns = tuple(cells.frame.columns)
    outcome_name, patient_name = _free("outcome", columns), _free("patient", columns)
    added = [pl.Series(outcome_name, outcome)]
    added += [] if groups is None else [pl.Series(patient_name, np.unique(groups, return_inverse=True)[1])]
    names = frozenset(column.name for column in added)
    table = GivenTable(replace(cells, frame=cells.frame.hstack(added), declared=cells.declared | names))
    study = asked.study(columns, outcome_name, ROW if groups is None else patient_name)
    kinds = kinds_of(study)
    cohort = load_cohort(study.cohort, Path(), _PLACE, kinds.column_uses(study.split), table)
    reader = CohortReader(cohort, None)
    inputs = reader.inputs(kinds.inputs, {INPUT: columns})
    questions = reader.targets(kinds.heads)
    stop_on([f for f in reader.check(inputs, questions) if f.severity is Severity.ERROR], CohortError)
    trained = _fit(study, cohort, inputs, questions)
    return trained if asked.threshold is not None else replace(trained, threshold=None)


def ask_table(fits: tuple[KeptFit, ...], cells: TableCells) -> Answer:
    """What the networks answer about new rows.

    Raises:
        CohortError: if cells cannot be used.
    """
    opened = _opened(fits)
    uses = replace(StudyKinds(opened[0].inputs, opened[0].heads).column_uses(_SPLIT), learned=True)
    cohort = load_cohort(_ROWS, Path(), _PLACE, uses, GivenTable(cells))
    return ask_networks(opened, _ROWS, cohort, None).answers[TARGET]


_ANY = parse_study(
    '[cohort]\ntable = "t"\npatient = "row"\n[inputs.a]\nkind = "tabular"\n[targets.b]\nkind = "regress"\ncolumn = "b"'
)
_ROWS, _SPLIT = _ANY.cohort, _ANY.split


def _fit(
    study: Study, cohort: Cohort, inputs: Mapping[str, InputColumns], questions: Mapping[str, Question[Head]]
) -> TrainedTable:
    assembled = Assembled(study, cohort, inputs, questions, cohort.findings)
    [question] = questions.values()
    fold = _fold(study, cohort, question, cross_fit_parts(assembled))
    plan = FoldPlan(
        model=study.model,
        training=study.training,
        seed=study.study.seed,
        start=None,
        scratch=None,
        cap_s=share_minutes(study.training.minutes, 0.0, fold.fits),
        first=0,
    )
    answers, members = run_fold(assembled, fold, plan, QUIET)
    fits = tuple(
        KeptFit(plan_of(assembled, member).model_dump_json(), save(dict(member.fitted.model.state_dict())))
        for member in members
    )
    return TrainedTable(fits, _threshold(study, answers.part("tune").answers[TARGET]))


def _threshold(study: Study, tune: Answer) -> float | None:
    limits = AnswerLimits(tune, study.evidence.confidence, None, study.evidence.rule_of(TARGET))
    return next(iter(delivery_of(tune).thresholds(tune, limits).values()), None)


def _fold(study: Study, cohort: Cohort, question: Question[Head], parts: int) -> Fold:
    """Who trains and who tunes, drawn by patient for every member, or in ``parts`` that are left out in turn.

    Nobody is held out: whoever uses an estimator tests it. A fold must test somebody, and tests the first
    tune rows, from which nothing more follows.
    """
    patients = patient_groups(cohort.patient, question.outcomes.strata())
    if len(patients) < 2:
        rule, found = "needs at least two patients: some to learn from, some to stop by", "there is 1 sample or patient"
        raise CohortError(Finding("too_few_patients", _PLACE, rule, found, "Give more."))
    rng = np.random.default_rng(study.study.seed)
    if parts:
        everybody = np.ones(len(cohort), dtype=bool)
        crossed = left_out_in_turn(patients, everybody, parts, rng)
        whole = Inner(TrainRows(np.flatnonzero(everybody)), TuneRows(np.flatnonzero(~everybody)))
        return Fold(0, 0, (whole,) * study.model.ensemble, TestRows(crossed[0].tune.index), crossed)
    drawn = windows(patients.group, study.split.tune, study.model.ensemble, rng)
    members = tuple(
        Inner(TrainRows(np.flatnonzero(~patients.rows(one))), TuneRows(np.flatnonzero(patients.rows(one))))
        for one in drawn
    )
    return Fold(0, 0, members, TestRows(members[0].tune.index))


@lru_cache(maxsize=_OPENED)
def _opened(fits: tuple[KeptFit, ...]) -> tuple[OpenedFit, ...]:
    return tuple(OpenedFit.revive(FitPlan.model_validate_json(one.plan), load(one.weights)) for one in fits)


def _free(name: str, taken: tuple[str, ...]) -> str:
    """A name that no column has."""
    while name in taken:
        name = f"{name}_"
    return name
