import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Severity
from polyclinic.formats.packed import unpack
from polyclinic.geometry import TextGeometry, Tokens
from polyclinic.heads.base import GroundFacts, objects
from polyclinic.heads.tag import FoundSpans, Tag
from polyclinic.records.text.tokens import cut
from polyclinic.tensors import Encoded, Fused, Movement, Sight
from toys.dense import unlit

TEXTS = (
    "Takes aspirin. No heart failure.",
    "😀 患者否认高血压，服用阿司匹林",
    "heart attack of the left heart chamber",
)
SPANS = (
    [{"start": 6, "end": 13, "label": "drug", "text": "aspirin"}, {"start": 18, "end": 31, "label": "disease"}],
    [{"start": 6, "end": 9, "label": "disease"}, {"start": 12, "end": 16, "label": "drug", "text": "阿司匹林"}],
    [{"start": 0, "end": 12, "label": "disease"}],
)
ROWS = TrainRows(np.arange(2))


def head(**keys) -> Tag:
    return Tag("it", Tag.Options(on="note", column="spans", **keys))


def frame(*cells) -> pl.DataFrame:
    return pl.DataFrame({"spans": [None if cell is None else json.dumps(cell) for cell in cells]})


def geometry(texts=TEXTS):
    return [None if text is None else TextGeometry(text) for text in texts]


def places(texts=TEXTS):
    return [None if text is None else Tokens(TextGeometry(text), cut(text, "word")) for text in texts]


def fitted(*cells, texts=TEXTS, **keys):
    kind = head(**keys)
    target = kind.match(
        kind.read_target(frame(*cells), "cohort.csv"), GroundFacts(geometry(texts), unlit, Path(), None)
    )
    return kind.fit(target, ROWS), target


def output_of(kind: Tag, tags: np.ndarray, strength: float = 20.0) -> torch.Tensor:
    """Potentials that ask for some tags."""
    layer = kind.map_layer(Sight(1, (4,), ((1,),)))
    fused = Fused(
        torch.zeros(1, 1, 4),
        torch.zeros(1, 1, 4),
        torch.ones(1, 1, dtype=torch.bool),
        None,
        {
            "note": Encoded(
                torch.zeros(1, 1, 4), torch.ones(1, 1, dtype=torch.bool), (torch.zeros(1, 4, tags.shape[1]),)
            )
        },
    )
    with torch.no_grad():
        output = layer(fused)
    per = kind.options.tagging(kind.plan.labels).tags
    for chain, row in enumerate(tags):
        output[0, chain * per : (chain + 1) * per] = 0
        output[0, chain * per + torch.from_numpy(row), torch.arange(len(row))] = strength
    return output


@pytest.mark.parametrize("scheme", ["bmes", "bio"])
def test_spans_come_back_at_their_exact_places(scheme):
    kind, target = fitted(*SPANS, scheme=scheme)
    placed = kind.on_grid(target, places(), None)
    raws = []
    for tags, place in zip(placed.tags, places(), strict=True):
        gatherer = kind.gatherer(place)
        length = tags.shape[1]
        whole = output_of(kind, tags)
        half = length // 2
        for start, stop in ((0, half + 1), (half - 1, length)):  # two windows that overlap
            start = max(0, start)
            gatherer.add(
                whole[:, :, start:stop], Movement(torch.tensor([[start]]), (stop - start,), None, (stop - start,))
            )
        raws.append(gatherer.close())
    answer = kind.decode(objects(raws), target)
    for packed, cell in zip(answer.predicted, SPANS, strict=True):
        found = [(int(a), int(b), answer.labels[int(c)]) for a, b, c, _, _ in unpack(packed)]
        assert found == [(s["start"], s["end"], s["label"]) for s in cell]
    truth = unpack(answer.truth[1])
    assert truth[:, 3].tolist() == [1, 1]
    assert (unpack(answer.predicted[0])[:, 3] > 0.9).all()


def test_wording_of_the_test_is_known_from_training_rows_only():
    kind, target = fitted([{"start": 6, "end": 13, "label": "drug"}], [], [{"start": 0, "end": 12, "label": "drug"}])
    answer = kind.decode(objects([None] * 3), target)
    assert unpack(answer.truth[0])[0, 3] == 1
    assert unpack(answer.truth[2])[0, 3] == 0


def test_nested_spans_need_the_option():
    both = [{"start": 0, "end": 12, "label": "disease"}, {"start": 0, "end": 5, "label": "organ"}]
    with pytest.raises(CohortError, match="share words") as caught:
        head().read_target(frame(both, both, SPANS[0]), "cohort.csv")
    assert caught.value.findings[0].rows == (1, 2)
    kind, target = fitted(both, [], [], texts=(TEXTS[2], TEXTS[0], TEXTS[0]), nested=True)
    tags = kind.on_grid(target, places((TEXTS[2], TEXTS[0], TEXTS[0])), None).tags[0]
    assert tags.shape == (2, 7)
    gatherer = kind.gatherer(places((TEXTS[2],))[0])
    gatherer.add(output_of(kind, tags), Movement(torch.tensor([[0]]), (7,), None, (7,)))
    found = [(int(a), int(b), kind.plan.labels[int(c)]) for a, b, c, _ in gatherer.close().spans]
    assert sorted(found) == [(0, 5, "organ"), (0, 12, "disease")]


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("not json", "not JSON"),
        ('{"start": 1}', "no list"),
        ('[{"start": 1, "end": 2}]', "lack start, end or label"),
        ('[{"start": "1", "end": 2, "label": "x"}]', "no whole numbers"),
        ('[{"start": 1, "end": 2, "label": 7}]', "no words"),
        ('[{"start": 5, "end": 5, "label": "x"}]', "do not end after they start"),
        ('[{"start": -1, "end": 5, "label": "x"}]', "do not end after they start"),
    ],
)
def test_bad_cells_are_named_by_row_and_never_quoted(cell, word):
    made = pl.DataFrame({"spans": [json.dumps(SPANS[0]), cell]})
    with pytest.raises(CohortError) as caught:
        head().read_target(made, "cohort.csv")
    assert word in str(caught.value)
    assert "(row 2)" in str(caught.value)


@pytest.mark.parametrize(
    "span",
    [
        {"start": 30, "end": 40, "label": "drug"},
        {"start": 6, "end": 13, "label": "drug", "text": "Aspirin"},
    ],
)
def test_offsets_that_do_not_fit_the_text_stop_the_study(span):
    kind = head()
    target = kind.read_target(frame([span], SPANS[1], SPANS[2]), "cohort.csv")
    with pytest.raises(CohortError, match="offsets must fit the text") as caught:
        kind.match(target, GroundFacts(geometry(), unlit, Path(), None))
    assert caught.value.findings[0].rows == (1,)


def test_columns_labels_and_outcomes_that_are_not_there():
    with pytest.raises(CohortError, match="no column"):
        head().read_target(pl.DataFrame({"other": [1]}), "cohort.csv")
    with pytest.raises(CohortError, match="labels must be those"):
        head(labels=("drug",)).read_target(frame(*SPANS), "cohort.csv")
    with pytest.raises(CohortError, match="no span in any row"):
        head().read_target(frame([], None), "cohort.csv")


def test_labels_that_a_fitted_head_does_not_know_are_refused():
    kind, _ = fitted(*SPANS)
    again = Tag("it", kind.options, kind.plan)
    with pytest.raises(CohortError, match="labels must be those"):
        again.read_target(frame([{"start": 0, "end": 1, "label": "gene"}]), "cohort.csv")


def test_an_absent_text_is_not_known_and_an_empty_list_is():
    _kind, target = fitted(SPANS[0], [], None, texts=(TEXTS[0], TEXTS[1], TEXTS[2]))
    assert target.known.tolist() == [True, True, False]
    assert target.strata().tolist() == [1, 0, -1]
    _, target = fitted(SPANS[0], [], SPANS[2], texts=(TEXTS[0], None, TEXTS[2]))
    assert target.known.tolist() == [True, False, True]


def test_outer_spaces_are_told():
    _kind, target = fitted([{"start": 5, "end": 13, "label": "drug"}], [], [])
    assert [f.name for f in target.check("here")] == ["blank_edges"]


def test_spans_that_miss_the_words_are_refused_unless_they_say_which_words_they_hold():
    texts = tuple("Took aspirin, then ibuprofen and rest." for _ in range(6))
    out = [[{"start": 6, "end": 13, "label": "drug"}, {"start": 20, "end": 29, "label": "drug"}]] * 6
    _kind, target = fitted(*out, texts=texts)
    [finding] = [f for f in target.check("here") if f.name != "blank_edges"]
    assert (finding.name, finding.severity) == ("spans_cut_words", Severity.REFUSED)
    assert finding.rows == (1, 2, 3, 4, 5, 6)
    quoted = [[{**span, "text": texts[0][span["start"] : span["end"]]} for span in row] for row in out]
    _kind, target = fitted(*quoted, texts=texts)
    assert {f.name for f in target.check("here")} <= {"blank_edges"}


def test_assertion_by_rules_is_judged_where_it_is_known():
    cells = [{**SPANS[0][0], "assertion": "affirmed"}, {**SPANS[0][1], "assertion": "negated"}]
    kind, target = fitted(cells, SPANS[1], SPANS[2], assertion="rules")
    rows = [np.array([[s["start"], s["end"], k % 2, 0.9] for k, s in enumerate(cell)]) for cell in SPANS]
    answer = kind.decode(objects([FoundSpans(t, r) for t, r in zip(TEXTS, rows, strict=True)]), target)
    said = [[answer.assertions[int(v)] for v in unpack(p)[:, 4]] for p in answer.predicted]
    assert said == [["affirmed", "negated"], ["negated", "affirmed"], ["affirmed"]]
    assert unpack(answer.truth[0])[:, 4].tolist() == [0, 1]
    assert unpack(answer.truth[1])[:, 4].tolist() == [-1, -1]
    with pytest.raises(CohortError, match="assertions must be among"):
        head(assertion="rules").read_target(frame([{**SPANS[0][0], "assertion": "maybe"}]), "cohort.csv")


def test_confidence_is_corrected_on_tune_rows():
    rng = np.random.default_rng(0)
    texts = ["ab " * 50] * 40
    cells = [[{"start": 3 * k, "end": 3 * k + 2, "label": "x"} for k in range(0, 50, 2)] for _ in texts]
    kind, target = fitted(*cells, texts=texts)
    raws = []
    for _ in texts:  # sure of everything, right half of the time
        starts = np.sort(rng.choice(50, 10, replace=False)) * 3.0
        raws.append(FoundSpans(texts[0], np.column_stack([starts, starts + 2, 0 * starts, np.full(10, 0.98)])))
    sure = kind.calibrate(objects(raws), target, "auto").decode(objects(raws[:1]), None)
    assert 0.35 < unpack(sure.predicted[0])[0, 3] < 0.65
    same = kind.calibrate(objects(raws), target, "none").decode(objects(raws[:1]), None)
    assert unpack(same.predicted[0])[0, 3] == pytest.approx(0.98)


def test_a_text_of_a_hundred_thousand_characters():
    text = "Takes aspirin 100 mg, heart failure. " * 2700
    cells = [{"start": 37 * k + 6, "end": 37 * k + 13, "label": "drug"} for k in range(0, 2700, 9)]
    kind, target = fitted(cells, [], [], texts=(text, TEXTS[1], TEXTS[2]))
    place = places((text,))[0]
    tags = kind.on_grid(target, [place, *places()[1:]], None).tags[0]
    gatherer = kind.gatherer(place)
    gatherer.add(output_of(kind, tags), Movement(torch.tensor([[0]]), tags.shape[1:], None, tags.shape[1:]))
    assert len(gatherer.close().spans) == 300


def test_the_loss_of_the_right_tags_is_nearly_nought():
    kind, target = fitted(*SPANS)
    placed = kind.on_grid(target, places(), None)
    width = placed.tags[0].shape[1]
    movement = Movement(torch.tensor([[0]]), (width,), None, (width,))
    tensors = placed.collate(np.array([0]), movement)
    right = kind.loss(output_of(kind, placed.tags[0]), tensors)
    wrong = kind.loss(output_of(kind, np.roll(placed.tags[0], 1, axis=1)), tensors)
    assert right.item() < 0.01 < 1 < wrong.item()


def test_tune_rows_are_judged_by_spans_not_by_how_sure_the_network_is():
    kind, target = fitted(*SPANS)
    placed = kind.on_grid(target, places(), None)
    width = placed.tags[0].shape[1]
    tensors = placed.collate(np.array([0]), Movement(torch.tensor([[0]]), (width,), None, (width,)))
    right, unsure = (kind.judged(output_of(kind, placed.tags[0], sure), tensors).item() for sure in (20.0, 3.0))
    wrong = kind.judged(output_of(kind, np.zeros_like(placed.tags[0])), tensors).item()
    assert right < unsure < 0.1
    assert wrong > 2 / kind.plan.spans
    assert kind.plan.spans == 2
