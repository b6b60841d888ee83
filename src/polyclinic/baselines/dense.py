"""Plain models of dense questions, on the same rows as ours."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Shaped

from polyclinic.baselines.offered import plain_models
from polyclinic.baselines.questions.base import DenseSort, PlainDense, PlainQuestion
from polyclinic.cohort.rows import Fold, Inner, Rows, TestRows
from polyclinic.heads.base import Dense, Question, dense_questions, objects
from polyclinic.predictions.record import Predictions
from polyclinic.training.assembled import Assembled
from polyclinic.training.ensemble import Correcting, FoldOutputs, RowOutputs, average_fold, calibrate_fold
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
    outputs = plain_outputs(fold, [_ask(fitted, sort, assembled, rows, fold.test, seed) for rows in fold.members])
    if outputs is None:
        return None
    correcting = Correcting.of(assembled.study.training)
    calibrated = calibrate_fold({question.name: fitted}, outputs, correcting, assembled.cohort.patient_number)
    return average_fold(sort.name, assembled.cohort, fold, calibrated, outputs)


def _ask(
    question: Question[Dense], sort: DenseSort, assembled: Assembled, rows: Inner, test: TestRows, seed: int
) -> tuple[RowOutputs, RowOutputs] | None:
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

    return said(rows.tune, asked(rows.tune)), said(test, asked(test))


def plain_outputs(fold: Fold, asked: Sequence[tuple[RowOutputs, RowOutputs] | None]) -> FoldOutputs | None:
    """What the plain models of a fold say together of tune and test rows; None where one could not be trained."""
    whole = [one for one in asked if one is not None]
    if len(whole) < len(asked):
        return None
    tune, test = [one for one, _ in whole], [one for _, one in whole]
    return FoldOutputs.of_members(fold, tune, test)


def said(rows: Rows, by_target: Mapping[str, np.ndarray]) -> RowOutputs:
    """The outputs of one plain model by target: it sums up no patient, and measures no distance from the others."""
    outputs = Outputs(rows.index, by_target, np.zeros((len(rows), 0), dtype=np.float32))
    return RowOutputs((outputs,), np.full(len(rows), np.nan))
