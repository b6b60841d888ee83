"""Plain models beside ours: which, in which order, and how a legend names them."""

from polyclinic.delivery.figures.models import LegendEntry, entries, line_legend, plain_models
from polyclinic.delivery.markup import render
from polyclinic.evidence.records import Baseline, Estimate, TargetEvidence

PLAIN = {name: Baseline(metrics={"auroc": Estimate(value)}) for name, value in (("logistic", 0.8), ("boosting", 0.85))}
TARGET = TargetEvidence(
    form="binary",
    metrics={"auroc": Estimate(0.9, 0.85, 0.95)},
    baselines=PLAIN,
    baseline=Baseline("boosting", PLAIN["boosting"].metrics),
)


def test_the_model_of_the_verdict_comes_first() -> None:
    assert [model.name for model in plain_models(TARGET)] == ["boosting", "logistic"]
    assert plain_models(TargetEvidence(form="binary")) == []


def test_a_legend_tells_values_ours_with_the_interval() -> None:
    found = entries(TARGET, "auroc", plain_models(TARGET))
    assert [(one.words, one.css) for one in found] == [
        ("This model: AUROC 0.900 (0.850 to 0.950)", "ours"),
        ("gradient boosting 0.850", "plain-0"),
        ("logistic regression 0.800", "plain-1"),
    ]


def test_a_model_without_a_value_is_named_alone() -> None:
    bare = entries(TargetEvidence(form="binary"), "auroc", [Baseline("logistic")])
    assert [one.words for one in bare] == ["This model", "logistic regression"]


def test_every_line_of_the_legend_looks_as_in_the_figure() -> None:
    drawn = render(line_legend([LegendEntry("ideal", "reference"), LegendEntry("ours & theirs", "ours")]))
    assert drawn.count("<li>") == 2
    assert 'class="line reference"' in drawn
    assert "ours &amp; theirs" in drawn
    assert not line_legend([])
