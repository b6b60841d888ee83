"""The plain model of relations: the words between, before and after two stretches, counted, and logistic regression."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from polyclinic.baselines.questions.base import Answers, DenseSort, PlainDense, PlainQuestion
from polyclinic.heads.base import Dense
from polyclinic.layers.text.relation_scorer import PairScores

_BESIDE = 6
"""Words before and after the pair that are looked at by themselves."""
_RUNS = ((1, 3), (1, 3), (1, 3), (1, 2))
"""Shortest and longest run of words that is counted: between, before, after, in the whole text."""
_MOST = 40_000  # runs of words: bounds memory; a round number
_INVERSE_PENALTIES = (3.0, 30.0)  # a factor of ten apart
_NEVER = -20.0  # log chance of what the training rows lack: finite, and never chosen
_STEPS = 300  # of the optimiser at most; a round number

Pair = Int[np.ndarray, "4"]
Fields = tuple[str, str, str, str]


def fields_of(tokens: Sequence[str], pair: Pair) -> Fields:
    """The words between the two stretches, before the first, after the second, and all of them.

    Words between are marked if the tail comes first, so that the direction is seen.
    """
    small = [token.lower() for token in tokens]
    (first, ending), (second, last) = sorted([(int(pair[0]), int(pair[1])), (int(pair[2]), int(pair[3]))])
    between = small[ending:second] if pair[0] <= pair[2] else [f"<{word}" for word in small[ending:second]]
    before, after = small[max(0, first - _BESIDE) : first], small[max(ending, last) : max(ending, last) + _BESIDE]
    return " ".join(between), " ".join(before), " ".join(after), " ".join(small)


def columns_of(pairs: Int[np.ndarray, "pair 4"]) -> Float[np.ndarray, "pair 3"]:
    """How far apart, which comes first, whether they touch."""
    apart = np.maximum(0, np.maximum(pairs[:, 0], pairs[:, 2]) - np.minimum(pairs[:, 1], pairs[:, 3]))
    return np.column_stack([np.log1p(apart), pairs[:, 0] <= pairs[:, 2], apart == 0]).astype(np.float64)


@final
class PlainRelate(PlainDense):
    """Plain models of kind "relate"."""

    def sorts(self, head: Dense) -> tuple[DenseSort, ...]:
        """None where stretches must be found first: with the true ones a plain model would have an unfair start."""
        return () if head.finder is not None else (DenseSort("TF-IDF + logistic regression", _fit),)


def _fit(question: PlainQuestion) -> Answers | None:
    fields, pairs, truth = _examples(question, question.rows.train.index)
    if len(np.unique(truth)) < 2:
        return None
    used = [k for k in range(len(_RUNS)) if any(one[k] for one in fields)]
    # Words are what the text input's tokens are.
    settings = {"token_pattern": r"\S+", "sublinear_tf": True, "max_features": _MOST}
    counters = [TfidfVectorizer(ngram_range=_RUNS[k], **settings).fit([one[k] for one in fields]) for k in used]
    types = len(question.head.plan.types)

    def matrix(fields: Sequence[Fields], pairs: Int[np.ndarray, "pair 4"]) -> sparse.csr_array:
        counted = [counter.transform([one[k] for one in fields]) for k, counter in zip(used, counters, strict=True)]
        return sparse.csr_array(sparse.hstack([*counted, sparse.csr_array(columns_of(pairs))], format="csr"))

    model = _choose(matrix(fields, pairs), truth, question, matrix, types)

    def answer(row: int) -> PairScores:
        tokens, here = question.values(row), question.truth.pairs[row]
        scores = np.zeros((0, types))
        if len(here):
            scores = _scores(model, matrix([fields_of(tokens, pair) for pair in here], here), types)
        return PairScores(question.truth.where[row], scores)

    return answer


def _examples(
    question: PlainQuestion, index: Int[np.ndarray, " row"]
) -> tuple[list[Fields], Int[np.ndarray, "pair 4"], Int[np.ndarray, " pair"]]:
    """The pairs of some rows whose type is known."""
    fields, pairs, truth = [], [np.zeros((0, 4), np.int64)], [np.zeros(0, np.int64)]
    for row in index.tolist():
        known = question.truth.truth[row] >= 0
        tokens, here = question.values(row), question.truth.pairs[row][known]
        fields += [fields_of(tokens, pair) for pair in here]
        pairs.append(here)
        truth.append(question.truth.truth[row][known])
    return fields, np.concatenate(pairs), np.concatenate(truth)


def _choose(
    columns: sparse.csr_array, truth: Int[np.ndarray, " pair"], question: PlainQuestion, matrix: Any, types: int
) -> Any:
    """The penalty that gives the smaller log loss on tune rows; the weaker one where there are none."""
    fields, pairs, wanted = _examples(question, question.rows.tune.index)
    models = [LogisticRegression(C=c, max_iter=_STEPS).fit(columns, truth) for c in _INVERSE_PENALTIES]
    if not len(wanted):
        return models[-1]
    judged = matrix(fields, pairs)
    losses = [-_scores(model, judged, types)[np.arange(len(wanted)), wanted].mean() for model in models]
    return models[int(np.argmin(losses))]


def _scores(model: Any, columns: sparse.csr_array, types: int) -> Float[np.ndarray, "pair type"]:
    """Logarithm of the chance of each type; a type that the training rows lack hardly ever comes."""
    scores = np.full((columns.shape[0], types), _NEVER)
    scores[:, model.classes_] = np.maximum(model.predict_log_proba(columns), _NEVER)
    return scores
