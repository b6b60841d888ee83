"""The plain models that every study trains beside ours, on the same rows: a linear one and gradient boosting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Shaped

from polyclinic.baselines.boosting import Boosted
from polyclinic.baselines.dense import answer_dense, plain_outputs, said
from polyclinic.baselines.design import merge
from polyclinic.baselines.effort import bounded, choose_columns, effort_for, fewer, narrow, seconds_of
from polyclinic.baselines.linear import Linear, fit_linear
from polyclinic.baselines.offered import plain_models
from polyclinic.baselines.questions.base import PlainGlobal
from polyclinic.cohort.rows import Fold, Inner
from polyclinic.errors import Finding
from polyclinic.heads.base import Global, Question, global_questions
from polyclinic.predictions.record import Predictions
from polyclinic.records.base import Features, Records
from polyclinic.records.images.features import NAMES as PICTURE_FEATURES
from polyclinic.records.tables.genes import Genes
from polyclinic.records.tables.table import TableRecords
from polyclinic.records.text.texts import Texts
from polyclinic.tensors import Fused
from polyclinic.training.assembled import Assembled
from polyclinic.training.ensemble import Correcting, RowOutputs, average_fold, calibrate_fold

Fit: TypeAlias = Callable[[PlainGlobal, Question[Global], Features, Inner, int], Linear | Boosted | None]


@dataclass(frozen=True)
class Sort:
    """One sort of plain model.

    Attributes:
        name: As it stands in the report.
        adapt: A head, not yet fitted, and the number of training rows, to the head as this sort asks it.
        fit: A fitted question, the features, the rows and the seed, to a model, or None where it has none.
    """

    name: str
    adapt: Callable[[PlainGlobal, Global, int], Global]
    fit: Fit
    bounded: bool = False


@dataclass(frozen=True)
class PlainAnswers:
    """What the plain models of a fold say.

    Attributes:
        predictions: Of each sort; one may answer some of the targets only.
        findings: What they did not look at.
    """

    predictions: tuple[Predictions, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Allowance:
    """What plain models may use.

    Attributes:
        seed: Of every random choice: folds that choose a penalty, rows on which trees decide where to cut numbers
            (with up to 200,000 rows all), and rows that they learn from under a cap.
        seconds: Of each model by the rule of ``effort_for``, or None without a cap.
    """

    seed: int
    seconds: float | None = None


@dataclass(frozen=True)
class Allowed:
    """A fold as its plain models are asked.

    Attributes:
        features: Plain features, all rows.
        fold: Which rows train, tune and test.
        allowance: Seed and time.
        findings: Where it is written what was not looked at.
    """

    features: Features
    fold: Fold
    allowance: Allowance
    findings: list[Finding]

    def bound(self, question: Question[Global], rows: Inner, targets: int) -> tuple[Features, Inner]:
        """The features and rows that trees look at for one of several targets."""
        seconds = None if self.allowance.seconds is None else self.allowance.seconds / targets
        width, outputs = len(self.features.names), outputs_of(question)
        effort = effort_for(len(rows.train), width, outputs, seconds)
        capped = effort != effort_for(len(rows.train), width, outputs, None)
        found = bounded(question.name, effort, len(rows.train), width, capped)
        self.findings.extend([] if found is None else [found])
        learning = fewer(rows, effort.rows, self.allowance.seed)
        if effort.columns == width:
            return self.features, learning
        columns = choose_columns(self.features, question, rows.train, effort.columns)
        return narrow(self.features, columns), learning


def answer_baselines(assembled: Assembled, fold: Fold, allowance: Allowance) -> PlainAnswers:
    """Train the plain models on the rows of a fold and answer for its tune and test rows.

    As with ours, one model is trained per member of the ensemble on that member's training rows, inner choices are
    made on its tune rows, answers are calibrated on tune rows and averaged. Where the study is cross-fitted, one is
    trained for every part that is left out, and all of them are averaged: so plain models too learn from every row.

    Args:
        assembled: The study and its cohort.
        fold: Which rows train, tune and test.
        allowance: Their seed, and their time under a cap.
    """
    found: list[Finding] = []
    plain = _answer_features(assembled, fold, allowance, found)
    return PlainAnswers((*plain, *answer_dense(assembled, fold, allowance.seed)), tuple(dict.fromkeys(found)))


def _answer_features(
    assembled: Assembled, fold: Fold, allowance: Allowance, findings: list[Finding]
) -> tuple[Predictions, ...]:
    """Those that look at plain features, for every target that is not dense."""
    questions = global_questions(assembled.questions)
    if not questions:
        return ()
    plain = {name: _offered(assembled, question) for name, question in questions.items()}
    features = merge([one.records.summarise() for one in assembled.inputs.values()])
    names = {one.linear for one in plain.values()}
    linear = ("TF-IDF + " if features.texts else "") + (names.pop() if len(names) == 1 else "linear models")
    sorts = (
        Sort(linear, lambda plain, head, rows: plain.as_linear(head), _linear_for(assembled.cohort.patient)),
        Sort(
            "gradient boosting",
            lambda plain, head, rows: plain.as_boosted(head, rows),
            lambda plain, question, *rest: plain.grow(question.outcomes, question.head, *rest),
            bounded=True,
        ),
    )
    asked = Allowed(features, fold, allowance, findings)
    answered = (_answer(sort, plain, assembled, asked) for sort in sorts)
    return tuple(predictions for predictions in answered if predictions is not None)


def _answer(sort: Sort, plain: Mapping[str, PlainGlobal], assembled: Assembled, asked: "Allowed") -> Predictions | None:
    fold = asked.fold
    first = fold.members[0].train
    questions = {
        name: replace(question, head=sort.adapt(plain[name], question.head, len(first))).fit(first)
        for name, question in global_questions(assembled.questions).items()
    }
    outputs = plain_outputs(fold, [_ask(sort, plain, questions, asked, rows) for rows in fold.chosen_on])
    if outputs is None:
        return None
    correcting = Correcting.of(assembled.study.training)
    calibrated = calibrate_fold(questions, outputs, correcting, assembled.cohort.patient_number)
    return average_fold(sort.name, assembled.cohort, fold, calibrated, outputs)


def _ask(
    sort: Sort,
    plain: Mapping[str, PlainGlobal],
    questions: Mapping[str, Question[Global]],
    asked: "Allowed",
    rows: Inner,
) -> tuple[RowOutputs, RowOutputs] | None:
    """One model per target, trained, and asked about its tune rows and the test rows; None where a target has none."""
    tune: dict[str, Float[np.ndarray, "sample member out"]] = {}
    test: dict[str, Float[np.ndarray, "sample member out"]] = {}
    for name, question in questions.items():
        features, learning = asked.bound(question, rows, len(questions)) if sort.bounded else (asked.features, rows)
        model = sort.fit(plain[name], question, features, learning, asked.allowance.seed)
        if model is None:
            return None
        tune[name], test[name] = model.outputs(features, rows.tune), model.outputs(features, asked.fold.test)
    return said(rows.tune, tune), said(asked.fold.test, test)


def _linear_for(patients: Shaped[np.ndarray, " all"]) -> Fit:
    """How linear models are fitted in a cohort whose rows are these patients'."""

    def fit(plain: PlainGlobal, question: Question[Global], features: Features, rows: Inner, seed: int) -> Linear:
        outputs = outputs_of(question)
        return fit_linear(question.head, question.outcomes, features, rows.train, patients, outputs, seed)

    return fit


def plain_estimate(assembled: Assembled, rows: Inner, seconds: float | None) -> float:
    """Seconds of the trees of one fit at most, by the rule that bounds them; linear models are quick beside them."""
    questions = global_questions(assembled.questions)
    width = sum(_width(one.records) for one in assembled.inputs.values())
    share = None if seconds is None else seconds / max(1, len(questions))
    number = len(rows.train)
    heads = [_offered(assembled, question).as_boosted(question.head, number) for question in questions.values()]
    asked = [replace(one, head=head).fit(rows.train) for one, head in zip(questions.values(), heads, strict=True)]
    return sum(seconds_of(number, width, outputs_of(question), share) for question in asked)


def _offered(assembled: Assembled, question: Question[Global]) -> PlainGlobal:
    found = plain_models(assembled.study.targets[question.name].kind, question.outcomes)
    return found if isinstance(found, PlainGlobal) else PlainGlobal()


def _width(records: Records) -> int:
    """How many plain features there are; scans count as pictures, because to read them all takes long."""
    quick = isinstance(records, TableRecords | Genes | Texts)
    return len(records.summarise().names if quick else PICTURE_FEATURES)


def outputs_of(question: Question[Global]) -> int:
    """How many numbers a fitted head takes."""
    nothing = torch.zeros(1, 1, 1)
    fused = Fused(nothing, nothing, torch.ones(1, 1, dtype=torch.bool), None, {})
    return int(question.head.layer(1)(fused).shape[2])
