"""Answers for new patients: every trained network of a bundle asked, averaged, with what it takes to trust them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float

from polyclinic.answers.base import Answer
from polyclinic.cohort.exclusion import decide
from polyclinic.cohort.findings import readings_of
from polyclinic.cohort.rows import TestRows
from polyclinic.cohort.table import Cohort
from polyclinic.cohort.table import load as load_cohort
from polyclinic.delivery.answer_files import files_beside, files_of, publish, refuse_folder, write_files
from polyclinic.delivery.bundle import Bundle
from polyclinic.delivery.forms.base import AnswerLimits, delivery_of
from polyclinic.delivery.notebook import Card
from polyclinic.delivery.plan import FitPlan
from polyclinic.errors import BundleError, CohortError, Finding, Severity, stop_on
from polyclinic.evidence.shift import shift_score
from polyclinic.formats.columns.column_types import absent_column
from polyclinic.formats.frames import GivenTable
from polyclinic.formats.table_address import is_url, stated_url
from polyclinic.formats.tables.base import TableWriter, table_formats
from polyclinic.heads.base import Head, Question
from polyclinic.records.base import OddValues
from polyclinic.steps.cohort_reader import CohortReader
from polyclinic.steps.kinds import StudyKinds
from polyclinic.steps.odd_values import reasons_of, shared, summed_up
from polyclinic.steps.opened_model import OpenedFit, OpenedModel, open_model
from polyclinic.study.findings import sift
from polyclinic.study.schema import CohortSection
from polyclinic.training.ensemble import answer_together
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
        thresholds: From which probability on a word is answered, by target and word.
    """

    out: Path
    rows: int
    abstained: int
    findings: tuple[Finding, ...]
    files: Path | None = None
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def decisions(self) -> tuple[str, ...]:
        """At which threshold a question with two answers is decided, in words, one line for each target."""
        listed = {
            target: ", ".join(f'"{word}" from {threshold:.3g} on' for word, threshold in words.items())
            for target, words in self.thresholds.items()
        }
        return tuple(f"{target}: {words}" for target, words in listed.items() if words)

    def _repr_html_(self) -> str:
        """Where the answers are, for notebooks."""
        files = () if self.files is None else (("files", str(self.files)),)
        decided = (("decision by probability", one) for one in self.decisions)
        lines = (("answers", str(self.rows)), ("with a reason to abstain", str(self.abstained)), *decided, *files)
        return Card(str(self.out), lines, findings=self.findings).html()


@dataclass(frozen=True)
class AveragedAnswers:
    """What the networks answered about new patients, averaged.

    Attributes:
        cohort: The patients.
        within: Whom the study would have taken in.
        answers: By target.
        shift: How far each lies from the training patients.
        present: Who has any input.
        findings: Seen in the table.
        sources: File of each row's record by target, or None.
        grounded: Who has the record that a question is about, by target.
        odd: Values that no network was trained on.
    """

    cohort: Cohort
    within: Bool[np.ndarray, " sample"]
    answers: Mapping[str, Answer]
    shift: Float[np.ndarray, " sample"]
    present: Bool[np.ndarray, " sample"]
    findings: tuple[Finding, ...]
    sources: Mapping[str, list[str | None]]
    grounded: Mapping[str, Bool[np.ndarray, " sample"]]
    odd: tuple[OddValues, ...]

    def frame(self, target: str, limits: AnswerLimits) -> pl.DataFrame:
        """The answers to one question, with decision and intervals by what was learned, and the reasons to abstain."""
        answer, cohort, grounded = self.answers[target], self.cohort, self.grounded[target]
        delivery = delivery_of(answer)
        columns = delivery.columns(answer, limits)
        reasons = [
            (~self.present, _ABSENT),
            (self.present & ~grounded, _NO_GROUND),
            (grounded & delivery.silent(answer), _SILENT),
            (~self.within, _OUTSIDE),
        ]
        doubts = [(self.shift > 1, _FAR), (delivery.torn(answer, limits), _TORN)]
        odd = reasons_of(self.odd, len(cohort))
        abstain = ["; ".join([*_whose(reasons, i), *odd[i], *_whose(doubts, i)]) for i in range(len(cohort))]
        head = {"row": cohort.row, "patient": cohort.patient, "target": np.full(len(cohort), target)}
        return pl.DataFrame({**head, **columns, "shift": self.shift, "abstain": abstain})

    def with_files(self, target: str, frame: pl.DataFrame, folder: Path) -> pl.DataFrame:
        """The answers to one question with a column that names their files, where they have any."""
        names = write_files(target, self.answers[target], self.cohort.row.tolist(), self.sources[target], folder)
        return frame.with_columns(file=pl.Series([one or None for one in names])) if any(names) else frame


@dataclass(frozen=True)
class AnsweredTable:
    """The answers about the patients of one table, before they are written anywhere.

    Attributes:
        asked: What the networks answered.
        frames: The answers to each question as columns, by the user's name of the target.
        findings: What was seen in the table.
        thresholds: From which probability on a word is answered, by target and word; the same for all patients.
    """

    asked: AveragedAnswers
    frames: Mapping[str, pl.DataFrame]
    findings: tuple[Finding, ...]
    thresholds: Mapping[str, Mapping[str, float]]

    @property
    def table(self) -> pl.DataFrame:
        """The answers to all questions, one below the other."""
        return pl.concat(self.frames.values(), how="diagonal")

    def with_files(self, folder: Path) -> pl.DataFrame:
        """The same with a column that names the file of each answer, where answers are files; these are written."""
        named = [self.asked.with_files(name, frame, folder) for name, frame in self.frames.items()]
        return pl.concat(named, how="diagonal")


def predict_table(bundle: Bundle, table: Path | GivenTable, out: Path | None, cache: Path | None) -> WrittenAnswers:
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
    out = out or _beside(table)
    writer = _writer_for(out)
    refuse_folder(files_of(out))
    answered = answer_table(open_model(bundle), table, cache)
    with files_beside(out) as folder:
        answers = answered.with_files(folder)
        content, written = writer.write(answers), any(folder.iterdir())
    publish(out, content)
    abstained = answers.filter(pl.col("abstain") != "").height
    files = files_of(out) if written else None
    return WrittenAnswers(out, answers.height, abstained, answered.findings, files, answered.thresholds)


def _beside(table: Path | GivenTable) -> Path:
    """Where answers go if nobody says where: beside the table, or here where it has no path."""
    if isinstance(table, GivenTable) or is_url(table):
        return Path("new.predictions.csv")
    return table.with_name(f"{table.name.split('.')[0]}.predictions.csv")


def answer_table(opened: OpenedModel, table: Path | GivenTable, cache: Path | None) -> AnsweredTable:
    """Ask all networks of a model about the patients of a table, from a file or given by a program.

    Raises:
        CohortError, ReadError: if the table cannot be used.
    """
    study = opened.study
    cohort = _new_cohort(opened, table)
    plan = opened.fits[0].plan
    names = [name for columns in plan.columns.values() for name in columns]
    read = sift(readings_of(cohort, names), study.accept)
    stop_on([*_absent(plan, cohort), *read], CohortError)
    settled = readings_of(cohort, (name for name in names if name in study.cohort.columns))
    read = [finding for finding in read if finding.severity is not Severity.NOTE or finding not in settled]
    asked = ask_networks(opened.fits, study.cohort, cohort, cache)
    limits = {name: opened.limits(name) for name in asked.answers}
    frames = {name: asked.frame(name, limits[name]) for name in asked.answers}
    thresholds = {name: delivery_of(one).thresholds(one, limits[name]) for name, one in asked.answers.items()}
    left_open = [
        _left_open(name, column)
        for name, one in asked.answers.items()
        for column in delivery_of(one).unanswered(one, limits[name])
    ]
    return AnsweredTable(asked, frames, (*read, *asked.findings, *left_open), thresholds)


def _left_open(target: str, column: str) -> Finding:
    """A column that stays empty, for some patients at least."""
    rule, found = "nothing is answered beyond the follow-up of the study's patients", "nobody was followed that long"
    remedy = "Leave the column alone, or name earlier times in the study."
    return Finding("beyond_follow_up", f'answers to "{target}", {column}', rule, found, remedy, Severity.NOTE)


def _writer_for(out: Path) -> TableWriter:
    """The format of the answers, after a look at whether they may be written there."""
    if out.exists():
        remedy = "Move it away, or choose another name with --out."
        raise BundleError(Finding("file_exists", str(out), "answers overwrite nothing", "it exists", remedy))
    writers = [known for known in table_formats() if isinstance(known, TableWriter)]
    for known in writers:
        if known.recognises(out, b""):
            return known
    rule, found = f"must be {' or '.join(known.name for known in writers)}", f'the name ends in "{out.suffix}"'
    raise BundleError(Finding("unknown_format", str(out), rule, found, "Rename it."))


def _new_cohort(opened: OpenedModel, table: Path | GivenTable) -> Cohort:
    """The new patients, their cells read as those of the study were.

    Columns that a study knows but a new table may lack are only used where they are there.
    """
    section, first = opened.study.cohort, opened.fits[0]
    uses = replace(StudyKinds(first.inputs, first.heads).column_uses(opened.study.split), learned=True)
    given, named, folder, place = None, "", Path(), "new patients"
    if isinstance(table, GivenTable):
        given = table
    elif is_url(table):
        named = stated_url(table)
    else:
        named, folder, place = (table.name, table.parent, table.name)
    plain: dict[str, Any] = {"table": named, "source": None, "exclude": None, "site": None, "strata": ()}
    bare = section.model_copy(update={**plain, "patient": "row", "date": None, "patient_pattern": None})
    cohort = load_cohort(bare, folder, place, replace(uses, words=uses.words | {section.patient}), given)
    if section.patient in cohort.frame.columns:
        return load_cohort(bare.model_copy(update={"patient": section.patient}), folder, place, uses, given)
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


def ask_networks(
    fits: Sequence[OpenedFit], section: CohortSection, cohort: Cohort, cache: Path | None
) -> AveragedAnswers:
    """Ask all networks about all patients, and average what they answer.

    Raises:
        CohortError, ReadError: if columns are missing or records cannot be used.
    """
    asked = [_ask_one(one, cohort, cache) for one in fits]
    questions, ready = asked[0].questions, asked[0].ready
    odd = shared([fit.odd for fit in asked])
    within, doubts = _within(section, cohort)
    return AveragedAnswers(
        cohort=cohort,
        within=within,
        answers=answer_together([(fit.questions, fit.outputs) for fit in asked]),
        shift=np.mean([fit.shift for fit in asked], axis=0),
        present=np.logical_or.reduce([fit.ready.present(np.arange(len(cohort))) for fit in asked]),
        findings=(
            *dict.fromkeys(finding for fit in asked for finding in fit.findings),
            *summed_up(odd, cohort.name, cohort.row),
            *doubts,
        ),
        sources={name: _sources(question.head, ready, cohort) for name, question in questions.items()},
        grounded={name: _grounded(question.head.ground, ready, len(cohort)) for name, question in questions.items()},
        odd=odd,
    )


@dataclass(frozen=True)
class _FitOutputs:
    """What one network puts out for the rows of a table, not yet calibrated.

    Attributes:
        ready: The new patients.
        questions: Fitted and calibrated, each with what the table itself says of what is asked.
        outputs: Of the network.
        shift: How far each patient lies from the training patients.
        findings: Seen in the table.
        odd: Values that it was not trained on.
    """

    ready: Ready
    questions: Mapping[str, Question[Head]]
    outputs: Outputs
    shift: Float[np.ndarray, " sample"]
    findings: tuple[Finding, ...]
    odd: tuple[OddValues, ...]


def _ask_one(opened: OpenedFit, cohort: Cohort, cache: Path | None) -> _FitOutputs:
    plan, heads = opened.plan, opened.heads
    reader = CohortReader(cohort, cache)
    inputs = reader.inputs(opened.inputs, plan.columns)
    with reader.users_rows():
        asked = {n: Question(head, head.read_new(cohort.frame, cohort.name)) for n, head in heads.items()}
        given = {n: question for n, question in asked.items() if question.target is not None}
        matched = reader.match(inputs, given)
        doubts = [f for question in matched.values() for f in question.outcomes.check_new()]
    findings = [*reader.check(inputs, {}), *doubts]
    stop_on([f for f in findings if f.severity is Severity.ERROR], CohortError)
    ready = Ready.of(inputs, {n: Question(head, None) for n, head in heads.items()}, cache)
    outputs = evaluate(opened.model, ready, TestRows(np.arange(len(cohort))))
    shift = shift_score(plan.shift, outputs.summary)
    odd = tuple(values for one in inputs.values() for values in one.records.odd_values())
    return _FitOutputs(ready, asked | matched, outputs, shift, (*cohort.findings, *findings), odd)


def _sources(head: Head, ready: Ready, cohort: Cohort) -> list[str | None]:
    """The file of the record that each answer is about; None where it is no file."""
    column = None if head.ground is None else ready.inputs[head.ground].file_column
    if column not in cohort.frame.columns:
        return [None] * len(cohort)
    cells = cohort.frame[column].cast(pl.String).to_list()
    return [None if not cell else str(cohort.folder / cell) for cell in cells]


def _grounded(ground: str | None, ready: Ready, samples: int) -> Bool[np.ndarray, " sample"]:
    """Who has the record that the question is asked on; everybody where it is asked of all records together."""
    if ground is None:
        return np.ones(samples, dtype=bool)
    return np.array([place is not None for place in ready.places[ground]], dtype=bool)


def _absent(plan: FitPlan, cohort: Cohort) -> list[Finding]:
    """Columns that the model reads and the table lacks: a value may be missing, but a column may be misspelt."""
    offered = tuple(cohort.frame.columns)
    return [
        absent_column(f"[inputs.{name}]", column, offered)
        for name, columns in plan.columns.items()
        for column in columns
        if column not in offered
    ]


def _whose(reasons: list[tuple[Bool[np.ndarray, " sample"], str]], row: int) -> list[str]:
    """The reasons that hold for one row."""
    return [words for mask, words in reasons if mask[row]]
