"""Drawing patients: balanced by outcome, from a seed, the same on every machine."""

import numpy as np
from jaxtyping import Bool, Int


def deal(group: Int[np.ndarray, " patient"], folds: int, rng: np.random.Generator) -> Int[np.ndarray, " patient"]:
    """Fold of each patient: every group is spread over the folds as evenly as it goes, and so is the whole."""
    order = _grouped(group, rng)
    fold = np.empty(len(group), dtype=np.int64)
    fold[order] = np.arange(len(group)) % folds
    return rng.permutation(folds)[fold]


def draw(group: Int[np.ndarray, " patient"], share: float, rng: np.random.Generator) -> Bool[np.ndarray, " patient"]:
    """A share of the patients, about the same of every group; at least one patient, and not all.

    Patients are taken at equal steps from a list ordered by group and shuffled within, so that each group gives its
    share up or down to the next whole number, and so does the whole.
    """
    order = _grouped(group, rng)
    steps = np.floor(np.arange(len(order) + 1) * share + rng.random())
    taken = np.zeros(len(order), dtype=bool)
    taken[order] = np.diff(steps) > 0
    if not taken.any():
        taken[order[rng.integers(len(order))]] = True
    if taken.all():
        taken[order[rng.integers(len(order))]] = False
    return taken


def both_sides(
    taken: Bool[np.ndarray, " patient"], group: Int[np.ndarray, " patient"], rng: np.random.Generator
) -> Bool[np.ndarray, " patient"]:
    """The same draw with every known group of two or more on both sides: one patient moves where it was not so."""
    moved = taken.copy()
    for word in np.unique(group[group >= 0]):
        members = np.flatnonzero(group == word)
        one_side = moved[members].all() or not moved[members].any()
        if len(members) > 1 and one_side:
            chosen = members[rng.integers(len(members))]
            moved[chosen] = not moved[chosen]
    return moved


def windows(
    group: Int[np.ndarray, " patient"], share: float, members: int, rng: np.random.Generator
) -> Bool[np.ndarray, "member patient"]:
    """Which patients are the tune part of each member: ``share`` of them, another part for every member.

    Patients stand in a ring in which the groups are mixed evenly; each member takes a stretch of it, and the stretches
    start at equal distances. So they differ, and cover everybody as soon as members * share is 1 or more. At least
    one patient of every known group is left for training.
    """
    ring = _mixed(group, rng)
    length = min(max(1, round(share * len(ring))), len(ring) - 1)
    inside = np.zeros((members, len(ring)), dtype=bool)
    for member in range(members):
        start = member * len(ring) // members
        inside[member, ring[(start + np.arange(length)) % len(ring)]] = True
        _leave_one(inside[member], group)
    return inside


def _grouped(group: Int[np.ndarray, " patient"], rng: np.random.Generator) -> Int[np.ndarray, " patient"]:
    """Patients ordered by group, shuffled within each."""
    shuffled = rng.permutation(len(group))
    return shuffled[np.argsort(group[shuffled], kind="stable")]


def _mixed(group: Int[np.ndarray, " patient"], rng: np.random.Generator) -> Int[np.ndarray, " patient"]:
    """Patients in an order in which every stretch holds the groups in about their shares of the whole."""
    order = _grouped(group, rng)
    _, start, size = np.unique(group[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(start, size)
    offset = np.repeat(rng.random(len(size)), size)
    return order[np.argsort((rank + offset) / np.repeat(size, size), kind="stable")]


def _leave_one(inside: Bool[np.ndarray, " patient"], group: Int[np.ndarray, " patient"]) -> None:
    """Take the first patient of a known group out of the tune part where it holds the whole group."""
    size, taken = np.bincount(group[group >= 0]), np.bincount(group[inside & (group >= 0)])
    for word in np.flatnonzero((taken > 0) & (taken == size[: len(taken)])):
        inside[np.flatnonzero(group == word)[0]] = False
