from itertools import pairwise, product

import numpy as np
import pytest
import torch

from polyclinic.decoding.chain import Chain, likeliest
from polyclinic.layers.text import crf

TAGS, TOKENS = 3, 4


def potentials(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(TOKENS, TAGS)), rng.normal(size=(TAGS, TAGS))


def score(emission, transition, tags) -> float:
    own = sum(emission[k, tag] for k, tag in enumerate(tags))
    return own + sum(transition[a, b] for a, b in pairwise(tags))


def every(emission, transition) -> dict[tuple[int, ...], float]:
    """The chance of every sequence, by counting them all."""
    scores = {tags: score(emission, transition, tags) for tags in product(range(TAGS), repeat=len(emission))}
    total = np.logaddexp.reduce(list(scores.values()))
    return {tags: float(np.exp(value - total)) for tags, value in scores.items()}


def batch(*arrays):
    return tuple(torch.tensor(np.stack(array), dtype=torch.float32) for array in arrays)


@pytest.mark.parametrize("seed", range(4))
def test_likelihood_is_that_of_counting_all_sequences(seed):
    emission, transition = potentials(seed)
    tags = (2, 0, 1, 1)
    e, t = batch([emission], [transition])
    mask = torch.ones(1, TOKENS, dtype=torch.bool)
    found = crf.log_likelihood(e, t, torch.tensor([tags]), mask)
    assert found.item() == pytest.approx(np.log(every(emission, transition)[tags]), abs=1e-4)


def test_padding_does_not_count_and_an_empty_sequence_is_certain():
    emission, transition = potentials()
    e, t = batch([emission] * 3, [transition] * 3)
    mask = torch.tensor([[True] * 4, [True, True, False, False], [False] * 4])
    tags = torch.tensor([[2, 0, 1, 1], [2, 0, 2, 2], [1, 1, 1, 1]])
    found = crf.log_likelihood(e, t, tags, mask)
    short = every(emission[:2], transition)[2, 0]
    assert found[1].item() == pytest.approx(np.log(short), abs=1e-4)
    assert found[2].item() == 0


def test_the_gradient_of_the_partition_is_the_chance_of_each_tag():
    emission, transition = potentials(5)
    e, t = batch([emission], [transition])
    e.requires_grad_()
    crf.log_partition(e, t, torch.ones(1, TOKENS, dtype=torch.bool)).sum().backward()
    np.testing.assert_allclose(e.grad[0].numpy(), Chain.of(emission, transition).chances(), atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_the_likeliest_sequence_is_found(seed):
    emission, transition = potentials(seed)
    chances = every(emission, transition)
    assert tuple(likeliest(emission, transition).tolist()) == max(chances, key=lambda tags: chances[tags])


def test_nothing_to_read_has_no_tags():
    assert likeliest(np.zeros((0, TAGS)), np.zeros((TAGS, TAGS))).shape == (0,)


@pytest.mark.parametrize(("first", "tags"), [(0, (1,)), (1, (2, 0)), (2, (1, 1)), (0, (0, 1, 2, 0))])
def test_chance_of_a_stretch_is_that_of_counting(first, tags):
    emission, transition = potentials(3)
    chances = every(emission, transition)
    wanted = sum(chance for s, chance in chances.items() if s[first : first + len(tags)] == tags)
    assert Chain.of(emission, transition).chance(first, np.array(tags)) == pytest.approx(wanted, abs=1e-9)


def test_a_text_of_twenty_thousand_tokens_does_not_overflow():
    rng = np.random.default_rng(0)
    chain = Chain.of(rng.normal(size=(20_000, TAGS)) * 30, rng.normal(size=(TAGS, TAGS)))
    np.testing.assert_allclose(chain.chances().sum(axis=1), 1, atol=1e-6)
