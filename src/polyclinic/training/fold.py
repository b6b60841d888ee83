"""One fold of a study: every member of the ensemble trained, calibrated on tune rows, and asked about the test rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from polyclinic.assemble import Assembled
from polyclinic.cohort.rows import Fold, Inner, Rows, TrainRows
from polyclinic.cohort.table import Cohort
from polyclinic.evidence.shift import ShiftReference, learn_shift, shift_score
from polyclinic.heads.base import Kind as Head
from polyclinic.inputs.base import Kind as Input
from polyclinic.model import build
from polyclinic.predictions import Answer, Predictions, Samples, join
from polyclinic.study.schema import ModelSection, TrainingSection
from polyclinic.training.chance import derive
from polyclinic.training.fit import Fitted, fit
from polyclinic.training.outputs import Outputs, evaluate
from polyclinic.training.progress import Progress
from polyclinic.training.ready import Ready
from polyclinic.training.transfer import transfer

_REFERENCE_ROWS = 4096


@dataclass(frozen=True)
class Plan:
    """How each fit of a fold is done.

    Attributes:
        model: Size, ensemble, dropout.
        training: How weights are found.
        seed: The study's.
        start: Weights to begin with, by layer name, or None.
        scratch: Where states are kept; one folder per fit.
        cap_s: Most seconds for each fit, or None.
        first: Number of this fold's first fit within the study.
    """

    model: ModelSection
    training: TrainingSection
    seed: int
    start: Mapping[str, Tensor] | None
    scratch: Path
    cap_s: float | None
    first: int


@dataclass(frozen=True)
class Member:
    """One trained network with all it takes to answer for new patients.

    Attributes:
        name: Repetition, fold and member: "0-0-0".
        inputs: Fitted kinds of input.
        heads: Fitted and calibrated kinds of question.
        fitted: The network and how it was found.
        shift: Where its training patients lie.
    """

    name: str
    inputs: Mapping[str, Input]
    heads: Mapping[str, Head]
    fitted: Fitted
    shift: ShiftReference


@dataclass(frozen=True)
class _Run:
    """A member before the calibration: what it said about its tune rows and about the test rows."""

    rows: Inner
    inputs: Mapping[str, Input]
    fitted: Fitted
    tune: Outputs
    test: Outputs
    shift: ShiftReference


def answer_fold(
    assembled: Assembled, fold: Fold, plan: Plan, progress: Progress
) -> tuple[Predictions, tuple[Member, ...]]:
    """Train the members of a fold and answer for its tune and test rows.

    Heads learn their constants from the first member's training rows, so that all members answer on one scale and
    one calibration, learned from the tune rows of all of them, serves all.

    Raises:
        StudyError, BundleError: as ``fit`` does.
    """
    heads = {name: head.fit(assembled.targets[name], fold.members[0].train) for name, head in assembled.heads.items()}
    runs = [_run_member(assembled, heads, fold, number, plan, progress) for number in range(len(fold.members))]
    calibrated = {name: _calibrate(head, name, assembled, runs, plan.training) for name, head in heads.items()}
    tune = _answer_tune(assembled, calibrated, fold, runs)
    test = _answer(assembled, calibrated, fold.test, [run.test for run in runs])
    shift = np.mean([shift_score(run.shift, run.test.summary) for run in runs], axis=0)
    tested = Predictions("polyclinic", samples_of(assembled.cohort, fold.test, "test", fold), test, shift)
    members = tuple(
        Member(fit_name(fold, number), run.inputs, calibrated, run.fitted, run.shift) for number, run in enumerate(runs)
    )
    return join([tune, tested]), members


def fit_name(fold: Fold, member: int) -> str:
    """Name of one fit: repetition, fold and member."""
    return f"{fold.repeat}-{fold.number}-{member}"


def samples_of(cohort: Cohort, rows: Rows, part: str, fold: Fold) -> Samples:
    """Who the answers of one part of a fold are about."""
    index = rows.index
    return Samples(
        row=cohort.row[index],
        patient=cohort.patient[index],
        part=np.full(len(index), part),
        repeat=np.full(len(index), fold.repeat),
        fold=np.full(len(index), fold.number),
        site=None if cohort.site is None else cohort.site[index],
        strata={name: values[index] for name, values in cohort.strata.items()},
    )


def same_tune_rows(fold: Fold) -> bool:
    """Whether the members of a fold were all judged on the same tune rows."""
    first = fold.members[0].tune.index
    return all(np.array_equal(first, member.tune.index) for member in fold.members)


def _run_member(
    assembled: Assembled, heads: Mapping[str, Head], fold: Fold, number: int, plan: Plan, progress: Progress
) -> _Run:
    rows = fold.members[number]
    inputs = {name: kind.fit(assembled.records[name], rows.train) for name, kind in assembled.inputs.items()}
    columns = {name: kind.prepare(assembled.records[name]) for name, kind in inputs.items()}
    ready = Ready(inputs, columns, heads, assembled.targets)
    seed = derive(plan.seed, fold.repeat, fold.number, number)
    model = build(inputs, heads, plan.model, seed)
    if plan.start is not None:
        transfer(model, plan.start)
    folder = plan.scratch / fit_name(fold, number)
    fitted = fit(
        model,
        ready,
        rows,
        plan.training,
        seed=seed,
        number=plan.first + number,
        folder=folder,
        cap_s=plan.cap_s,
        progress=progress,
    )
    tune, test = evaluate(fitted.model, ready, rows.tune), evaluate(fitted.model, ready, fold.test)
    known = evaluate(fitted.model, ready, TrainRows(_some(rows.train, seed))).summary
    return _Run(rows, inputs, fitted, tune, test, learn_shift(known, tune.summary))


def _some(rows: TrainRows, seed: int) -> Any:
    """Enough training rows to say where they lie."""
    if len(rows) <= _REFERENCE_ROWS:
        return rows.index
    chosen = np.random.default_rng(seed).choice(len(rows), _REFERENCE_ROWS, replace=False)
    return np.sort(rows.index[chosen])


def _calibrate(head: Head, name: str, assembled: Assembled, runs: Sequence[_Run], training: TrainingSection) -> Head:
    outputs: Float[np.ndarray, "sample member out"] = np.concatenate([run.tune.by_target[name] for run in runs])
    index = np.concatenate([run.tune.rows for run in runs])
    return head.calibrate(outputs, head.take(assembled.targets[name], index), training.calibration)


def _answer(
    assembled: Assembled, heads: Mapping[str, Head], rows: Rows, outputs: Sequence[Outputs]
) -> dict[str, Answer]:
    """What several members say about the same rows, averaged."""
    answers: dict[str, Answer] = {}
    for name, head in heads.items():
        truth = head.take(assembled.targets[name], rows.index)
        answers[name] = head.average(tuple(head.decode(output.by_target[name], truth) for output in outputs))
    return answers


def _answer_tune(assembled: Assembled, heads: Mapping[str, Head], fold: Fold, runs: Sequence[_Run]) -> Predictions:
    """Members that share their tune rows answer together; else each answers for its own, which it alone may."""
    if same_tune_rows(fold):
        rows = fold.members[0].tune
        answers = _answer(assembled, heads, rows, [run.tune for run in runs])
        shift = np.mean([shift_score(run.shift, run.tune.summary) for run in runs], axis=0)
        return Predictions("polyclinic", samples_of(assembled.cohort, rows, "tune", fold), answers, shift)
    parts = [_answer(assembled, heads, run.rows.tune, [run.tune]) for run in runs]
    samples = [samples_of(assembled.cohort, run.rows.tune, "tune", fold) for run in runs]
    shifts = [shift_score(run.shift, run.tune.summary) for run in runs]
    return join(
        [Predictions("polyclinic", s, part, shift) for s, part, shift in zip(samples, parts, shifts, strict=True)]
    )
