import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.answers.base import average_answers
from polyclinic.answers.classes import ClassAnswer
from polyclinic.cohort.outcomes import words
from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Severity
from polyclinic.heads.classify import Classify, ClassifyOptions, ClassifyPlan

TABLE = "cohort.csv"


def head(**keys):
    return Classify("sick", ClassifyOptions(column="outcome", **keys))


def read(cells, **keys):
    return head(**keys).read_target(pl.DataFrame({"outcome": cells}), TABLE)


def refused(cells, **keys):
    with pytest.raises(CohortError) as caught:
        read(cells, **keys)
    return {finding.name: finding for finding in caught.value.findings}


def fitted(cells, **keys):
    kind = head(**keys)
    target = kind.read_target(pl.DataFrame({"outcome": cells}), TABLE)
    return kind.fit(target, TrainRows(np.arange(len(cells)))), target


@pytest.mark.parametrize(
    ("cells", "keys", "classes"),
    [
        (["M", "B", "B", "M", "B"], {"positive": "M"}, ("B", "M")),
        (["M", "B", "B", "M", "B"], {"positive": "B"}, ("M", "B")),
        (["well", "ill", "well", "ill", "well"], {}, ("well", "ill")),  # the rarer
        (["a", "b", "b", "a"], {}, ("a", "b")),  # as many: the later in the alphabet
        ([0, 1, 1, 1, 0], {}, ("0", "1")),  # numbers: the larger, though it is more common
        ([0.0, 1.0, 1.0, 0.0], {"positive": 0}, ("1", "0")),
        ([1, 2, 2, 1], {"positive": "2"}, ("1", "2")),
        ([True, False, True, True, False], {}, ("false", "true")),
        ([0, 1, 1, 0], {"positive": True}, ("0", "1")),
        (["True", "False", "True", "False"], {"positive": True}, ("False", "True")),
        ([10, 9, 10, 9, 2, 2], {}, ("2", "9", "10")),
        (["b", "a", "c", "a", "b", "c"], {"classes": ("c", "a", "b")}, ("c", "a", "b")),
        (["b", "a", "a", "a", "b"], {"classes": ("b", "a")}, ("b", "a")),
        (["b", "a", "a", "a", "b"], {"classes": ("b", "a"), "positive": "b"}, ("a", "b")),
    ],
)
def test_classes_and_the_positive_one(cells, keys, classes):
    target = read(cells, **keys)
    assert target.classes == classes
    expected = [classes.index(word) for word in words(pl.Series(cells))]
    assert target.truth.tolist() == expected


def test_unknown_outcomes_are_noted_and_kept_out():
    kind, target = fitted(["yes", "no", None, "yes", "", "no"], positive="yes")
    assert target.known.tolist() == [True, True, False, True, False, True]
    note = next(f for f in target.check("here") if f.name == "unknown_outcome")
    assert note.severity is Severity.NOTE
    assert note.rows == (3, 5)
    assert kind.loss(torch.zeros(6, 1, 1), kind.collate(target, np.arange(6)))[[2, 4]].tolist() == [0, 0]


@pytest.mark.parametrize(("cells", "ordered"), [(["I", "II", "III"], True), (["red", "green", "blue"], False)])
def test_grades_are_told_to_have_an_order(cells, ordered):
    names = {finding.name for finding in read(cells * 4).check("here")}
    assert ("ordered_classes" in names) is ordered


def test_an_assumed_positive_class_is_told():
    _, target = fitted(["yes", "no", "no", "yes", "no"])
    assert "assumed_positive" in {f.name for f in target.check("here")}
    _, target = fitted(["yes", "no", "no", "yes", "no"], positive="yes")
    assert "assumed_positive" not in {f.name for f in target.check("here")}


def test_all_outcomes_missing():
    assert "all 3 cells are empty" in str(refused([None, "", " "])["no_outcome"])


def test_one_class_only():
    assert "one_class" in refused(["yes", None, "yes"])


def test_a_class_with_one_patient_gives_the_row_and_no_content():
    finding = refused(["yes", "no", "no", "maybe Mrs Smith"])["class_of_one"]
    assert finding.rows == (1, 4)
    assert "Smith" not in str(finding)


def test_a_positive_class_that_is_not_there_gets_a_suggestion():
    finding = refused(["yes", "no"] * 5, positive="Yess")["unknown_word"]
    assert 'Did you mean "yes"?' in str(finding)
    assert finding.place == "[targets.sick] positive"


def test_values_of_single_patients_are_never_listed():
    names = [f"patient {n}" for n in range(10)] * 2
    assert "patient" not in refused(names, positive="x")["unknown_word"].remedy.replace("patients", "")


def test_positive_among_many_classes():
    assert "positive_of_many" in refused(["a", "b", "c"] * 3, positive="a")


def test_listed_classes_must_be_there_and_complete():
    found = refused(["a", "b", "c"] * 6, classes=("a", "B"))
    assert 'Did you mean "b"?' in str(found["unknown_word"])
    assert found["unlisted_class"].rows[:2] == (2, 3)


def test_an_absent_column_gets_a_suggestion():
    with pytest.raises(CohortError, match='Did you mean "Outcome"'):
        head().read_target(pl.DataFrame({"Outcome": ["a"]}), TABLE)


def test_a_measurement_is_no_class():
    assert "regress" in str(refused(list(np.linspace(0, 1, 40)) * 2)["too_many_classes"])


@pytest.mark.parametrize("twin", ["m", "\uff2d"])
def test_alike_classes_are_refused_and_rare_ones_warned_about(twin):
    _, target = fitted(["M", twin, "B"] * 3)
    found = {f.name: f.severity for f in target.check("here")}
    assert found["alike_classes"] is Severity.REFUSED
    assert found["rare_class"] is Severity.WARNING


def test_classes_that_differ_are_not_refused():
    _, target = fitted(["M", "N", "B"] * 3)
    assert "alike_classes" not in {f.name for f in target.check("here")}


def test_a_fitted_head_refuses_classes_it_never_saw_and_takes_tables_without_outcome():
    kind, _ = fitted(["yes", "no"] * 5)
    assert not kind.read_target(pl.DataFrame({"outcome": [None, ""]}), TABLE).known.any()
    assert kind.read_target(pl.DataFrame({"outcome": ["yes"]}), TABLE).truth.tolist() == [
        kind.plan.classes.index("yes")
    ]
    with pytest.raises(CohortError) as caught:
        kind.read_target(pl.DataFrame({"outcome": ["yes", "perhaps"]}), TABLE)
    assert caught.value.findings[0].rows == (2,)
    assert "perhaps" not in str(caught.value)


def test_strata_are_the_classes():
    _, target = fitted(["a", "b", None, "b", "a"])
    assert target.strata().tolist() == target.truth.tolist()


def test_the_layer_starts_at_how_common_each_class_is():
    for cells, expected in ((["n"] * 30 + ["y"] * 10, [0.75, 0.25]), (["a"] * 10 + ["b"] * 20 + ["c"] * 30, None)):
        kind, _ = fitted(cells)
        start = kind.layer(8).bias.detach().numpy()[None]
        raw = kind.decode(start, None).raw[0]
        np.testing.assert_allclose(raw, expected or [1 / 6, 2 / 6, 3 / 6], atol=0.01)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_cross_entropy_averaged_over_members(classes, smoothing):
    kind, target = fitted(["a", "b", "c"][:classes] * 4, positive="b" if classes == 2 else None)
    output = torch.randn(len(target.truth), 3, 1 if classes == 2 else classes, dtype=torch.float64)
    loss = kind.loss(output, kind.collate(target, np.arange(len(target.truth))), smoothing)
    logits = torch.cat([torch.zeros_like(output), output], dim=2) if classes == 2 else output
    goal = torch.full((len(loss), classes), smoothing / classes, dtype=torch.float64)
    goal[torch.arange(len(loss)), torch.from_numpy(target.truth)] += 1 - smoothing
    expected = -(goal[:, None] * logits.log_softmax(dim=2)).sum(dim=2).mean(dim=1)
    torch.testing.assert_close(loss, expected)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=6, max_size=6), st.sampled_from([2, 3]))
def test_the_loss_stays_finite_and_its_gradient_small(values, classes):
    kind, target = fitted(["a", "b", "c"][:classes] * 6)
    out = 1 if classes == 2 else 3
    output = torch.tensor(values).reshape(6, 1, 1).repeat(1, 2, out).requires_grad_()
    loss = kind.loss(output, kind.collate(target, np.arange(6)))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert output.grad.abs().max() <= 1


def test_half_precision_outputs_give_single_precision_losses():
    kind, target = fitted(["a", "b"] * 4)
    loss = kind.loss(torch.randn(8, 1, 1, dtype=torch.bfloat16), kind.collate(target, np.arange(8)))
    assert loss.dtype == torch.float32


def test_balance_makes_all_classes_count_alike():
    _kind, target = fitted(["a"] * 60 + ["b"] * 30 + ["c"] * 10 + [None] * 5)
    weight = target.balance(TrainRows(np.arange(105)))
    assert weight.mean() == pytest.approx(1)
    sums = [weight[target.truth == k].sum() for k in range(3)]
    np.testing.assert_allclose(sums, sums[0])


def test_balance_bears_a_class_without_training_rows():
    _kind, target = fitted(["a"] * 10 + ["b"] * 10 + ["c"] * 10)
    np.testing.assert_allclose(target.balance(TrainRows(np.arange(15))).sum(), 15)


def test_calibration_reads_only_rows_with_a_known_class():
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.3
    cells = [None if n % 4 == 0 else "y" if yes else "n" for n, yes in enumerate(truth)]
    kind, target = fitted(cells, positive="y")
    outputs = np.where(truth, 2.0, -2.0)[:, None, None] + rng.normal(size=(400, 2, 1)) * 2
    changed = outputs.copy()
    changed[::4] = 1e6
    assert kind.calibrate(outputs, target, "auto").plan == kind.calibrate(changed, target, "auto").plan


def test_members_are_averaged_as_probabilities():
    kind, target = fitted(["n", "y"] * 10, positive="y")
    outputs = np.tile(np.array([[[4.0], [-1.0]]]), (20, 1, 1))
    answer = kind.decode(outputs, target)
    assert isinstance(answer, ClassAnswer)
    expected = np.mean(1 / (1 + np.exp([-4.0, 1.0])))
    np.testing.assert_allclose(answer.probabilities[:, 1], expected)
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(answer.truth, [0, 1] * 10)


def test_decoding_new_patients_leaves_the_truth_open():
    kind, _ = fitted(["n", "y"] * 10)
    assert np.isnan(kind.decode(np.zeros((3, 1, 1)), None).truth).all()


def test_fits_are_averaged():
    kind, target = fitted(["n", "y"] * 2)
    a, b = (kind.decode(np.full((4, 1, 1), z), target) for z in (0.0, 3.0))
    both = average_answers((a, b))
    np.testing.assert_allclose(both.probabilities, (a.probabilities + b.probabilities) / 2)
    np.testing.assert_allclose(both.raw, (a.raw + b.raw) / 2)


def test_take_keeps_the_classes():
    _kind, target = fitted(["n", "y", None] * 2)
    part = target.take(np.array([1, 2]))
    assert part.known.tolist() == [True, False]
    assert part.classes == target.classes


def test_the_plan_survives_json():
    kind, target = fitted(["n", "y"] * 30)
    rng = np.random.default_rng(1)
    plan = kind.calibrate(rng.normal(size=(60, 2, 1)), target, "auto").plan
    assert ClassifyPlan.model_validate_json(plan.model_dump_json()) == plan


def test_the_example_carries_the_signal():
    rng = np.random.default_rng(0)
    signal = rng.standard_normal(500)
    frame, keys = Classify.example(rng, signal, "sick")
    target = Classify("sick", ClassifyOptions(**keys)).read_target(frame, TABLE)
    assert np.corrcoef(target.truth, signal)[0, 1] > 0.5
