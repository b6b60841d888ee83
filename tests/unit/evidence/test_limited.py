from polyclinic.evidence.limited import DECISIONS, RANKS, limit
from polyclinic.evidence.metric import Better
from polyclinic.evidence.records import (
    Calibration,
    CurvePoint,
    Estimate,
    Evidence,
    HeldAgainst,
    Outcome,
    Subgroup,
    TargetEvidence,
)

NAMES = ("auroc", "brier_score", "sensitivity", "calibration_slope")


def full():
    metrics = {name: Estimate(0.5) for name in NAMES}
    return TargetEvidence(
        form="binary",
        headline=NAMES,
        metrics=metrics,
        per_class={"a": {"auroc": Estimate(0.5), "sensitivity": Estimate(0.5)}},
        calibration=Calibration(curve=(CurvePoint(0.1, 0.2),)),
        curves={"roc": [0], "other": [1]},
        subgroups=(Subgroup("sex", "f", 3, metrics),),
        confusion=((1, 2), (3, 4)),
        comparison=HeldAgainst(
            Outcome.BETTER, "logistic", "auroc", Better.HIGHER, Estimate(0.5), Estimate(0.4), Estimate(0.1)
        ),
    )


def limited(to):
    return limit(Evidence(targets={"a": full(), "b": full()}), {"a": to}).targets


def test_ranks_leave_nothing_that_needs_a_scale():
    found = limited(RANKS)["a"]
    assert set(found.metrics) == set(found.headline) == {"auroc"}
    assert set(found.subgroups[0].metrics) == {"auroc"}
    assert set(found.curves) == {"roc"}
    assert found.calibration == Calibration()
    assert (found.per_class, found.confusion) == ({}, ())
    assert "no probabilities" in found.verdict
    assert found.comparison is None


def test_decisions_leave_nothing_that_needs_a_score():
    found = limited(DECISIONS)["a"]
    assert set(found.metrics) == {"sensitivity"}
    assert set(found.per_class["a"]) == {"sensitivity"}
    assert found.confusion == ((1, 2), (3, 4))
    assert found.curves == {}


def test_other_questions_stay_as_they_are():
    assert limited(RANKS)["b"] == full()
