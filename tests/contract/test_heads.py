"""What every kind of question promises. A new file in heads/ is under test the moment it exists."""

import json
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.answers.base import average_answers
from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError
from polyclinic.heads.base import Dense, Head
from polyclinic.study import catalogue
from polyclinic.tensors import Fused

ROWS = 240
TRAIN = TrainRows(np.arange(160))
TUNE = np.arange(160, 240)
WIDTH, MEMBERS = 8, 3

KINDS = [word for word in catalogue.names("heads") if not issubclass(catalogue.find("heads", word), Dense)]
"""Dense questions need an input to live on: see test_dense.py."""


class Case(NamedTuple):
    """A kind on a synthetic outcome, read and fitted, with outputs of a layer on noise."""

    kind: Head
    frame: pl.DataFrame
    target: object
    fitted: Head


@pytest.fixture(params=KINDS)
def case(request) -> Case:
    cls = catalogue.find("heads", request.param)
    rng = np.random.default_rng(11)
    frame, keys = cls.example(rng, rng.standard_normal(ROWS), "it")
    kind = cls("it", cls.Options.model_validate_json(json.dumps(keys)))
    target = kind.read_target(frame, "cohort.csv")
    return Case(kind, frame, target, kind.fit(target, TRAIN))


def fused(rows: int, seed: int = 0) -> Fused:
    summary = torch.randn(rows, MEMBERS, WIDTH, generator=torch.Generator().manual_seed(seed))
    tokens = summary.reshape(-1, 1, WIDTH)
    return Fused(summary, tokens, torch.ones(len(tokens), 1, dtype=torch.bool), None, {})


def outputs(case: Case, rows: int = ROWS) -> torch.Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        layer = case.fitted.layer(WIDTH, MEMBERS)
    return layer(fused(rows))


def calibrated(case: Case) -> Head:
    array = outputs(case).detach().numpy()[TUNE]
    return case.fitted.calibrate(array, case.target.take(TUNE), "auto")


def test_every_option_has_a_line_of_help(case):
    for key, field in type(case.kind.options).model_fields.items():
        assert field.description, key


def test_its_columns_are_in_the_example(case):
    assert set(case.kind.columns()) <= set(case.frame.columns)


def test_one_loss_for_each_row_and_gradients(case):
    output = outputs(case)
    loss = case.fitted.loss(output, case.fitted.collate(case.target, np.arange(ROWS)))
    assert loss.shape == (ROWS,)
    assert torch.isfinite(loss).all()
    output.retain_grad()
    loss.mean().backward()
    assert torch.isfinite(output.grad).all()
    assert output.grad.abs().sum() > 0


def test_an_unknown_outcome_adds_nothing(case):
    blank = pl.int_range(pl.len()) == 4
    frame = case.frame.with_columns(pl.when(blank).then(None).otherwise(pl.col(c)).alias(c) for c in case.frame.columns)
    target = case.kind.read_target(frame, "cohort.csv")
    assert not target.known[4]
    assert target.strata()[4] == -1
    loss = case.fitted.loss(outputs(case, 5), case.fitted.collate(target, np.arange(5)))
    assert loss[4] == 0


def test_an_outcome_that_nobody_has_is_refused(case):
    empty = case.frame.with_columns(pl.lit(None).cast(pl.String).alias(c) for c in case.frame.columns)
    with pytest.raises(CohortError, match=r"cohort\.csv"):
        case.kind.read_target(empty, "cohort.csv")


def test_a_column_that_is_not_there_is_refused(case):
    with pytest.raises(CohortError, match="no column"):
        case.kind.read_target(pl.DataFrame({"other": [1, 2]}), "cohort.csv")


def test_answers_have_one_entry_per_row_and_carry_the_truth(case):
    head = calibrated(case)
    answer = head.decode(outputs(case).detach().numpy(), case.target)
    assert len(answer) == ROWS
    assert answer.form == head.form
    unasked = head.decode(outputs(case).detach().numpy(), None)
    assert type(unasked) is type(answer)


def test_answering_in_parts_is_answering_at_once(case):
    head, array = calibrated(case), outputs(case).detach().numpy()
    whole = head.decode(array, case.target).take(TUNE)
    part = head.decode(array[TUNE], case.target.take(TUNE))
    for name, value in vars(whole).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, getattr(part, name), rtol=1e-6, err_msg=name)


def test_the_average_of_equal_answers_is_that_answer(case):
    answer = calibrated(case).decode(outputs(case).detach().numpy(), case.target)
    mean = average_answers((answer, answer))
    for name, value in vars(answer).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, getattr(mean, name), rtol=1e-6, err_msg=name)


def test_nothing_is_learned_from_other_rows(case):
    index = np.concatenate([TRAIN.index, np.full(ROWS - len(TRAIN), TRAIN.index[0])])
    target = case.kind.read_target(case.frame[index], "cohort.csv")
    assert case.kind.fit(target, TRAIN).plan == case.fitted.plan


def test_the_plan_survives_json(case):
    head = calibrated(case)
    plan = type(head.plan).model_validate_json(head.plan.model_dump_json())
    revived = type(head)("it", head.options, plan)
    array = outputs(case).detach().numpy()
    before, after = head.decode(array, case.target), revived.decode(array, case.target)
    for name, value in vars(before).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(after, name), err_msg=name)


def test_large_outputs_stay_finite(case):
    output = (outputs(case, 16) * 1000).detach().requires_grad_()
    loss = case.fitted.loss(output, case.fitted.collate(case.target, np.arange(16)))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(output.grad).all()


def test_weights_that_balance_have_mean_one(case):
    weights = case.target.balance(TRAIN)
    if weights is not None:
        assert weights.shape == (len(TRAIN),)
        assert weights.mean() == pytest.approx(1.0)
