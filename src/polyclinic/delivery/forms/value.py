"""A number, for new patients: with an interval."""

from collections.abc import Iterator

import numpy as np

from polyclinic.answers.value import ValueAnswer
from polyclinic.delivery.blocks import figure
from polyclinic.delivery.figures.calibration_words import NUMBERS, in_words, slope_and_intercept
from polyclinic.delivery.figures.counted import within
from polyclinic.delivery.figures.values import bland_altman, predicted_against_measured
from polyclinic.delivery.forms.base import AnswerLimits, Columns, Delivery
from polyclinic.delivery.markup import Element
from polyclinic.delivery.numbers import cell, with_unit
from polyclinic.evidence.conformal import half_width
from polyclinic.evidence.records import Mistake, TargetEvidence
from polyclinic.translations.phrase import Phrase, sentences


class ValueDelivery(Delivery):
    """Delivers a ``ValueAnswer``."""

    in_unit = True

    def columns(self, answer: ValueAnswer, limits: AnswerLimits) -> Columns:
        """The number and the interval that holds the true one as often as ``confidence`` says."""
        half = half_width(limits.tune.value, limits.tune.truth, limits.confidence)
        return {"value": answer.value, "low": answer.value - half, "high": answer.value + half}

    def first(self, target: TargetEvidence) -> Element:
        """How far from the truth half of the answers are at most, and nine of ten."""
        return within(target) or super().first(target)

    def mistake_head(self, unit: str) -> tuple[str, ...]:
        """The measured and the predicted number, and how far apart they are."""
        names = (Phrase("Measured"), Phrase("Predicted"), Phrase("Off by"))
        return tuple(with_unit(name, unit) for name in names)

    def mistake_cells(self, mistake: Mistake) -> tuple[str, ...]:
        """The same of one mistake."""
        return cell(mistake.truth), cell(mistake.answer), cell(mistake.loss)

    def figures(self, target: TargetEvidence, answer: ValueAnswer | None) -> Iterator[Element]:
        """Agreement of predicted and measured numbers, sample by sample."""
        known = np.zeros(0, dtype=bool) if answer is None else ~np.isnan(answer.truth) & ~np.isnan(answer.value)
        if answer is None or not known.any():
            return
        predicted = answer.value[known]
        measured = answer.truth[known]
        points = target.calibration.curve
        scatter = predicted_against_measured(predicted, measured, points, answer.unit)
        diagonal = Phrase("On the dashed line the prediction is right.")
        rings = Phrase("Rings: means of similar predictions.") if points else ""
        yield figure(Phrase("Predicted against measured"), scatter, sentences(diagonal, rings))
        agreement = bland_altman(predicted, measured, answer.unit)
        expected = Phrase("95 of 100 differences are expected between the dashed lines.")
        yield figure(Phrase("Bland-Altman plot"), agreement, expected)
        told = in_words(slope_and_intercept(target, NUMBERS))
        if told:
            yield told
