"""The first figure: counts that add up, with intervals, for every form of answer."""

import re

import pytest

from polyclinic.delivery.figures.counted import (
    covered,
    events_in_thirds,
    found_by_label,
    found_of_hundred,
    headline_in_words,
    in_a_thousand,
    per_record,
    rest,
    right_answers,
    within,
)
from polyclinic.delivery.markup import Element, render
from polyclinic.evidence import records
from polyclinic.evidence.records import Estimate, EventsByTime, OperatingPoint, TargetEvidence


def share(value: float, spread: float = 0.05) -> Estimate:
    return Estimate(value, value - spread, value + spread)


def counts(figure: Element) -> list[tuple[str, str, str]]:
    """Value, interval and name of each cell."""
    return re.findall(r"<b>([^<]*)</b>(?:<small>([^<]*)</small>)?<strong>([^<]*)</strong>", render(figure))


def binary(positives: int, rows: int) -> TargetEvidence:
    return TargetEvidence(
        form="binary",
        counts=records.Tested(rows=rows, patients=rows, positives=positives),
        metrics={"sensitivity": share(0.9), "specificity": share(0.8)},
        operating_point=OperatingPoint("a rule", (0.31,), delivered=0.31, chosen_for="youden"),
    )


def test_found_and_missed_add_up_to_those_with_the_outcome() -> None:
    found = counts(in_a_thousand(binary(25, 100)))
    assert found == [
        ("225", "212 to 238", "found"),
        ("25", "12 to 38", "missed"),
        ("150", "112 to 188", "false alarms"),
        ("600", "562 to 638", "cleared"),
    ]
    words = render(in_a_thousand(binary(25, 100)))
    assert "In 1,000 patients like those tested, 250 of whom have the outcome" in words
    assert "from 0.310 on" in words
    assert "At the prevalence of those tested (25.0%)" in words


def test_of_a_rare_outcome_more_patients_are_pictured() -> None:
    assert "In 10,000 patients like those tested, 20 of whom" in render(in_a_thousand(binary(2, 1000)))
    assert "In 100,000 patients like those tested, 20 of whom" in render(in_a_thousand(binary(1, 5000)))


@pytest.mark.parametrize(("positives", "rows"), [(0, 10), (10, 10)])
def test_of_one_class_only_nothing_is_counted(positives: int, rows: int) -> None:
    assert not in_a_thousand(binary(positives, rows))


def test_what_is_left_has_the_limits_the_other_way_round() -> None:
    left = rest(Estimate(0.9, 0.75, 0.95))
    assert (left.value, left.low, left.high) == pytest.approx((0.1, 0.05, 0.25))
    assert rest(Estimate()).value is None


def test_several_classes_are_right_or_wrong_and_recognised_one_by_one() -> None:
    target = TargetEvidence(
        form="multiclass",
        counts=records.Tested(rows=100, per_class={"low": 20, "high": 80}),
        metrics={"accuracy": share(0.7)},
        per_class={"low": {"sensitivity": share(0.5)}, "high": {"sensitivity": share(0.75)}},
    )
    found = counts(right_answers(target))
    assert [(n, name) for n, _, name in found] == [("700", "right"), ("300", "wrong"), ("50", "low"), ("75", "high")]
    assert "always answered &quot;high&quot;, the most common class, would be right for 800" in render(
        right_answers(target)
    )
    assert not right_answers(TargetEvidence(form="multiclass"))


def test_labels_are_counted_one_by_one_the_most_common_where_they_are_many() -> None:
    metrics = {"sensitivity": share(0.6), "specificity": share(0.9)}
    target = TargetEvidence(form="multilabel", per_class={"effusion": metrics})
    assert counts(found_by_label(target)) == [("60", "55 to 65", "effusion")]
    assert "of 100 without it, 10 are flagged" in render(found_by_label(target))
    many = TargetEvidence(form="multilabel", per_class={f"label {n}": metrics for n in range(7)})
    assert len(counts(found_by_label(many))) == 6
    assert "The most common labels; all of them stand below." in render(found_by_label(many))


def test_things_are_counted_of_a_hundred() -> None:
    metrics = {"object_sensitivity": share(0.8), "object_precision": share(0.6), "false_boxes": share(1.4)}
    target = TargetEvidence(form="boxes", classes=("cyst", "nodule"), metrics=metrics)
    names = ("of 100 objects", "of 100 objects", "of 100 boxes")
    pair = ("object_sensitivity", "object_precision")
    more = per_record(target, "false_boxes", "false boxes per picture")
    found = found_of_hundred(target, "Objects", pair, names, more)
    assert counts(found) == [
        ("80", "75 to 85", "found"),
        ("20", "15 to 25", "missed"),
        ("40", "35 to 45", "false marks"),
        ("1.40", "1.35 to 1.45", "false boxes per picture"),
    ]
    assert "Mean over the classes." in render(found)
    assert not found_of_hundred(TargetEvidence(form="boxes"), "Objects", pair, names, more)


def test_regions_are_covered_touched_and_made_up() -> None:
    metrics = {"pixel_sensitivity": share(0.7), "lesion_sensitivity": share(0.9), "false_lesions": share(0.5)}
    found = covered(TargetEvidence(form="mask", labels=("tumour",), metrics=metrics))
    assert [(n, name) for n, _, name in counts(found)] == [
        ("70", "points found"),
        ("90", "parts found"),
        ("0.500", "false parts per record"),
    ]


def test_numbers_are_said_by_the_distance_that_half_and_nine_of_ten_keep() -> None:
    metrics = {"within_half": Estimate(4.1, 3.6, 4.7), "within_nine_of_ten": Estimate(10.9, 9.9, 12.0)}
    found = counts(within(TargetEvidence(form="value", unit="mmHg", metrics=metrics)))
    assert found == [
        ("± 4.10 mmHg", "3.60 to 4.70", "half of the answers"),
        ("± 10.9 mmHg", "9.90 to 12.0", "nine of ten answers"),
    ]


def test_events_are_counted_in_the_thirds_by_risk_the_highest_first() -> None:
    shape = EventsByTime(60.0, share(0.3), (share(0.05, 0.01), share(0.08), share(0.17)))
    target = TargetEvidence(form="survival", unit="months", curves={"events_by_time": shape})
    found = counts(events_in_thirds(target))
    assert [n for n, _, _ in found] == ["300", "170", "80", "50"]
    assert found[1][2] == "in the highest third"
    assert "have the event by 60.0 months" in render(events_in_thirds(target))
    assert not events_in_thirds(TargetEvidence(form="survival"))


def test_a_time_that_the_study_names_is_called_by_its_name() -> None:
    shape = EventsByTime(1826.25, share(0.3), (share(0.1), share(0.1), share(0.1)), "5 years")
    target = TargetEvidence(form="survival", unit="days", curves={"events_by_time": shape})
    assert "have the event by 5 years" in render(events_in_thirds(target))


def test_a_form_that_says_nothing_shows_its_first_headline_number() -> None:
    target = TargetEvidence(form="own", headline=("lost", "rmse"), unit="kg", metrics={"rmse": Estimate(2.0, 1.5, 2.5)})
    assert counts(headline_in_words(target)) == [("2.00 kg", "1.50 to 2.50", "RMSE")]
    assert "typical size of the error" in render(headline_in_words(target))
    assert not headline_in_words(TargetEvidence(form="own"))
