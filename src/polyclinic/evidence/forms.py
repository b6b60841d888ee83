"""The forms of answer of this house, each with the form that judges it."""

from polyclinic.evidence.form import Form, form_of
from polyclinic.evidence.form_binary import BinaryForm
from polyclinic.evidence.form_boxes import BoxForm, axes_of
from polyclinic.evidence.form_cells import CellsForm
from polyclinic.evidence.form_labels import LabelsForm
from polyclinic.evidence.form_masks import MasksForm
from polyclinic.evidence.form_multiclass import MulticlassForm
from polyclinic.evidence.form_relations import RelationForm
from polyclinic.evidence.form_spans import SpanForm
from polyclinic.evidence.form_survival import SurvivalForm
from polyclinic.evidence.form_value import ValueForm
from polyclinic.predictions import (
    BoxAnswer,
    CellsAnswer,
    ClassAnswer,
    LabelsAnswer,
    MaskAnswer,
    RelationAnswer,
    SpanAnswer,
    SurvivalAnswer,
    ValueAnswer,
)

__all__ = ["form_of"]

BINARY = 2


@form_of.register
def _(answer: ClassAnswer) -> Form:
    return BinaryForm(answer.classes) if len(answer.classes) == BINARY else MulticlassForm(answer.classes)


@form_of.register
def _(answer: LabelsAnswer) -> Form:
    return LabelsForm(answer.labels)


@form_of.register
def _(answer: ValueAnswer) -> Form:
    return ValueForm(answer.unit)


@form_of.register
def _(answer: SurvivalAnswer) -> Form:
    return SurvivalForm(answer.unit)


@form_of.register
def _(answer: MaskAnswer) -> Form:
    return MasksForm(answer.regions, answer.unit, answer.spacing.shape[1])


@form_of.register
def _(answer: RelationAnswer) -> Form:
    return RelationForm(answer.types)


@form_of.register
def _(answer: SpanAnswer) -> Form:
    return SpanForm(answer.labels, answer.assertions)


@form_of.register
def _(answer: CellsAnswer) -> Form:
    return CellsForm(answer.unit)


@form_of.register
def _(answer: BoxAnswer) -> Form:
    return BoxForm(answer.classes, axes_of(answer))
