"""How far boxes overlap, and boxes of several models as one. numpy only."""

import numpy as np
from jaxtyping import Float

_SMALLEST = 1e-6  # keeps a division by no confidence finite


def overlaps(
    one: Float[np.ndarray, "first corner"], other: Float[np.ndarray, "second corner"]
) -> Float[np.ndarray, "first second"]:
    """Intersection over union of every box with every other, for any number of axes; 0 where there is no area."""
    dim = one.shape[1] // 2
    low = np.maximum(one[:, None, :dim], other[None, :, :dim])
    high = np.minimum(one[:, None, dim:], other[None, :, dim:])
    both = np.clip(high - low, 0.0, None).prod(axis=2)
    whole = sizes(one)[:, None] + sizes(other)[None] - both
    return np.asarray(np.divide(both, whole, out=np.zeros_like(both), where=whole > 0))


def sizes(boxes: Float[np.ndarray, "box corner"]) -> Float[np.ndarray, " box"]:
    """Area, or volume; 0 where a corner lies before the other."""
    dim = boxes.shape[1] // 2
    return np.asarray(np.clip(boxes[:, dim:] - boxes[:, :dim], 0.0, None).prod(axis=1))


def fused(parts: list[Float[np.ndarray, "_ entry"]], alike: float = 0.55) -> Float[np.ndarray, "_ entry"]:
    """What several models say about one record, as one: boxes that say the same are averaged.

    Box by box from the best score down, a box joins the first group of its class that its model has not joined and
    whose box it overlaps enough. Corners are averaged by score; the score is that of all models, 0 for one that says
    nothing. Source: Solovyev R, Wang W, Gabruseva T. Weighted boxes fusion. Image Vis Comput 2021;107:104117.

    Args:
        parts: Score, class, corners, for each model.
        alike: Least overlap.
    """
    everything = np.concatenate(parts).astype(np.float64)
    model = np.repeat(np.arange(len(parts)), [len(one) for one in parts])
    order = np.argsort(-everything[:, 0], kind="stable")
    same = (overlaps(everything[:, 2:], everything[:, 2:]) >= alike) & (
        everything[:, None, 1] == everything[None, :, 1]
    )
    group = np.full(len(order), -1)
    leaders, joined = list[int](), list[set[int]]()
    for box in order:
        free = [k for k, leader in enumerate(leaders) if same[leader, box] and model[box] not in joined[k]]
        group[box] = free[0] if free else len(leaders)
        if not free:
            leaders.append(box)
            joined.append(set())
        joined[group[box]].add(model[box])
    merged = [_merged(everything[group == k], len(parts)) for k in range(len(leaders))]
    whole = np.array(merged).reshape(len(merged), everything.shape[1])
    return whole[np.argsort(-whole[:, 0], kind="stable")]


def _merged(boxes: Float[np.ndarray, "box entry"], models: int) -> Float[np.ndarray, " entry"]:
    share = boxes[:, 0] / max(boxes[:, 0].sum(), _SMALLEST)
    return np.array([boxes[:, 0].sum() / models, boxes[0, 1], *(share @ boxes[:, 2:])])
