import numpy as np
import pytest
import torch

from polyclinic.layers.text.relation_scorer import Ballot, PairScores, TokenVotes, Voters, WindowVotes, score

BALLOT = Ballot(3)


@pytest.fixture
def said() -> torch.Tensor:
    return torch.randn(2, BALLOT.out, 12, generator=torch.Generator().manual_seed(0))


PAIRS = torch.tensor([[[1, 3, 6, 7], [6, 7, 1, 3]], [[0, 1, 2, 4], [2, 4, 3, 5]]])


def present(tokens: int = 12) -> torch.Tensor:
    return torch.arange(12)[None].expand(2, -1) < tokens


def test_padding_has_no_vote(said):
    found = score(said, PAIRS, present(9), BALLOT)
    said[:, :, 9:] = 100.0
    torch.testing.assert_close(score(said, PAIRS, present(9), BALLOT), found)
    torch.testing.assert_close(score(said[:, :, :9], PAIRS, present(9)[:, :9], BALLOT), found)


def test_each_pair_is_asked_by_itself(said):
    found = score(said, PAIRS, present(), BALLOT)
    torch.testing.assert_close(score(said, PAIRS[:, 1:], present(), BALLOT), found[:, 1:])
    torch.testing.assert_close(score(said[:1], PAIRS[:1], present()[:1], BALLOT), found[:1])


def test_the_direction_matters_and_so_does_every_place(said):
    found = score(said, PAIRS, present(), BALLOT)
    assert not torch.allclose(found[0, 0], found[0, 1])
    said.requires_grad_()
    score(said, PAIRS[:1, :1].expand(2, -1, -1), present(), BALLOT).sum().backward()
    assert (said.grad.abs().sum(dim=1) > 0).all()  # before, in, between and after


def test_words_far_away_have_no_vote():
    many = torch.randn(1, BALLOT.out, 120, generator=torch.Generator().manual_seed(0)).requires_grad_()
    pair = torch.tensor([[[50, 51, 60, 61]]])
    score(many, pair, torch.ones(1, 120, dtype=torch.bool), BALLOT).sum().backward()
    heard = torch.nonzero(many.grad[0].abs().sum(dim=0)).flatten()
    assert (int(heard.min()), int(heard.max())) == (10, 100)


@torch.no_grad()
def test_the_network_starts_at_how_common_each_type_is():
    start = torch.tensor([2.0, 0.0, -1.0])
    voters = Voters(8, BALLOT, start).eval()
    found = score(voters(torch.zeros(1, 8, 12)), PAIRS[:1], present()[:1], BALLOT)
    spread = found[0, 0].detach() - start
    assert float((spread - spread.mean()).abs().max()) < 1.0


def test_windows_are_put_together():
    whole = np.random.default_rng(0).normal(size=(BALLOT.out, 10)).astype(np.float32)
    offsets = np.column_stack([np.arange(10), np.arange(1, 11)])
    windows = WindowVotes(offsets, BALLOT)
    for start in (0, 2, 4):
        windows.add(whole[:, start : start + 6], start)
    np.testing.assert_allclose(windows.close().votes, whole, atol=2e-3)  # half precision
    padded = WindowVotes(offsets, BALLOT)
    padded.add(np.pad(whole, ((0, 0), (0, 5))), 0)
    np.testing.assert_allclose(padded.close().votes, whole, atol=2e-3)


def test_what_was_said_can_be_asked_about_any_pair(said):
    one = TokenVotes(np.zeros((12, 2), dtype=np.int64), said[0].numpy().astype(np.float16))
    many = np.tile(PAIRS[0].numpy(), (300, 1))
    found = one.scores(many, BALLOT)
    assert found.shape == (600, 3)
    np.testing.assert_allclose(found[:2], score(said, PAIRS, present(), BALLOT)[0], atol=0.05)
    np.testing.assert_allclose(found[-2:], found[:2], atol=1e-5)
    assert one.scores(many[:0], BALLOT).shape == (0, 3)


def test_a_plain_model_answers_for_its_pairs():
    where = np.array([[0, 7, 17, 22], [0, 7, 27, 32]])
    one = PairScores(where, np.array([[0.0, 1, 2], [3, 4, 5]]))
    np.testing.assert_array_equal(one.scores(where[::-1]), [[3, 4, 5], [0, 1, 2]])
    assert one.scores(where[:0]).shape[0] == 0
