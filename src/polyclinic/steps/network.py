"""One network of a fold: trained on its rows, and asked about those that it did not learn from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int
from torch import Tensor

from polyclinic.cohort.rows import Fold, Inner, Rows, TrainRows
from polyclinic.evidence.shift import ShiftReference, learn_shift, shift_score
from polyclinic.heads.base import Head
from polyclinic.inputs.base import Input
from polyclinic.model import build
from polyclinic.study.schema import ModelSection, TrainingSection
from polyclinic.training.assembled import Assembled
from polyclinic.training.ensemble import RowOutputs
from polyclinic.training.fit import Fitted, fit
from polyclinic.training.outputs import Outputs, evaluate
from polyclinic.training.progress import Progress
from polyclinic.training.random_streams import derive
from polyclinic.training.ready import Ready
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

    def with_what_was_left(self, fits: float, done: int, spent_s: float) -> "FoldPlan":
        """The plan of the next fit: it shares with the later ones what the fits before left of their time.

        Args:
            fits: In the fold, in fits of the length of this one.
            done: How many of them are over.
            spent_s: How long these took.
        """
        if self.cap_s is None:
            return self
        return replace(self, cap_s=max(0.0, self.cap_s * fits - spent_s) / (fits - done))


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
        crossed: How the networks that left a part out were found, by which this one was decided; of the first member.
    """

    name: str
    inputs: Mapping[str, Input]
    heads: Mapping[str, Head]
    model: ModelSection
    fitted: Fitted
    shift: ShiftReference
    spent_s: float
    crossed: tuple[Fitted, ...] = ()

    @property
    def fits(self) -> tuple[Fitted, ...]:
        """Every fit behind this network, in order."""
        return (*self.crossed, self.fitted)


@dataclass(frozen=True)
class Network:
    """One trained network, and the records it can be asked about.

    Attributes:
        ready: Records made ready with constants from its training rows.
        fitted: The network.
        known: How it sees its training patients, or enough of them.
    """

    ready: Ready
    fitted: Fitted
    known: np.ndarray

    def ask(self, rows: Rows) -> Outputs:
        """What it says about some rows."""
        return evaluate(self.fitted.model, self.ready, rows)


@dataclass(frozen=True)
class MemberRun:
    """A member before the calibration, and what it put out about its tune rows and the test rows."""

    member: Member
    tune: RowOutputs
    test: RowOutputs


def fit_name(fold: Fold, member: int) -> str:
    """Name of one fit: repetition, fold and member."""
    return f"{fold.repeat}-{fold.number}-{member}"


def make_ready(assembled: Assembled, rows: Inner) -> Ready:
    """Records made ready with constants from training rows; the questions are fitted already."""
    inputs = {name: one.fit(rows.train) for name, one in assembled.inputs.items()}
    return Ready.of(inputs, assembled.questions, assembled.cache)


def train_network(
    assembled: Assembled, rows: Inner, plan: FoldPlan, name: str, seed: int, number: int, progress: Progress
) -> Network:
    """One network; ``name`` is that of its folder, ``number`` says which fit of the study it is."""
    ready = make_ready(assembled, rows)
    model = build(ready.inputs, ready.heads, plan.model, seed)
    if plan.start is not None:
        transfer(model, plan.start)
    fitted = fit(
        model,
        ready,
        rows,
        plan.training,
        seed=seed,
        number=number,
        folder=None if plan.scratch is None else plan.scratch / name,
        cap_s=plan.cap_s,
        progress=progress,
    )
    most = _REFERENCE_RECORDS if ready.places else _REFERENCE_ROWS
    known = evaluate(fitted.model, ready, TrainRows(_some(rows.train, seed, most)), mirrored=False).summary
    return Network(ready, fitted, known)


def run_member(assembled: Assembled, fold: Fold, number: int, plan: FoldPlan, progress: Progress) -> MemberRun:
    """One member that is stopped by tune rows of its own.

    About each tune row it answers as after the epoch that other tune rows would have chosen.
    """
    rows, name = fold.members[number], fit_name(fold, number)
    seed = derive(plan.seed, fold.repeat, fold.number, number)
    network = train_network(assembled, rows, plan, name, seed, plan.first + number, progress)
    tune, test = network.ask(rows.tune), network.ask(fold.test)
    shift = learn_shift(network.known, tune.summary)
    fair = network.fitted.tune.crossed(assembled.cohort.patient_number[rows.tune.index], seed)
    tune_outputs = replace(tune, by_target={**tune.by_target, **fair})
    spent_s = network.fitted.spent_s + (0.0 if number else plan.searched_s)
    member = Member(name, network.ready.inputs, network.ready.heads, plan.model, network.fitted, shift, spent_s)
    return MemberRun(
        member,
        RowOutputs((tune_outputs,), shift_score(shift, tune.summary)),
        RowOutputs((test,), shift_score(shift, test.summary)),
    )


def _some(rows: TrainRows, seed: int, most: int) -> Int[np.ndarray, " row"]:
    """Enough training rows to say where they lie."""
    if len(rows) <= most:
        return rows.index
    chosen = np.random.default_rng(seed).choice(len(rows), most, replace=False)
    return np.sort(rows.index[chosen])
