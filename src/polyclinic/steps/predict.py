"""Answers for new patients: every trained network of a bundle asked, averaged, with what it takes to trust them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float

from polyclinic.answers.base import Answer
from polyclinic.cohort.exclusion import decide
from polyclinic.cohort.rows import TestRows
from polyclinic.cohort.table import Cohort
from polyclinic.cohort.table import load as load_cohort
from polyclinic.delivery.answer_files import files_beside, files_of, publish, refuse_folder, write_files
from polyclinic.delivery.bundle import Bundle
from polyclinic.delivery.forms.base import delivery_of
from polyclinic.delivery.plan import FitPlan, revive_heads, revive_inputs
from polyclinic.delivery.weights import fits, load_model
from polyclinic.errors import BundleError, CohortError, Finding, Severity, stop_on
from polyclinic.evidence.shift import shift_score
from polyclinic.heads.base import Dense, Head
from polyclinic.inputs.base import Input, Located
from polyclinic.model import build
from polyclinic.predictions.table import load as load_predictions
from polyclinic.steps.assemble import read_records, users_rows
from polyclinic.study import catalogue
from polyclinic.study.read import read_study
from polyclinic.study.schema import CohortSection
from polyclinic.training.outputs import Outputs, evaluate
from polyclinic.training.ready import Ready

_ABSENT = "no input is present"
_FAR = "unlike the patients it was trained on"
_NO_GROUND = "the record that the question is about is absent"
_SILENT = "the table does not say what is asked about"
_TORN = "more than one class is plausible"
_OUTSIDE = "left out by the criteria of the study"


@dataclass(frozen=True)
class WrittenAnswers:
    """What `predict` wrote.

    Attributes:
        out: The file.
        rows: Answers in it.
        abstained: How many of them come with a reason to abstain.
        findings: What was seen in the table.
        files: Folder with masks, boxes and cells, or None where no answer is a file.
    """

    out: Path
    rows: int
    abstained: int
    findings: tuple[Finding, ...]
    files: Path | None = None


@dataclass(frozen=True)
class _Asked:
    """What the networks said about the rows of a table, averaged."""

    answers: Mapping[str, Answer]
    shift: Float[np.ndarray, " sample"]
    present: Bool[np.ndarray, " sample"]
    findings: tuple[Finding, ...]
    sources: Mapping[str, list[str | None]]
    grounded: Mapping[str, Bool[np.ndarray, " sample"]]


def predict_table(bundle: Bundle, table: Path, out: Path | None, cache: Path | None) -> WrittenAnswers:
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
    refuse_folder(files_of(out))
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
    with files_beside(out) as folder:
        answers = pl.concat([_with_files(frame, cohort, asked, folder) for frame in frames], how="diagonal")
        content, written = _encode(answers, out), any(folder.iterdir())
    publish(out, content)
    abstained = answers.filter(pl.col("abstain") != "").height
    return WrittenAnswers(
        out, answers.height, abstained, (*asked.findings, *doubts), files_of(out) if written else None
    )


def _with_files(frame: pl.DataFrame, cohort: Cohort, asked: "_Asked", folder: Path) -> pl.DataFrame:
    """The answers to one question with a column that names their files, where they have any."""
    name = frame["target"][0]
    names = write_files(name, asked.answers[name], cohort.row.tolist(), asked.sources[name], folder)
    return frame.with_columns(file=pl.Series([one or None for one in names])) if any(names) else frame


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
    said = [_ask_one(bundle, name, cohort, cache) for name in names]
    heads = said[0].heads
    alone = [target for target, head in heads.items() if _leans_on(head) is None]
    averages = {t: heads[t].average(tuple(one.decode(t, None) for one in said)) for t in alone}
    for target, head in heads.items():
        if target not in averages:  # every network is asked about the same stretches: those that all of them found
            found = averages[str(_leans_on(head))]
            averages[target] = head.average(tuple(one.decode(target, found) for one in said))
    return _Asked(
        answers={target: averages[target] for target in heads},
        shift=np.mean([one.shift for one in said], axis=0),
        present=np.logical_or.reduce([one.ready.present(np.arange(len(cohort))) for one in said]),
        findings=tuple(dict.fromkeys(finding for one in said for finding in one.findings)),
        sources={target: _sources(head, said[0], cohort) for target, head in heads.items()},
        grounded={target: _grounded(head, said[0].ready, len(cohort)) for target, head in heads.items()},
    )


@dataclass(frozen=True)
class _Said:
    """What one network said about the rows of a table, not yet calibrated."""

    plan: FitPlan
    ready: Ready
    questions: Mapping[str, Any]
    outputs: Outputs
    shift: Float[np.ndarray, " sample"]
    findings: tuple[Finding, ...]

    @property
    def heads(self) -> Mapping[str, Head]:
        return self.ready.heads

    def decode(self, target: str, found: Answer | None) -> Answer:
        """The answers to one question; ``found`` are those to the question that it leans on."""
        head, output = self.heads[target], self.outputs.by_target[target]
        if isinstance(head, Dense) and found is not None:
            return head.decode_found(output, self.questions.get(target), found)
        return head.decode(output, self.questions.get(target))


def _ask_one(bundle: Bundle, name: str, cohort: Cohort, cache: Path | None) -> _Said:
    plan, weights = load_model(bundle.folder / "model", name, FitPlan)
    _refuse_absent(plan, cohort)
    inputs, heads = revive_inputs(plan.inputs), revive_heads(plan.heads)
    records = read_records(cohort, inputs, plan.columns, cache)
    with users_rows(cohort.row):
        findings = [f for n, kind in inputs.items() for f in kind.check(records[n])]
        questions = _questions(cohort, inputs, records, heads, cache)
        findings += [f for name, asked in questions.items() for f in _doubts(heads[name], asked)]
    stop_on([f for f in findings if f.severity is Severity.ERROR], CohortError)
    model = build(inputs, heads, plan.model, seed=0)
    model.load_state_dict(weights)
    ready = Ready.of(inputs, records, heads, {}, cache)
    outputs = evaluate(model.eval(), ready, TestRows(np.arange(len(cohort))))
    shift = shift_score(plan.shift, outputs.summary)
    return _Said(plan, ready, questions, outputs, shift, (*cohort.findings, *findings))


def _questions(
    cohort: Cohort,
    inputs: Mapping[str, Input],
    records: Mapping[str, Any],
    heads: Mapping[str, Head],
    cache: Path | None,
) -> dict[str, Any]:
    """What the table itself asks about each new patient, such as the stretches of a text that may be related."""
    asked: dict[str, Any] = {}
    for name, head in heads.items():
        question = head.ask_new(cohort.frame, cohort.name) if isinstance(head, Dense) else None
        if isinstance(head, Dense) and question is not None:
            ground, seen = inputs[head.options.on], records[head.options.on]
            assert isinstance(ground, Located), "the study was read: dense questions stand on places"
            matched = head.match(question, ground.geometry(seen), cohort.folder, cache)
            asked[name] = head.see(matched, partial(ground.lit, seen))
    return asked


def _doubts(head: Head, question: Any) -> list[Finding]:
    return head.check_new(question) if isinstance(head, Dense) else []


def _leans_on(head: Head) -> str | None:
    return head.leans_on if isinstance(head, Dense) else None


def _sources(head: Head, said: _Said, cohort: Cohort) -> list[str | None]:
    """The file of the record that each answer is about; None where it is no file."""
    column = None
    if isinstance(head, Dense) and "text" not in head.grounds:
        column = getattr(said.ready.inputs[head.options.on].options, "column", None)  # a plug-in may have none
    if column not in cohort.frame.columns:
        return [None] * len(cohort)
    cells = cohort.frame[column].cast(pl.String).to_list()
    return [None if not cell else str(cohort.folder / cell) for cell in cells]


def _grounded(head: Head, ready: Ready, samples: int) -> Bool[np.ndarray, " sample"]:
    """Who has the record that the question is asked on; everybody where it is asked of all records together."""
    if not isinstance(head, Dense):
        return np.ones(samples, dtype=bool)
    return np.array([place is not None for place in ready.places[head.options.on]], dtype=bool)


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
    delivery = delivery_of(answer)
    columns = delivery.columns(answer, tune, confidence)
    torn = delivery.torn(answer, tune, confidence)
    silent = asked.grounded[target] & delivery.silent(answer)
    reasons = [
        (~asked.present, _ABSENT),
        (asked.present & ~asked.grounded[target], _NO_GROUND),
        (silent, _SILENT),
    ]
    reasons += [(~within, _OUTSIDE), (asked.shift > 1, _FAR), (torn, _TORN)]
    abstain = ["; ".join(words for mask, words in reasons if mask[i]) for i in range(len(cohort))]
    head = {"row": cohort.row, "patient": cohort.patient, "target": np.full(len(cohort), target)}
    return pl.DataFrame({**head, **columns, "shift": asked.shift, "abstain": abstain})


def _encode(answers: pl.DataFrame, out: Path) -> bytes:
    content = BytesIO()
    if out.suffix == ".parquet":
        answers.write_parquet(content)
    else:
        lists = [name for name, dtype in answers.schema.items() if isinstance(dtype, pl.List)]
        answers.drop(lists).write_csv(content)
    return content.getvalue()
