import math
import re

import numpy as np
import pytest

from polyclinic.delivery.figures.axes import axes, band, limits, line, steps, tick_label, ticks
from polyclinic.delivery.figures.froc import froc
from polyclinic.delivery.figures.strips import Strip, scale_row, strip, whisker
from polyclinic.delivery.figures.survival import kaplan_meier, left_at
from polyclinic.delivery.figures.values import bland_altman, predicted_against_measured
from polyclinic.delivery.markup import render
from polyclinic.evidence.records import Baseline, Curve, Estimate, GroupSurvival, TargetEvidence


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 1, 6, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 268, 6, [0, 50, 100, 150, 200, 250]),
        (-3, 3, 4, [-2, 0, 2]),
        (0.942, 0.982, 4, [0.95, 0.96, 0.97, 0.98]),
        (1e6, 9e6, 4, [2e6, 4e6, 6e6, 8e6]),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(30))
def test_ticks_always_lie_inside(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = float(rng.normal() * 10.0 ** rng.integers(-2, 5))
    high = low + float(10.0 ** rng.integers(-3, 7))
    found = ticks(low, high, 5)
    assert 1 <= len(found) <= 5
    assert all(low - 1e-6 * (high - low) <= tick <= high + 1e-6 * (high - low) for tick in found)


def test_tick_labels_have_a_true_minus_sign() -> None:
    assert [tick_label(value) for value in (-0.5, 0.0, 1000000.0)] == ["−0.5", "0", "1e+06"]


def test_limits_widen_what_is_known_only() -> None:
    assert limits([None, None]) == (0.0, 1.0)
    assert limits([2.0, None, 4.0], 0.1) == pytest.approx((1.8, 4.2))
    low, high = limits([3.0, 3.0])
    assert low < 3.0 < high


def test_a_line_breaks_where_a_value_is_not_known() -> None:
    ax = axes((0, 1), (0, 1))
    assert render(line(ax, [0, 0.5, None, 0.7, 1], [0, 1, 1, 0, 1], "x")).count("<polyline") == 2
    assert render(line(ax, [], [], "x")) == ""


def test_a_band_needs_both_limits() -> None:
    ax = axes((0, 1), (0, 1))
    assert render(band(ax, [0, 1], [None, None], [1, 1], "x")) == ""
    assert render(band(ax, [0, 1], [], [], "x")) == ""
    assert "<polygon" in render(band(ax, [0, 1], [0, 0], [1, 1], "x"))


def test_values_outside_the_axes_stay_at_the_edge() -> None:
    ax = axes((0, 1), (0, 1))
    assert ax.x.at(7) == ax.x.stop
    assert ax.y.at(-7) == ax.y.start


def test_steps_keep_a_value_until_the_next_point() -> None:
    assert steps([0, 1, 2], [1.0, 0.5, 0.2]) == ([0, 1, 1, 2, 2], [1.0, 1.0, 0.5, 0.5, 0.2])


def test_axes_of_equal_values_have_room() -> None:
    assert axes((3, 3), (2, 2)).x.high > 3


def group(times: list[float], at_risk: list[float]) -> GroupSurvival:
    alive = tuple(np.linspace(1, 0.3, len(times)))
    return GroupSurvival(
        group="low risk", times=tuple(times), survival=alive, low=alive, high=alive, at_risk=tuple(at_risk)
    )


def test_numbers_at_risk_are_those_still_followed() -> None:
    followed = group([0, 10, 20, 30], [100, 90, 50, 5])
    assert [left_at(followed, time) for time in (0, 5, 10, 25, 31)] == [100, 90, 90, 5, 0]


def test_survival_ends_where_hardly_anyone_is_left() -> None:
    long = group([0, 10, 20, 3000], [100, 90, 50, 1])
    drawn = render(kaplan_meier([long], "days"))
    labels = re.findall(r'class="tick middle">([^<]+)<', drawn)
    assert "20" in labels
    assert "1,000" not in labels
    assert not [value for value in labels if value.isdigit() and int(value) > 100]


def test_survival_is_drawn_for_groups_that_end_early_or_hold_nobody() -> None:
    drawn = render(
        kaplan_meier([group([0, 10], [50, 40]), group([0, 100], [50, 40]), GroupSurvival(group="high risk")], "")
    )
    assert drawn.count('class="line low"') >= 1


def test_a_curve_without_times_is_an_empty_figure() -> None:
    assert "<svg" in render(kaplan_meier([], "days"))


def test_limits_of_agreement_are_those_of_bland_and_altman() -> None:
    predicted, measured = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.5, 1.5, 3.5, 3.0])
    difference = predicted - measured
    drawn = render(bland_altman(predicted, measured, "kg"))
    high = float(difference.mean() + 1.96 * difference.std(ddof=1))
    assert f"{high:.2f}" in drawn
    assert f"{float(difference.mean()):.3f}" in drawn


def test_one_value_alone_is_drawn() -> None:
    one = np.array([3.0])
    assert "circle" in render(predicted_against_measured(one, one, (), ""))
    assert "NaN" not in render(bland_altman(one, one, ""))


def test_long_labels_of_a_strip_do_not_touch() -> None:
    assert render(scale_row(Strip(0.0, 1.0))).count("<text") > 1
    assert render(scale_row(Strip(0.911, 1.006))).count("<text") == 1


def test_strips_share_one_scale() -> None:
    scale = strip([Estimate(value=0.5, low=0.4, high=0.6), Estimate(value=0.9)], 1.0)
    assert scale.low < 0.4
    assert scale.high > 1.0
    assert Strip(0, 2).at(1) == 0.5
    assert Strip(0, 2).position(5) == "100.00%"


def test_a_whisker_without_value_is_empty() -> None:
    assert "circle" not in render(whisker(Strip(0, 1), Estimate(), "ours"))
    assert math.isclose(Strip(0, 4).at(1), 0.25)


def rising(highest: float) -> Curve:
    rates = tuple(float(2.0**power) for power in np.linspace(-3, 3, 25))
    values = tuple(highest * rate / (rate + 0.2) for rate in rates)
    return Curve(x=rates, y=values, low=values, high=values)


def test_froc_is_drawn_over_octaves_beside_the_plain_model() -> None:
    target = TargetEvidence(form="boxes", metrics={"cpm": Estimate(value=0.7)}, curves={"froc": rising(0.9)})
    drawn = render(froc(target, Baseline(name="blobs", curve=rising(0.5))))
    labels = re.findall(r'x="([^"]+)"[^>]*class="tick middle">([^<]+)<', drawn)
    assert [words for _, words in labels] == ["1/8", "1/4", "1/2", "1", "2", "4", "8"]
    assert np.ptp(np.diff([float(x) for x, _ in labels])) < 0.2
    assert drawn.count('class="dot point"') == 7
    places = re.search(r'class="line base dashed" points="([^"]+)"', drawn)
    assert places is not None
    ends = [float(pair.split(",")[0]) for pair in places[1].split()]
    assert (ends[0], ends[-1]) == (axes((0, 1), (0, 1)).x.start, axes((0, 1), (0, 1)).x.stop)
    assert "CPM 0.700" in drawn


def test_froc_stands_without_a_plain_model_too() -> None:
    target = TargetEvidence(form="boxes", curves={"froc": rising(0.9)})
    assert "line base" not in render(froc(target, None))
    assert "line base" not in render(froc(target, Baseline(name="logistic")))
