"""Cells judged picture by picture, with intervals over patients."""

import numpy as np
import pytest

from known.drawn_cells import pictures
from polyclinic.answers.cells import CellsAnswer
from polyclinic.errors import EvidenceError
from polyclinic.evidence.judge import judge
from polyclinic.formats.packed import pack, pack_all, unpack
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.study.schema import EvidenceSection

ROWS = 8


def cells(shake):
    drawn = [pictures(seed, shake=shake) for seed in range(ROWS - 1)]
    drawn.append((np.zeros((30, 30), dtype=np.int32),) * 2)  # nothing there, nothing found
    truth, predicted = [one for one, _ in drawn], [one for _, one in drawn]
    scores = [np.full(len(np.unique(one)) - 1, 0.7, dtype=np.float32) for one in predicted]
    return CellsAnswer("um", np.full((ROWS, 2), 0.5), pack_all(scores), pack_all(predicted), pack_all(truth))


def predictions(answer, model="polyclinic"):
    samples = Samples(
        row=np.arange(ROWS) + 1,
        patient=np.array([f"p{row // 2}" for row in range(ROWS)]),
        part=np.full(ROWS, "test"),
        repeat=np.zeros(ROWS, dtype=int),
        fold=np.zeros(ROWS, dtype=int),
        site=None,
        strata={},
    )
    return Predictions(model, samples, {"nuclei": answer}, np.zeros(ROWS))


def evidence(answer, *plain):
    others = [predictions(one, f"plain{k}") for k, one in enumerate(plain)]
    return judge(predictions(answer), others, EvidenceSection(resamples=100), seed=1).targets["nuclei"]


def changed(answer, position, **arrays):
    fields = {"scores": answer.scores, "predicted": answer.predicted, "truth": answer.truth}
    for name, array in arrays.items():
        fields[name] = fields[name].copy()
        fields[name][position] = pack(array)
    return CellsAnswer(answer.unit, answer.spacing, **fields)


def test_figures_lie_within_their_intervals_and_the_better_answer_is_better():
    near, far = evidence(cells(0.5)), evidence(cells(4.0))
    for name in ("aji", "aji_plus", "pq", "ap_50", "ap_50_95", "f1_50", "area_correlation"):
        better, worse = near.metrics[name], far.metrics[name]
        assert better.low <= better.value <= better.high
        assert better.value > worse.value
    assert near.metrics["area_error_percent"].value < far.metrics["area_error_percent"].value
    assert near.counts.per_class["cells"] == sum(len(np.unique(unpack(t))) - 1 for t in cells(0.5).truth)


def test_perfect_cells_have_perfect_figures():
    answer = cells(1.0)
    scores = pack_all([np.ones(len(np.unique(unpack(one))) - 1, dtype=np.float32) for one in answer.truth])
    found = evidence(CellsAnswer("px", answer.spacing * np.nan, scores, answer.truth, answer.truth)).metrics
    for name in ("aji", "pq", "sq", "ap_50_95", "f1_50", "area_correlation", "eccentricity_correlation"):
        assert found[name].value == pytest.approx(1)
    for name in ("count_error", "area_error_percent", "expected_calibration_error"):
        assert found[name].value == 0


def test_a_plain_model_is_compared_on_the_same_draws():
    found = evidence(cells(0.5), cells(4.0))
    assert found.baselines["plain0"].difference["aji"].low > 0
    assert found.worst[0].loss >= found.worst[-1].loss


def test_a_picture_without_cells_counts_only_when_cells_are_made_up():
    answer = cells(0.5)
    made_up = np.zeros((30, 30), dtype=np.int32)
    made_up[3:6, 3:6] = 1
    worse = changed(answer, ROWS - 1, predicted=made_up, scores=np.array([0.5], dtype=np.float32))
    assert evidence(worse).metrics["aji"].value < evidence(answer).metrics["aji"].value


def test_cells_on_another_grid_and_missing_scores_are_refused_with_their_rows():
    answer = changed(cells(0.5), 2, predicted=np.zeros((3, 3), dtype=np.int32))
    with pytest.raises(EvidenceError) as caught:
        evidence(changed(answer, 4, scores=np.zeros(1, dtype=np.float32)))
    found = {finding.name: finding.rows for finding in caught.value.findings}
    assert found["cells_size"] == (3,)
    assert 5 in found["impossible_score"]
