"""Whether enough happened among the tune rows to learn from them what is learned there."""

from collections.abc import Iterator, Mapping

import numpy as np

from polyclinic.cohort.rows import Fold, Split
from polyclinic.errors import Finding, Severity
from polyclinic.heads.base import Head, Question, Target

_FEWEST = 10
"""Events that each constant learned from data needs. Source: Peduzzi P and others. J Clin Epidemiol 1996;49:1373-1379.
A correction has two constants, and a threshold and a moment to stop are chosen beside, so ten are the least."""
_REMEDY = (
    "When training stops, the threshold and the correction of probabilities hang on them. Set ensemble under [model] "
    "to several members, which have different tune rows; or a larger tune, or folds, under [split]; or cross_fit "
    "under [training]."
)
_NAMED = 5  # labels that a line can hold; a round number


def few_tune_events(questions: Mapping[str, Question[Head]], split: Split) -> Iterator[Finding]:
    """A warning for each question with few events, or few of a rarer class, among the tune rows of a fold.

    The tune rows of all members of a fold count together: correction and threshold are learned from all of them.
    """
    for name, question in questions.items():
        counts = [_counted(question.outcomes, fold) for fold in split.folds]
        least = {what: min(one[what] for one in counts) for what in counts[0]} if counts else {}
        few = {what: n for what, n in least.items() if n < _FEWEST}
        if few:
            listed = ", ".join(f"{n} {what}" for what, n in list(few.items())[:_NAMED])
            more = f" and {len(few) - _NAMED} more" if len(few) > _NAMED else ""
            yield Finding(
                "few_tune_events",
                f"[targets.{name}]",
                f"there should be {_FEWEST} events, and as many without, among the tune rows of every fold",
                f"the fold with fewest has {listed}{more}",
                _REMEDY,
                Severity.WARNING,
            )


def _counted(target: Target, fold: Fold) -> Mapping[str, int]:
    rows = np.unique(np.concatenate([inner.tune.index for inner in fold.chosen_on]))
    return target.rarest(rows) if len(rows) else {}
