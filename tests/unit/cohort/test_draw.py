import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.cohort.draw import both_sides, deal, draw, windows

GROUPS = st.lists(st.integers(-1, 4), min_size=4, max_size=80).map(lambda g: np.array(g, dtype=np.int64))


@settings(deadline=None)
@given(GROUPS, st.integers(0, 99))
def test_folds_are_even_within_each_group(group: np.ndarray, seed: int) -> None:
    fold = deal(group, 3, np.random.default_rng(seed))
    for word in np.unique(group):
        sizes = np.bincount(fold[group == word], minlength=3)
        assert sizes.max() - sizes.min() <= 1
    sizes = np.bincount(fold, minlength=3)
    assert sizes.max() - sizes.min() <= 1


@settings(deadline=None)
@given(GROUPS, st.floats(0.05, 0.9), st.integers(0, 99))
def test_a_share_is_the_share_of_each_group(group: np.ndarray, share: float, seed: int) -> None:
    taken = draw(group, share, np.random.default_rng(seed))
    assert taken.any()
    assert not taken.all()
    assert abs(taken.sum() - share * len(group)) <= 1
    for word in np.unique(group):
        assert abs(taken[group == word].sum() - share * (group == word).sum()) <= 2


@settings(deadline=None)
@given(GROUPS, st.integers(0, 99))
def test_known_groups_come_on_both_sides(group: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    taken = both_sides(draw(group, 0.2, rng), group, rng)
    for word in np.unique(group[group >= 0]):
        if (group == word).sum() > 1:
            assert 0 < taken[group == word].sum() < (group == word).sum()


@settings(deadline=None)
@given(GROUPS, st.integers(0, 99))
def test_one_patient_of_each_group_is_left_to_learn_from(group: np.ndarray, seed: int) -> None:
    for inside in windows(group, 0.5, 3, np.random.default_rng(seed)):
        for word in np.unique(group[group >= 0]):
            assert not inside[group == word].all()


@pytest.mark.parametrize("members", [1, 2, 7, 10, 20])
def test_members_have_tune_parts_of_their_own_that_cover_everybody(members: int) -> None:
    group = np.repeat([0, 1], [160, 40])
    inside = windows(group, 0.15, members, np.random.default_rng(1))
    assert (inside.sum(axis=1) == 30).all()
    assert len({tuple(row) for row in inside}) == members
    assert (abs(inside[:, group == 1].sum(axis=1) - 6) <= 1).all()
    if members * 0.15 >= 1:
        assert inside.any(axis=0).all()
