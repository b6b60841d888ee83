"""Stretches of a text, for new patients: how many of each label, and all of them as JSON."""

import numpy as np

from polyclinic.answers.spans import SpanAnswer
from polyclinic.delivery.figures.chances import ClassWords
from polyclinic.delivery.figures.counted import found_of_hundred
from polyclinic.delivery.forms.base import AnswerLimits, Column, Columns, Delivery
from polyclinic.delivery.markup import Element
from polyclinic.delivery.number_columns import counts
from polyclinic.delivery.numbers import cell
from polyclinic.evidence.records import Mistake, TargetEvidence
from polyclinic.formats.packed import unpack
from polyclinic.formats.readable import json_column
from polyclinic.translations.phrase import Phrase


class SpanDelivery(Delivery):
    """Delivers a ``SpanAnswer``."""

    class_words = ClassWords(heading=Phrase("By label"), name=Phrase("Label"), counted=Phrase("Spans"))
    listed = True

    def columns(self, answer: SpanAnswer, limits: AnswerLimits) -> Columns:
        """How many spans there are of each label, and a list of them."""
        found = [unpack(content) if content else None for content in answer.predicted]
        columns: dict[str, Column] = {
            f"count_{name}": counts([np.nan if s is None else float(np.sum(s[:, 2] == k)) for s in found])
            for k, name in enumerate(answer.labels)
        }
        columns["spans"] = json_column(answer.listed())
        return columns

    def first(self, target: TargetEvidence) -> Element:
        """How many of 100 are found and missed, and how many of 100 marks are wrong."""
        words = (
            Phrase("of 100 that are in the texts"),
            Phrase("of 100 that are in the texts"),
            Phrase("of 100 that the model marks"),
        )
        pair = ("entity_recall", "entity_precision")
        return found_of_hundred(target, Phrase("Of the spans in the texts"), pair, words) or super().first(target)

    def case_order(self) -> str:
        """Cases are chosen by how many spans are wrong."""
        return Phrase("spans missed or wrong")

    def case_words(self, case: Mistake) -> str:
        """How many spans are missed or wrong."""
        return Phrase("{n} missed or wrong", n=cell(case.loss))

    def mistake_head(self, unit: str) -> tuple[str, ...]:
        """Beside what is there and what was found, how many spans are missed or wrong."""
        return *super().mistake_head(unit), Phrase("Missed or wrong")

    def mistake_cells(self, mistake: Mistake) -> tuple[str, ...]:
        """The same of one text."""
        return *super().mistake_cells(mistake), cell(mistake.loss)
