import json

import numpy as np
import pytest

from polyclinic.records.text import relations as rel
from polyclinic.records.text.relations import Asked, Relation
from polyclinic.records.text.spans import Span
from polyclinic.records.text.tokens import cut

TEXT = "Aspirin inhibits COX-1 and COX-2."
ASPIRIN, COX1, COX2 = (0, 7), (17, 22), (27, 32)
TYPES = ("none", "inhibits", "activates")
PLACES = ("cohort.csv", "cohort.csv")


def cell(*found: tuple) -> str:
    return json.dumps([{"head": head, "tail": tail, "type": word} for head, tail, word in found])


def spans(*found: tuple) -> str:
    return json.dumps([{"start": start, "end": end, "label": "name"} for start, end in found])


class TestRead:
    def test_relations_and_stretches(self):
        cells = [cell((ASPIRIN, COX1, "inhibits")), None, "[]", None, ""]
        listed = [spans(ASPIRIN, COX1), spans(ASPIRIN), None, None, None]
        asked, findings = rel.read(cells, listed, PLACES)
        assert findings == []
        assert asked[0] == Asked((Relation(ASPIRIN, COX1, "inhibits"),), (ASPIRIN, COX1), True)
        assert asked[1] == Asked((), (ASPIRIN,), False)  # a new patient: stretches, and nobody knows what is true
        assert asked[2] == Asked((), None, True)
        assert asked[3] is None
        assert asked[4] is None

    @pytest.mark.parametrize(
        "wrong",
        [
            "aspirin",
            "{}",
            '[{"head": [0, 7], "tail": [17, 22]}]',
            '[{"head": [0], "tail": [17, 22], "type": "x"}]',
            '[{"head": ["0", 7], "tail": [17, 22], "type": "x"}]',
            '[{"head": [0, 7], "tail": [17, 22], "type": ""}]',
            '[{"head": [true, 7], "tail": [17, 22], "type": "x"}]',
            "[" * 100_000,
        ],
    )
    def test_a_cell_of_something_else_is_named_by_its_row_and_not_shown(self, wrong):
        _, [finding] = rel.read(["[]", wrong], None, PLACES)
        assert finding.rows == (2,)
        assert "aspirin" not in str(finding)


class TestMisplaced:
    @pytest.mark.parametrize(
        ("asked", "name"),
        [
            (Asked((Relation(ASPIRIN, (40, 50), "x"),), None), "offsets_beside_text"),
            (Asked((Relation(ASPIRIN, (20, 17), "x"),), None), "offsets_beside_text"),
            (Asked((), ((-1, 3),)), "offsets_beside_text"),
            (Asked((), ((7, 8),)), "offsets_beside_text"),  # a space only
            (Asked((Relation(ASPIRIN, ASPIRIN, "x"),), None), "related_to_itself"),
            (Asked((Relation(ASPIRIN, COX1, "x"),), (ASPIRIN, COX2)), "unlisted_stretch"),
            (Asked((), (COX1,), quoted=(Span(*COX1, "gene", text="COX-2"),)), "misplaced_spans"),
        ],
    )
    def test_each_fault_is_named(self, asked, name):
        [finding] = rel.misplaced([None, asked], [TEXT, TEXT], "here")
        assert (finding.name, finding.rows) == (name, (2,))

    def test_stretches_that_say_their_words_are_held_against_the_text(self):
        one = json.dumps([{"start": a, "end": b, "label": "x", "text": TEXT[a:b]} for a, b in (ASPIRIN, COX1)])
        (asked,), _ = rel.read(["[]"], [one], PLACES)
        assert rel.misplaced([asked], [TEXT], "here") == []
        assert asked.unquoted() == set()
        assert Asked((Relation(ASPIRIN, COX2, "x"),), (COX1,)).unquoted() == {ASPIRIN, COX1, COX2}

    def test_all_faults_come_together_and_rows_without_a_text_are_passed_over(self):
        wrong = Asked((Relation(ASPIRIN, (40, 50), "x"), Relation(COX1, COX1, "x")), (ASPIRIN, COX1))
        assert len(rel.misplaced([wrong], [TEXT], "here")) == 3
        assert rel.misplaced([wrong], [None], "here") == []


class TestCandidates:
    def test_only_the_listed_pairs_where_no_stretches_are_given(self):
        asked = Asked((Relation(COX2, ASPIRIN, "inhibits"), Relation(ASPIRIN, COX1, "none")), None)
        found = rel.candidates(asked, TYPES, 0, directed=True)
        assert found.where.tolist() == [[*COX2, *ASPIRIN], [*ASPIRIN, *COX1]]
        assert found.truth.tolist() == [1, 0]
        assert len(found.missed) == 0

    def test_every_pair_of_stretches_in_both_directions_or_in_one(self):
        asked = Asked((Relation(COX2, ASPIRIN, "activates"),), (ASPIRIN, COX1, COX2))
        both = rel.candidates(asked, TYPES, 100, directed=True)
        assert len(both.where) == 6
        assert both.truth.sum() == 2
        one = rel.candidates(asked, TYPES, 100, directed=False)
        assert one.where.tolist() == [[*ASPIRIN, *COX1], [*ASPIRIN, *COX2], [*COX1, *COX2]]
        assert one.truth.tolist() == [0, 2, 0]

    def test_what_is_too_far_apart_is_not_asked_and_told_as_missed(self):
        asked = Asked((Relation(ASPIRIN, COX2, "inhibits"),), (ASPIRIN, COX1, COX2))
        found = rel.candidates(asked, TYPES, 12, directed=False)
        assert found.where.tolist() == [[*ASPIRIN, *COX1], [*COX1, *COX2]]
        assert found.missed.tolist() == [[*ASPIRIN, *COX2, 1]]

    def test_a_second_type_of_one_pair_is_missed(self):
        asked = Asked((Relation(ASPIRIN, COX1, "inhibits"), Relation(ASPIRIN, COX1, "activates")), None)
        found = rel.candidates(asked, TYPES, 12, directed=True)
        assert found.truth.tolist() == [1]
        assert found.missed.tolist() == [[*ASPIRIN, *COX1, 2]]

    def test_overlapping_stretches_may_be_related(self):
        whole, part = (17, 32), (17, 22)
        found = rel.candidates(Asked((Relation(whole, part, "inhibits"),), (whole, part)), TYPES, 0, directed=True)
        assert found.truth.tolist() == [0, 1]
        assert rel.gap(whole, part) == 0

    def test_no_pair(self):
        assert rel.candidates(Asked((), (ASPIRIN,)), TYPES, 9, directed=True).where.shape == (0, 4)

    def test_what_is_not_known_is_asked_and_not_judged(self):
        found = rel.candidates(Asked((), (ASPIRIN, COX1), known=False), TYPES, 100, directed=False)
        assert found.truth.tolist() == [-1]


def test_stretches_become_all_tokens_that_they_touch():
    offsets = cut(TEXT, "word")
    where = np.array([[*ASPIRIN, *COX1], [3, 5, 18, 32]])
    words = [TEXT[a:b] for a, b in offsets]
    found = [[words[a:b], words[c:d]] for a, b, c, d in rel.on_tokens(where, offsets)]
    assert found[0] == [["Aspirin"], ["COX", "-", "1"]]
    assert found[1] == [["Aspirin"], ["COX", "-", "1", "and", "COX", "-", "2"]]
    assert rel.on_tokens(where[:0], offsets).shape == (0, 4)


def test_only_pairs_within_the_view_are_learned_from():
    pairs = np.array([[0, 2, 4, 5], [-1, 1, 3, 4], [0, 1, 8, 11], [8, 9, 9, 10], [1, 2, 3, 4]])
    kept, truth = rel.within(pairs, np.array([1, 1, 1, 0, -1]), 10)
    assert kept.tolist() == [[0, 2, 4, 5], [8, 9, 9, 10]]
    assert truth.tolist() == [1, 0]


def test_too_many_pairs_are_thinned_out_but_relations_stay():
    pairs = np.tile([[0, 1, 2, 3]], (1000, 1))
    truth = np.zeros(1000, dtype=np.int64)
    truth[::100] = 1
    _, kept = rel.within(pairs, truth, 10)
    assert len(kept) <= 128
    assert kept.sum() == 10
