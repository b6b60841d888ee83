import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.answers.base import average_answers
from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Severity
from polyclinic.heads.regress import Regress, RegressOptions, RegressPlan

TABLE = "cohort.csv"


def head(**keys):
    return Regress("level", RegressOptions(column="level", **keys))


def read(cells, **keys):
    return head(**keys).read_target(pl.DataFrame({"level": cells}), TABLE)


def refused(cells, **keys):
    with pytest.raises(CohortError) as caught:
        read(cells, **keys)
    return {finding.name: finding for finding in caught.value.findings}


def fitted(cells, train=None, **keys):
    kind, target = head(**keys), read(cells, **keys)
    return kind.fit(target, TrainRows(np.arange(len(cells) if train is None else train))), target


def test_numbers_are_read_and_unknown_ones_noted():
    target = read(["1", "2.5", "", None])
    np.testing.assert_array_equal(target.truth, [1, 2.5, np.nan, np.nan])
    note = next(f for f in target.check("here") if f.name == "unknown_outcome")
    assert (note.severity, note.rows) == (Severity.NOTE, (3, 4))


def test_text_is_refused_with_its_rows_and_without_its_content():
    finding = refused(["1", "2", "Mrs Smith", "inf"])["not_a_number"]
    assert finding.rows == (3, 4)
    assert "Smith" not in str(finding)


def test_an_empty_and_a_constant_column_are_refused():
    assert "no_outcome" in refused([None, None])
    assert "constant_outcome" in refused([3.0, 3.0, None])


def test_a_logarithm_needs_numbers_above_zero():
    assert refused([1.0, 0.0, -2.0], transform="log")["no_logarithm"].rows == (2, 3)


def test_an_absent_column_gets_a_suggestion():
    with pytest.raises(CohortError, match='Did you mean "Level"'):
        head().read_target(pl.DataFrame({"Level": [1.0]}), TABLE)


def test_a_fitted_head_takes_tables_without_outcome():
    kind, _ = fitted([1.0, 2.0])
    assert not kind.read_target(pl.DataFrame({"level": [None, None]}), TABLE).known.any()


def test_centre_and_spread_come_from_training_rows_only():
    kind, _ = fitted([1.0, 3.0, None, 1000.0], train=3)
    assert (kind.plan.centre, kind.plan.spread) == (2, 1)


def test_training_rows_equal_but_for_rounding_have_no_spread_to_divide_by():
    kind, _ = fitted([0.3, 0.3, 0.1 + 0.2, 9.0], train=3)
    assert kind.plan.spread == 1


def test_auto_takes_the_logarithm_of_skewed_numbers_only():
    rng = np.random.default_rng(0)
    assert fitted(np.exp(rng.normal(size=200)), transform="auto")[0].plan.log
    assert not fitted(rng.normal(10, 1, size=200), transform="auto")[0].plan.log
    assert not fitted(np.exp(rng.normal(size=200)) - 0.1, transform="auto")[0].plan.log
    assert not fitted(np.exp(rng.normal(size=200)))[0].plan.log


def test_strata_are_quarters():
    assert read([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, None]).strata().tolist() == [0, 0, 1, 1, 2, 2, 3, 3, -1]


@pytest.mark.parametrize("transform", ["none", "log"])
def test_decode_undoes_what_collate_did(transform):
    cells = np.exp(np.random.default_rng(1).normal(size=50)) + 1
    kind, target = fitted(cells, transform=transform, unit="g/L")
    outputs = kind.collate(target, np.arange(50)).truth.numpy().astype(np.float64)[:, None, None]
    answer = kind.decode(outputs, target)
    np.testing.assert_allclose(answer.value, cells, rtol=1e-5)
    assert answer.unit == "g/L"


def test_the_loss_is_half_the_squared_error_or_hubers():
    cells = [0.0, 2.0, None]
    output = torch.tensor([0.5, 4.0, 9.0]).reshape(3, 1, 1).repeat(1, 2, 1)
    kind, target = fitted(cells)
    tensors = kind.collate(target, np.arange(3))
    torch.testing.assert_close(kind.loss(output, tensors), torch.tensor([0.5 * 1.5**2, 0.5 * 9, 0.0]))
    kind, _ = fitted(cells, loss="huber")
    torch.testing.assert_close(kind.loss(output, tensors), torch.tensor([1.5 - 0.5, 3 - 0.5, 0.0]))


def test_a_model_that_shrinks_and_shifts_is_straightened():
    rng = np.random.default_rng(2)
    cells = rng.normal(100, 10, size=2000)
    kind, target = fitted(cells)
    standard = (cells - kind.plan.centre) / kind.plan.spread
    outputs = (0.5 * standard + 0.3 + 0.05 * rng.normal(size=2000))[:, None, None]
    after = kind.calibrate(outputs, target, "auto")
    assert after.plan.slope == pytest.approx(2, abs=0.05)
    error = [np.mean((k.decode(outputs, target).value - cells) ** 2) for k in (kind, after)]
    assert error[1] < 0.2 * error[0]
    assert RegressPlan.model_validate_json(after.plan.model_dump_json()) == after.plan


def test_after_a_logarithm_the_answer_is_a_mean():
    cells = np.exp(np.random.default_rng(3).normal(size=4000))
    kind, target = fitted(cells, transform="log")
    outputs = np.zeros((4000, 1, 1))
    assert kind.decode(outputs, target).value[0] == pytest.approx(np.median(cells), rel=0.1)
    assert kind.calibrate(outputs, target, "auto").decode(outputs, target).value[0] == pytest.approx(
        cells.mean(), rel=0.05
    )


@pytest.mark.parametrize("method", ["auto", "none", "isotonic"])
def test_few_rows_or_none_change_nothing(method):
    kind, target = fitted(list(np.arange(19.0)))
    for rows in (np.arange(19), np.arange(0)):
        plan = kind.calibrate(np.zeros((len(rows), 1, 1)), target.take(rows), method).plan
        assert (plan.slope, plan.offset, plan.smear) == (1, 0, 1)
        assert "not calibrated" in plan.note


@settings(deadline=None, max_examples=50)
@given(st.floats(-1e30, 1e30), st.sampled_from(["none", "log"]))
def test_answers_stay_finite(output, transform):
    kind, target = fitted(np.exp(np.linspace(0, 3, 40)), transform=transform)
    outputs = np.full((40, 1, 1), output)
    for fit in (kind, kind.calibrate(outputs, target, "auto")):
        assert np.isfinite(fit.decode(outputs, target).value).all()


def test_far_and_few_values_are_warned_about():
    cells = [*np.random.default_rng(4).normal(5, 1, size=50), 5000.0]
    (finding,) = read(cells).check("here")
    assert (finding.name, finding.rows) == ("far_values", (51,))
    assert "two_values" in {f.name for f in read([0.0, 1.0] * 5).check("here")}


def test_fits_are_averaged_and_truth_is_open_for_new_patients():
    kind, target = fitted([1.0, 2.0, 3.0])
    a, b = (kind.decode(np.full((3, 1, 1), z), target) for z in (-1.0, 2.0))
    np.testing.assert_allclose(average_answers((a, b)).value, (a.value + b.value) / 2)
    assert np.isnan(kind.decode(np.zeros((2, 1, 1)), None).truth).all()


def test_the_example_carries_the_signal():
    rng = np.random.default_rng(0)
    signal = rng.standard_normal(500)
    frame, keys = Regress.example(rng, signal, "level")
    target = Regress("level", RegressOptions(**keys)).read_target(frame, TABLE)
    assert np.corrcoef(target.truth, signal)[0, 1] > 0.9
