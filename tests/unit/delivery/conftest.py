"""Evidence of every form, made up so that a page can be made of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from polyclinic.answers.base import Answer
from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.labels import LabelsAnswer
from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.cohort.document import CohortDocument
from polyclinic.delivery.material import Material, PartCount, RunFacts
from polyclinic.delivery.plan import EpochRecord, FitRecord
from polyclinic.evidence.records import Evidence
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.records.base import Picture
from polyclinic.study.options import InputOptions, TargetOptions
from polyclinic.study.schema import About, CohortSection, InputSection, Study, TargetSection

FORMS = ("binary", "multiclass", "multilabel", "value", "survival", "mask", "boxes", "cells", "spans", "relations")
DENSE = FORMS[5:]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763606060000000040001"
    "2734270a0000000049454e44ae426082"
)


def estimate(value: float, spread: float = 0.02) -> dict[str, float]:
    return {"value": value, "low": value - spread, "high": value + spread, "n": 171}


def plain(metrics: dict[str, Any]) -> dict[str, Any]:
    shifted = {name: estimate(e["value"] - 0.013, 0.024) for name, e in metrics.items()}
    return {"metrics": shifted, "difference": {name: estimate(0.013, 0.009) for name in metrics}}


def curve(power: float, falling: bool = False) -> dict[str, Any]:
    x = np.linspace(0, 1, 60)
    y = 1 - 0.6 * x**4 if falling else x**power
    return {"x": x.tolist(), "y": y.tolist(), "low": (y * 0.96).tolist(), "high": np.minimum(1, y * 1.03).tolist()}


def froc(highest: float) -> dict[str, Any]:
    rates = 2.0 ** np.linspace(-3, 3, 49)
    y = highest * rates / (rates + 0.2)
    return {"x": rates.tolist(), "y": y.tolist(), "low": (0.9 * y).tolist(), "high": (1.05 * y).tolist()}


def _binary() -> dict[str, Any]:
    values = {"auroc": 0.962, "auprc": 0.941, "brier_score": 0.061, "calibration_slope": 1.04, "log_loss": 0.211}
    values |= {"sensitivity": 0.921, "specificity": 0.902, "ppv": 0.85, "npv": 0.95, "calibration_intercept": -0.03}
    values |= {"accuracy": 0.91, "f1": 0.884, "expected_calibration_error": 0.031}
    metrics = {name: estimate(value) for name, value in values.items()}
    points = [
        {"predicted": p, "observed": p**1.08, "low": p**1.08 * 0.8, "high": p**1.08 + 0.06, "n": 17}
        for p in (0.02, 0.06, 0.11, 0.2, 0.33, 0.48, 0.61, 0.78, 0.9, 0.97)
    ]
    return {
        "classes": ["benign", "malignant"],
        "counts": {"rows": 171, "patients": 168, "folds": 5, "repeats": 3, "positives": 64},
        "headline": ["auroc", "auprc", "brier_score", "calibration_slope"],
        "metrics": metrics,
        "operating_point": {
            "rule": "Highest Youden index on tune rows.",
            "thresholds": [0.41, 0.38, 0.44, 0.4, 0.39],
            "delivered": 0.4,
            "chosen_for": "youden",
        },
        "calibration": {
            "before": {"brier_score": estimate(0.07)},
            "after": {"brier_score": estimate(0.061)},
            "curve": points,
            "curve_before": [{**p, "observed": p["predicted"] ** 1.6} for p in points],
        },
        "curves": {"roc": curve(0.1), "precision_recall": curve(1, falling=True)},
        "baselines": {"logistic": plain(metrics), "boosting": plain(metrics)},
        "baseline": {"name": "logistic", "metrics": plain(metrics)["metrics"]},
    }


def _multiclass() -> dict[str, Any]:
    metrics = {
        "macro_auroc": estimate(0.91),
        "accuracy": estimate(0.83),
        "balanced_accuracy": estimate(0.8),
        "log_loss": estimate(0.5),
    }
    classes = ["melanoma", "naevus", "keratosis"]
    return {
        "classes": classes,
        "counts": {
            "rows": 300,
            "patients": 300,
            "folds": 1,
            "repeats": 1,
            "per_class": dict(zip(classes, (80, 180, 40), strict=True)),
        },
        "headline": ["macro_auroc", "balanced_accuracy", "log_loss"],
        "metrics": metrics,
        "per_class": {
            name: {"auroc": estimate(0.9 - 0.03 * n), "auprc": estimate(0.8 - 0.1 * n)}
            for n, name in enumerate(classes)
        },
        "curves": {"roc": curve(0.2), "roc_per_class": {name: curve(0.1 + n / 10) for n, name in enumerate(classes)}},
        "confusion": [[60, 12, 8], [14, 150, 16], [9, 6, 25]],
        "degenerate": {"macro_auroc": 3},
        "baselines": {"logistic": plain(metrics)},
        "baseline": {"name": "logistic", "metrics": plain(metrics)["metrics"]},
    }


def _multilabel() -> dict[str, Any]:
    labels = ["effusion", "infiltration", "nodule", "oedema"]
    metrics = {"macro_auroc": estimate(0.81), "macro_auprc": estimate(0.4), "macro_f1": estimate(0.35)}
    return {
        "labels": labels,
        "curves": {
            "roc_per_class": {name: curve(0.2 + n / 10) for n, name in enumerate(labels)},
            "precision_recall_per_class": {name: curve(1, falling=True) for name in labels},
        },
        "counts": {
            "rows": 900,
            "patients": 700,
            "folds": 1,
            "repeats": 1,
            "per_class": {name: 40 + n for n, name in enumerate(labels)},
        },
        "headline": ["macro_auroc", "macro_auprc"],
        "metrics": metrics,
        "per_class": {
            name: {"auroc": estimate(0.85 - 0.04 * n), "auprc": estimate(0.4)} for n, name in enumerate(labels)
        },
        "baselines": {"logistic": plain(metrics)},
        "baseline": {"name": "logistic", "metrics": plain(metrics)["metrics"]},
    }


def _value() -> dict[str, Any]:
    metrics = {"rmse": estimate(6.21, 0.6), "mae": estimate(4.8, 0.5), "r2": estimate(0.71), "spearman": estimate(0.84)}
    return {
        "unit": "mmHg",
        "counts": {"rows": 250, "patients": 250, "folds": 1, "repeats": 1},
        "headline": ["rmse", "mae", "r2", "spearman"],
        "metrics": metrics,
        "baselines": {"ridge": plain(metrics)},
        "baseline": {"name": "ridge", "metrics": plain(metrics)["metrics"]},
    }


def _survival() -> dict[str, Any]:
    metrics = {
        "concordance_index": estimate(0.662),
        "uno_concordance": estimate(0.651),
        "integrated_brier_score": estimate(0.162, 0.01),
        "mean_auc": estimate(0.69),
    }
    times = np.linspace(0, 340, 80)
    groups = []
    for name, rate in (("low risk", 0.002), ("middle risk", 0.005), ("high risk", 0.011)):
        alive = np.exp(-rate * times)
        groups.append(
            {
                "group": name,
                "times": times.tolist(),
                "survival": alive.tolist(),
                "low": (alive * 0.9).tolist(),
                "high": np.minimum(1, alive * 1.08).tolist(),
                "at_risk": np.round(630 * alive * (1 - times / 360)).tolist(),
            }
        )
    over = np.linspace(30, 300, 30)
    auc = 0.75 - over / 3000
    return {
        "unit": "months",
        "counts": {"rows": 1904, "patients": 1904, "folds": 5, "repeats": 1, "events": 1103},
        "headline": ["concordance_index", "integrated_brier_score", "mean_auc"],
        "metrics": metrics,
        "calibration": {
            "curve": [
                {"predicted": p, "observed": p + 0.02, "low": p - 0.05, "high": p + 0.08, "n": 380}
                for p in (0.2, 0.4, 0.6, 0.8)
            ],
            "horizon": 132.2,
        },
        "curves": {
            "kaplan_meier": groups,
            "brier_over_time": {
                "times": over.tolist(),
                "value": (0.1 + over / 3000).tolist(),
                "low": (0.09 + over / 3000).tolist(),
                "high": (0.11 + over / 3000).tolist(),
            },
            "log_rank": {"chi_squared": 87.0, "p_value": 1e-19},
            "auc_over_time": {
                "times": over.tolist(),
                "value": auc.tolist(),
                "low": (auc - 0.04).tolist(),
                "high": (auc + 0.04).tolist(),
            },
        },
        "baselines": {"cox": plain(metrics), "boosting": plain(metrics)},
        "baseline": {"name": "cox", "metrics": plain(metrics)["metrics"]},
    }


def _dense(
    names: str, per_class: tuple[str, ...], metrics: dict[str, float], counted: str, **more: Any
) -> dict[str, Any]:
    """A dense question about two regions, classes or labels."""
    measured = {metric: estimate(value) for metric, value in metrics.items()}
    each = ("lesion", "oedema")
    return {
        names: list(each),
        "counts": {"rows": 40, "patients": 38, "folds": 5, "repeats": 1, "per_class": dict.fromkeys(each, 31)},
        "headline": list(metrics)[:4],
        "metrics": measured,
        "per_class": {name: {metric: estimate(0.7 - 0.1 * n) for metric in per_class} for n, name in enumerate(each)},
        "baselines": {counted: plain(measured)},
        "baseline": {"name": counted, "metrics": plain(measured)["metrics"]},
        "calibration": {
            "before": {},
            "after": {"expected_calibration_error": estimate(0.1)},
            "curve": [{"predicted": p, "observed": p, "low": p - 0.05, "high": p + 0.05, "n": 380} for p in (0.2, 0.7)],
        },
        "operating_point": {
            "rule": "highest Dice on tune rows",
            "label_thresholds": {"lesion": [0.4], "oedema": [0.5]},
        },
        **more,
    }


def _mask() -> dict[str, Any]:
    metrics = {"dice": 0.81, "iou": 0.7, "hausdorff_95": 3.2, "surface_dice": 0.9, "size_error": 1.2}
    curves = {name: curve(0.2) for name in ("lesion", "oedema")}
    return _dense(
        "labels",
        (*metrics, "size_error_percent", "lesion_sensitivity", "pixel_auroc", "pixel_auprc", "brier_score"),
        metrics,
        "points",
        unit="mm",
        curves={"roc_per_class": curves, "precision_recall_per_class": curves},
    )


def _boxes() -> dict[str, Any]:
    metrics = {"map_50": 0.6, "cpm": 0.7, "sensitivity_at_1_false": 0.8, "count_error": 0.4, "map_50_95": 0.3}
    found = {name: curve(1, falling=True) for name in ("lesion", "oedema")}
    each = ("average_precision_50", "cpm", "object_sensitivity", "count_bias")
    curves = {"precision_recall_per_class": found, "froc": froc(0.9)}
    made = _dense("classes", each, metrics, "blobs and logistic regression", unit="px", curves=curves)
    made["baselines"]["blobs and logistic regression"]["curve"] = froc(0.6)
    return made


def _cells() -> dict[str, Any]:
    metrics = {"aji": 0.6, "ap_50": 0.7, "pq": 0.6, "count_error": 2.2, "area_correlation": 0.9}
    return {**_dense("classes", (), metrics, "threshold", unit="um"), "classes": [], "per_class": {}}


def _spans() -> dict[str, Any]:
    metrics = {
        "entity_f1": 0.8,
        "partial_f1": 0.9,
        "recall_seen": 0.95,
        "recall_unseen": 0.6,
        "assertion_accuracy": 0.9,
    }
    return _dense("labels", ("entity_f1", "entity_precision", "entity_recall"), metrics, "linear")


def _relations() -> dict[str, Any]:
    metrics = {"micro_f1": 0.6, "macro_f1": 0.5, "micro_precision": 0.7, "micro_recall": 0.6, "pair_accuracy": 0.8}
    return _dense("classes", ("f1", "ppv", "sensitivity"), metrics, "linear")


TARGETS: dict[str, Callable[[], dict[str, Any]]] = {
    "mask": _mask,
    "boxes": _boxes,
    "cells": _cells,
    "spans": _spans,
    "relations": _relations,
    "binary": _binary,
    "multiclass": _multiclass,
    "multilabel": _multilabel,
    "value": _value,
    "survival": _survival,
}


def target(form: str) -> dict[str, Any]:
    made = TARGETS[form]()
    first = made["headline"][0]
    groups = [
        ("sex", "female"),
        ("sex", "male"),
        ("age_band", "under 50"),
        ("age_band", "50 to 69"),
        ("age_band", "70 and over"),
    ]
    value = made["metrics"][first]["value"]
    made["subgroups"] = [
        {
            "column": column,
            "value": name,
            "n": 20 + 9 * n,
            "metrics": {first: estimate(value - 0.01 * n, 0.03 + 0.01 * n)},
        }
        for n, (column, name) in enumerate(groups)
    ]
    made["subgroup_note"] = "Five subgroups were looked at; one in twenty differs by chance."
    made["worst"] = [
        {"row": 7 + 11 * n, "truth": "malignant", "answer": 0.02 + n / 100, "loss": 3.9 - n / 3} for n in range(6)
    ]
    if form == "survival":
        made["worst"] = [
            {"row": 7 + 11 * n, "truth": 2.5 + n, "answer": 0.99, "loss": 4.0, "event": n % 2} for n in range(6)
        ]
    if form == "value":
        made["worst"] = [{"row": 7 + 11 * n, "truth": 120.5 + n, "answer": 151.2, "loss": 30.0 - n} for n in range(6)]
    if form in DENSE:
        worst = [{"row": 7 + 11 * n, "truth": "2 lesion", "answer": "none", "loss": 0.9 - n / 10} for n in range(6)]
        if form == "relations":  # told by how many there are, and how many of them were found
            worst = [{**one, "truth": 5, "answer": 3} for one in worst]
        made |= {"worst": worst, "cases": {"best": worst[5], "median": worst[2], "worst": worst[0]}}
    made["verdict"] = "This model ranks patients better than logistic regression, and the difference is real."
    made["comparison"] = {
        "outcome": "better",
        "model": made["baseline"]["name"],
        "metric": first,
        "better": "lower" if form == "value" else "higher",
        "ours": made["metrics"][first],
        "theirs": made["baseline"]["metrics"][first],
        "difference": made["baselines"][made["baseline"]["name"]]["difference"][first],
    }
    return {"form": form, **made}


def answer(form: str, n: int = 200) -> Answer:
    rng = np.random.default_rng(0)
    truth = (rng.random(n) < 0.4).astype(float)
    if form == "binary":
        raw = 1 / (1 + np.exp(-(3 * (truth * 2 - 1) + 1.6 * rng.standard_normal(n))))
        ours = raw**0.9
        return ClassAnswer(("benign", "malignant"), np.stack([1 - ours, ours], 1), np.stack([1 - raw, raw], 1), truth)
    if form == "multiclass":
        chances = rng.dirichlet([3, 5, 2], n)
        return ClassAnswer(("melanoma", "naevus", "keratosis"), chances, chances, rng.integers(0, 3, n).astype(float))
    if form == "multilabel":
        chances = rng.random((n, 4))
        return LabelsAnswer(
            ("effusion", "infiltration", "nodule", "oedema"), chances, chances, (chances > 0.5).astype(float)
        )
    if form == "value":
        measured = 120 + 15 * rng.standard_normal(n)
        return ValueAnswer("mmHg", measured + 6 * rng.standard_normal(n), measured)
    curve_of_one = np.exp(-np.linspace(0, 1, 5))
    return SurvivalAnswer(
        "months",
        rng.random(n),
        np.tile(np.arange(5.0), (n, 1)),
        np.tile(curve_of_one, (n, 1)),
        truth,
        rng.random(n) + 0.1,
    )


def predictions(forms: tuple[str, ...], n: int = 200) -> Predictions:
    part = np.array(["test"] * n)
    zeros = np.zeros(n, dtype=int)
    samples = Samples(np.arange(1, n + 1), np.arange(n).astype(str), part, zeros, zeros, None, {})
    answers = {form: answer(form, n) for form in forms if form not in DENSE}
    return Predictions("polyclinic", samples, answers, np.zeros(n))


COHORT = {
    "name": "cohort.csv",
    "flow": [
        {"step": "in the table", "rows": 612, "patients": 604},
        {"step": "excluded: age < 18", "rows": 583, "patients": 576, "left_out": 29},
        {"step": "outcome not known", "rows": 569, "patients": 562, "left_out": 14},
    ],
    "findings": [
        {
            "name": "duplicate_records",
            "place": "split",
            "rule": "no record stands on two sides",
            "found": "1 pair of equal records",
            "remedy": "Accepted in the study file: published split",
            "severity": "note",
            "rows": [12, 633],
        },
        {
            "name": "constant_column",
            "place": 'cohort.csv column "ward"',
            "rule": "a column should vary",
            "found": "all its values are equal",
            "remedy": "Leave it out.",
            "severity": "warning",
        },
    ],
    "table_one": {
        "groups": ["all (n = 569)", "diagnosis: B (n = 357)", "diagnosis: M (n = 212)", "standardised difference"],
        "rows": [
            {"name": "age", "level": "", "cells": ["54 [44, 66]", "52 [43, 63]", "58 [47, 70]", "0.41"]},
            {"name": "age", "level": "missing", "cells": ["12 (2.1%)", "8 (2.2%)", "4 (1.9%)", ""]},
            {"name": "sex", "level": "female", "cells": ["357 (62.7%)", "212 (59.4%)", "145 (68.4%)", "0.19"]},
            {"name": "sex", "level": "male", "cells": ["212 (37.3%)", "145 (40.6%)", "67 (31.6%)", ""]},
        ],
        "columns_left_out": 2,
    },
    "fingerprints": {"cohort.csv": "3b1f" * 16},
}


def study(forms: tuple[str, ...], language: str = "en", **about: Any) -> Study:
    return Study(
        study=About(
            **{
                "name": "breast-cytology",
                "title": "Is this fine-needle aspirate malignant?",
                "intended_use": "Second reader for cytologists.",
                "language": language,
                **about,
            }
        ),
        cohort=CohortSection(table="cohort.csv", patient="patient_id", strata=("sex", "age_band")),
        accept={"duplicate_records": "published split; 1 of 156 test images is also a training image"},
        inputs={"cells": InputSection(kind="tabular", options=InputOptions())},
        targets={form: TargetSection(kind="classify", options=TargetOptions()) for form in forms},
    )


def fit(losses: Sequence[tuple[float, float]], best: int) -> FitRecord:
    history = tuple(EpochRecord(train_loss=train, tune_loss=tune) for train, tune in losses)
    done = len(losses)
    return FitRecord(
        planned=40, done=done, best=best, ended="planned", precision="bf16", weights=148_211, history=history
    )


def facts() -> RunFacts:
    losses = [(0.7 * 0.93**n + 0.05, 0.7 * 0.94**n + 0.12 + 0.0012 * n) for n in range(1, 41)]
    return RunFacts(
        study_text='[study]\nname = "breast-cytology"\n',
        split_hash="9f2c" * 16,
        versions={"polyclinic": "0.1.0", "torch": "2.13.0", "numpy": "2.3.1"},
        processor="x86-64 with AMX, 2 cores",
        precision="bf16",
        parameters=148_211,
        parts=(PartCount("train", 336, 332), PartCount("tune", 62, 62), PartCount("test", 171, 168)),
        fits=tuple(fit(losses, 30 + n) for n in range(3)),
        notes={"cells": ("9 numeric columns, scaled by quantiles of the training rows.",)},
    )


def drawn(form: str) -> dict[int, Picture]:
    """Records with marks on them: pictures, or texts."""
    text = b'<p class="text">no <mark class="wrong" title="drug (wrong)" style="x">aspirin</mark></p>'
    one = Picture("text/html", text, "note") if form in ("spans", "relations") else Picture("image/png", PNG, "film")
    return {7 + 11 * n: one for n in range(6)}


def make(*forms: str, language: str = "en", **changes: Any) -> Material:
    evidence = {
        "format": 1,
        "confidence": 0.95,
        "resamples": 1000,
        "seed": 1,
        "targets": {form: target(form) for form in forms},
    }
    made = Material(
        study=study(forms, language),
        cohort=CohortDocument.model_validate(COHORT),
        evidence=Evidence.read(evidence),
        predictions=predictions(forms),
        facts=facts(),
        pictures={7: (Picture("image/png", PNG, "row 7"),)},
        marked={form: drawn(form) for form in forms if form in DENSE},
    )
    return replace(made, **changes)


@pytest.fixture
def material() -> Callable[..., Material]:
    """Material for a page about targets of the given forms."""
    return make
