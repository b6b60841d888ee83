"""Every form says how it is shown, and one of another package is shown without saying anything."""

from typing import Any

import pytest

from polyclinic.delivery.forms.base import Columns, Delivery, delivery_by_word
from polyclinic.delivery.markup import render
from polyclinic.evidence.records import Calibration, Curve, CurvePoint, Mistake, TargetEvidence
from polyclinic.study import catalogue

RISING = Curve(x=(0.0, 0.5, 1.0), y=(0.0, 0.8, 1.0), low=(0.0, 0.7, 1.0), high=(0.0, 0.9, 1.0))


class OwnDelivery(Delivery):
    """Of a form that the house does not know: it says what it must, and nothing else."""

    def columns(self, answer: Any, tune: Any, confidence: float) -> Columns:
        return {}


@pytest.mark.parametrize("form", catalogue.names("delivery.forms"))
def test_every_form_is_found_by_every_word_of_its_own(form: str) -> None:
    delivery = catalogue.find("delivery.forms", form)
    for word in (form, *delivery.words):
        assert type(delivery_by_word(word)) is delivery


@pytest.mark.parametrize("form", catalogue.names("delivery.forms"))
def test_every_form_says_of_a_mistake_as_much_as_its_head_promises(form: str) -> None:
    delivery = delivery_by_word(form)
    assert len(delivery.mistake_head("mm")) == len(delivery.mistake_cells(Mistake(row=1))) >= 2


def test_a_mistaken_class_is_told_with_its_chance() -> None:
    one = Mistake(row=1, truth="benign", answer="malignant", loss=2.5, chance=0.918)
    for word in ("binary", "multiclass"):
        assert delivery_by_word(word).mistake_cells(one) == ("benign", "92% malignant")


def test_of_several_labels_the_one_furthest_off_is_told() -> None:
    labels = delivery_by_word("multilabel")
    there = Mistake(row=1, truth="oedema", answer="none", loss=2.5, chance=0.04, about="oedema", event=1)
    assert labels.mistake_cells(there) == ("oedema", "none", "said 4% oedema; it was there")
    absent = Mistake(row=1, truth="none", answer="nodule", loss=2.5, chance=0.9999, about="nodule", event=0)
    assert labels.mistake_cells(absent) == ("none", "nodule", "said >99% nodule; it was not there")


def test_the_chance_to_be_event_free_is_told_in_per_cent() -> None:
    one = Mistake(row=1, truth=27.0, answer=0.981, loss=2.5, event=1)
    assert delivery_by_word("survival").mistake_cells(one) == ("27.0", "event", "98%")


def test_a_form_of_another_package_shows_the_curves_that_it_names() -> None:
    points = (CurvePoint(predicted=0.3, observed=0.4),)
    target = TargetEvidence(
        form="own",
        classes=("a", "b", "c"),
        curves={"roc": RISING, "yield_by_dose": RISING, "precision_recall_per_class": {"a": RISING, "b": RISING}},
        calibration=Calibration(curve=points),
    )
    figures = [render(one) for one in OwnDelivery().figures(target, None)]
    titles = ["ROC curve", "Precision-recall curve by class", "Yield by dose", "Calibration"]
    assert [f"<strong>{title}</strong>" in one for title, one in zip(titles, figures, strict=True)] == [True] * 4
    assert list(OwnDelivery().figures(TargetEvidence(form="own"), None)) == []


def test_a_form_of_another_package_speaks_of_mistakes_plainly() -> None:
    own = OwnDelivery()
    assert (own.case_order(), own.case_words(Mistake(row=1, loss=1.5))) == ("distance between answer and truth", "")
    assert own.mistake_head("mm") == ("What was true", "What the model said")
    assert own.mistake_cells(Mistake(row=1, truth="none", answer=-0.5, loss=None)) == (
        "none",
        "\N{MINUS SIGN}0.500",
    )
    assert not own.confusions(TargetEvidence(form="own", confusion=((1, 2), (3, 4))))
