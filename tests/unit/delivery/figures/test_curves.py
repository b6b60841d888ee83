"""ROC, precision-recall and calibration hold the plain models too, each as a thin line with its name."""

import re

import numpy as np

from polyclinic.delivery.figures.calibrated import PredictedShares, calibration
from polyclinic.delivery.figures.curves import precision_recall, roc
from polyclinic.delivery.markup import render
from polyclinic.evidence import records
from polyclinic.evidence.records import Baseline, Calibration, Curve, CurvePoint, Estimate, TargetEvidence

RISING = Curve(x=(0.0, 0.5, 1.0), y=(0.0, 0.8, 1.0), low=(0.0, 0.7, 1.0), high=(0.0, 0.9, 1.0))
THIN = Curve(x=(0.0, 0.5, 1.0), y=(0.0, 0.6, 1.0))
RARE = tuple(CurvePoint(p, p, p / 2, 2 * p, 100) for p in (0.003, 0.006, 0.01, 0.02, 0.03, 0.15))


def target(models: int) -> TargetEvidence:
    plain = {f"model {n}": Baseline(curves={"roc": THIN, "precision_recall": THIN}) for n in range(models)}
    return TargetEvidence(
        form="binary",
        counts=records.Tested(rows=100, positives=2),
        metrics={"auroc": Estimate(0.8, 0.7, 0.9)},
        curves={"roc": RISING, "precision_recall": RISING},
        baselines=plain,
    )


def test_every_plain_model_has_a_line_and_a_name_up_to_three() -> None:
    for figure in (roc, precision_recall):
        drawn = render(figure(target(4)))
        lines = re.findall(r'<polyline class="line (plain-\d|ours)"', drawn)
        assert lines == ["plain-0", "plain-1", "plain-2", "ours"]
        assert [f"model {n}" in drawn for n in range(4)] == [True, True, True, False]


def test_the_prevalence_stands_in_the_legend_where_it_hides_no_curve() -> None:
    drawn = render(precision_recall(target(0)))
    assert re.search(r"<li>.*prevalence 2.0%</span></li>", drawn)
    assert "<text" not in drawn[drawn.index('class="reference"') :].split("</line>")[0]


def test_shares_are_labelled_in_per_cent() -> None:
    assert ">80%</text>" in render(roc(target(0)))


def test_the_ideal_line_and_the_plain_models_stand_in_the_calibration_figure() -> None:
    plain = [Baseline("logistic", calibration=(CurvePoint(0.2, 0.3), CurvePoint(0.8, 0.7)))]
    ours = Calibration(curve=tuple(CurvePoint(p, p, n=10) for p in (0.2, 0.5, 0.8)))
    drawn = render(calibration(ours, None, plain))
    assert ["ideal" in drawn, "logistic regression" in drawn, 'line plain-0"' in drawn] == [True] * 3
    assert "as delivered" not in drawn
    before = render(calibration(Calibration(curve=ours.curve, curve_before=ours.curve), None))
    assert "This model, as delivered" in before


def test_a_rare_outcome_is_drawn_by_log_odds_the_histogram_too() -> None:
    chances = np.array([0.003] * 50 + [0.15])
    shown = PredictedShares(chances, chances > 0.1, 0.02)
    drawn = render(calibration(Calibration(curve=RARE), shown))
    assert ">0.2%</text>" in drawn
    assert ">20%</text>" in drawn
    assert ">80%</text>" not in drawn
    bars = [float(x) for x in re.findall(r'class="bar [a-z]+" x="([\d.]+)"', drawn)]
    assert max(bars) - min(bars) > 250
    assert drawn.count('class="cut"') == 1


def test_without_a_threshold_no_upright_line_is_drawn() -> None:
    chances = np.array([0.3, 0.6])
    drawn = render(calibration(Calibration(curve=RARE), PredictedShares(chances, chances > 0.5)))
    assert 'class="cut"' not in drawn
