"""One set of spans from those of several models. numpy only."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

_SURE = 0.4
"""A span that half of the models or fewer found is kept if their mean chance reaches this.

Deciding for F1 is best near half of the F1 that can be reached. Source: Lipton ZC, Elkan C, Narayanaswamy B. ECML PKDD
2014, theorem 1."""


def together(answers: Sequence[Float[np.ndarray, "_ 5"]]) -> Float[np.ndarray, "span 5"]:
    """Spans that more than half of the models found, or that the others are sure of; sorted by place.

    The confidence is the mean over all models, 0 for those that did not find it. Of spans that share signs, where no
    model itself gave such, the surer one is kept.

    Args:
        answers: Start, end, label, confidence, assertion, one array for each model.
    """
    votes: dict[tuple[float, float, float], list[tuple[float, float]]] = {}
    for answer in answers:
        for start, end, label, sure, assertion in answer.tolist():
            votes.setdefault((start, end, label), []).append((sure, assertion))
    ordered = [spans[np.lexsort((spans[:, 1], spans[:, 0]))] for spans in answers]
    nested = any(bool((spans[:-1, 1] > spans[1:, 0]).any()) for spans in ordered)
    kept: list[tuple[float, ...]] = []
    for sure, span, assertion in sorted(_scored(votes, len(answers)), key=lambda entry: (-entry[0], entry[1])):
        if nested or not any(span[0] < other[1] and other[0] < span[1] for other in kept):
            kept.append((*span, sure, assertion))
    return np.array(sorted(kept), dtype=np.float64).reshape(-1, 5)


def _scored(
    votes: dict[tuple[float, float, float], list[tuple[float, float]]], models: int
) -> list[tuple[float, tuple[float, float, float], float]]:
    """Mean confidence, span, and what most models say of it."""
    entries = []
    for span, given in votes.items():
        sure = sum(one for one, _ in given) / models
        if 2 * len(given) > models or sure >= _SURE:
            assertion = [value for _, value in given]
            entries.append((sure, span, max(sorted(set(assertion)), key=assertion.count)))
    return entries
