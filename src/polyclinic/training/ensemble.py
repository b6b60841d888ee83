"""Several fits of one fold as one: calibrated together on tune rows, averaged on the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.answers.base import Answer
from polyclinic.cohort.rows import Fold, Rows
from polyclinic.cohort.table import Cohort
from polyclinic.heads.base import Dense, Head
from polyclinic.predictions.record import Predictions, Samples, join
from polyclinic.training.outputs import Outputs


@dataclass(frozen=True)
class MemberOutputs:
    """What one fit said about its own tune rows and about the test rows, before calibration.

    Attributes:
        tune_shift: How far each tune row lies from the training rows, or NaN.
        test_shift: The same of each test row.
    """

    tune: Outputs
    test: Outputs
    tune_shift: Float[np.ndarray, " tune"]
    test_shift: Float[np.ndarray, " test"]


def calibrate_members(
    heads: Mapping[str, Head], targets: Mapping[str, Any], said: Sequence[MemberOutputs], method: str
) -> dict[str, Head]:
    """The heads with one correction that serves all fits, learned from the tune rows of all of them."""
    index = np.concatenate([one.tune.rows for one in said])
    calibrated: dict[str, Head] = {}
    for name, head in heads.items():
        outputs: Shaped[np.ndarray, "sample ..."] = np.concatenate([one.tune.by_target[name] for one in said])
        calibrated[name] = head.calibrate(outputs, head.take(targets[name], index), method)
    return calibrated


def average_members(
    model: str,
    cohort: Cohort,
    fold: Fold,
    heads: Mapping[str, Head],
    targets: Mapping[str, Any],
    said: Sequence[MemberOutputs],
) -> Predictions:
    """Answers for tune and test rows, averaged over the fits.

    Fits that share their tune rows answer for them together; else each answers for its own, which it alone may.

    Args:
        model: Name of the model for the predictions.
        cohort: Who the rows are.
        fold: Whose fits these are.
        heads: Calibrated kinds of question.
        targets: The outcomes, all rows.
        said: What each fit of the fold said.
    """
    groups = [said] if same_tune_rows(fold) else [[one] for one in said]
    parts = []
    for group in groups:
        rows, shift = group[0].tune.rows, np.mean([one.tune_shift for one in group], axis=0)
        answers = _average(heads, targets, [one.tune for one in group])
        parts.append(Predictions(model, samples_of(cohort, Rows(rows), "tune", fold), answers, shift))
    answers = _average(heads, targets, [one.test for one in said])
    shift = np.mean([one.test_shift for one in said], axis=0)
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


def _average(heads: Mapping[str, Head], targets: Mapping[str, Any], outputs: Sequence[Outputs]) -> dict[str, Answer]:
    """What several fits say about the same rows; questions that lean on another are asked about what that one found."""
    answers: dict[str, Answer] = {}
    for name, head in sorted(heads.items(), key=lambda item: _found_by(item[1], heads) is not None):
        truth, found = head.take(targets[name], outputs[0].rows), _found_by(head, heads)
        if found is None or not isinstance(head, Dense):
            answers[name] = head.average(tuple(head.decode(one.by_target[name], truth) for one in outputs))
        else:
            said = tuple(head.decode_found(one.by_target[name], truth, answers[found]) for one in outputs)
            answers[name] = head.average(said)
    return {name: answers[name] for name in heads}


def _found_by(head: Head, heads: Mapping[str, Head]) -> str | None:
    """The target whose answer says what this one is asked about, where that is answered too."""
    return head.leans_on if isinstance(head, Dense) and head.leans_on in heads else None
