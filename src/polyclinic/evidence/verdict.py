"""Which model wins, and whether the difference is real: one sentence."""

from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.records import Estimate

_SHORT = {"auroc", "auprc", "rmse", "mae", "r2", "f1", "ppv", "npv", "auc"}


def verdict(metric: Metric, model: str, ours: Estimate, baseline: str, theirs: Estimate, gap: Estimate) -> str:
    """One sentence: the model wins, the plain model wins, or they cannot be told apart."""
    name = title(metric.name)
    if gap.value is None:
        return f"{name} could not be computed for both {model} and {baseline}, so neither can be called better."
    figures = f"{name} {ours.value:.3f} against {theirs.value:.3f}, difference {gap.value:+.3f}"
    if gap.low is None or gap.high is None:
        return f"{figures} between {model} and {baseline}; without an interval nobody can say whether it is real."
    interval = f"interval {gap.low:+.3f} to {gap.high:+.3f}"
    if gap.low <= 0 <= gap.high:
        return f"{model} and {baseline} cannot be told apart: {figures}, {interval} includes 0."
    ahead = (gap.value > 0) == (metric.better is Better.HIGHER)
    winner, loser = (model, baseline) if ahead else (baseline, model)
    return f"{winner} is better than {loser}: {figures}, {interval} excludes 0."


def title(metric: str) -> str:
    """A metric's name for a sentence: AUROC, concordance index."""
    return " ".join(word.upper() if word in _SHORT else word for word in metric.split("_"))
