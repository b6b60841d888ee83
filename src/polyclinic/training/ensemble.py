"""Several fits of one fold as one: calibrated together on tune rows, averaged on the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.answers.base import Answer, average_answers
from polyclinic.cohort.rows import Fold, Rows
from polyclinic.cohort.table import Cohort
from polyclinic.heads.base import Head, Question
from polyclinic.predictions.record import Predictions, Samples, join
from polyclinic.training.outputs import Outputs

Questions = Mapping[str, Question[Head]]


@dataclass(frozen=True)
class MemberOutputs:
    """What one fit put out for its own tune rows and about the test rows, before calibration.

    Attributes:
        tune_shift: How far each tune row lies from the training rows, or NaN.
        test_shift: The same of each test row.
    """

    tune: Outputs
    test: Outputs
    tune_shift: Float[np.ndarray, " tune"]
    test_shift: Float[np.ndarray, " test"]


def calibrate_members(questions: Questions, members: Sequence[MemberOutputs], method: str) -> dict[str, Question[Head]]:
    """The questions with one correction that serves all fits, learned from the tune rows of all of them."""
    index = np.concatenate([one.tune.rows for one in members])
    calibrated: dict[str, Question[Head]] = {}
    for name, question in questions.items():
        outputs: Shaped[np.ndarray, "sample ..."] = np.concatenate([one.tune.by_target[name] for one in members])
        corrected = question.take(index).calibrate(outputs, method)
        calibrated[name] = replace(question, head=corrected.head)
    return calibrated


def average_members(
    model: str, cohort: Cohort, fold: Fold, questions: Questions, members: Sequence[MemberOutputs]
) -> Predictions:
    """Answers for tune and test rows, averaged over the fits.

    Fits that share their tune rows answer for them together; else each answers for its own, which it alone may.

    Args:
        model: Name of the model for the predictions.
        cohort: Who the rows are.
        fold: Whose fits these are.
        questions: Calibrated, with the outcomes of all rows.
        members: What each fit of the fold put out.
    """
    groups = [members] if same_tune_rows(fold) else [[one] for one in members]
    parts = []
    for group in groups:
        rows = group[0].tune.rows
        shift = np.mean([one.tune_shift for one in group], axis=0)
        answers = _average(questions, [one.tune for one in group])
        parts.append(Predictions(model, samples_of(cohort, Rows(rows), "tune", fold), answers, shift))
    answers = _average(questions, [one.test for one in members])
    shift = np.mean([one.test_shift for one in members], axis=0)
    parts.append(Predictions(model, samples_of(cohort, fold.test, "test", fold), answers, shift))
    return join(parts)


def samples_of(cohort: Cohort, rows: Rows, part: str, fold: Fold) -> Samples:
    """Who the answers of one part of a fold are about."""
    index = rows.index
    return Samples(
        row=cohort.row[index],
        patient=cohort.patient[index],
        part=np.full(len(index), part),
        repeat=np.full(len(index), fold.repeat),
        fold=np.full(len(index), fold.number),
        site=None if cohort.site is None else cohort.site[index],
        strata={name: values[index] for name, values in cohort.strata.items()},
    )


def same_tune_rows(fold: Fold) -> bool:
    """Whether the members of a fold were all judged on the same tune rows."""
    first = fold.members[0].tune.index
    return all(np.array_equal(first, member.tune.index) for member in fold.members)


def _average(questions: Questions, outputs: Sequence[Outputs]) -> dict[str, Answer]:
    """What several fits say about the same rows."""
    here = {name: question.take(outputs[0].rows) for name, question in questions.items()}
    return answer_together([(here, one) for one in outputs])


def answer_together(fits: Sequence[tuple[Questions, Outputs]]) -> dict[str, Answer]:
    """The answers of several fits about the same rows, averaged.

    What another question finds is asked about once that one is answered: all fits are asked about what they found
    together.
    """
    questions = fits[0][0]
    answers: dict[str, Answer] = {}
    for name, question in sorted(questions.items(), key=lambda item: item[1].head.finder in questions):
        found = answers.get(question.head.finder) if question.head.finder else None
        each = tuple(asked[name].decode(outputs.by_target[name], found) for asked, outputs in fits)
        answers[name] = average_answers(each)
    return {name: answers[name] for name in questions}
