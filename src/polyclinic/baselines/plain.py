"""The plain models that every study trains beside ours, on the same rows: a linear one and gradient boosting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Shaped

from polyclinic.baselines.boosting import Boosted
from polyclinic.baselines.dense import answer_dense, plain_outputs
from polyclinic.baselines.design import merge
from polyclinic.baselines.linear import Linear, fit_linear
from polyclinic.baselines.offered import plain_models
from polyclinic.baselines.questions.base import PlainGlobal
from polyclinic.cohort.rows import Fold, Inner
from polyclinic.heads.base import Global, Question, global_questions
from polyclinic.predictions.record import Predictions
from polyclinic.records.base import Features
from polyclinic.tensors import Fused
from polyclinic.training.assembled import Assembled
from polyclinic.training.ensemble import MemberOutputs, average_members, calibrate_members

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


def answer_baselines(assembled: Assembled, fold: Fold, seed: int) -> tuple[Predictions, ...]:
    """Train the plain models on the rows of a fold and answer for its tune and test rows.

    As with ours, one model is trained per member of the ensemble on that member's training rows, inner choices are
    made on its tune rows, answers are calibrated on tune rows and averaged.

    Args:
        assembled: The study and its cohort.
        fold: Which rows train, tune and test.
        seed: Deals patients to the folds that choose a penalty, and chooses the rows on which trees decide where to
            cut numbers; with up to 200,000 rows all are taken.

    Returns:
        The predictions of each sort of plain model; one may answer some of the targets only.
    """
    return (*_answer_features(assembled, fold, seed), *answer_dense(assembled, fold, seed))


def _answer_features(assembled: Assembled, fold: Fold, seed: int) -> tuple[Predictions, ...]:
    """Those that look at plain features, for every target that is not dense."""
    questions = global_questions(assembled.questions)
    if not questions:
        return ()
    plain = {}
    for name, question in questions.items():
        found = plain_models(assembled.study.targets[name].kind, question.outcomes)
        plain[name] = found if isinstance(found, PlainGlobal) else PlainGlobal()
    features = merge([one.records.summarise() for one in assembled.inputs.values()])
    names = {one.linear for one in plain.values()}
    linear = ("TF-IDF + " if features.texts else "") + (names.pop() if len(names) == 1 else "linear models")
    sorts = (
        Sort(linear, lambda plain, head, rows: plain.as_linear(head), _linear_for(assembled.cohort.patient)),
        Sort(
            "gradient boosting",
            lambda plain, head, rows: plain.as_boosted(head, rows),
            lambda plain, question, *rest: plain.grow(question.outcomes, question.head, *rest),
        ),
    )
    answered = (_answer(sort, plain, assembled, fold, features, seed) for sort in sorts)
    return tuple(predictions for predictions in answered if predictions is not None)


def _answer(
    sort: Sort, plain: Mapping[str, PlainGlobal], assembled: Assembled, fold: Fold, features: Features, seed: int
) -> Predictions | None:
    first = fold.members[0].train
    questions = {
        name: replace(question, head=sort.adapt(plain[name], question.head, len(first))).fit(first)
        for name, question in global_questions(assembled.questions).items()
    }
    outputs = [_ask(sort, plain, questions, features, fold, rows, seed) for rows in fold.members]
    if any(one is None for one in outputs):
        return None
    whole = [one for one in outputs if one is not None]
    calibrated = calibrate_members(questions, whole, assembled.study.training.calibration)
    return average_members(sort.name, assembled.cohort, fold, calibrated, whole)


def _ask(
    sort: Sort,
    plain: Mapping[str, PlainGlobal],
    questions: Mapping[str, Question[Global]],
    features: Features,
    fold: Fold,
    rows: Inner,
    seed: int,
) -> MemberOutputs | None:
    """One model per target, trained and asked; None where a target has none of this sort."""
    tune: dict[str, Float[np.ndarray, "sample member out"]] = {}
    test: dict[str, Float[np.ndarray, "sample member out"]] = {}
    for name, question in questions.items():
        model = sort.fit(plain[name], question, features, rows, seed)
        if model is None:
            return None
        tune[name], test[name] = model.outputs(features, rows.tune), model.outputs(features, fold.test)
    return plain_outputs(rows.tune, tune, fold.test, test)


def _linear_for(patients: Shaped[np.ndarray, " all"]) -> Fit:
    """How linear models are fitted in a cohort whose rows are these patients'."""

    def fit(plain: PlainGlobal, question: Question[Global], features: Features, rows: Inner, seed: int) -> Linear:
        nothing = torch.zeros(1, 1, 1)
        fused = Fused(nothing, nothing, torch.ones(1, 1, dtype=torch.bool), None, {})
        outputs = question.head.layer(1)(fused).shape[2]
        return fit_linear(question.head, question.outcomes, features, rows.train, patients, outputs, seed)

    return fit
