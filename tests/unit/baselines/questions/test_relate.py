import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from polyclinic.answers.relations import RelationAnswer
from polyclinic.baselines.questions.base import PlainQuestion
from polyclinic.baselines.questions.relate import PlainRelate, columns_of, fields_of
from polyclinic.cohort.rows import Inner, TrainRows, TuneRows
from polyclinic.geometry import TextGeometry, Tokens
from polyclinic.heads.base import GroundFacts, objects
from polyclinic.heads.relate import Relate
from polyclinic.records.text.tokens import cut
from toys.dense import unlit

TOKENS = ("We", "saw", "that", "aspirin", "inhibits", "cox", "1", "in", "cells", ".")


def test_words_are_told_apart_by_where_they_stand():
    assert fields_of(TOKENS, np.array([3, 4, 5, 7])) == (
        "inhibits",
        "we saw that",
        "in cells .",
        "we saw that aspirin inhibits cox 1 in cells .",
    )
    assert fields_of(TOKENS, np.array([5, 7, 3, 4]))[0] == "<inhibits"
    assert fields_of(TOKENS, np.array([5, 7, 6, 7]))[0] == ""


def test_distance_and_order():
    found = columns_of(np.array([[3, 4, 5, 7], [5, 7, 3, 4], [5, 7, 6, 7]]))
    np.testing.assert_allclose(found, [[np.log(2), 1, 0], [np.log(2), 0, 0], [0, 1, 1]])


def question(verbs: list[str], tune: int = 10) -> tuple[PlainQuestion, object]:
    """The verb is the relation."""
    rng = np.random.default_rng(0)
    texts, cells, spans = [], [], []
    for verb in verbs:
        drug, gene = ("".join(rng.choice(list("abcdefg"), 5)) for _ in range(2))
        texts.append(f"We saw {drug} {verb} {gene} today.")
        ends = [[7, 12], [14 + len(verb), 19 + len(verb)]]
        cells.append(json.dumps([{"head": ends[0], "tail": ends[1], "type": verb}] if verb != "near" else []))
        spans.append(json.dumps([{"start": a, "end": b, "label": "x"} for a, b in ends]))
    head = Relate("link", Relate.Options(on="note", column="link", spans="spans", directed=False, max_distance=50))
    geometry = [TextGeometry(text) for text in texts]
    places = [Tokens(one, cut(one.text, "word")) for one in geometry]
    target = head.read_target(pl.DataFrame({"link": cells, "spans": spans}), "cohort.csv")
    target = head.match(target, GroundFacts(geometry, unlit, Path(), None))
    rows = Inner(TrainRows(np.arange(len(verbs) - 20)), TuneRows(np.arange(len(verbs) - 20, len(verbs) - 20 + tune)))
    head = head.fit(target, rows.train)

    def words(row: int) -> tuple[str, ...]:
        return tuple(texts[row][a:b] for a, b in places[row].offsets)

    return PlainQuestion(head, head.on_grid(target, places, None), places, words, rows, 1), target


@pytest.mark.parametrize("tune", [10, 0])
def test_the_verb_is_found(tune):
    verbs = [["inhibits", "activates", "near"][k % 3] for k in range(80)]
    asked, target = question(verbs, tune)
    [sort] = PlainRelate().sorts(asked.head)
    answers = sort.fit(asked)
    index = np.arange(70, 80)
    answer = asked.head.decode(objects([answers(int(row)) for row in index]), target.take(index))
    assert isinstance(answer, RelationAnswer)
    marks = [asked.head.marks(answer, position) for position in range(10)]
    assert [m.names[int(m.predicted[0, 2])] if len(m.predicted) else "near" for m in marks] == verbs[70:]


def test_one_type_only_cannot_be_learned():
    asked, _ = question(["near"] * 40 + ["inhibits"] * 20)
    [sort] = PlainRelate().sorts(asked.head)
    assert sort.fit(asked) is None
