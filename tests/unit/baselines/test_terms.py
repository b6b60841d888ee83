import numpy as np
import pytest
from scipy import sparse

from polyclinic.baselines.design import Design, merge
from polyclinic.baselines.linear import fit_linear
from polyclinic.baselines.terms import Terms
from polyclinic.cohort.rows import Inner, TrainRows, TuneRows
from polyclinic.heads.classify import Classify, ClassTarget
from polyclinic.records.base import Features

NOTES = ("No sign of pneumonia.", "Pneumonia in the left lung.", "The heart is large.", "", "Normal lung and heart.")


def test_words_pairs_of_words_and_pieces_are_counted():
    terms = Terms.learn(NOTES)
    words = terms.counters[0].vocabulary_
    assert {"pneumonia", "left lung", "."} <= set(words)
    assert "neum" in terms.counters[1].vocabulary_
    columns = terms.columns(NOTES)
    assert columns.shape == (5, sum(len(counter.vocabulary_) for counter in terms.counters))
    assert columns[[3]].nnz == 0
    # two counters: words of length sqrt(10), pieces of half that
    np.testing.assert_allclose(sparse.linalg.norm(columns[[0]]), 12.5**0.5)


def test_chinese_is_counted_by_character():
    terms = Terms.learn(["患者没有发热", "患者咳嗽", "胸痛三天"])
    assert len(terms.counters) == 1
    assert {"患", "患者", "没有发"} <= set(terms.counters[0].vocabulary_)


@pytest.mark.parametrize("texts", [("no fever today",) * 99, ("没有发热",) * 99])
def test_of_many_texts_what_stands_in_one_only_is_left_out(texts):
    few, many = Terms.learn((*texts[:98], "肺炎 rare")), Terms.learn((*texts, "肺炎 rare"))
    for one in range(len(few.counters)):
        lone = set(few.counters[one].vocabulary_) - set(many.counters[one].vocabulary_)
        assert any("rar" in term or "肺" in term for term in lone)
        assert len(many.counters[one].vocabulary_) > 0


@pytest.mark.parametrize("texts", [[], ["", "  "]])
def test_nothing_can_be_counted_without_a_text(texts):
    terms = Terms.learn(texts)
    assert terms.columns(["some", "text"]).shape == (2, 0)


def test_words_come_from_training_rows_only():
    features = Features(np.zeros((5, 1)), ("length",), (False,), (NOTES,))
    design = Design.learn(features, TrainRows(np.array([0, 1])))
    assert "heart" not in design.terms[0].counters[0].vocabulary_
    assert design.columns(features, np.arange(5)).shape[0] == 5


def test_what_stands_in_for_words_gives_way_to_them():
    matrix = np.column_stack([np.arange(5.0), [1.0, np.nan, 3, 4, 2]])
    features = Features(
        matrix, ("length", "words in bucket 0"), (False, False), (NOTES,), frozenset({"words in bucket 0"})
    )
    merged = merge([features])
    design = Design.learn(merged, TrainRows(np.arange(5)))
    assert (design.numbers.tolist(), design.absent.tolist()) == ([0], [])
    assert Design.learn(Features(matrix, merged.names, (False, False)), TrainRows(np.arange(5))).numbers.tolist() == [
        0,
        1,
    ]


def test_texts_stand_beside_numbers():
    numbers = Features(np.arange(5.0)[:, None], ("age",), (False,))
    texts = Features(np.zeros((5, 0)), (), (), (NOTES,))
    both = merge([numbers, texts])
    assert both.texts == (NOTES,)
    assert both.names == ("age",)


def test_a_linear_model_reads():
    rng = np.random.default_rng(0)
    ill = rng.random(200) < 0.5
    fill = [" ".join(rng.choice(["the", "lung", "heart", "is", "seen", "today"], 6)) for _ in ill]
    notes = tuple(f"{words} {'opacity' if one else 'clear'} {words[:9]}" for words, one in zip(fill, ill, strict=True))
    features = Features(rng.normal(size=(200, 2)), ("a", "b"), (False, False), (notes,))
    kind = Classify("ill", Classify.Options(column="ill", positive="yes"))
    target = ClassTarget(np.ones(200, dtype=bool), ill.astype(np.int64), ("no", "yes"), assumed=False)
    rows = Inner(TrainRows(np.arange(100)), TuneRows(np.arange(100, 140)))
    head = kind.fit(target, rows.train)
    model = fit_linear(head, target, features, rows.train, np.arange(200), 1, seed=1)
    said = model.outputs(features, TuneRows(np.arange(140, 200)))[:, 0, 0]
    assert ((said > 0) == ill[140:]).mean() > 0.95
