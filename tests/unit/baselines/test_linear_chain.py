import itertools

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import approx_fprime

from polyclinic.baselines import linear_chain as lc
from polyclinic.decoding.chain import Chain, likeliest

LENGTHS = np.array([3, 1, 4])
TAGS = 3


def case(seed: int = 0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(LENGTHS.sum(), TAGS)), rng.normal(size=(TAGS, TAGS))


def test_chances_and_total_are_those_of_all_sequences_written_out():
    scores, follows = case()
    walk = lc._Walk.of(LENGTHS)
    passed = lc._pass(scores[walk.order], follows, walk)
    chances, pairs, total = np.zeros_like(scores), np.zeros((TAGS, TAGS)), 0.0
    for start, length in zip(np.cumsum(LENGTHS) - LENGTHS, LENGTHS, strict=True):
        paths = list(itertools.product(range(TAGS), repeat=int(length)))
        worth = np.array([
            sum(scores[start + i, tag] for i, tag in enumerate(path))
            + sum(follows[a, b] for a, b in itertools.pairwise(path))
            for path in paths
        ])  # fmt: skip
        total += np.log(np.exp(worth).sum())
        for path, chance in zip(paths, np.exp(worth) / np.exp(worth).sum(), strict=True):
            chances[start + np.arange(length), path] += chance
            for a, b in itertools.pairwise(path):
                pairs[a, b] += chance
    np.testing.assert_allclose(passed.chances, chances[walk.order])
    np.testing.assert_allclose(passed.pairs, pairs)
    assert passed.log_total == pytest.approx(total)


def test_as_the_reader_of_one_text_has_it():
    scores, follows = case(1)
    walk = lc._Walk.of(LENGTHS)
    found = np.empty_like(scores)
    found[walk.order] = lc._pass(scores[walk.order], follows, walk).chances
    np.testing.assert_allclose(found[4:], Chain.of(scores[4:], follows).chances())


def test_the_slope_is_that_of_the_loss():
    scores, follows = case(2)
    walk = lc._Walk.of(LENGTHS)
    tags = np.random.default_rng(0).integers(0, TAGS, LENGTHS.sum())
    seen = lc._transitions(tags[walk.order], walk, TAGS)
    goal = np.eye(TAGS)[tags][walk.order]

    def loss(flat):
        onward = flat.reshape(TAGS, TAGS)
        passed = lc._pass(scores[walk.order], onward, walk)
        return passed.log_total - (scores[walk.order] * goal).sum() - (onward * seen).sum()

    slope = lc._pass(scores[walk.order], follows, walk).pairs - seen
    np.testing.assert_allclose(approx_fprime(follows.ravel(), loss), slope.ravel(), atol=1e-5)


def test_a_pattern_is_learned():
    """Tag 1 follows mark 0, tag 2 always follows tag 1 although no mark tells it."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(2, 9, 60)
    marks, tags = np.zeros((lengths.sum(), 2)), np.zeros(lengths.sum(), dtype=np.int64)
    for start, length in zip(np.cumsum(lengths) - lengths, lengths, strict=True):
        place = start + rng.integers(0, length - 1)
        marks[place, 0], tags[place], tags[place + 1] = 1, 1, 2
    marks[:, 1] = 1
    chain = lc.fit_chain(sparse.csr_array(marks), lengths, tags, TAGS)
    emission = marks[: lengths[0]] @ chain.weights
    np.testing.assert_array_equal(likeliest(emission, chain.follows), tags[: lengths[0]])
    again = lc.fit_chain(sparse.csr_array(marks), lengths, tags, TAGS)
    np.testing.assert_array_equal(chain.weights, again.weights)
