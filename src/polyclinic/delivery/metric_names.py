"""What each metric is called and what it says, in a clinician's words."""

from typing import Literal

from polyclinic.delivery.metric_name import MetricName
from polyclinic.delivery.metric_names_dense import DENSE
from polyclinic.evidence.forms.base import described_metrics
from polyclinic.evidence.metric import Better, Metric

_OURS: dict[str, MetricName] = DENSE | {
    "auroc": MetricName("AUROC", "chance that a patient with the outcome is ranked above one without; 0.5 is a coin"),
    "auprc": MetricName("AUPRC", "precision averaged over all sensitivities; the prevalence is what chance would give"),
    "brier_score": MetricName("Brier score", "mean squared error of the probability; lower is better", -1, 0.0),
    "log_loss": MetricName("Log loss", "penalty for confident mistakes; lower is better", -1, 0.0, "plain"),
    "accuracy": MetricName("Accuracy", "share of right answers"),
    "accuracy_at_half": MetricName("Accuracy at 0.5", "share of right answers when 0.5 is the threshold"),
    "balanced_accuracy": MetricName("Balanced accuracy", "mean of the shares right in each class"),
    "sensitivity": MetricName("Sensitivity", "share of those with the outcome that are found"),
    "specificity": MetricName("Specificity", "share of those without the outcome that are cleared"),
    "ppv": MetricName("PPV", "share of the flagged that have the outcome (positive predictive value)"),
    "npv": MetricName("NPV", "share of the cleared that do not have the outcome (negative predictive value)"),
    "f1": MetricName("F1", "harmonic mean of sensitivity and PPV"),
    "calibration_slope": MetricName(
        "Calibration slope", "1 is ideal; below 1 the predictions are too extreme", 0, 1.0, "plain"
    ),
    "calibration_intercept": MetricName(
        "Calibration intercept", "0 is ideal; above 0 the predictions are too low on the whole", 0, 0.0, "plain"
    ),
    "expected_calibration_error": MetricName(
        "Expected calibration error", "mean gap between predicted and observed share; lower is better", -1, 0.0
    ),
    "macro_auroc": MetricName("Macro AUROC", "AUROC of each class, averaged"),
    "macro_auprc": MetricName("Macro AUPRC", "AUPRC of each class, averaged"),
    "macro_f1": MetricName("Macro F1", "F1 of each class, averaged"),
    "macro_sensitivity": MetricName("Macro sensitivity", "sensitivity of each class, averaged"),
    "macro_specificity": MetricName("Macro specificity", "specificity of each class, averaged"),
    "macro_brier_score": MetricName(
        "Macro Brier score", "Brier score of each label, averaged; lower is better", -1, 0.0
    ),
    "micro_auroc": MetricName("Micro AUROC", "AUROC over all labels pooled"),
    "rmse": MetricName(
        "RMSE", "typical size of the error, large errors counting more; lower is better", -1, 0.0, "unit"
    ),
    "mae": MetricName("MAE", "mean size of the error; lower is better", -1, 0.0, "unit"),
    "r2": MetricName("R²", "share of the variance that is explained"),
    "spearman": MetricName("Spearman", "rank correlation of predicted and measured"),
    "concordance_index": MetricName(
        "Concordance (Harrell)",
        "chance that of two patients the one with the earlier event had the higher risk; 0.5 is a coin",
    ),
    "uno_concordance": MetricName("Concordance (Uno)", "the same, corrected for censoring"),
    "integrated_brier_score": MetricName(
        "Integrated Brier score",
        "error of the survival curve averaged over follow-up; lower is better, 0.25 is a coin",
        -1,
        0.0,
    ),
    "mean_auc": MetricName("Mean time-dependent AUC", "AUROC for an event by a given time, averaged over follow-up"),
}


def _of(metric: Metric) -> MetricName:
    better: dict[Better, tuple[Literal[-1, 0, 1], float]] = {
        Better.HIGHER: (1, 1.0),
        Better.LOWER: (-1, 0.0),
        Better.ONE: (0, 1.0),
        Better.ZERO: (0, 0.0),
    }
    return MetricName(metric.title, metric.about, *better[metric.better], metric.scale)


METRICS: dict[str, MetricName] = {metric.name: _of(metric) for metric in described_metrics()} | _OURS
"""By name: those that say themselves what they are called, as metrics of installed packages do, and ours."""
