"""A look at a study before anything is trained: everything that is wrong with it, and what a run would cost."""

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

from polyclinic.baselines.effort import PLAIN_SHARE, plain_seconds
from polyclinic.baselines.plain import plain_estimate
from polyclinic.cohort.rows import Split
from polyclinic.cohort.table import Step, load
from polyclinic.delivery.notebook import Card
from polyclinic.errors import Finding, PolyclinicError, Severity, StudyError
from polyclinic.formats.frames import GivenTable
from polyclinic.model import build
from polyclinic.steps.assemble import assemble, divide_cohort
from polyclinic.steps.kinds import kinds_of
from polyclinic.study.schema import Study
from polyclinic.training.assembled import Assembled
from polyclinic.training.devices.precision import choose_precision
from polyclinic.training.devices.process_group import ALONE
from polyclinic.training.epochs.task import Task
from polyclinic.training.epochs.time_estimate import share_minutes, shortened, too_short
from polyclinic.training.epochs.timed_steps import rehearse
from polyclinic.training.fit import check_fit
from polyclinic.training.ready import Ready
from polyclinic.training.recipe import write_recipe
from polyclinic.training.transfer import read_start, transfer

_BYTES_PER_GIB = 2**30
_ROOM = 1.2  # memory of a run over that of the rehearsal: evidence, baselines and report come on top


@dataclass(frozen=True)
class Preflight:
    """What was found.

    Attributes:
        findings: All of them, accepted refusals as notes.
        flow: The flow chart of patients, as far as it got.
        parts: Sentences on the split and the model.
        minutes: Estimate of the training time, or None where the study cannot run.
        gib: Estimate of the memory in GiB, or None.
    """

    findings: tuple[Finding, ...]
    flow: tuple[Step, ...]
    parts: tuple[str, ...]
    minutes: float | None = None
    gib: float | None = None

    def _repr_html_(self) -> str:
        """What was found and what a run would cost, for notebooks."""
        title = "A run would be refused" if self.stopping else "Nothing stands in the way of a run"
        flow = tuple((step.label, str(step.rows), str(step.patients)) for step in self.flow)
        cost = () if self.minutes is None else (("about", f"{self.minutes:.1f} minutes, {self.gib:.1f} GiB"),)
        return Card(title, cost, ("", "rows", "patients"), flow, self.findings).html()

    @property
    def stopping(self) -> bool:
        """Whether a run would be refused."""
        return any(finding.severity in (Severity.ERROR, Severity.REFUSED) for finding in self.findings)


def preflight(study: Study, folder: Path, cache: Path | None, given: GivenTable | None = None) -> Preflight:
    """Assemble and divide the study, take a few throw-away steps, and tell; raises nothing that a user caused."""
    try:
        kinds = kinds_of(study)
        cohort = load(study.cohort, folder, uses=kinds.column_uses(study.split), given=given)
        assembled = assemble(study, kinds, cohort, cache)
    except PolyclinicError as error:
        return Preflight(error.findings, (), ())
    try:
        split, assembled = divide_cohort(assembled)
    except PolyclinicError as error:
        return Preflight((*assembled.findings, *error.findings), assembled.cohort.flow, ())
    try:
        return _cost(assembled, split)
    except PolyclinicError as error:
        return Preflight((*assembled.findings, *error.findings), assembled.cohort.flow, _parts(split))


def _cost(assembled: Assembled, split: Split) -> Preflight:
    study, rows = assembled.study, split.folds[0].chosen_on[0]
    ready = Ready.fit(assembled.inputs, assembled.questions, rows.train, assembled.cache)
    model = build(ready.inputs, ready.heads, study.model, study.study.seed)
    if (start := read_start(study.model)) is not None:
        transfer(model, start)
    recipe = write_recipe(model, study.training, len(rows.train), points=ready.view_points())
    check_fit(model, ready, rows, recipe, study.training.processes)
    precision, slow = choose_precision(model, study.training)
    precision.place(model)
    pace = rehearse(Task(model, ready, rows, recipe, precision, study.study.seed, None, None), ALONE)
    fits = sum(fold.fits for fold in split.folds)
    trials = len(split.folds) * study.training.search
    cap, done = study.training.minutes, recipe.stop_after
    plain_fits = sum(len(fold.chosen_on) for fold in split.folds)
    plain_each_s = plain_estimate(assembled, rows, plain_seconds(cap, plain_fits))
    plain_s = plain_fits * plain_each_s if study.evidence.baselines else 0.0
    minutes = (pace.epoch_s * (done or recipe.epochs) * (fits + trials) + plain_s) / 60
    reserved_s = 0.0 if cap is None else min(plain_s, PLAIN_SHARE * cap * 60)
    share_s = None if done else share_minutes(cap, reserved_s, fits + trials)
    fitting = recipe.epochs if share_s is None else min(recipe.epochs, pace.epochs_in(share_s))
    if not fitting:
        raise StudyError(too_short(pace.epoch_s))
    weights = sum(parameter.numel() for parameter in model.parameters())
    cost = (
        f"A model of {weights:,} weights, {recipe.epochs} epochs at most, {fits} fits, "
        f"in {'bf16' if precision.half else 'fp32'} on {precision.device}."
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Preflight(
        findings=(*shortened([(recipe.epochs, fitting)]), *assembled.findings, *slow),
        flow=assembled.cohort.flow,
        parts=(*_parts(split), cost),
        minutes=minutes if study.training.minutes is None else min(minutes, study.training.minutes),
        gib=_ROOM * peak / _BYTES_PER_GIB,
    )


def _parts(split: Split) -> tuple[str, ...]:
    first = split.folds[0]
    inner = first.members[0]
    left_out = f"each left out once in {len(first.crossed)} parts"
    chosen = left_out if first.crossed else f"{len(inner.tune)} tune"
    return (f"Fold 1 of {len(split.folds)}: {len(inner.train)} rows train, {chosen}, {len(first.test)} test.",)
