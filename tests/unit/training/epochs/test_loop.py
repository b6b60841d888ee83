"""The loop over epochs: the best averaged weights are kept, weights of rows and targets count, views are as drawn."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from polyclinic.heads.base import Question
from polyclinic.model import build
from polyclinic.study.schema import ModelSection, Size
from polyclinic.training.batches.imbalance import Weights, weigh_judged
from polyclinic.training.devices.precision import PLAIN
from polyclinic.training.epochs.loop import Ending
from polyclinic.training.epochs.task import Task, judge, plan_epoch
from polyclinic.training.recipe import write_recipe
from polyclinic.training.updates.step import add_losses


def task_of(bench, model, **settings) -> Task:
    section = bench.training(**settings)
    recipe = write_recipe(model, section, len(bench.rows.train))
    return Task(model, bench.ready, bench.rows, recipe, PLAIN, 5, None, None)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_kept_weights_are_those_that_were_judged_best(bench, ema):
    """With a rate at which later epochs get worse; judged anew they come to the loss that was written down."""
    fitted = bench.fit(epochs=12, learning_rate=0.5, patience=12, ema=ema)
    losses = [epoch.tune_loss for epoch in fitted.history]
    assert fitted.best == int(np.argmin(losses)) + 1
    assert fitted.best < len(losses), "else nothing is tested here"
    task = task_of(bench, fitted.model)
    again, rows = judge(task, fitted.model, weigh_judged(bench.ready, bench.rows.tune, "none"))
    assert again == pytest.approx(min(losses), rel=1e-5)
    np.testing.assert_allclose(fitted.tune.losses.mean(axis=1), losses, rtol=1e-5)
    for name, outputs in rows.outputs.items():
        np.testing.assert_allclose(fitted.tune.at(fitted.best)[name], outputs, rtol=1e-4, atol=1e-5)


def test_patience_ends_a_fit_that_gets_no_better(bench):
    fitted = bench.fit(epochs=30, learning_rate=0.5, patience=2, ema=0.0)
    assert fitted.ended is Ending.PATIENCE
    assert fitted.done == fitted.best + 2


def test_the_average_differs_from_the_weights_of_the_last_step(bench):
    averaged, last = (bench.fit(epochs=2, ema=ema) for ema in (0.99, 0.0))
    assert bench.content(averaged) != bench.content(last)
    assert averaged.history[0].train_loss == last.history[0].train_loss


def test_each_target_counts_by_its_weight(bench_of):
    bench = bench_of({"sick": "classify", "level": "regress"})
    index = bench.rows.train.index[:8]
    model = build(bench.ready.inputs, bench.ready.heads, ModelSection(size=Size.TINY), 1).eval()
    outputs = model(bench.ready.see(index)).outputs
    targets = bench.ready.ask(index)

    def total(**weights: float) -> torch.Tensor:
        heads = {}
        for name, head in bench.ready.heads.items():
            options = head.options.model_copy(update={"weight": weights.get(name, 1.0)})
            heads[name] = type(head)(head.name, options, head.plan)
        return add_losses(heads, outputs, targets, index, Weights({}))

    sick, level = (total(**{other: 0.0}) for other in ("level", "sick"))
    torch.testing.assert_close(total(), sick + level)
    torch.testing.assert_close(total(sick=3.0, level=0.5), 3 * sick + 0.5 * level)


def test_each_row_counts_by_its_balance(bench):
    index = bench.rows.train.index[:8]
    outputs = bench.model().eval()(bench.ready.see(index)).outputs
    targets = bench.ready.ask(index)
    plain = add_losses(bench.ready.heads, outputs, targets, index, Weights({}))
    spread = np.zeros(96, dtype=np.float32)
    spread[index] = np.arange(8)
    weighed = add_losses(bench.ready.heads, outputs, targets, index, Weights({"sick": spread}))
    torch.testing.assert_close(weighed, plain * torch.arange(8.0))


def test_rare_rows_are_drawn_more_often_in_every_epoch(bench_of):
    bench = bench_of({"sick": "classify"}, rows=300, train=240, rare=1.5)
    question: Question = bench.ready.questions["sick"]
    rows = bench.rows.train.index
    truth = question.take(rows).decode(np.zeros((len(rows), 1, 1), np.float32)).truth
    rare = rows[truth == (truth.mean() < 0.5)]
    for mode, longer in (("oversample", True), ("undersample", False)):
        task = task_of(bench, bench.model(), imbalance=mode)
        drawn = np.concatenate([part for epoch in range(12) for part in plan_epoch(task, epoch)])
        assert np.isin(drawn, rare).mean() == pytest.approx(0.5, abs=0.05)
        assert (len(drawn) > 12 * len(rows)) == longer
        assert set(drawn) <= set(rows)
    assert sorted(np.concatenate(plan_epoch(task_of(bench, bench.model()), 0))) == sorted(rows)


def test_tune_rows_are_not_trained_on(bench):
    task = task_of(bench, bench.model(), imbalance="oversample")
    for epoch in range(3):
        drawn = np.concatenate(plan_epoch(task, epoch))
        assert not np.isin(drawn, bench.rows.tune.index).any()
        assert not np.isin(drawn, bench.fold.test.index).any()


def test_tune_rows_are_judged_on_the_same_views_after_every_epoch(bench, monkeypatch):
    """Not changed at random, and not other ones."""
    asked = []
    ready = replace(bench.ready, places={"labs": ()})
    monkeypatch.setattr(
        type(ready), "batch", lambda self, index, source, *, change=True: _record(asked, source, change)
    )
    task = replace(task_of(bench, bench.model()), ready=ready)
    for _ in range(2):
        with pytest.raises(StopIteration):
            judge(task, bench.model(), Weights({}))
    assert asked[0] == asked[1]
    assert asked[0][1] is False


def _record(asked: list, source: torch.Generator, change: bool) -> None:
    asked.append((int(torch.randint(2**31, (1,), generator=source)), change))
    raise StopIteration
