import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.answers.base import average_answers
from polyclinic.answers.relations import RelationAnswer
from polyclinic.answers.spans import SpanAnswer
from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Severity
from polyclinic.evidence.metrics.relations import PREDICTED, TRUE
from polyclinic.formats.packed import pack_all, unpack
from polyclinic.geometry import TextGeometry, Tokens
from polyclinic.heads.base import GroundFacts, objects
from polyclinic.heads.relate import Relate
from polyclinic.layers.text.relation_scorer import PairScores
from polyclinic.records.text.tokens import cut
from polyclinic.tensors import Movement, Sight
from toys.dense import unlit

TEXT = "Aspirin inhibits COX-1 and COX-2."
ASPIRIN, COX1, COX2 = (0, 7), (17, 22), (27, 32)


def cell(*found: tuple) -> str:
    return json.dumps([{"head": head, "tail": tail, "type": word} for head, tail, word in found])


def spans(*found: tuple) -> str:
    return json.dumps([{"start": start, "end": end, "label": "name"} for start, end in found])


CELLS = [
    cell((ASPIRIN, COX1, "inhibits"), (ASPIRIN, COX2, "inhibits")),
    cell((COX1, COX2, "is like")),
    "[]",
    None,
]
FRAME = pl.DataFrame({"link": CELLS, "names": [spans(ASPIRIN, COX1, COX2)] * 4})


def head_of(**options) -> Relate:
    return Relate("link", Relate.Options.model_validate({"on": "note", "column": "link", **options}))


def geometry(rows: int = 4) -> list:
    return [TextGeometry(TEXT)] * rows


def places(rows: int = 4) -> list:
    return [Tokens(TextGeometry(TEXT), cut(TEXT, "word"))] * rows


def fitted(frame: pl.DataFrame = FRAME, **options) -> tuple[Relate, object]:
    head = head_of(**options)
    target = head.match(head.read_target(frame, "cohort.csv"), GroundFacts(geometry(len(frame)), unlit, Path(), None))
    return head.fit(target, TrainRows(np.arange(len(frame)))), target


class TestReadTarget:
    def test_types_come_from_the_column(self):
        head, target = fitted(spans="names")
        assert target.types == ("none", "inhibits", "is like")
        assert target.known.tolist() == [True, True, True, False]
        assert target.strata().tolist() == [1, 2, 0, -1]
        assert head.columns() == ("link", "names")

    def test_types_that_are_not_listed_are_refused(self):
        with pytest.raises(CohortError, match="known type") as refused:
            head_of(types=("inhibits",)).read_target(FRAME, "cohort.csv")
        assert refused.value.findings[0].rows == (2,)
        assert "is like" not in str(refused.value)

    def test_a_column_without_any_relation_is_refused(self):
        with pytest.raises(CohortError, match="no row has one"):
            head_of().read_target(pl.DataFrame({"link": ["[]", None]}), "cohort.csv")

    def test_all_faults_of_the_cells_come_together(self):
        frame = pl.DataFrame({"link": ["x", cell((ASPIRIN, COX1, "a"))], "names": ["[]", "y"]})
        with pytest.raises(CohortError) as refused:
            head_of(spans="names").read_target(frame, "cohort.csv")
        assert [finding.rows for finding in refused.value.findings] == [(1,), (2,)]

    def test_a_type_may_be_called_none(self):
        frame = pl.DataFrame({"link": [cell((ASPIRIN, COX1, "no"), (COX1, COX2, "is like"))]})
        head = head_of(none="no")
        assert head.read_target(frame, "cohort.csv").types == ("no", "is like")


class TestMatch:
    @pytest.mark.parametrize(
        ("link", "match"),
        [
            (cell((ASPIRIN, (40, 50), "a")), "lie within its text"),
            (cell((ASPIRIN, ASPIRIN, "a")), "two stretches"),
            (cell((ASPIRIN, (8, 16), "a")), "listed"),
        ],
    )
    def test_offsets_beside_the_text_and_unknown_stretches_are_refused(self, link, match):
        head = head_of(spans="names")
        frame = pl.DataFrame({"link": [link], "names": [spans(ASPIRIN, COX1)]})
        target = head.read_target(frame, "cohort.csv")
        with pytest.raises(CohortError, match=match):
            head.match(target, GroundFacts(geometry(1), unlit, Path(), None))

    def test_stretches_that_miss_the_words_are_refused(self):
        head = head_of()
        out = cell(((1, 8), (18, 23), "a"), ((18, 23), (28, 33), "a"))
        frame = pl.DataFrame({"link": [out] * 5})
        target = head.match(head.read_target(frame, "cohort.csv"), GroundFacts(geometry(5), unlit, Path(), None))
        found = {finding.name: finding for finding in target.check("here")}
        assert found["spans_cut_words"].severity is Severity.REFUSED
        assert found["spans_cut_words"].rows == (1, 2, 3, 4, 5)
        assert "spans_cut_words" not in {f.name for f in target.take(np.arange(2)).check("here")}

    def test_a_row_without_a_text_is_not_known(self):
        head = head_of()
        target = head.match(
            head.read_target(FRAME, "cohort.csv"), GroundFacts([None, *geometry(3)], unlit, Path(), None)
        )
        assert target.known.tolist() == [False, True, True, False]


class TestViews:
    def test_all_pairs_of_stretches_are_candidates(self):
        head, target = fitted(spans="names", directed=False)
        placed = head.on_grid(target, places(), None)
        assert [truth.tolist() for truth in placed.truth] == [[1, 1, 0], [0, 0, 2], [0, 0, 0], [-1, -1, -1]]
        assert placed.pairs[0].tolist() == [[0, 1, 2, 5], [0, 1, 6, 9], [2, 5, 6, 9]]

    def test_the_farthest_relation_bounds_the_distance(self):
        frame = pl.DataFrame({"link": [cell((ASPIRIN, COX1, "a")), "[]"], "names": [spans(ASPIRIN, COX1, COX2)] * 2})
        head, target = fitted(frame, spans="names", directed=False)
        assert head.plan.max_distance == 10
        assert [len(pairs) for pairs in head.on_grid(target, places(2), None).pairs] == [2, 2]
        assert fitted(frame, spans="names", max_distance=3)[0].plan.max_distance == 3

    def test_pairs_move_with_the_view(self):
        head, target = fitted(spans="names", directed=False)
        placed = head.on_grid(target, places(), None)
        movement = Movement(torch.tensor([[2], [0], [0], [0]]), (8,), None, (8,))
        tensors = placed.collate(np.arange(4), movement)
        assert tensors.pairs[0, 0].tolist() == [0, 3, 4, 7]
        assert tensors.truth[0].tolist() == [0, -1, -1][: tensors.truth.shape[1]]
        assert tensors.known.tolist() == [True, True, True, False]
        assert tensors.present[0].tolist() == [True] * 8

    def test_an_aim_is_at_a_relation(self):
        head, target = fitted(spans="names", directed=False)
        aim = head.on_grid(target, places(), None).aim(np.arange(4), np.random.default_rng(0))
        assert 0 <= aim[0, 0] <= 8
        assert aim[1, 0] == 5  # between COX-1 and COX-2

    def test_no_pair_gives_no_loss_and_no_aim(self):
        frame = pl.DataFrame({"link": [cell((ASPIRIN, COX1, "a")), "[]"]})
        head, target = fitted(frame)
        placed = head.on_grid(target, places(2), None)
        assert np.isnan(placed.aim(np.array([1]), np.random.default_rng(0))).all()
        layer = head.map_layer(Sight(1, (8,), ((1,),)))
        said = layer.voters(torch.randn(2, 8, 9))
        tensors = placed.collate(np.arange(2), Movement(torch.zeros(2, 1, dtype=int), (9,), None, (9,)))
        loss = head.loss(said, tensors)
        assert loss[1] == 0
        assert loss[0] > 0


def plainly(head: Relate, target, wanted: list[list[int]], sure: float = 4.0):
    """What a model would say that scores these types highest."""
    placed = head.on_grid(target, places(len(wanted)), None)
    types = len(head.plan.types)
    return objects([
        PairScores(where, sure * np.eye(types)[one]) for where, one in zip(placed.where, wanted, strict=True)
    ])  # fmt: skip


class TestDecode:
    def test_pairs_with_their_truth_and_chances(self):
        head, target = fitted(spans="names", directed=False)
        answer = head.decode(plainly(head, target, [[1, 0, 0], [0, 0, 2], [0, 0, 0], [0, 1, 0]]), target)
        pairs = unpack(answer.pairs[0])
        assert pairs[:, :4].astype(int).tolist() == [[*ASPIRIN, *COX1], [*ASPIRIN, *COX2], [*COX1, *COX2]]
        assert pairs[:, TRUE].tolist() == [1, 1, 0]
        assert pairs[:, PREDICTED].tolist() == [1, 0, 0]
        np.testing.assert_allclose(pairs[:, 6:].sum(axis=1), 1)
        assert unpack(answer.pairs[3])[:, TRUE].tolist() == [-1, -1, -1]
        marks = head.marks(answer, 0)
        assert marks.names == ("inhibits", "is like")
        assert marks.truth.astype(int).tolist() == [[0, 7, 0], [0, 7, 0], [17, 22, 0], [27, 32, 0]]
        assert marks.predicted.astype(int).tolist() == [[0, 7, 0], [17, 22, 0]]

    def test_nobody_asked_nothing_answered(self):
        head, target = fitted()
        answer = head.decode(objects([None] * 4), target)
        assert answer.pairs.tolist() == [b""] * 4

    def test_calibration_learns_from_tune_pairs(self):
        frame = pl.concat([FRAME] * 20)
        head, target = fitted(frame, spans="names", directed=False)
        rng = np.random.default_rng(0)
        wanted = [rng.integers(0, 3, 3).tolist() for _ in range(80)]
        raws = objects([
            PairScores(w, 8.0 * np.eye(3)[one])
            for w, one in zip(head.on_grid(target, places(80), None).where, wanted, strict=True)
        ])  # fmt: skip
        better = head.calibrate(raws, target, "temperature")
        assert better.plan.correction.scale < 0.5  # it was sure and often wrong
        assert head.calibrate(raws, target, "none").plan.correction.scale == 1.0


class TestEndToEnd:
    def found(self, *stretches: tuple[int, int]) -> SpanAnswer:
        one = np.array([[start, end, 0, 0.9, -1] for start, end in stretches], dtype=float).reshape(-1, 5)
        return SpanAnswer(("name",), (), pack_all([one]), pack_all([one]))

    def answer(self, *stretches: tuple[int, int]) -> np.ndarray:
        frame = FRAME.head(1)
        head, target = fitted(frame, spans="names", directed=False)
        every = head.on_grid(target, places(1), None).where[0]
        wrong = np.array([[0, 7, 8, 16]])
        raws = objects([PairScores(np.concatenate([every, wrong]), 9.0 * np.eye(2)[[1, 1, 0, 1]])])
        return unpack(head.decode(raws, target.about(self.found(*stretches))).pairs[0])

    def test_with_all_stretches_found_it_is_the_same(self):
        assert self.answer(ASPIRIN, COX1, COX2)[:, TRUE].tolist() == [1, 1, 0]

    def test_a_stretch_that_was_not_found_loses_its_relations(self):
        pairs = self.answer(ASPIRIN, COX1)
        assert pairs[:, TRUE].tolist() == [1, 1]
        assert pairs[:, PREDICTED].tolist() == [1, 0]
        assert pairs[1, :4].astype(int).tolist() == [*ASPIRIN, *COX2]

    def test_a_wrong_stretch_may_give_a_wrong_relation(self):
        pairs = self.answer(ASPIRIN, (8, 16))
        assert pairs[0, [TRUE, PREDICTED]].tolist() == [0, 1]
        assert pairs[1:, TRUE].tolist() == [1, 1]  # both true ones are missed

    def test_nothing_found_nothing_answered(self):
        assert self.answer()[:, PREDICTED].tolist() == [0, 0]


def test_a_pair_that_one_model_was_not_asked_about_is_none_to_it():
    types = ("none", "a")
    one = np.array([[0, 7, 17, 22, 1, 1, 0.2, 0.8], [0, 7, 27, 32, 1, 1, 0.4, 0.6]])
    other = np.array([[0, 7, 17, 22, 1, 1, 0.4, 0.6]])
    answers = tuple(RelationAnswer(types, pack_all([part])) for part in (one, other))
    mean = unpack(average_answers(answers).pairs[0])
    np.testing.assert_allclose(mean[:, 6:], [[0.3, 0.7], [0.7, 0.3]])
    assert mean[:, PREDICTED].tolist() == [1, 0]


def test_rare_types_are_told():
    _head, target = fitted()
    assert "rare_type" in [finding.name for finding in target.check("here")]


def test_what_is_found_is_learned_from_what_is_true():
    with pytest.raises(ValueError, match="needs spans"):
        head_of(spans_from="entities")
    assert head_of(spans_from="entities", spans="names").finder == "entities"


def test_new_patients_stretches_are_asked_about():
    head, _ = fitted(spans="names", directed=False)
    asked = head.read_new(FRAME.select("names"), "new.csv")
    assert not asked.known.any()
    asked = head.match(asked, GroundFacts(geometry(), unlit, Path(), None))
    answer = head.decode(plainly(head, asked, [[1, 0, 0]] * 4), asked)
    assert unpack(answer.pairs[0])[:, [TRUE, PREDICTED]].tolist() == [[-1, 1], [-1, 0], [-1, 0]]
    assert head.marks(answer, 0).truth is None
    assert head.read_new(pl.DataFrame({"note": ["x"]}), "new.csv") is None
