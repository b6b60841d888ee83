"""A few throw-away steps that tell how many epochs fit under the cap."""

from copy import deepcopy
from dataclasses import replace
from itertools import islice
from time import monotonic

import numpy as np
import torch

from polyclinic.cohort.rows import Inner, TuneRows
from polyclinic.training import random_streams as chance
from polyclinic.training.batches.imbalance import Weights
from polyclinic.training.batches.order import count_steps
from polyclinic.training.devices.process_group import ProcessGroup
from polyclinic.training.epochs.task import Task, feed, judge, judged_at_once, plan_epoch
from polyclinic.training.epochs.time_estimate import Pace
from polyclinic.training.updates.step import Stepper

_STEPS = 4


def rehearse(task: Task, group: ProcessGroup) -> Pace:
    """Take some steps with a copy of the network and measure them; nothing of it remains."""
    copy = replace(task, model=deepcopy(task.model).train())
    order = plan_epoch(copy, 0)
    with chance.dropout(torch.device(task.precision.device), task.seed, chance.REHEARSAL):
        seconds = _time_steps(copy, order, group)
        judge_s = _time_judging(copy)
    return Pace(float(np.median(seconds)), len(order), judge_s)


def _time_steps(task: Task, order: list[np.ndarray], group: ProcessGroup) -> list[float]:
    stepper = Stepper(task.model, task.ready.heads, task.recipe, task.precision)
    seconds: list[float] = []
    start = monotonic()
    for work in islice(feed(task, order, 0, group), _STEPS):
        stepper.step(work, Weights({}), group).item()
        seconds.append(monotonic() - start)
        start = monotonic()
    # The first step also makes room and compiles kernels.
    return seconds[1:] or seconds


def _time_judging(task: Task) -> float:
    """Seconds to judge all tune rows, by those of one step."""
    size = judged_at_once(task)
    some = TuneRows(task.rows.tune.index[:size])
    start = monotonic()
    judge(replace(task, rows=Inner(task.rows.train, some)), task.model, Weights({}))
    return (monotonic() - start) * count_steps(len(task.rows.tune), size)
