"""What training rows say about one column of the table, and the column in those terms. numpy only, no torch.

Constants come from the rows that are handed in: hand in training rows.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from polyclinic.records.tables.variables import Categories
from polyclinic.study.options import Plan

_MIDDLES = ((0.25, 1.349), (0.05, 3.290))  # tail that is left out; width of the rest in a standard normal distribution
_FAR = 1e150
"""Values and scales beyond which nothing gets farther: the square is still a number."""
_SQUASH = 3.0
"""Source: the same paper as the clipping below."""
_ROUNDING = 1e-12
"""Widths below this share of the largest value are what arithmetic leaves of equal numbers: 1e-16 at every step."""
_FLAT = (-1.0, 0.0, 1.0)
"""Two pieces, the least that the curve of a number can have, where it never varied."""


class NumberPlan(Plan):
    """What training rows say about a column of numbers.

    Attributes:
        name: The column.
        center: Median.
        scale: Robust standard deviation in the column's own unit; 0 where the column never varied.
        edges: Quantiles of the scaled values, ascending, at least three: the edges of the pieces of a curve.
        absent: Whether it was ever missing.
    """

    name: str
    center: float
    scale: float
    edges: tuple[float, ...]
    absent: bool


class CategoryPlan(Plan):
    """What training rows say about a column of categories.

    Attributes:
        name: The column.
        words: Its levels, sorted.
        other: Whether there were rarer ones; together they are one level more, as is any new one later.
        absent: Whether it was ever missing, which is one level more.
    """

    name: str
    words: tuple[str, ...]
    other: bool
    absent: bool

    @property
    def levels(self) -> int:
        """How many levels there are, "other" and "missing" among them."""
        return len(self.words) + self.other + self.absent


def learn_number(name: str, values: Float[np.ndarray, " row"], pieces: int) -> NumberPlan:
    """Center, scale and edges of a column of numbers (NaN = missing), with at most ``pieces`` pieces."""
    known = values[~np.isnan(values)]
    absent = len(known) < len(values)
    center = float(np.median(known)) if len(known) else 0.0
    scale = _spread(known)
    plan = NumberPlan(name=name, center=center, scale=scale, edges=_FLAT, absent=absent)
    if scale == 0:
        return plan
    edges = _apart(np.quantile(scaled(known, plan), np.linspace(0, 1, pieces + 1)))
    if len(edges) == 2:  # yes or no: one piece would do, but the package asks for two
        edges = np.insert(edges, 1, edges.mean())
    return plan.model_copy(update={"edges": tuple(float(edge) for edge in edges)})


def _apart(edges: Float[np.ndarray, " edge"]) -> Float[np.ndarray, " _"]:
    """Of ascending edges those that the network, which counts in single precision, can tell apart; both ends stay."""
    single = edges.astype(np.float32)
    kept = edges[np.append(single[1:] > single[:-1], True)]
    kept[0] = edges[0]
    return np.asarray(kept)


def _spread(known: Float[np.ndarray, " row"]) -> float:
    """Width of the middle half over that of a normal distribution; where it is 0, of nine tenths; then of all."""
    known = np.clip(known, -_FAR, _FAR)
    if len(known) < 2:
        return 0.0
    noise = _ROUNDING * float(np.abs(known).max())
    if known.max() - known.min() <= noise:
        return 0.0
    for tail, normal_width in _MIDDLES:
        low, high = np.quantile(known, [tail, 1 - tail])
        if high - low > noise:
            return float(high - low) / normal_width
    return float(known.std())


def scaled(values: Float[np.ndarray, "*row"], plan: NumberPlan) -> Float[np.ndarray, "*row"]:
    """Distance from the center in scales, bent smoothly so that none lies beyond 3; NaN where missing.

    Source: the smooth clipping of RealMLP, Holzmüller, Grinsztajn & Steinwart, NeurIPS 2024, section 3.
    """
    if plan.scale == 0:
        return np.where(np.isnan(values), np.nan, 0.0)
    with np.errstate(over="ignore"):
        distance = np.clip((values - plan.center) / plan.scale, -_FAR, _FAR)
    bent: Float[np.ndarray, "*row"] = distance / np.sqrt(1 + (distance / _SQUASH) ** 2)
    return bent


def unscaled(bent: Float[np.ndarray, " edge"], plan: NumberPlan) -> Float[np.ndarray, " edge"]:
    """The values that ``scaled`` bends to these: endless where one lay so far out that no digit is left to tell it."""
    left = np.maximum(1 - (bent / _SQUASH) ** 2, 0.0)
    with np.errstate(divide="ignore"):
        distance = bent / np.sqrt(left)
    return np.asarray(plan.center + plan.scale * distance)


def learn_category(name: str, column: Categories, rows: Int[np.ndarray, " row"], rare: int) -> CategoryPlan:
    """Levels of a category that at least ``rare`` of ``rows`` hold, and whether there were others."""
    codes = column.codes[rows]
    times = np.bincount(codes[codes >= 0], minlength=len(column.words))
    words = tuple(word for word, count in zip(column.words, times, strict=True) if count >= rare)
    other = bool(((times > 0) & (times < rare)).any())
    return CategoryPlan(name=name, words=words, other=other, absent=bool((codes < 0).any()))


def coded(column: Categories, plan: CategoryPlan) -> Int[np.ndarray, " row"]:
    """The level of each row, from 0: words, then "other", then "missing"; -1 for a level that training never saw."""
    place = {word: position for position, word in enumerate(plan.words)}
    other = len(plan.words) if plan.other else -1
    absent = len(plan.words) + plan.other if plan.absent else -1
    levels = np.array([place.get(word, other) for word in column.words] + [absent], dtype=np.int64)
    found: Int[np.ndarray, " row"] = levels[column.codes]
    return found


def unseen(column: Categories, plan: CategoryPlan) -> Bool[np.ndarray, " row"]:
    """Where a column holds a word that is none of the plan's levels."""
    known = set(plan.words)
    new = np.array([word not in known for word in column.words] + [False])
    found: Bool[np.ndarray, " row"] = new[column.codes]
    return found
