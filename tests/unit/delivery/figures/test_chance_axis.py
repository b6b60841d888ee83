"""Chances are shown in per cent, and by log-odds where nearly all of them stand at the ends."""

import math

import pytest

from polyclinic.delivery.figures.chance_axis import ChanceAxis, chance_axis, crowded
from polyclinic.evidence.records import CurvePoint


def points(*predicted: float, n: int = 10) -> list[CurvePoint]:
    return [CurvePoint(p, p, n=n) for p in predicted]


def test_the_scale_is_straight_where_chances_are_spread() -> None:
    scale = chance_axis(points(0.1, 0.3, 0.5, 0.9))
    assert scale == ChanceAxis()
    assert scale.ends == (0.0, 1.0)
    assert list(scale.marks().values()) == ["0%", "20%", "40%", "60%", "80%", "100%"]


def test_more_than_80_of_100_at_the_ends_are_a_crowd() -> None:
    assert crowded(points(0.01, 0.02, 0.03, 0.97, 0.99, 0.3))
    assert not crowded(points(0.01, 0.02, 0.03, 0.97, 0.3))
    assert crowded([CurvePoint(0.02, 0.02, n=90), CurvePoint(0.4, 0.4, n=10)])
    assert not crowded([CurvePoint(0.02, 0.02, n=70), CurvePoint(0.4, 0.4, n=30)])


def test_a_rare_outcome_is_shown_by_log_odds_up_to_the_highest_chance() -> None:
    scale = chance_axis(points(0.004, 0.006, 0.01, 0.02, 0.03, 0.15))
    assert (scale.by_odds, scale.low, scale.high) == (True, 0.002, 0.2)
    assert list(scale.marks().values()) == ["0.2%", "0.5%", "1%", "2%", "5%", "10%", "20%"]
    assert scale.place(0.1) == pytest.approx(math.log(1 / 9))


def test_the_scale_holds_plain_models_too() -> None:
    ours = points(0.004, 0.006, 0.01, 0.02, 0.03, 0.15)
    assert chance_axis(ours, points(0.45)).high == 0.5


def test_chances_beyond_an_end_stand_at_the_end() -> None:
    scale = chance_axis(points(0.0, 0.0002, 0.001, 0.999, 1.0))
    assert (scale.low, scale.high) == (0.001, 0.999)
    assert scale.place(0.0) == scale.ends[0]
    assert scale.place(1.0) == scale.ends[1]
    assert list(scale.marks().values()) == ["0.1%", "1%", "5%", "20%", "50%", "80%", "95%", "99%", "99.9%"]
    assert scale.at(None) is None


def test_ends_alone_leave_the_widest_scale() -> None:
    scale = chance_axis(points(0.0, 1.0))
    assert (scale.by_odds, scale.low, scale.high) == (True, 0.001, 0.999)
