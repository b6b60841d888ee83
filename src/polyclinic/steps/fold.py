"""One fold of a study: every member of the ensemble trained, calibrated on tune rows, and asked about the test rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int
from torch import Tensor

from polyclinic.cohort.rows import Fold, Inner, TrainRows
from polyclinic.evidence.shift import ShiftReference, learn_shift, shift_score
from polyclinic.heads.base import Head
from polyclinic.inputs.base import Input
from polyclinic.model import build
from polyclinic.predictions.record import Predictions
from polyclinic.study.schema import ModelSection, TrainingSection
from polyclinic.training.assembled import Assembled
from polyclinic.training.ensemble import MemberOutputs, average_members, calibrate_members
from polyclinic.training.fit import Fitted, fit
from polyclinic.training.outputs import evaluate
from polyclinic.training.progress import Progress
from polyclinic.training.random_streams import derive
from polyclinic.training.ready import Ready
from polyclinic.training.search import SettingsSearch, search
from polyclinic.training.transfer import transfer

_REFERENCE_ROWS = 4096
_REFERENCE_RECORDS = 64
"""The same where a record is looked at window by window."""


@dataclass(frozen=True)
class FoldPlan:
    """How each fit of a fold is done.

    Attributes:
        model: Size, ensemble, dropout.
        training: How weights are found.
        seed: The study's.
        start: Weights to begin with, by layer name, or None.
        scratch: Where states are kept, one folder per fit; None = nowhere, and there is no search.
        cap_s: Most seconds for each fit, or None; what one of them leaves goes to the later ones of the fold.
        first: Number of this fold's first fit within the study.
        searched_s: Seconds of the search for settings, where there was one.
    """

    model: ModelSection
    training: TrainingSection
    seed: int
    start: Mapping[str, Tensor] | None
    scratch: Path | None
    cap_s: float | None
    first: int
    searched_s: float = 0.0


@dataclass(frozen=True)
class Member:
    """One trained network with all it takes to answer for new patients.

    Attributes:
        name: Repetition, fold and member: "0-0-0".
        inputs: Fitted kinds of input.
        heads: Fitted and calibrated kinds of question.
        model: Size and dropout, as asked or as the search chose.
        fitted: The network and how it was found.
        shift: Where its training patients lie.
        spent_s: Seconds of its training; for the first of a fold also those of the search before.
    """

    name: str
    inputs: Mapping[str, Input]
    heads: Mapping[str, Head]
    model: ModelSection
    fitted: Fitted
    shift: ShiftReference
    spent_s: float


def run_fold(
    assembled: Assembled, fold: Fold, plan: FoldPlan, progress: Progress
) -> tuple[Predictions, tuple[Member, ...]]:
    """Train the members of a fold and answer for its tune and test rows.

    Heads learn their constants from the first member's training rows, so that all members answer on one scale and
    one calibration, learned from the tune rows of all of them, serves all.

    Raises:
        StudyError, BundleError: as ``fit`` does.
    """
    first = fold.members[0].train
    assembled = replace(assembled, questions={name: q.fit(first) for name, q in assembled.questions.items()})
    plan = _searched(assembled, fold, plan, progress)
    runs: list[tuple[Member, MemberOutputs]] = []
    for number in range(len(fold.members)):
        runs.append(_run_member(assembled, fold, number, _with_what_was_left(plan, fold, runs), progress))
    outputs = [one for _, one in runs]
    calibrated = calibrate_members(assembled.questions, outputs, plan.training.calibration)
    answers = average_members("polyclinic", assembled.cohort, fold, calibrated, outputs)
    heads = {name: question.head for name, question in calibrated.items()}
    return answers, tuple(replace(member, heads=heads) for member, _ in runs)


def fit_name(fold: Fold, member: int) -> str:
    """Name of one fit: repetition, fold and member."""
    return f"{fold.repeat}-{fold.number}-{member}"


def _with_what_was_left(plan: FoldPlan, fold: Fold, done: Sequence[tuple[Member, MemberOutputs]]) -> FoldPlan:
    """The plan of the next fit: it shares with the later ones what the fits before left of their time."""
    if plan.cap_s is None:
        return plan
    left_s = plan.cap_s * len(fold.members) - sum(member.fitted.spent_s for member, _ in done)
    return replace(plan, cap_s=max(0.0, left_s) / (len(fold.members) - len(done)))


def _searched(assembled: Assembled, fold: Fold, plan: FoldPlan, progress: Progress) -> FoldPlan:
    """The plan with the settings that did best on the first member's tune rows, where the study asks for a search."""
    if not plan.training.search or plan.scratch is None:
        return plan
    rows = fold.members[0]
    ready = _make_ready(assembled, rows)
    seed = derive(plan.seed, fold.repeat, fold.number)
    folder = plan.scratch / f"search-{fold.repeat}-{fold.number}"
    trials = plan.training.search
    # The cap covers the fold: each of its trials and fits gets an even share of what its fits would have had.
    share = None if plan.cap_s is None else plan.cap_s * len(fold.members) / (trials + len(fold.members))
    chosen = search(SettingsSearch(ready, rows, plan.model, plan.training, seed, folder, share), progress)
    left = None if plan.cap_s is None else plan.cap_s - chosen.spent_s / len(fold.members)
    return replace(plan, model=chosen.model, training=chosen.training, cap_s=left, searched_s=chosen.spent_s)


def _make_ready(assembled: Assembled, rows: Inner) -> Ready:
    """Records made ready with constants from training rows; the questions are fitted already."""
    inputs = {name: one.fit(rows.train) for name, one in assembled.inputs.items()}
    return Ready.of(inputs, assembled.questions, assembled.cache)


def _run_member(
    assembled: Assembled, fold: Fold, number: int, plan: FoldPlan, progress: Progress
) -> tuple[Member, MemberOutputs]:
    """One member before the calibration, and what it put out."""
    rows = fold.members[number]
    ready = _make_ready(assembled, rows)
    seed = derive(plan.seed, fold.repeat, fold.number, number)
    model = build(ready.inputs, ready.heads, plan.model, seed)
    if plan.start is not None:
        transfer(model, plan.start)
    fitted = fit(
        model,
        ready,
        rows,
        plan.training,
        seed=seed,
        number=plan.first + number,
        folder=None if plan.scratch is None else plan.scratch / fit_name(fold, number),
        cap_s=plan.cap_s,
        progress=progress,
    )
    most = _REFERENCE_RECORDS if ready.places else _REFERENCE_ROWS
    tune, test = evaluate(fitted.model, ready, rows.tune), evaluate(fitted.model, ready, fold.test)
    known = evaluate(fitted.model, ready, TrainRows(_some(rows.train, seed, most)), mirrored=False).summary
    shift = learn_shift(known, tune.summary)
    outputs = MemberOutputs(tune, test, shift_score(shift, tune.summary), shift_score(shift, test.summary))
    spent_s = fitted.spent_s + (0.0 if number else plan.searched_s)
    return Member(fit_name(fold, number), ready.inputs, ready.heads, plan.model, fitted, shift, spent_s), outputs


def _some(rows: TrainRows, seed: int, most: int) -> Int[np.ndarray, " row"]:
    """Enough training rows to say where they lie."""
    if len(rows) <= most:
        return rows.index
    chosen = np.random.default_rng(seed).choice(len(rows), most, replace=False)
    return np.sort(rows.index[chosen])
