"""Plain models of dense questions, on the same rows as ours."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Shaped

from polyclinic.baselines.offered import plain_models
from polyclinic.baselines.questions.base import DenseSort, PlainDense, PlainQuestion
from polyclinic.cohort.rows import Fold, Inner, Rows, TestRows
from polyclinic.heads.base import Dense, Question, dense_questions, objects
from polyclinic.predictions.record import Predictions
from polyclinic.training.assembled import Assembled
from polyclinic.training.ensemble import MemberOutputs, average_members, calibrate_members
from polyclinic.training.outputs import Outputs
from polyclinic.training.ready import Ready


def dense_sorts(word: str, question: Question[Dense]) -> tuple[DenseSort, ...]:
    """The plain models for a dense question of a kind; none where nobody offers any."""
    found = plain_models(word, question.outcomes)
    return found.sorts(question.head) if isinstance(found, PlainDense) else ()


def answer_dense(assembled: Assembled, fold: Fold, seed: int) -> tuple[Predictions, ...]:
    """Train the plain models of every dense question on the rows of a fold and answer for its tune and test rows.

    As elsewhere, one model is trained per member on that member's training rows, answers are calibrated on tune rows
    and averaged.
    """
    answered = (
        _answer(question, sort, assembled, fold, seed)
        for name, question in dense_questions(assembled.questions).items()
        for sort in dense_sorts(assembled.study.targets[name].kind, question)
    )
    return tuple(predictions for predictions in answered if predictions is not None)


def _answer(
    question: Question[Dense], sort: DenseSort, assembled: Assembled, fold: Fold, seed: int
) -> Predictions | None:
    fitted = question.fit(fold.members[0].train)
    members = [_ask(fitted, sort, assembled, rows, fold.test, seed) for rows in fold.members]
    whole = [one for one in members if one is not None]
    if len(whole) < len(members):
        return None
    calibrated = calibrate_members({question.name: fitted}, whole, assembled.study.training.calibration)
    return average_members(sort.name, assembled.cohort, fold, calibrated, whole)


def _ask(
    question: Question[Dense], sort: DenseSort, assembled: Assembled, rows: Inner, test: TestRows, seed: int
) -> MemberOutputs | None:
    name, on = question.name, question.head.ground
    ground = assembled.inputs[on].fit(rows.train)
    ready = Ready.of({on: ground}, {name: question}, assembled.cache)
    values = ready.grounds[on].values
    answers = sort.fit(PlainQuestion(question.head, ready.truth[name], ready.places[on], values, rows, seed))
    if answers is None:
        return None
    places = ready.places[on]

    def asked(some: Rows) -> Mapping[str, Shaped[np.ndarray, " row"]]:
        return {name: objects([None if places[row] is None else answers(int(row)) for row in some.index])}

    return plain_outputs(rows.tune, asked(rows.tune), test, asked(test))


def plain_outputs(
    tune: Rows, of_tune: Mapping[str, np.ndarray], test: Rows, of_test: Mapping[str, np.ndarray]
) -> MemberOutputs:
    """The outputs of a plain model by target: it sums up no patient, and measures no distance from the others."""
    both = [
        Outputs(rows.index, by_target, np.zeros((len(rows), 0), dtype=np.float32))
        for rows, by_target in ((tune, of_tune), (test, of_test))
    ]
    return MemberOutputs(both[0], both[1], np.full(len(tune), np.nan), np.full(len(test), np.nan))
