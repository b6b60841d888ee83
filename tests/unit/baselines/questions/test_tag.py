import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from polyclinic.baselines.questions.base import PlainQuestion
from polyclinic.baselines.questions.tag import Dictionary, PlainTag, fit_tagger
from polyclinic.cohort.rows import Inner, TrainRows, TuneRows
from polyclinic.decoding.tagging import Tagging
from polyclinic.geometry import TextGeometry, Tokens
from polyclinic.heads.base import GroundFacts
from polyclinic.heads.tag import Tag
from polyclinic.records.text.tokens import cut
from toys.dense import unlit

TEXTS = (
    ("Acute", "lung", "injury", "after", "aspirin", "."),
    ("Lung", "injury", "was", "seen", "."),
    ("Aspirin", "and", "a", "cold", "."),
    ("It", "was", "cold", "and", "cold", "outside", "."),
)
MARKED = ([(0, 3, 0), (4, 5, 1)], [(0, 2, 0)], [(0, 1, 1), (3, 4, 0)], [])


class TestDictionary:
    def test_the_longest_mention_is_found_whatever_its_capitals(self):
        dictionary = Dictionary.learn(TEXTS, MARKED)
        assert dictionary.find(("ACUTE", "lung", "Injury", "or", "lung", "injury")) == [(0, 3, 0), (4, 6, 0)]

    def test_a_text_that_ends_within_a_mention_does_not_hold_it(self):
        dictionary = Dictionary.learn(TEXTS, MARKED)
        assert dictionary.find(("acute", "lung")) == []
        assert dictionary.find(("lung", "injury", "aspirin")) == [(0, 2, 0), (2, 3, 1)]
        one = Dictionary.learn([("a", "b", "a")], [[(0, 1, 0), (0, 3, 0)]])
        assert one.find(("b", "a")) == [(1, 2, 0)]

    def test_words_that_mostly_mean_something_else_are_left_out(self):
        assert ("cold",) not in Dictionary.learn(TEXTS, MARKED).labels
        assert ("cold",) in Dictionary.learn(TEXTS[:3], MARKED[:3]).labels

    def test_a_training_text_is_asked_without_itself(self):
        dictionary = Dictionary.learn(TEXTS, MARKED)
        own = frozenset({("acute", "lung", "injury"), ("aspirin",)})
        assert dictionary.find(TEXTS[0], own) == [(1, 3, 0), (4, 5, 1)]  # others gave these two

    def test_nothing_is_learned_from_nothing(self):
        assert Dictionary.learn([], []).find(("aspirin",)) == []


def sentences(seed: int, n: int) -> tuple[list[tuple[str, ...]], list[list[tuple[int, int, int]]]]:
    """Drugs end in -pril and are made up anew each time; words around them are common."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("abdelmortu"))
    texts, marked = [], []
    for _ in range(n):
        drug = "".join(rng.choice(letters, 4)) + "pril"
        words = [*rng.choice(["the", "patient", "takes", "now", "since"], rng.integers(0, 4)), "takes", drug, "daily"]
        texts.append(tuple(str(word) for word in words))
        marked.append([(len(words) - 2, len(words) - 1, 0)])
    return texts, marked


@pytest.mark.parametrize("scheme", ["bio", "bmes"])
def test_the_chain_knows_new_drugs_by_their_ends(scheme):
    tagging = Tagging(scheme, 1)
    texts, marked = sentences(0, 80)
    tagger = fit_tagger(texts, [tagging.write(m, len(t)) for t, m in zip(texts, marked, strict=True)], tagging)
    new, true = sentences(1, 20)
    found = [tagger.find(text) for text in new]
    assert [[span[:3] for span in one] for one in found] == true
    assert all(0.5 < span[3] <= 1 for one in found for span in one)
    assert tagger.find(()) == []


@pytest.mark.parametrize("nested", [False, True])
def test_plain_models_of_a_question(nested):
    words, marked = sentences(2, 60)
    texts = [" ".join(one) for one in words]
    offsets = [cut(text, "word") for text in texts]
    cells = [
        json.dumps([{"start": int(o[a, 0]), "end": int(o[b - 1, 1]), "label": "drug"} for a, b, _ in m])
        for o, m in zip(offsets, marked, strict=True)
    ]
    geometry = [TextGeometry(text) for text in texts]
    places = [Tokens(one, o) for one, o in zip(geometry, offsets, strict=True)]
    head = Tag("drugs", Tag.Options(on="note", column="drugs", nested=nested))
    target = head.match(
        head.read_target(pl.DataFrame({"drugs": cells}), "cohort.csv"), GroundFacts(geometry, unlit, Path(), None)
    )
    rows = Inner(TrainRows(np.arange(50)), TuneRows(np.arange(50, 55)))
    head = head.fit(target, rows.train)
    question = PlainQuestion(head, head.on_grid(target, places, None), places, lambda row: words[row], rows, 1)
    names = []
    for sort in PlainTag().sorts(head):
        answers = sort.fit(question)
        said = answers(57)
        names.append(sort.name)
        assert said.text == texts[57]
        if sort.name.startswith("linear"):
            assert [(int(a), int(b)) for a, b, *_ in said.spans] == [
                (s["start"], s["end"]) for s in json.loads(cells[57])
            ]
    assert names == ["dictionary", "linear CRF with dictionary"]
