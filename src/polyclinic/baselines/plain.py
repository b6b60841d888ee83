"""The plain models that every study trains beside ours, on the same rows: a linear one and gradient boosting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float

from polyclinic.baselines.boosting import grow, intervals_for
from polyclinic.baselines.design import merge
from polyclinic.baselines.linear import fit_linear
from polyclinic.baselines.sorts import answer_dense
from polyclinic.cohort.rows import Fold, Inner, Rows
from polyclinic.heads.base import Global, Head, Question, global_questions
from polyclinic.heads.classify import Classify
from polyclinic.heads.multilabel import Multilabel
from polyclinic.heads.regress import Regress
from polyclinic.heads.survive import Survive
from polyclinic.predictions.record import Predictions
from polyclinic.records.base import Features
from polyclinic.tensors import Fused
from polyclinic.training.assembled import Assembled
from polyclinic.training.ensemble import MemberOutputs, average_members, calibrate_members
from polyclinic.training.outputs import Outputs

_LINEAR_NAMES: dict[type[Head], str] = {
    Classify: "logistic regression",
    Multilabel: "logistic regression",
    Regress: "ridge regression",
    Survive: "Cox regression",
}


@runtime_checkable
class PlainModel(Protocol):
    """A plain model of one question."""

    def outputs(self, features: Features, rows: Rows) -> Float[np.ndarray, "row 1 out"]:
        """What it puts out for some rows, as the head takes it."""


@dataclass(frozen=True)
class Sort:
    """One sort of plain model.

    Attributes:
        name: As it stands in the report.
        adapt: A head, not yet fitted, and the number of training rows, to the head as this sort asks it.
        fit: A fitted head, its target, the features, the rows and the seed, to a model, or None where it has none.
    """

    name: str
    adapt: Callable[[Global, int], Global]
    fit: Callable[[Global, Any, Features, Inner, int], PlainModel | None]


def answer_baselines(assembled: Assembled, fold: Fold, seed: int) -> tuple[Predictions, ...]:
    """Train the plain models on the rows of a fold and answer for its tune and test rows.

    As with ours, one model is trained per member of the ensemble on that member's training rows, inner choices are
    made on its tune rows, answers are calibrated on tune rows and averaged.

    Args:
        assembled: The study and its cohort.
        fold: Which rows train, tune and test.
        seed: Chooses the rows on which trees decide where to cut numbers; with up to 200,000 rows all are taken.

    Returns:
        The predictions of each sort of plain model; one may answer some of the targets only.
    """
    return (*_answer_features(assembled, fold, seed), *answer_dense(assembled, fold, seed))


def _answer_features(assembled: Assembled, fold: Fold, seed: int) -> tuple[Predictions, ...]:
    """Those that look at plain features, for every target that is not dense."""
    questions = global_questions(assembled.questions)
    if not questions:
        return ()
    assembled = replace(assembled, questions=questions)
    features = merge([one.records.summarise() for one in assembled.inputs.values()])
    sorts = (
        Sort(_linear_name(questions, features), _as_linear, _fit_linear),
        Sort("gradient boosting", _as_boosted, _fit_boosted),
    )
    answered = (_answer(sort, assembled, fold, features, seed) for sort in sorts)
    return tuple(predictions for predictions in answered if predictions is not None)


def _answer(sort: Sort, assembled: Assembled, fold: Fold, features: Features, seed: int) -> Predictions | None:
    first = fold.members[0].train
    questions = {
        name: replace(question, head=sort.adapt(question.head, len(first))).fit(first)
        for name, question in global_questions(assembled.questions).items()
    }
    said = [_ask(sort, questions, features, fold, rows, seed) for rows in fold.members]
    if any(one is None for one in said):
        return None
    whole = [one for one in said if one is not None]
    calibrated = calibrate_members(questions, whole, assembled.study.training.calibration)
    return average_members(sort.name, assembled.cohort, fold, calibrated, whole)


def _ask(
    sort: Sort,
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
        model = sort.fit(question.head, question.target, features, rows, seed)
        if model is None:
            return None
        tune[name], test[name] = model.outputs(features, rows.tune), model.outputs(features, fold.test)
    tune_outputs, test_outputs = _outputs(rows.tune, tune), _outputs(fold.test, test)
    return MemberOutputs(tune_outputs, test_outputs, np.full(len(rows.tune), np.nan), np.full(len(fold.test), np.nan))


def _outputs(rows: Rows, by_target: Mapping[str, Float[np.ndarray, "sample member out"]]) -> Outputs:
    return Outputs(rows.index, by_target, np.zeros((len(rows), 0), dtype=np.float32))


def _linear_name(questions: Mapping[str, Question[Global]], features: Features) -> str:
    names = {_LINEAR_NAMES.get(type(question.head), "linear regression") for question in questions.values()}
    name = names.pop() if len(names) == 1 else "linear models"
    return f"TF-IDF + {name}" if features.texts else name


def _as_linear(head: Global, rows: int) -> Global:
    """Survival is asked as Cox's model does."""
    return _changed(head, method="cox") if isinstance(head, Survive) else head


def _as_boosted(head: Global, rows: int) -> Global:
    """Survival is asked by interval, in as many as the trees can afford."""
    if not isinstance(head, Survive):
        return head
    return _changed(head, method="hazard", cuts=min(head.options.cuts, intervals_for(rows)))


def _changed(head: Global, **options: Any) -> Global:
    return type(head)(head.name, head.options.model_copy(update=options), head.plan)


def _fit_linear(head: Global, target: Any, features: Features, rows: Inner, seed: int) -> PlainModel:
    nothing = torch.zeros(1, 1, 1)
    outputs = head.layer(1)(Fused(nothing, nothing, torch.ones(1, 1, dtype=torch.bool), None, {})).shape[2]
    return fit_linear(head, target, features, rows, outputs)


def _fit_boosted(head: Global, target: Any, features: Features, rows: Inner, seed: int) -> PlainModel | None:
    return grow(target, head, features, rows, seed)
