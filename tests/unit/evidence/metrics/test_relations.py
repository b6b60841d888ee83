import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from polyclinic.answers.relations import RelationAnswer
from polyclinic.errors import EvidenceError
from polyclinic.evidence.forms.base import judge_of
from polyclinic.evidence.judge import judge
from polyclinic.evidence.metrics import relations as rel
from polyclinic.formats.packed import nothing, pack_all
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.study.schema import EvidenceSection

TYPES = ("none", "treats", "causes")


def pairs_of(rng: np.random.Generator, n: int, skill: float = 0.5) -> np.ndarray:
    """Pairs with a true type and chances that lean towards it."""
    true = rng.integers(0, len(TYPES), n)
    chances = (1 - skill) * rng.dirichlet(np.ones(len(TYPES)), n) + skill * np.eye(len(TYPES))[true] * rng.random(
        (n, 1)
    )
    chances /= chances.sum(axis=1, keepdims=True)
    offsets = np.sort(rng.integers(0, 100, (n, 4)), axis=1)
    return np.column_stack([offsets, true, chances.argmax(axis=1), chances]).astype(float)


def texts_of(seed: int, texts: int = 12) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [pairs_of(rng, int(n)) for n in rng.integers(0, 6, texts)]


@given(st.integers(0, 10_000))
def test_as_scikit_learn_has_it(seed):
    texts = [*texts_of(seed), pairs_of(np.random.default_rng(seed), 9)]
    case = rel.count(pack_all(texts), len(TYPES))
    every = np.concatenate(texts)
    true, said = every[:, rel.TRUE].astype(int), every[:, rel.PREDICTED].astype(int)
    keys = {"labels": [1, 2], "zero_division": 0}
    if ((true > 0) | (said > 0)).any():
        assert rel.micro_f1(case) == pytest.approx(metrics.f1_score(true, said, average="micro", **keys))
    assert rel.pair_accuracy(case) == pytest.approx(metrics.f1_score(true, said, average="micro"))
    there = sorted(set(true) | set(said))
    expected = metrics.f1_score(true, said, labels=there, average="macro", zero_division=0)
    assert rel.macro_f1_with_none(case) == pytest.approx(expected)
    expected = metrics.log_loss(true, every[:, rel.FIRST_CHANCE :], labels=[0, 1, 2])
    assert rel.log_loss(case) == pytest.approx(expected)


def test_a_resample_is_the_figure_of_the_drawn_texts():
    texts = texts_of(3)
    weights = np.random.default_rng(1).integers(0, 3, (5, len(texts))).astype(float)
    case = rel.count(pack_all(texts), len(TYPES))
    figures = (rel.micro_f1, rel.macro_f1, rel.micro_precision, rel.micro_recall, rel.pair_accuracy, rel.log_loss)
    for figure in (*figures, rel.expected_calibration_error):
        for draw, found in zip(weights, figure(case, weights), strict=True):
            drawn = [text for text, times in zip(texts, draw, strict=True) for _ in range(int(times))]
            assert found == pytest.approx(figure(rel.count(pack_all(drawn), len(TYPES))))


def test_a_missed_and_an_invented_relation():
    sure = np.eye(3)
    found = [0, 1, 5, 6, 1, 1, *sure[1]]
    missed = [0, 1, 8, 9, 2, 0, *sure[0]]
    invented = [5, 6, 8, 9, 0, 1, *sure[1]]
    unknown = [0, 1, 7, 8, -1, 1, *sure[1]]
    case = rel.count(pack_all([np.array([found, missed, invented, unknown])]), 3)
    assert rel.micro_precision(case) == 0.5
    assert rel.micro_recall(case) == 0.5
    assert rel.micro_f1(case) == 0.5
    assert rel.pair_accuracy(case) == pytest.approx(1 / 3)
    assert rel.macro_f1(case) == pytest.approx((2 / 3 + 0) / 2)


def test_texts_without_pairs_are_known_and_texts_without_truth_are_not():
    empty = np.zeros((0, 9))
    unknown = np.array([[0, 1, 5, 6, -1, 1, 0.1, 0.8, 0.1]])
    packed = np.concatenate([pack_all([empty, unknown]), nothing(1)])
    answer = RelationAnswer(TYPES, packed)
    assert judge_of(answer).known(answer).tolist() == [True, False, False]
    assert np.isnan(rel.micro_f1(rel.count(packed, 3)))


def predictions(texts: list[np.ndarray], name: str = "polyclinic") -> Predictions:
    n = len(texts)
    part = np.array(["tune" if k % 3 == 0 else "test" for k in range(n)], dtype=object)
    zero = np.zeros(n, dtype=int)
    who = np.array([f"p{k // 2}" for k in range(n)], dtype=object)
    samples = Samples(np.arange(n) + 1, who, part, zero, zero, None, {})
    return Predictions(name, samples, {"link": RelationAnswer(TYPES, pack_all(texts))}, np.full(n, np.nan))


def test_the_document_of_a_run():
    rng = np.random.default_rng(4)
    ours = [pairs_of(rng, 4, skill=0.9) for _ in range(60)]
    theirs = [text.copy() for text in ours]
    for text in theirs:
        text[:, rel.PREDICTED], text[:, rel.FIRST_CHANCE :] = 1, [0.2, 0.6, 0.2]
    found = judge(predictions(ours), [predictions(theirs, "plain")], EvidenceSection(resamples=40), 1)
    target = found.document()["targets"]["link"]
    assert target["form"] == "relations"
    assert set(target["headline"]) <= set(target["metrics"])
    for metric in target["metrics"].values():
        assert metric["low"] <= metric["value"] <= metric["high"]
    assert set(target["per_class"]) == {"treats", "causes"}
    assert sum(target["counts"]["per_class"].values()) == sum(
        (t[:, rel.TRUE] > 0).sum() for k, t in enumerate(ours) if k % 3
    )
    assert target["verdict"].startswith("polyclinic is better than plain")
    assert len(target["worst"]) == 10


@pytest.mark.parametrize(("column", "value", "match"), [(5, 7, "declared types"), (6, 0.9, "sum to 1")])
def test_impossible_answers_are_refused(column, value, match):
    texts = texts_of(2, 30)
    texts[1] = pairs_of(np.random.default_rng(0), 2)
    texts[1][0, column] = value
    with pytest.raises(EvidenceError, match=match):
        judge(predictions(texts), [], EvidenceSection(resamples=0), 1)


def test_nothing_but_texts_without_pairs_can_be_judged():
    found = judge(predictions([np.zeros((0, 9))] * 6), [], EvidenceSection(resamples=5), 1)
    assert found.targets["link"].metrics["micro_f1"].value is None
