import numpy as np
import pytest

from polyclinic.decoding.span_votes import together
from polyclinic.decoding.tagging import Tagging
from polyclinic.layers.text.tag_potentials import NEVER, spans_of

SCHEMES = ("bmes", "bio")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_spans_to_tags_and_back(scheme):
    tagging = Tagging(scheme, 2)
    spans = [(0, 1, 0), (1, 4, 0), (4, 6, 1), (8, 9, 1)]
    tags = tagging.write(spans, 10)
    assert tagging.read(tags) == spans
    follows = tagging.allowed()
    assert follows[tags[:-1], tags[1:]].all()
    assert tagging.may_start()[tags[0]]
    assert tagging.may_end()[tags[-1]]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_span_at_the_very_end(scheme):
    tagging = Tagging(scheme, 1)
    assert tagging.read(tagging.write([(3, 5, 0)], 5)) == [(3, 5, 0)]


def test_what_may_follow_what():
    tagging = Tagging("bmes", 2)
    follows = tagging.allowed()
    begin, middle, end, single = (tagging.tag(0, part) for part in "BMES")
    other = tagging.tag(1, "E")
    assert follows[begin, middle]
    assert follows[begin, end]
    assert follows[end, single]
    assert follows[0, begin]
    assert not follows[begin, 0]
    assert not follows[begin, other]
    assert not follows[0, middle]
    assert not follows[single, end]


def test_of_crossing_spans_the_longer_is_tagged():
    assert Tagging("bmes", 1).read(Tagging("bmes", 1).write([(0, 2, 0), (1, 5, 0)], 5)) == [(1, 5, 0)]


def test_tags_that_do_not_fit_make_no_span():
    tagging = Tagging("bmes", 1)
    begin, end = tagging.tag(0, "B"), tagging.tag(0, "E")
    assert tagging.read(np.array([begin, 0, end, 0])) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_potentials_to_spans_with_their_chance(scheme):
    tagging = Tagging(scheme, 2)
    tags = tagging.write([(1, 3, 1), (4, 5, 0)], 6)
    emission = np.zeros((1, 6, tagging.tags))
    emission[0, np.arange(6), tags] = 20
    transition = np.where(tagging.allowed(), 0.0, NEVER)[None]
    found = spans_of(emission, transition, tagging)
    assert [span[:3] for span in found] == [(1, 3, 1), (4, 5, 0)]
    assert all(span[3] > 0.999 for span in found)
    unsure = spans_of(emission / 10, transition, tagging)
    assert all(0.05 < span[3] < 0.95 for span in unsure)


def test_two_chains_may_nest():
    tagging = Tagging("bmes", 1)
    emission = np.zeros((2, 4, tagging.tags))
    for layer, span in enumerate([(0, 4, 0), (1, 2, 0)]):
        emission[layer, np.arange(4), tagging.write([span], 4)] = 20
    found = spans_of(emission, np.where(tagging.allowed(), 0.0, NEVER)[None].repeat(2, 0), tagging)
    assert [span[:3] for span in found] == [(0, 4, 0), (1, 2, 1)]


def test_votes():
    def spans(*rows):
        return np.array(rows, dtype=np.float64).reshape(-1, 5)

    most = [spans([0, 4, 0, 0.8, 1]), spans([0, 4, 0, 0.6, 1], [9, 12, 1, 0.5, 0]), spans([0, 5, 0, 0.9, 1])]
    np.testing.assert_allclose(together(most), [[0, 4, 0, 1.4 / 3, 1]])
    alone = spans([0, 4, 0, 0.1, -1], [6, 8, 1, 0.2, -1])
    np.testing.assert_allclose(together([alone, alone]), alone)
    nested = spans([0, 9, 0, 0.7, -1], [0, 4, 1, 0.6, -1])
    np.testing.assert_allclose(together([nested, nested]), nested[::-1])
    assert together([spans(), spans()]).shape == (0, 5)
