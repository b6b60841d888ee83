"""What is done about a rare outcome: weights in the loss, or rows drawn more or less often."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from polyclinic.cohort.rows import Rows, TrainRows
from polyclinic.errors import Finding, Severity
from polyclinic.heads.base import Head, Question
from polyclinic.training.ready import Ready
from polyclinic.training.recipe import Imbalance


@dataclass(frozen=True)
class Weights:
    """How much each row counts in the loss.

    Attributes:
        rows: Size of the cohort.
        by_target: Weight of every row of the cohort, by the user's target names; absent = all count the same.
    """

    by_target: Mapping[str, Float[np.ndarray, " sample"]]

    def of(self, target: str, index: Int[np.ndarray, " batch"]) -> Float[np.ndarray, " batch"] | None:
        """Weights of some rows, or None where all count the same."""
        weights = self.by_target.get(target)
        return None if weights is None else weights[index]


def weigh(ready: Ready, rows: Rows, imbalance: Imbalance) -> Weights:
    """Weights that balance the outcome among ``rows``, if the study asks for weights."""
    return _balance(ready, rows) if imbalance == "weight" else Weights({})


def weigh_judged(ready: Ready, rows: Rows, imbalance: Imbalance) -> Weights:
    """Weights for the tune loss: balanced whenever training is, else early stopping would pull the other way."""
    return Weights({}) if imbalance == "none" else _balance(ready, rows)


def draw(ready: Ready, rows: TrainRows, imbalance: Imbalance, rng: np.random.Generator) -> Int[np.ndarray, " drawn"]:
    """The rows of one epoch, in no particular order: each once, or rare ones several times, or common ones seldom.

    Where a row should come 2.3 times it comes twice, and with chance 0.3 a third time. With several targets the
    weights of a row are averaged over those that have a balance.
    """
    if imbalance not in ("oversample", "undersample"):
        return rows.index
    weights = _joint(ready, rows)
    if weights is None:
        return rows.index
    times = weights / (weights[weights > 0].min() if imbalance == "oversample" else weights.max())
    whole = np.floor(times)
    count = whole + (rng.random(len(times)) < times - whole)
    return np.repeat(rows.index, count.astype(np.int64))


def check_imbalance(ready: Ready, rows: TrainRows, imbalance: Imbalance) -> list[Finding]:
    """A note when the study asks for balance and no target has one: the request would do nothing."""
    if imbalance == "none" or _joint(ready, rows) is not None:
        return []
    return [
        Finding(
            name="nothing_to_balance",
            place="study.toml [training] imbalance",
            rule=f'"{imbalance}" needs a target with classes or labels',
            found="no target of this study has any",
            remedy='Nothing was balanced. Set imbalance = "none".',
            severity=Severity.WARNING,
        )
    ]


def _balance(ready: Ready, rows: Rows) -> Weights:
    found = {name: (_weights(q, rows), len(q.outcomes.known)) for name, q in ready.questions.items()}
    return Weights({name: _spread(w, rows, size) for name, (w, size) in found.items() if w is not None})


def _weights(question: Question[Head], rows: Rows) -> Float[np.ndarray, " row"] | None:
    # The weights of tune rows come from tune rows: nothing is learned from them, so the type is only lent.
    return question.outcomes.balance(rows if isinstance(rows, TrainRows) else TrainRows(rows.index))


def _spread(weights: Float[np.ndarray, " row"], rows: Rows, size: int) -> Float[np.ndarray, " sample"]:
    spread = np.zeros(size, dtype=np.float32)
    spread[rows.index] = weights
    return spread


def _joint(ready: Ready, rows: TrainRows) -> Float[np.ndarray, " row"] | None:
    found = [_weights(question, rows) for question in ready.questions.values()]
    given = [weights for weights in found if weights is not None]
    return np.mean(given, axis=0) if given else None
