"""The forms of answer of this house, each with the form that judges it."""

from polyclinic.answers.boxes import BoxAnswer
from polyclinic.answers.cells import CellsAnswer
from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.labels import LabelsAnswer
from polyclinic.answers.mask import MaskAnswer
from polyclinic.answers.relations import RelationAnswer
from polyclinic.answers.spans import SpanAnswer
from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.evidence.forms.base import Form, form_of
from polyclinic.evidence.forms.boxes import BoxForm, axes_of
from polyclinic.evidence.forms.cells import CellsForm
from polyclinic.evidence.forms.labels import LabelsForm
from polyclinic.evidence.forms.mask import MasksForm
from polyclinic.evidence.forms.relations import RelationForm
from polyclinic.evidence.forms.spans import SpanForm
from polyclinic.evidence.forms.survival import SurvivalForm
from polyclinic.evidence.forms.value import ValueForm
from polyclinic.evidence.judged_classes.binary import BinaryForm
from polyclinic.evidence.judged_classes.several import MulticlassForm

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
