"""Several networks of one fold as one: calibrated together on rows that each of them never met, and averaged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int, Shaped

from polyclinic.answers.base import Answer, average_answers
from polyclinic.cohort.rows import Fold, Rows
from polyclinic.cohort.table import Cohort
from polyclinic.decoding.recalibration import AVERAGED
from polyclinic.heads.base import Global, Head, Question
from polyclinic.predictions.record import Predictions, Samples, join
from polyclinic.study.schema import TrainingSection
from polyclinic.training.outputs import Outputs

Questions = Mapping[str, Question[Head]]


@dataclass(frozen=True)
class RowOutputs:
    """What several networks put out about the same rows, before calibration.

    Attributes:
        fits: One entry for each network that is asked about them.
        shift: How far each row lies from their training rows, or NaN.
    """

    fits: tuple[Outputs, ...]
    shift: Float[np.ndarray, " sample"]

    @property
    def rows(self) -> Int[np.ndarray, " sample"]:
        """Positions in the cohort."""
        return self.fits[0].rows

    @classmethod
    def together(cls, asked: Sequence["RowOutputs"]) -> "RowOutputs":
        """Those about the same rows as one."""
        return cls(tuple(fit for one in asked for fit in one.fits), np.mean([one.shift for one in asked], axis=0))


@dataclass(frozen=True)
class FoldOutputs:
    """What the networks of a fold put out: about tune rows those that these were kept from, about test rows all.

    Attributes:
        tune: One entry for each set of tune rows.
        test: Of all members together.
    """

    tune: tuple[RowOutputs, ...]
    test: RowOutputs

    @classmethod
    def of_members(cls, fold: Fold, tune: Sequence[RowOutputs], test: Sequence[RowOutputs]) -> "FoldOutputs":
        """Members that share their tune rows answer for them together; else each answers for its own alone."""
        groups = (RowOutputs.together(tune),) if same_tune_rows(fold) else tuple(tune)
        return cls(groups, RowOutputs.together(test))

    @property
    def averages_more(self) -> bool:
        """Whether the test rows are answered by more networks together than the tune rows are."""
        return len(self.test.fits) > min(len(one.fits) for one in self.tune)


@dataclass(frozen=True)
class Correcting:
    """How answers are corrected.

    Attributes:
        method: The study's word.
        reweighted: Whether rows were resampled or weighted, so that chances must be moved whatever else is done.
    """

    method: str
    reweighted: bool

    @classmethod
    def of(cls, training: TrainingSection) -> "Correcting":
        """What a study asks for."""
        return cls(training.calibration, training.imbalance != "none")

    def word(self, outputs: FoldOutputs) -> str:
        """The method for such outputs: by itself nothing is learned from single networks for the mean of several."""
        alone = self.method == "auto" and outputs.averages_more and not self.reweighted
        return AVERAGED if alone else self.method


def calibrate_fold(
    questions: Questions, outputs: FoldOutputs, correcting: Correcting, patient: Int[np.ndarray, " row"]
) -> dict[str, Question[Head]]:
    """The questions with one correction that serves all networks, learned from all tune rows.

    Args:
        questions: Fitted, with the outcomes of all rows.
        outputs: Of the networks.
        correcting: How.
        patient: Number of the patient behind every row of the cohort.
    """
    calibrated: dict[str, Question[Head]] = {}
    for name, question in questions.items():
        parts = [part for one in outputs.tune for part in _as_one(question.head, name, one)]
        index = np.concatenate([rows for rows, _ in parts])
        said: Shaped[np.ndarray, "sample ..."] = np.concatenate([values for _, values in parts])
        method = correcting.word(outputs) if isinstance(question.head, Global) else correcting.method
        corrected = question.take(index).calibrate(said, method, patient[index])
        calibrated[name] = replace(question, head=corrected.head)
    return calibrated


def _as_one(head: Head, name: str, asked: RowOutputs) -> list[tuple[Int[np.ndarray, " sample"], np.ndarray]]:
    """Rows, and what was put out about each: by several networks as by one with more members, else one by one."""
    if isinstance(head, Global):
        return [(asked.rows, np.concatenate([fit.by_target[name] for fit in asked.fits], axis=1))]
    return [(asked.rows, fit.by_target[name]) for fit in asked.fits]


def average_fold(model: str, cohort: Cohort, fold: Fold, questions: Questions, outputs: FoldOutputs) -> Predictions:
    """Answers for tune and test rows, averaged over the networks that are asked about them.

    Args:
        model: Name of the model for the predictions.
        cohort: Who the rows are.
        fold: Whose networks these are.
        questions: Calibrated, with the outcomes of all rows.
        outputs: Of the networks.
    """
    asked = [*(("tune", one) for one in outputs.tune), ("test", outputs.test)]
    return join(
        [
            Predictions(model, samples_of(cohort, Rows(one.rows), part, fold), _average(questions, one.fits), one.shift)
            for part, one in asked
        ]
    )


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
    """Whether all that is chosen in a fold is chosen on the same tune rows."""
    first = fold.chosen_on[0].tune.index
    return all(np.array_equal(first, inner.tune.index) for inner in fold.chosen_on)


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
