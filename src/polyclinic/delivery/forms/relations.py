"""Relations between stretches of a text, for new patients: how many of each type, and all of them as JSON."""

import numpy as np
from jaxtyping import Bool

from polyclinic.answers.relations import PREDICTED, RelationAnswer
from polyclinic.delivery.figures.chances import ClassWords
from polyclinic.delivery.figures.counted import found_of_hundred
from polyclinic.delivery.forms.base import AnswerLimits, Column, Columns, Delivery
from polyclinic.delivery.markup import Element
from polyclinic.delivery.number_columns import counts
from polyclinic.evidence.records import Mistake, TargetEvidence
from polyclinic.formats.packed import unpack
from polyclinic.formats.readable import json_column
from polyclinic.translations.phrase import Phrase


class RelationDelivery(Delivery):
    """Delivers a ``RelationAnswer``."""

    class_words = ClassWords(heading=Phrase("By relation"), name=Phrase("Relation"), counted=Phrase("Relations"))
    listed = True

    def columns(self, answer: RelationAnswer, limits: AnswerLimits) -> Columns:
        """How many relations there are of each type, and a list of them."""
        found = [unpack(content) if content else None for content in answer.pairs]
        columns: dict[str, Column] = {
            f"count_{name}": counts([np.nan if p is None else float(np.sum(p[:, PREDICTED] == k)) for p in found])
            for k, name in enumerate(answer.types)
            if k
        }
        columns["relations"] = json_column(answer.listed())
        return columns

    def first(self, target: TargetEvidence) -> Element:
        """How many of 100 are found and missed, and how many of 100 marks are wrong."""
        words = (
            Phrase("of 100 that are in the texts"),
            Phrase("of 100 that are in the texts"),
            Phrase("of 100 that the model names"),
        )
        pair = ("micro_recall", "micro_precision")
        return found_of_hundred(target, Phrase("Of the relations in the texts"), pair, words) or super().first(target)

    def case_order(self) -> str:
        """Cases are chosen by how sure the model was of relations that are not so."""
        return Phrase("chance given to what is true")

    def case_words(self, case: Mistake) -> str:
        """How many relations were found."""
        return Phrase("{n} of {all} found", n=self.words_of(case.answer), all=self.words_of(case.truth))

    def mistake_head(self, unit: str) -> tuple[str, ...]:
        """How many relations are there, and how many were found."""
        return Phrase("Relations in the text"), Phrase("Found")

    def silent(self, answer: RelationAnswer) -> Bool[np.ndarray, " sample"]:
        """Of whom no pair of entities was given."""
        return np.array([not packed for packed in answer.pairs], dtype=bool)
