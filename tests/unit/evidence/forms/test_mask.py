"""Masks judged record by record, with intervals over patients."""

import numpy as np
import pytest

from known.drawn_masks import balls
from polyclinic.answers.mask import MaskAnswer
from polyclinic.errors import EvidenceError
from polyclinic.evidence.folds import lay_out
from polyclinic.evidence.forms.base import Part, judge_of
from polyclinic.evidence.forms.mask import MaskJudge
from polyclinic.evidence.judge import judge
from polyclinic.formats.packed import nothing, pack, pack_all, unpack
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.study.schema import EvidenceSection

ROWS = 8


def soft(mask, doubt):
    """Probabilities that decide like the mask, the less sure the more doubt."""
    return np.where(mask, 255 - doubt, doubt).astype(np.uint8)


def masks(shift, spacing=(1.5, 0.5, 0.5), inside=None):
    """Two balls a record; the predicted ones lie ``shift`` mm off, in records of odd number twice as far."""
    truth, predicted = [], []
    for row in range(ROWS):
        for found, off in ((truth, 0.0), (predicted, shift * (1 + row % 2))):
            places = ((9, 4 + off, 4, 3), (9, 4 + off, 10, 2.5))
            found.append(np.stack([balls((12, 24 + row, 28), spacing, [place]) for place in places]))
    return MaskAnswer(
        ("left", "right"),
        True,
        "mm",
        np.full((ROWS, 2), np.nan),
        np.tile(spacing, (ROWS, 1)),
        nothing(ROWS) if inside is None else pack_all(inside),
        pack_all([soft(one, 10) for one in predicted]),
        pack_all([one.astype(np.uint8) for one in truth]),
    )


def predictions(answer, model="polyclinic"):
    samples = Samples(
        row=np.arange(ROWS) + 1,
        patient=np.array([f"p{row // 3}" for row in range(ROWS)]),
        part=np.full(ROWS, "test"),
        repeat=np.zeros(ROWS, dtype=int),
        fold=np.zeros(ROWS, dtype=int),
        site=None,
        strata={"side": np.array(["a", "b"] * (ROWS // 2))},
    )
    return Predictions(model, samples, {"organ": answer}, np.zeros(ROWS))


def evidence(answer, *plain):
    others = [predictions(one, f"plain{k}") for k, one in enumerate(plain)]
    return judge(predictions(answer), others, EvidenceSection(resamples=100), seed=1).targets["organ"]


def dice(answer, position):
    predicted, truth = unpack(answer.probability[position]) > 127, unpack(answer.truth[position]) > 0
    return [2 * (p & t).sum() / (p.sum() + t.sum()) for p, t in zip(predicted, truth, strict=True)]


def test_dice_is_the_mean_over_records_and_regions():
    answer = masks(0.6)
    found = evidence(answer)
    by_record = np.array([dice(answer, row) for row in range(ROWS)])
    assert found.metrics["dice"].value == pytest.approx(by_record.mean())
    assert found.per_class["right"]["dice"].value == pytest.approx(by_record[:, 1].mean())
    assert found.metrics["dice"].low < found.metrics["dice"].value < found.metrics["dice"].high


def test_a_perfect_answer_is_perfect():
    found = evidence(masks(0.0)).metrics
    assert (found["dice"].value, found["hausdorff_95"].value, found["surface_dice"].value) == (1, 0, 1)
    assert (found["pixel_f1"].value, found["pixel_auroc"].value, found["lesion_sensitivity"].value) == (1, 1, 1)
    assert found["outline_missing"].value == 0


def test_the_better_model_wins_and_the_worst_record_is_named():
    found = evidence(masks(0.5), masks(2.0))
    assert found.baselines["plain0"].difference["dice"].low > 0
    assert found.worst[0].row % 2 == 0
    assert str(found.worst[0].truth).startswith("left")
    assert "ml" in str(found.worst[0].truth)


def test_sizes_are_in_millilitres():
    answer = masks(0.0)
    case = judge_of(answer).case(_part(answer), None)
    points = unpack(answer.truth[0])[0].sum()
    assert case.size[0, 0] == pytest.approx(points * 1.5 * 0.5 * 0.5 / 1000)


def _pairs(answer):
    return zip(answer.truth, answer.probability, strict=True)


def _part(answer):
    return Part(answer, lay_out(predictions(answer).samples))


def test_only_points_inside_are_judged():
    answer = masks(1.0)
    inside = [unpack(truth).any(axis=0) | (unpack(said) > 127).any(axis=0) for truth, said in _pairs(answer)]
    found = evidence(masks(1.0, inside=inside)).metrics
    assert found["pixel_specificity"].value < evidence(answer).metrics["pixel_specificity"].value
    nowhere = [np.zeros_like(one) for one in inside]
    assert evidence(masks(1.0, inside=nowhere)).metrics["dice"].value == 1


def test_a_region_missed_as_a_whole_is_counted():
    answer = masks(0.0)
    lost = unpack(answer.probability[3]).copy()
    lost[1] = 0
    answer.probability[3] = pack(lost)
    found = evidence(answer)
    assert found.per_class["right"]["outline_missing"].value == pytest.approx(1 / ROWS)
    assert found.per_class["right"]["dice"].value == pytest.approx(1 - 1 / ROWS)
    assert found.per_class["right"]["hausdorff_95"].value == 0


def test_thresholds_decide_where_regions_overlap():
    answer = masks(0.0)
    loose = MaskAnswer(
        answer.regions,
        False,
        "mm",
        np.tile([0.5, 0.03], (ROWS, 1)),
        answer.spacing,
        answer.inside,
        answer.probability,
        answer.truth,
    )
    found = evidence(loose)
    assert found.per_class["left"]["dice"].value == 1
    assert found.per_class["right"]["pixel_specificity"].value == 0
    assert found.operating_point.label_thresholds["right"] == (0.03,)


def test_masks_of_another_size_are_refused():
    answer = masks(0.0)
    answer.probability[2] = pack(unpack(answer.probability[2])[:, 1:])
    with pytest.raises(EvidenceError, match="size of the true one"):
        evidence(answer)


def test_probabilities_that_exceed_one_are_refused():
    answer = masks(0.0)
    answer.probability[2] = pack(np.full_like(unpack(answer.probability[2]), 200))
    with pytest.raises(EvidenceError, match="must not exceed 1"):
        evidence(answer)


def test_records_without_truth_are_left_out():
    answer = masks(0.0)
    answer.truth[0] = b""
    form = judge_of(answer)
    assert isinstance(form, MaskJudge)
    assert form.known(answer).tolist() == [False] + [True] * (ROWS - 1)
    assert evidence(answer).counts.rows == ROWS - 1


def test_flat_records_are_measured_in_pixels():
    truth = [np.stack([balls((20, 20), (1, 1), [(9, 9, 4)])]).astype(np.uint8) for _ in range(ROWS)]
    answer = MaskAnswer(
        ("vessel",),
        True,
        "px",
        np.full((ROWS, 1), np.nan),
        np.full((ROWS, 2), np.nan),
        nothing(ROWS),
        pack_all([soft(one > 0, 0) for one in truth]),
        pack_all(truth),
    )
    assert str(evidence(answer).worst[0].truth) == "vessel 49 px"
