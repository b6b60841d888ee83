"""Which samples are judged, and the same samples of another model in the same order."""

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from polyclinic.errors import EvidenceError, Finding, stop_on
from polyclinic.evidence.folds import Layout, lay_out
from polyclinic.evidence.forms.base import Judge, Part, judge_of
from polyclinic.evidence.soundness import broken
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.study.threshold import YOUDEN, ThresholdRule


class Judgeable:
    """The test and tune answers of one model to one question, checked and with known truth."""

    def __init__(self, predictions: Predictions, target: str, threshold: ThresholdRule = YOUDEN) -> None:
        """Check and take apart; decisions will be made by the rule ``threshold``.

        Raises:
            EvidenceError: if there is no test answer with a known truth, or answers are impossible.
        """
        self.model = predictions.model
        self.target = target
        self.form: Judge = judge_of(predictions.answers[target])
        known, parts = self.form.known(predictions.answers[target]), predictions.samples.part
        index = {part: np.flatnonzero((parts == part) & known) for part in ("test", "tune")}
        if len(index["test"]) == 0:
            raise EvidenceError(_nothing_to_judge(self.model, target))
        # Folds are numbered over both parts together, so that a fold's tune rows find its test rows.
        both = np.concatenate([index["test"], index["tune"]])
        layout = lay_out(predictions.samples.take(both))
        answer = predictions.answers[target].take(both)
        stop_on(self.form.check(answer, layout.row, f'predictions of "{target}" by {self.model}'), EvidenceError)
        n = len(index["test"])
        self.samples: Samples = predictions.samples.take(index["test"])
        tested = layout.take(np.arange(n))
        patients_from_zero = np.unique(tested.patient, return_inverse=True)[1].reshape(-1)
        self.test = Part(answer.take(np.arange(n)), replace(tested, patient=patients_from_zero), threshold)
        rest = np.arange(n, len(both))
        self.tune = Part(answer.take(rest), layout.take(rest), threshold) if len(rest) else None

    def in_order_of(self, other: "Judgeable") -> "Judgeable":
        """The same test answers in the order of the other's.

        Raises:
            EvidenceError: if the two were not tested on the same rows with the same truth.
        """
        ours, theirs = _order(self.test.layout), _order(other.test.layout)
        place = f'predictions of "{self.target}" by {self.model} and {other.model}'
        stop_on(_differences(self, other, ours, theirs, place), EvidenceError)
        index = np.empty_like(ours)
        index[theirs] = ours
        moved = object.__new__(Judgeable)
        moved.__dict__.update(self.__dict__)
        moved.samples = self.samples.take(index)
        moved.test = replace(self.test, answer=self.test.answer.take(index), layout=self.test.layout.take(index))
        return moved


def _order(layout: Layout) -> Int[np.ndarray, " sample"]:
    return np.lexsort((layout.row, layout.repeat))


def _differences(ours: Judgeable, theirs: Judgeable, left: np.ndarray, right: np.ndarray, place: str) -> list[Finding]:
    """What keeps the two from being compared row by row."""
    if ours.form.word != theirs.form.word or ours.form.classes != theirs.form.classes:
        rule = "two models can be compared only if they answer in the same form, with the same classes"
        remedy = "Compare runs of the same question."
        return [Finding("other_form", place, rule, "the forms of answer differ", remedy)]
    one, two = ours.test.layout, theirs.test.layout
    same_rows = len(one) == len(two) and bool(
        (one.row[left] == two.row[right]).all() and (one.repeat[left] == two.repeat[right]).all()
    )
    if not same_rows:
        odd = np.setxor1d(one.row, two.row)
        rule = "two models can be compared only on the same test rows"
        found = "the test rows differ" if len(odd) else "the number of repetitions differs"
        remedy = "Compare runs with the same table, split and seed."
        return [Finding("other_rows", place, rule, found, remedy, rows=tuple(int(row) for row in odd))]
    truth, other = ours.form.truth(ours.test.answer)[left], theirs.form.truth(theirs.test.answer)[right]
    unequal = ~((truth == other) | (np.isnan(truth) & np.isnan(other))).all(axis=1)
    rule = "two models can be compared only against the same truth"
    return broken("other_truth", place, rule, "Compare runs with the same outcome column.", unequal, one.row[left])


def _nothing_to_judge(model: str, target: str) -> Finding:
    return Finding(
        name="nothing_to_judge",
        place=f'predictions of "{target}" by {model}',
        rule="there must be test answers whose truth is known",
        found="there are none",
        remedy="Give rows with part = test and a known outcome.",
    )
