"""Answers for new patients: every trained network of a bundle asked, averaged, with what it takes to trust them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float

from polyclinic.assemble import read_records, users_rows
from polyclinic.cohort.exclusion import decide
from polyclinic.cohort.rows import TestRows
from polyclinic.cohort.table import Cohort
from polyclinic.cohort.table import load as load_cohort
from polyclinic.delivery.bundle import Bundle
from polyclinic.delivery.plan import FitPlan, revive_heads, revive_inputs
from polyclinic.delivery.weights import fits, load_model
from polyclinic.disk import write_file
from polyclinic.errors import BundleError, CohortError, Finding, Severity, stop_on
from polyclinic.evidence.conformal import class_sets, half_width
from polyclinic.evidence.shift import shift_score
from polyclinic.model import build
from polyclinic.predictions import Answer, ClassAnswer, LabelsAnswer, SurvivalAnswer, ValueAnswer
from polyclinic.predictions_table import load as load_predictions
from polyclinic.study import catalogue
from polyclinic.study.read import read_study
from polyclinic.study.schema import CohortSection
from polyclinic.training.outputs import evaluate
from polyclinic.training.ready import Ready

_ABSENT = "no input is present"
_FAR = "unlike the patients it was trained on"
_TORN = "more than one class is plausible"
_OUTSIDE = "left out by the criteria of the study"


@dataclass(frozen=True)
class Predicted:
    """What `predict` wrote.

    Attributes:
        out: The file.
        rows: Answers in it.
        abstained: How many of them come with a reason to abstain.
        findings: What was seen in the table.
    """

    out: Path
    rows: int
    abstained: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Asked:
    """What the networks said about the rows of a table, averaged."""

    answers: Mapping[str, Answer]
    shift: Float[np.ndarray, " sample"]
    present: Bool[np.ndarray, " sample"]
    findings: tuple[Finding, ...]


def answer_table(bundle: Bundle, table: Path, out: Path | None, cache: Path | None) -> Predicted:
    """Ask the networks of ``bundle`` about the patients of ``table`` and write the answers.

    Args:
        bundle: A verified bundle.
        table: Columns as in the study; the outcome need not be there.
        out: csv or parquet; by default ``<table>.predictions.csv`` beside the table. Overwrites nothing.
        cache: Where decoded records may be kept.

    Raises:
        CohortError, ReadError: if the table cannot be used.
        BundleError: if the answers cannot be written.
    """
    out = out or table.with_name(f"{table.name.split('.')[0]}.predictions.csv")
    _refuse_out(out)
    study = read_study(bundle.file("study.toml"))
    names = fits(bundle.folder / "model")
    cohort = _new_cohort(study.cohort, table)
    asked = _ask(bundle, names, cohort, cache)
    within, doubts = _within(study.cohort, cohort)
    [known] = load_predictions(bundle.file("predictions.parquet"))
    tune = known.part("tune")
    confidence = study.evidence.confidence
    frames = [
        _frame(cohort, name, answer, tune.answers[name], confidence, asked, within)
        for name, answer in asked.answers.items()
    ]
    answers = pl.concat(frames, how="diagonal")
    write_file(out, _encode(answers, out))
    abstained = answers.filter(pl.col("abstain") != "").height
    return Predicted(out, answers.height, abstained, (*asked.findings, *doubts))


def _refuse_out(out: Path) -> None:
    if out.exists():
        remedy = "Move it away, or choose another name with --out."
        raise BundleError(Finding("file_exists", str(out), "answers overwrite nothing", "it exists", remedy))
    if out.suffix not in (".csv", ".parquet"):
        found = f'the name ends in "{out.suffix}"'
        raise BundleError(Finding("unknown_format", str(out), "must be .csv or .parquet", found, "Rename it."))


def _new_cohort(section: CohortSection, table: Path) -> Cohort:
    """The new patients. Columns that a study knows but a new table may lack are only used where they are there."""
    plain: dict[str, Any] = {"table": table.name, "source": None, "exclude": None, "site": None, "strata": ()}
    bare = section.model_copy(update={**plain, "patient": "row", "date": None})
    cohort = load_cohort(bare, table.parent, table.name)
    if section.patient in cohort.frame.columns:
        return load_cohort(bare.model_copy(update={"patient": section.patient}), table.parent, table.name)
    return cohort


def _within(section: CohortSection, cohort: Cohort) -> tuple[Bool[np.ndarray, " sample"], list[Finding]]:
    """Whom the study would have taken in; where the columns for it are lacking that is told, and nobody turned away."""
    everybody = np.ones(len(cohort), dtype=bool)
    if section.exclude is None:
        return everybody, []
    try:
        decision = decide(cohort.frame, section.exclude, cohort.name)
    except CohortError:
        rule, remedy = "the criteria of the study apply to new patients too", "Add the columns, or check them by hand."
        found = f'"{section.exclude}" cannot be decided from this table'
        return everybody, [Finding("criteria_unchecked", cohort.name, rule, found, remedy, Severity.WARNING)]
    return ~decision.meets, list(decision.notes)


def _ask(bundle: Bundle, names: tuple[str, ...], cohort: Cohort, cache: Path | None) -> _Asked:
    said: dict[str, list[Answer]] = {}
    shifts, findings, present = [], list(cohort.findings), np.zeros(len(cohort), dtype=bool)
    rows = TestRows(np.arange(len(cohort)))
    for name in names:
        plan, weights = load_model(bundle.folder / "model", name, FitPlan)
        _refuse_absent(plan, cohort)
        inputs, heads = revive_inputs(plan.inputs), revive_heads(plan.heads)
        records = read_records(cohort, inputs, plan.columns, cache)
        with users_rows(cohort.row):
            found = [f for n, kind in inputs.items() for f in kind.check(records[n])]
        stop_on([f for f in found if f.severity is Severity.ERROR], CohortError)
        findings += found
        model = build(inputs, heads, plan.model, seed=0)
        model.load_state_dict(weights)
        ready = Ready.of(inputs, records, heads, {}, cache)
        outputs = evaluate(model.eval(), ready, rows)
        for target, head in heads.items():
            said.setdefault(target, []).append(head.decode(outputs.by_target[target], None))
        shifts.append(shift_score(plan.shift, outputs.summary))
        present |= ready.present(rows.index)
    averages = {target: heads[target].average(tuple(answers)) for target, answers in said.items()}
    return _Asked(averages, np.mean(shifts, axis=0), present, tuple(dict.fromkeys(findings)))


def _refuse_absent(plan: FitPlan, cohort: Cohort) -> None:
    offered = tuple(cohort.frame.columns)
    stop_on(
        [
            catalogue.unknown(f"[inputs.{name}]", f"column in {cohort.name}", column, offered)
            for name, columns in plan.columns.items()
            for column in columns
            if column not in offered
        ],
        CohortError,
    )


def _frame(
    cohort: Cohort,
    target: str,
    answer: Answer,
    tune: Answer,
    confidence: float,
    asked: _Asked,
    within: Bool[np.ndarray, " sample"],
) -> pl.DataFrame:
    columns, torn = describe(answer, tune, confidence)
    reasons = [(~asked.present, _ABSENT), (~within, _OUTSIDE), (asked.shift > 1, _FAR), (torn, _TORN)]
    abstain = ["; ".join(words for mask, words in reasons if mask[i]) for i in range(len(cohort))]
    head = {"row": cohort.row, "patient": cohort.patient, "target": np.full(len(cohort), target)}
    return pl.DataFrame({**head, **columns, "shift": asked.shift, "abstain": abstain})


@singledispatch
def describe(answer: Answer, tune: Answer, confidence: float) -> tuple[dict[str, Any], Bool[np.ndarray, " sample"]]:
    """Columns for one form of answer, and where the model is torn; a plug-in registers its own form.

    Args:
        answer: For the new patients.
        tune: Of the same model for tune rows, with the truth: the intervals are calibrated on them.
        confidence: Share of patients whose truth an interval or a set shall hold.
    """
    raise TypeError(f"no columns are known for a {type(answer).__name__}")


@describe.register
def _(answer: ClassAnswer, tune: ClassAnswer, confidence: float) -> tuple[dict[str, Any], np.ndarray]:
    sets = class_sets(tune.probabilities, tune.truth, answer.probabilities, confidence)
    columns: dict[str, Any] = {
        f"probability_{name}": answer.probabilities[:, i] for i, name in enumerate(answer.classes)
    }
    columns["plausible"] = [" | ".join(np.asarray(answer.classes)[chosen]) for chosen in sets]
    return columns, sets.sum(axis=1) != 1


@describe.register
def _(answer: LabelsAnswer, tune: LabelsAnswer, confidence: float) -> tuple[dict[str, Any], np.ndarray]:
    columns = {f"probability_{name}": answer.probabilities[:, i] for i, name in enumerate(answer.labels)}
    return columns, np.zeros(len(answer), dtype=bool)


@describe.register
def _(answer: ValueAnswer, tune: ValueAnswer, confidence: float) -> tuple[dict[str, Any], np.ndarray]:
    half = half_width(tune.value, tune.truth, confidence)
    columns = {"value": answer.value, "low": answer.value - half, "high": answer.value + half}
    return columns, np.zeros(len(answer), dtype=bool)


@describe.register
def _(answer: SurvivalAnswer, tune: SurvivalAnswer, confidence: float) -> tuple[dict[str, Any], np.ndarray]:
    tail = (1 - confidence) / 2
    columns: dict[str, Any] = {"risk": answer.risk}
    for word, level in (("low", 1 - tail), ("median", 0.5), ("high", tail)):
        columns[word] = _time_until(answer, level)
    columns["survival_times"] = [list(map(float, row)) for row in answer.times]
    columns["survival"] = [list(map(float, row)) for row in answer.survival]
    return columns, np.zeros(len(answer), dtype=bool)


def _time_until(answer: SurvivalAnswer, level: float) -> Float[np.ndarray, " sample"]:
    """When the curve first falls to ``level``; NaN where it does not within its grid."""
    below = answer.survival <= level
    first = below.argmax(axis=1)
    return np.where(below.any(axis=1), answer.times[np.arange(len(first)), first], np.nan)


def _encode(answers: pl.DataFrame, out: Path) -> bytes:
    content = BytesIO()
    if out.suffix == ".parquet":
        answers.write_parquet(content)
    else:
        lists = [name for name, dtype in answers.schema.items() if isinstance(dtype, pl.List)]
        answers.drop(lists).write_csv(content)
    return content.getvalue()
