"""Every fold of a study, one after another; what is done is kept, so that a killed run goes on from there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from polyclinic.baselines.effort import PLAIN_SHARE, plain_seconds
from polyclinic.baselines.plain import Allowance, PlainAnswers, answer_baselines
from polyclinic.cohort.rows import Fold, Split
from polyclinic.delivery.bundle import RunFolder
from polyclinic.delivery.plan import EpochRecord, FitPlan, FitRecord, plan_kinds
from polyclinic.delivery.weights import load_model, save_model
from polyclinic.errors import Finding, Severity
from polyclinic.formats.disk import write_file
from polyclinic.predictions.record import Predictions, join
from polyclinic.predictions.table import load, save
from polyclinic.steps.fold import run_fold
from polyclinic.steps.network import FoldPlan, Member, fit_name
from polyclinic.training.assembled import Assembled
from polyclinic.training.epochs.loop import Ending
from polyclinic.training.epochs.time_estimate import Clock, share_minutes, shortened
from polyclinic.training.fit import Fitted
from polyclinic.training.progress import Progress
from polyclinic.training.transfer import read_start


@dataclass(frozen=True)
class FoldAnswers:
    """What a study came to, before it is judged.

    Attributes:
        ours: Our answers for the tune and test rows of every fold.
        plain: Those of each plain model for the same rows.
        plans: What each fit learned, by its name.
        spent_s: Seconds of training, over all interruptions, and of the plain models.
        findings: What the user should know about the training.
        overrun: What took longer than it should have; another machine may find none.
    """

    ours: Predictions
    plain: tuple[Predictions, ...]
    plans: Mapping[str, FitPlan]
    spent_s: float
    findings: tuple[Finding, ...]
    overrun: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Kept:
    """One fold, as kept in the scratch folder, with the seconds of our networks and of the plain models."""

    answers: tuple[Predictions, ...]
    spent_s: float
    plain_s: float
    findings: tuple[Finding, ...]


def run_folds(assembled: Assembled, split: Split, work: RunFolder, progress: Progress) -> FoldAnswers:
    """Train and ask every fold; folds that an earlier, interrupted run finished are read back.

    Raises:
        StudyError: if a setting cannot be followed.
        BundleError: if what is done cannot be kept.
    """
    start = read_start(assembled.study.model)
    kept: list[_Kept] = []
    progress.start("folds", len(split.folds))
    for fold in split.folds:
        stored = _stored(work.scratch, fold)
        kept.append(stored or _answer(assembled, split, tuple(kept), work, start, progress))
        progress.advance()
    progress.finish()
    names = [fit_name(fold, member) for fold in split.folds for member in range(len(fold.members))]
    plans = {name: load_model(work.results / "model", name, FitPlan)[0] for name in names}
    fits = [(record.planned, _fitting(record)) for plan in plans.values() for record in plan.records]
    models = [join(group) for group in zip(*(one.answers for one in kept), strict=True)]
    return FoldAnswers(
        ours=models[0],
        plain=tuple(models[1:]),
        plans=plans,
        spent_s=sum(one.spent_s + one.plain_s for one in kept),
        findings=(*shortened(fits), *_distinct(finding for one in kept for finding in one.findings)),
        overrun=_overrun(assembled.study.training.minutes, sum(one.plain_s for one in kept)),
    )


def _answer(
    assembled: Assembled,
    split: Split,
    done: tuple[_Kept, ...],
    work: RunFolder,
    start: Mapping[str, Tensor] | None,
    progress: Progress,
) -> _Kept:
    """One fold: the plain models first, so that the networks know what is left of a cap."""
    study, number = assembled.study, len(done)
    fold = split.folds[number]
    plain, plain_s = _answer_plainly(assembled, split, number)
    plan = FoldPlan(
        model=study.model,
        training=study.training,
        seed=study.study.seed,
        start=start,
        scratch=work.scratch,
        cap_s=_cap(study.training.minutes, split, done, plain_s),
        first=sum(f.fits for f in split.folds[:number]),
    )
    ours, members = run_fold(assembled, fold, plan, progress)
    for member in members:
        save_model(work.results / "model", member.name, plan_of(assembled, member), member.fitted.model.state_dict())
    spent = sum(member.spent_s for member in members)
    fitted = [finding for member in members for fit in member.fits for finding in fit.findings]
    kept = _Kept((ours, *plain.predictions), spent, plain_s, _distinct([*fitted, *plain.findings]))
    _store(work.scratch, fold, kept)
    return kept


def _answer_plainly(assembled: Assembled, split: Split, number: int) -> tuple[PlainAnswers, float]:
    """What the plain models of a fold say, and how many seconds they took."""
    study = assembled.study
    if not study.evidence.baselines:
        return PlainAnswers((), ()), 0.0
    clock = Clock(None)
    fits = sum(len(fold.chosen_on) for fold in split.folds)
    allowance = Allowance(study.study.seed, plain_seconds(study.training.minutes, fits))
    return answer_baselines(assembled, split.folds[number], allowance), clock.spent_s()


def _cap(minutes: float | None, split: Split, done: Sequence[_Kept], plain_s: float) -> float | None:
    """Most seconds of each fit of the next fold; plain models of later folds are taken to need as long as this one's.

    What they take beyond their share is not taken from the networks.
    """
    if minutes is None:
        return None
    number = len(done)
    plain = sum(one.plain_s for one in done) + plain_s * (len(split.folds) - number)
    spent = sum(one.spent_s for one in done) + min(plain, PLAIN_SHARE * minutes * 60)
    return share_minutes(minutes, spent, sum(fold.fits for fold in split.folds[number:]))


def _overrun(minutes: float | None, plain_s: float) -> tuple[Finding, ...]:
    """That plain models took more than their share of a cap."""
    if minutes is None or plain_s <= PLAIN_SHARE * minutes * 60:
        return ()
    return (
        Finding(
            name="plain_models_overran",
            place="study.toml [training] minutes",
            rule=f"plain models are meant to take {PLAIN_SHARE:.0%} of the cap",
            found=f"they took {plain_s / 60:.1f} minutes, and the run took so much longer than the cap",
            remedy="Raise minutes, or set baselines = false under [evidence].",
            severity=Severity.WARNING,
        ),
    )


def plan_of(assembled: Assembled, member: Member) -> FitPlan:
    """Everything about a trained network but its weights."""
    study = assembled.study
    return FitPlan(
        model=member.model,
        columns={name: one.columns for name, one in assembled.inputs.items()},
        inputs=plan_kinds(member.inputs, {name: section.kind for name, section in study.inputs.items()}),
        heads=plan_kinds(member.heads, {name: section.kind for name, section in study.targets.items()}),
        shift=member.shift,
        record=_record(member.fitted),
        crossed=tuple(_record(fitted) for fitted in member.crossed),
    )


def _fitting(record: FitRecord) -> int:
    """Epochs that the cap left time for, also where patience ended the fit before."""
    if record.ended == Ending.CAP:
        return record.done
    return record.replanned[-1] if record.replanned else record.planned


def _record(fitted: Fitted) -> FitRecord:
    return FitRecord(
        planned=fitted.recipe.epochs,
        replanned=fitted.replanned,
        done=fitted.done,
        best=fitted.best,
        ended=fitted.ended.value,
        precision="bf16" if fitted.precision.half else "fp32",
        weights=sum(weight.numel() for weight in fitted.model.parameters()),
        history=tuple(EpochRecord(train_loss=e.train_loss, tune_loss=e.tune_loss) for e in fitted.history),
    )


def _paths(scratch: Path, fold: Fold) -> tuple[Path, Path]:
    stem = f"fold-{fold.repeat}-{fold.number}"
    return scratch / f"{stem}.parquet", scratch / f"{stem}.json"


def _store(scratch: Path, fold: Fold, kept: _Kept) -> None:
    """Keep a fold; the second file, written last, says that the first is whole."""
    answers, facts = _paths(scratch, fold)
    save(kept.answers, answers)
    seconds = {"spent_s": kept.spent_s, "plain_s": kept.plain_s}
    document = {**seconds, "findings": [asdict(finding) for finding in kept.findings]}
    write_file(facts, json.dumps(document).encode())


def _stored(scratch: Path, fold: Fold) -> _Kept | None:
    """A fold that is done, or None."""
    answers, facts = _paths(scratch, fold)
    if not facts.exists():
        return None
    document: dict[str, Any] = json.loads(facts.read_bytes())
    findings = tuple(
        Finding(**{**f, "severity": Severity(f["severity"]), "rows": tuple(f["rows"])}) for f in document["findings"]
    )
    return _Kept(tuple(load(answers)), document["spent_s"], document["plain_s"], findings)


def _distinct(findings: Any) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys(findings))
