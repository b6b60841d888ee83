"""Whether a model is better than others, not worse, worse, or not to be told apart from them; and the sentence for it.

*Cannot be told apart* is not *as good*: an interval that includes 0 may still allow a large loss. That a model is as
good for the purpose is only shown where its whole interval is better than a margin that was set beforehand.
Source: Altman DG, Bland JM. BMJ 1995;311:485; Piaggio G and others. JAMA 2012;308:2594-2604.

Ours is held against every plain model and the least favourable comparison is told. To be *better* or *not worse* it
must be so in each comparison at the full confidence, so no correction for their number is needed: whoever claims all
of several things errs at most as often as with the one that is not so.
Source: Berger RL. Technometrics 1982;24:295-300 (intersection-union tests).
*Worse than at least one* is the other way round and is said more often by chance, the more there are; it is not
corrected, because the error is at our own expense.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.records import Estimate, HeldAgainst, Outcome
from polyclinic.translations.phrase import Phrase, sentences

_SHORT = {"auroc", "auprc", "rmse", "mae", "r2", "f1", "ppv", "npv", "auc"}
_FROM_WORST_TO_BEST = list(Outcome)


def hold_against(
    metric: Metric, ours: Estimate, model: str, theirs: Estimate, gap: Estimate, margin: float | None
) -> HeldAgainst:
    """What the difference of two models amounts to.

    A difference that is all on the other side, and yet within the margin, is *worse*: the less flattering word.

    Args:
        metric: That which decides.
        ours: Our figure.
        model: The other model.
        theirs: Its figure.
        gap: Ours minus theirs.
        margin: By how much ours may be worse and still be called not worse, or None.
    """
    undecided = HeldAgainst(Outcome.UNDECIDED, model, metric.name, metric.better, ours, theirs, gap, margin)
    return replace(undecided, outcome=_outcome(undecided))


def least_favourable(comparisons: Sequence[HeldAgainst]) -> HeldAgainst | None:
    """Of several comparisons the one that says least for ours: by outcome, then by how much worse ours may be."""
    if not comparisons:
        return None
    return replace(min(comparisons, key=_favour), among=len(comparisons))


@dataclass(frozen=True)
class Wording:
    """What the reader of a sentence calls models and metrics, and how numbers are written.

    Attributes:
        ours: Our model, at the start of a sentence.
        model: From the name of another model to what it is called.
        metric: From the name of a metric to what it is called.
        number: Writes a value of a metric.
        difference: Writes a difference with its interval.
    """

    ours: str
    model: Callable[[str], str]
    metric: Callable[[str], str]
    number: Callable[[float | None, str], str]
    difference: Callable[[Estimate, str], str]


def in_english(ours: str) -> Wording:
    """How evidence is worded: models by their own names, every number with three decimals."""
    return Wording(ours, str, title, _three_decimals, _with_interval)


def sentence(held: HeldAgainst, wording: Wording) -> str:
    """What was found, with its figures; and where it is not clear who is ahead, what the interval leaves open."""
    parts = {
        "model": wording.ours,
        "plain": wording.model(held.model),
        "metric": wording.metric(held.metric),
        "ours": wording.number(held.ours.value, held.metric),
        "theirs": wording.number(held.theirs.value, held.metric),
        "difference": wording.difference(held.difference, held.metric),
        "margin": wording.number(held.margin, held.metric),
        "loss": wording.number(held.possible_loss, held.metric),
        "among": held.among,
    }
    return sentences(_found(held, parts), _left_open(held, parts))


def title(metric: str) -> str:
    """A metric's name for a sentence: AUROC, concordance index."""
    return " ".join(word.upper() if word in _SHORT else word for word in metric.split("_"))


def _outcome(held: HeldAgainst) -> Outcome:
    low, high = held.lead.low, held.lead.high
    if low is None or high is None or held.better not in (Better.HIGHER, Better.LOWER):
        return Outcome.NOT_COMPARED
    if low > 0:
        return Outcome.BETTER
    if high < 0:
        return Outcome.WORSE
    return Outcome.NOT_WORSE if held.margin is not None and low > -held.margin else Outcome.UNDECIDED


def _favour(held: HeldAgainst) -> tuple[int, float]:
    least = held.lead.value if held.lead.low is None else held.lead.low
    return _FROM_WORST_TO_BEST.index(held.outcome), -np.inf if least is None else least


def _found(held: HeldAgainst, parts: Mapping[str, Any]) -> Phrase:
    if held.outcome is Outcome.BETTER and held.among > 1:
        return Phrase(
            "{model} is better than each of {among} plain models. Nearest comes {plain}: {metric} {ours} against "
            "{theirs}, difference {difference}.",
            **parts,
        )
    if held.outcome is Outcome.BETTER:
        return Phrase(
            "{model} is better than {plain}: {metric} {ours} against {theirs}, difference {difference}.", **parts
        )
    if held.outcome is Outcome.WORSE:
        return Phrase(
            "{model} is worse than {plain}: {metric} {ours} against {theirs}, difference {difference}.", **parts
        )
    if held.outcome is Outcome.NOT_WORSE:
        return Phrase(
            "{model} is not worse than {plain} by more than the margin of {margin}: {metric} {ours} against {theirs}, "
            "difference {difference}.",
            **parts,
        )
    if held.outcome is Outcome.UNDECIDED:
        return Phrase(
            "{model} and {plain} cannot be told apart: {metric} {ours} against {theirs}, difference {difference}.",
            **parts,
        )
    return _not_compared(held, parts)


def _not_compared(held: HeldAgainst, parts: Mapping[str, Any]) -> Phrase:
    if held.difference.value is None or held.better not in (Better.HIGHER, Better.LOWER):
        return Phrase("{model} and {plain} cannot be compared by {metric}, so neither can be called better.", **parts)
    return Phrase(
        "{model} and {plain}: {metric} {ours} against {theirs}, difference {difference}. Without an interval nobody "
        "can say whether it is real.",
        **parts,
    )


def _left_open(held: HeldAgainst, parts: Mapping[str, Any]) -> str:
    """What nobody should read into the finding: that nothing was found does not mean that nothing is there."""
    if held.outcome is Outcome.UNDECIDED and held.margin is None:
        return Phrase(
            "It may still be worse by up to {loss}. Whether it is as good was not asked: the study states no margin.",
            **parts,
        )
    if held.outcome is Outcome.UNDECIDED:
        return Phrase("It may still be worse by up to {loss}, more than the margin of {margin} allows.", **parts)
    if held.outcome is Outcome.WORSE and held.margin is not None:
        if (held.possible_loss or 0.0) < held.margin:
            return Phrase("The whole interval lies within the margin of {margin}, though.", **parts)
        return Phrase("It may be worse by more than the margin of {margin}.", **parts)
    return ""


def _three_decimals(value: float | None, metric: str) -> str:
    return "" if value is None else f"{value:.3f}"


def _with_interval(difference: Estimate, metric: str) -> str:
    if difference.value is None or difference.low is None or difference.high is None:
        return "" if difference.value is None else f"{difference.value:+.3f}"
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
