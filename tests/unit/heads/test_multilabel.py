import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.answers.base import average_answers
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding.recalibration import Recalibration
from polyclinic.errors import CohortError, Severity
from polyclinic.heads.multilabel import Multilabel, MultilabelOptions, MultilabelPlan

TABLE = "cohort.csv"
LABELS = {"a": [1, 0, 1, 0, None, None], "b": [True, True, False, False, True, None]}


def head(columns=("a", "b")):
    return Multilabel("findings", MultilabelOptions(columns=columns))


def read(labels):
    return head(tuple(labels)).read_target(pl.DataFrame(labels), TABLE)


def refused(labels):
    with pytest.raises(CohortError) as caught:
        read(labels)
    return {finding.name: finding for finding in caught.value.findings}


def fitted(labels=None):
    labels = labels or LABELS
    kind, target = head(tuple(labels)), read(labels)
    return kind.fit(target, TrainRows(np.arange(len(target.known)))), target


def test_a_correction_of_other_than_two_classes_is_refused():
    with pytest.raises(ValueError, match="two classes"):
        MultilabelPlan(prior=(0.5,), known_per_row=1.0, corrections=(Recalibration(offset=(0.0, 1.0, 2.0)),))


def test_labels_are_read_and_unknown_ones_stay_unknown():
    target = read(LABELS)
    np.testing.assert_array_equal(target.truth[:, 0], [1, 0, 1, 0, np.nan, np.nan])
    np.testing.assert_array_equal(target.truth[:, 1], [1, 1, 0, 0, 1, np.nan])
    assert target.known.tolist() == [True] * 5 + [False]
    note = next(f for f in target.check("here") if f.name == "unknown_outcome")
    assert note.severity is Severity.NOTE
    assert note.rows == (6,)


def test_text_labels_are_read_alike():
    np.testing.assert_array_equal(
        read({"a": ["1", "0", "true", "FALSE", "", None]}).truth[:, 0], [1, 0, 1, 0, np.nan, np.nan]
    )


def test_all_faults_of_all_columns_come_together():
    found = refused({"a": [0, 1, 2, 0], "b": [None] * 4, "c": [1, 1, 1, 1], "d": [1, 0, 0, 0]})
    assert set(found) == {"label_not_binary", "no_outcome", "one_class", "class_of_one"}
    assert found["label_not_binary"].rows == (3,)
    assert found["class_of_one"].rows == (1,)


def test_text_in_a_label_is_refused_without_its_content():
    finding = refused({"a": [*"0101", "Mrs Smith"]})["label_not_binary"]
    assert finding.rows == (5,)
    assert "Smith" not in str(finding)


def test_an_absent_column_gets_a_suggestion():
    with pytest.raises(CohortError, match='Did you mean "oedema"'):
        head(("odema",)).read_target(pl.DataFrame({"oedema": [0, 1]}), TABLE)


def test_a_fitted_head_takes_tables_without_outcome():
    kind, _ = fitted()
    frame = pl.DataFrame({"a": [None, None], "b": [None, 1]})
    assert kind.read_target(frame, TABLE).known.tolist() == [False, True]


def test_strata_put_the_rarest_label_first():
    labels = {"common": [1, 1, 1, 1, 1, 0, 0], "rare": [1, 1, 0, 0, 0, 0, None]}
    assert read(labels).strata().tolist() == [1, 1, 0, 0, 0, 2, 2]


def test_the_layer_starts_at_how_common_each_label_is():
    kind, _ = fitted({"a": [1] * 30 + [0] * 10, "b": [1] * 10 + [0] * 30})
    answer = kind.decode(kind.layer(8).bias.detach().numpy()[None], None)
    np.testing.assert_allclose(answer.raw[0], [0.75, 0.25], atol=0.01)


def test_unknown_labels_add_nothing():
    kind, target = fitted()
    tensors = kind.collate(target, np.arange(6))
    output = torch.zeros(6, 2, 2, dtype=torch.float64, requires_grad=True)
    loss = kind.loss(output, tensors)
    loss.sum().backward()
    assert loss[5] == 0
    assert torch.all((output.grad != 0) == tensors.mask[:, None].expand(6, 2, 2))


def test_the_loss_is_of_one_size_however_many_labels_are_known():
    kind, target = fitted()
    loss = kind.loss(torch.zeros(6, 1, 2), kind.collate(target, np.arange(6)))
    assert loss[:5].mean().item() == pytest.approx(np.log(2))


def test_smoothing_moves_the_goal():
    kind, target = fitted()
    tensors = kind.collate(target, np.array([0]))
    output = torch.full((1, 1, 2), 3.0, dtype=torch.float64)
    expected = 0.95 * np.log1p(np.exp(-3)) + 0.05 * np.log1p(np.exp(3))
    assert kind.loss(output, tensors, 0.1).item() == pytest.approx(2 * expected / kind.plan.known_per_row)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=12, max_size=12))
def test_the_loss_stays_finite(values):
    kind, target = fitted()
    output = torch.tensor(values).reshape(6, 1, 2).requires_grad_()
    loss = kind.loss(output, kind.collate(target, np.arange(6)))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert output.grad.abs().max() <= 1


def test_balance_favours_rare_answers():
    _kind, target = fitted({"a": [1] * 5 + [0] * 95, "b": [1, 0] * 50})
    weight = target.balance(TrainRows(np.arange(100)))
    assert weight.mean() == pytest.approx(1)
    assert weight[:5].min() > 3 * weight[5:].max()


def test_each_label_is_corrected_by_itself():
    rng = np.random.default_rng(0)
    logit = rng.normal(size=(3000, 2))
    truth = (rng.random((3000, 2)) < 1 / (1 + np.exp(-logit * [0.5, 2.0]))).astype(float)
    truth[::7, 0] = np.nan
    kind, target = fitted({"a": [None if np.isnan(v) else int(v) for v in truth[:, 0]], "b": truth[:, 1].astype(int)})
    plan = kind.calibrate(logit[:, None], target, "auto").plan
    assert plan.corrections[0].scale == pytest.approx(0.5, abs=0.1)
    assert plan.corrections[1].scale == pytest.approx(2.0, abs=0.2)
    assert MultilabelPlan.model_validate_json(plan.model_dump_json()) == plan


def test_a_label_unknown_among_tune_rows_is_left_alone():
    kind, _ = fitted()
    tune = read(LABELS).take(np.array([4] * 40))
    plan = kind.calibrate(np.zeros((40, 1, 2)), tune, "auto").plan
    assert all(correction.scale == 1 for correction in plan.corrections)


def test_answers_are_averaged_and_truth_is_open_for_new_patients():
    kind, target = fitted()
    a, b = (kind.decode(np.full((6, 2, 2), z), target) for z in (0.0, 3.0))
    both = average_answers((a, b))
    assert both.labels == ("a", "b")
    np.testing.assert_allclose(both.probabilities, (a.probabilities + b.probabilities) / 2)
    np.testing.assert_array_equal(both.truth, target.truth)
    assert np.isnan(kind.decode(np.zeros((2, 1, 2)), None).truth).all()


def test_rare_labels_are_warned_about():
    _kind, target = fitted({"a": [1, 1] + [0] * 48, "b": [0, 1] * 25})
    (finding,) = (f for f in target.check("here") if f.name == "rare_label")
    assert "for a" in finding.found


def test_the_example_carries_the_signal():
    rng = np.random.default_rng(0)
    signal = rng.standard_normal(500)
    frame, keys = Multilabel.example(rng, signal, "findings")
    target = Multilabel("findings", MultilabelOptions.model_validate(keys, strict=False)).read_target(frame, TABLE)
    known = ~np.isnan(target.truth[:, 0])
    assert 0.8 < known.mean() < 1
    assert np.corrcoef(target.truth[known, 0], signal[known])[0, 1] > 0.5
