"""The loop over epochs: steps, judging on tune rows, keeping the best, stopping early, keeping the state on disk."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from time import monotonic
from typing import final

import torch

from polyclinic.errors import Finding, Severity, StudyError
from polyclinic.training import random_streams as chance
from polyclinic.training.batches.imbalance import weigh, weigh_judged
from polyclinic.training.devices.precision import repeatable
from polyclinic.training.devices.process_group import ProcessGroup
from polyclinic.training.epochs.checkpoint import Checkpoint, Epoch, FitProgress, Store
from polyclinic.training.epochs.state import restore, snapshot, tune_history
from polyclinic.training.epochs.task import Task, feed, identify, judge, plan_epoch
from polyclinic.training.epochs.time_estimate import Clock, Pace, Pacer, too_short
from polyclinic.training.epochs.timed_steps import rehearse
from polyclinic.training.epochs.tune_history import TuneEpoch, TuneHistory, small_enough
from polyclinic.training.progress import Progress
from polyclinic.training.updates.optimizer import set_rate
from polyclinic.training.updates.schedule import Cycle, one_cycle
from polyclinic.training.updates.step import Stepper

# Keeping the state may cost a fiftieth of the time, and short epochs need not be kept one by one.
_DISK_SHARE = 1 / 50
_KEEP_EVERY_S = 2.0

DIVERGED = "diverged"


class Ending(StrEnum):
    """Why a fit is over."""

    SCHEDULE = "schedule"
    PATIENCE = "patience"
    CAP = "cap"
    FOUND = "found"
    """After as many epochs as cross-fitting found."""
    DIVERGED = "diverged"


@dataclass(frozen=True)
class Trained:
    """How a fit went.

    Attributes:
        record: Its numbers.
        tune: What was said about the tune rows after every epoch.
        findings: What the user should know.
    """

    record: FitProgress
    tune: TuneHistory
    findings: tuple[Finding, ...]


def train(task: Task, group: ProcessGroup, progress: Progress) -> Trained:
    """Train until the schedule, the patience or the cap ends it; leaves the best averaged weights in the network.

    Raises:
        StudyError: if the cap is too short for one epoch, or the loss is never a number.
        BundleError: if the state cannot be kept, or belongs to another fit.
    """
    identity = identify(task)
    store = None if task.folder is None else Store(task.folder)
    kept, findings = (None, []) if store is None else store.load(identity)
    group.wait()
    task.precision.place(task.model)
    loop = FitLoop(task, group, store, kept, identity)
    with repeatable(task.precision):
        loop.go(progress)
    loop.leave_best()
    return Trained(loop.record(), loop.tune_history(), (*findings, *loop.findings()))


@final
class FitLoop:
    """A fit under way."""

    def __init__(
        self, task: Task, group: ProcessGroup, store: Store | None, kept: Checkpoint | None, identity: str
    ) -> None:
        self._task, self._group, self._store, self._identity = task, group, store, identity
        self._clock = Clock(task.cap_s, kept.record.spent_s if kept else 0.0)
        self._stepper = Stepper(task.model, task.ready.heads, task.recipe, task.precision)
        self._weights = weigh(task.ready, task.rows.train, task.recipe.imbalance)
        self._judged = weigh_judged(task.ready, task.rows.tune, task.recipe.imbalance)
        self._history: list[Epoch] = list(kept.record.history) if kept else []
        self._tune: list[TuneEpoch] = tune_history(kept).epochs() if kept else []
        self._ended: str = kept.record.ended if kept else ""
        self._best = kept.record.best if kept else 0
        self._best_weights = restore(self._stepper, kept) if kept else {}
        self._cycle = Cycle(task.recipe.epochs)
        for number, epoch in enumerate(self._history):
            self._cycle.stretch(number, epoch.planned)
        self._pacer = Pacer(Pace(0.0, 0, 0.0))
        self._kept_at, self._keeping_s = monotonic(), 0.0

    def go(self, progress: Progress) -> None:
        """Epoch after epoch, until the end."""
        if self._clock.capped and not self._ended:
            self._pacer = Pacer(rehearse(self._task, self._group))
        progress.start("fit", self._task.recipe.epochs)
        for _ in self._history:
            progress.advance()
        while not self._ended:
            self._epoch()
            progress.advance(self._note())
        progress.finish()

    def record(self) -> FitProgress:
        """The numbers of this fit as they stand."""
        return FitProgress(
            identity=self._identity,
            planned=self._cycle.epochs,
            best=self._best,
            averaged=self._stepper.average.steps,
            spent_s=self._clock.spent_s(),
            ended=self._ended,
            history=tuple(self._history),
        )

    def tune_history(self) -> TuneHistory:
        """What was said about the tune rows after every epoch so far."""
        return TuneHistory.of(self._tune)

    def leave_best(self) -> None:
        """Put the best averaged weights into the network, on the processor and in the plain memory format."""
        if not self._best:
            raise StudyError(_never_a_number())
        model = self._task.model
        model.load_state_dict(self._best_weights)
        model.to("cpu").to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        model.eval()

    def findings(self) -> list[Finding]:
        """What the user should know about how the fit went."""
        return [_diverged(len(self._history), self._best)] if self._ended == Ending.DIVERGED else []

    def _note(self) -> str:
        loss = f"tune loss {self._history[-1].tune_loss:.4f}"
        return loss if self._cycle.epochs == self._task.recipe.epochs else f"{loss}, time for {self._cycle.epochs}"

    def _plan(self, done: int) -> int:
        """How long the fit is, counted from its start, as far as is known after ``done`` epochs."""
        recipe = self._task.recipe
        if recipe.replanned:
            return max(done + 1, recipe.replanned[min(done, len(recipe.replanned) - 1)])
        if not self._clock.capped:
            return recipe.epochs
        more = self._pacer.pace.epochs_in(self._clock.left_s(), self._cycle.epochs - done if done else 1)
        return self._group.follow(min(recipe.epochs, done + more))

    def _epoch(self) -> None:
        done = len(self._history)
        planned = self._plan(done)
        if planned <= done:
            self._cut()
            return
        self._cycle.stretch(done, planned)
        began = monotonic()
        loss = self._steps(done)
        if loss is None:
            self._cut()
            return
        stepped = monotonic()
        self._group.average_statistics(self._task.model)
        self._group.average_statistics(self._stepper.average.model)
        judged, rows = judge(self._task, self._stepper.average.model, self._judged)
        if rows is not None and small_enough(rows, self._task.recipe.epochs):
            self._tune.append(rows)
        rate = float(self._stepper.optimizer.param_groups[0]["lr"])
        self._history.append(Epoch(train_loss=loss, tune_loss=judged, learning_rate=rate, planned=planned))
        self._compare(judged)
        self._ended = self._ending()
        self._keep()
        steps = max(1, self._pacer.pace.steps)
        self._pacer.measured(Pace((stepped - began) / steps, steps, monotonic() - stepped))

    def _steps(self, epoch: int) -> float | None:
        """All steps of one epoch: their mean loss, or None where the cap cut it short."""
        device = torch.device(self._task.precision.device)
        order = plan_epoch(self._task, epoch)
        rows = sum(len(part) for part in order)
        total = torch.zeros((), device=device)
        self._task.model.train()
        with chance.dropout(device, self._task.seed, chance.DROPOUT, epoch, self._group.rank):
            for number, work in enumerate(feed(self._task, order, epoch, self._group)):
                if self._out_of_time():
                    return None
                passed = self._cycle.passed(epoch + number / len(order))
                set_rate(self._stepper.optimizer, one_cycle(passed, self._task.recipe.learning_rate))
                total += self._stepper.step(work, self._weights, self._group) * (work.whole / rows)
        return float(self._group.total(total))

    def _compare(self, judged: float) -> None:
        """Keep the averaged weights if they are the best so far; without tune rows the last ones are."""
        lowest = self._history[self._best - 1].tune_loss if self._best else float("inf")
        if judged < lowest or not len(self._task.rows.tune):
            self._best = len(self._history)
            state = self._stepper.average.model.state_dict()
            self._best_weights = {name: value.detach().clone() for name, value in state.items()}

    def _ending(self) -> str:
        done, recipe = len(self._history), self._task.recipe
        if not isfinite(self._history[-1].train_loss):
            return Ending.DIVERGED
        if done >= self._cycle.epochs:
            return Ending.SCHEDULE
        if done - self._best >= recipe.patience:
            return Ending.PATIENCE
        return Ending.CAP if recipe.stop_after is not None and done >= recipe.stop_after else ""

    def _out_of_time(self) -> bool:
        if not self._clock.capped:
            return False
        pace = self._pacer.pace
        return self._group.agree(self._clock.left_s() < pace.step_s + pace.judge_s)

    def _cut(self) -> None:
        """The cap bit: what the epoch under way did is forgotten, so that the fit can be repeated exactly."""
        if not self._history:
            raise StudyError(too_short(self._pacer.pace.epoch_s))
        self._ended = Ending.CAP
        self._keep()

    def _keep(self) -> None:
        """Write the state down, unless that was done just now."""
        since = monotonic() - self._kept_at
        due = since >= max(_KEEP_EVERY_S, self._keeping_s / _DISK_SHARE)
        if self._store is None or not self._group.leads or not (due or self._ended):
            return
        start = monotonic()
        tensors = snapshot(self._stepper, self._best_weights, self.tune_history(), bool(self._ended))
        self._store.save(Checkpoint(self.record(), tensors))
        if self._ended:
            self._store.settle()
        self._kept_at = monotonic()
        self._keeping_s = self._kept_at - start


def _never_a_number() -> Finding:
    return Finding(
        name=DIVERGED,
        place="study.toml [training] learning_rate",
        rule="the loss on the tune rows must be a number",
        found="it never was",
        remedy='Lower learning_rate or set it to "auto"; set precision = "fp32"; check the inputs for extreme values.',
    )


def _diverged(epoch: int, best: int) -> Finding:
    return Finding(
        name=DIVERGED,
        place="study.toml [training] learning_rate",
        rule="the loss must stay a number while training",
        found=f"it ceased to be one in epoch {epoch}; the weights of epoch {best} were kept",
        remedy='Lower learning_rate, or set it to "auto".',
        severity=Severity.WARNING,
    )
