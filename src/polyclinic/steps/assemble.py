"""Putting a study together with its cohort: which columns are whose, what the records hold, what is wrong with them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from polyclinic.cohort.copies import Content, find_copies
from polyclinic.cohort.findings import inspect
from polyclinic.cohort.follow_up_leaks import follow_up_findings
from polyclinic.cohort.leaks import leaks
from polyclinic.cohort.patient_groups import copies
from polyclinic.cohort.rows import Split
from polyclinic.cohort.split import divide
from polyclinic.cohort.table import Cohort, leave_out, load
from polyclinic.cohort.unnamed_patients import alike_identifiers, unrecognised_patients
from polyclinic.errors import CohortError, Finding, LeakError, MissingPackage, PolyclinicError, StudyError, stop_on
from polyclinic.evidence.forms.base import added_metrics
from polyclinic.formats.columns.reading import ColumnUses
from polyclinic.heads.base import Dense, GroundFacts, Head, Question, dense_questions
from polyclinic.inputs.base import Input, InputColumns, located
from polyclinic.records.base import ColumnCells
from polyclinic.study import catalogue
from polyclinic.study.findings import idle, sift
from polyclinic.study.rules import idle_requests
from polyclinic.study.schema import Study
from polyclinic.training.assembled import Assembled


def assemble(study: Study, folder: Path, cache: Path | None) -> Assembled:
    """Load the cohort, bind its columns, read every record and every outcome.

    Args:
        study: As read.
        folder: Folder of the study file, where relative paths start.
        cache: Where decoded records may be kept, or None.

    Raises:
        StudyError: columns that the table lacks, or that two parts of the study claim; what installed packages lack.
        CohortError: outcomes or records that cannot be used.
        ReadError: files that cannot be read.
    """
    heads = {name: catalogue.find("heads", s.kind)(name, s.options) for name, s in study.targets.items()}
    kinds = {name: catalogue.find("inputs", s.kind)(name, s.options) for name, s in study.inputs.items()}
    stop_on(_form_findings(heads), StudyError)
    added_metrics()
    kinds = face(kinds, heads)
    cohort = load(study.cohort, folder, uses=column_uses(study, kinds, heads))
    columns = claim_columns(study, cohort, kinds, heads)
    known = np.logical_or.reduce([question.outcomes.known for question in _read_targets(cohort, heads).values()])
    cohort = cohort if known.all() else leave_out(cohort, ~known, "outcome not known")
    questions = _read_targets(cohort, heads)
    findings = [
        *idle_requests(study),
        *cohort.findings,
        *inspect(cohort, _in_order(columns.values()), _in_order(head.columns() for head in heads.values())),
        *follow_up_findings(cohort, _in_order(columns.values()), [head.columns() for head in heads.values()]),
        *_patient_findings(study, cohort, heads),
    ]
    stop_on(sift(findings, study.accept), CohortError)
    inputs = read_inputs(cohort, kinds, columns, cache)
    questions |= match_targets(cohort, inputs, questions, cache)
    with users_rows(cohort.row):
        for one in inputs.values():
            findings += _in_users_rows(one.records.check(), cohort.row)
        for question in questions.values():
            findings += _in_users_rows(question.outcomes.check(f"[targets.{question.name}]"), cohort.row)
    findings = sift(findings, study.accept)
    stop_on(findings, CohortError)
    return Assembled(study, cohort, inputs, questions, tuple(findings), cache)


def column_uses(study: Study, inputs: Mapping[str, Input], heads: Mapping[str, Head]) -> ColumnUses:
    """What the study needs columns for, as far as it says how their cells are to be read."""
    split = study.split
    group = split.by.removeprefix("group:") if split.by.startswith("group:") else None
    words = {column for kind in inputs.values() for column in kind.words()}
    words |= {column for head in heads.values() for column in head.words()}
    return ColumnUses(
        words=frozenset(words | {name for name in (split.column, group) if name is not None}),
        texts=frozenset(column for kind in inputs.values() for column in kind.texts()),
        numbers=frozenset(column for kind in inputs.values() for column in kind.numbers()),
    )


def _patient_findings(study: Study, cohort: Cohort, heads: Mapping[str, Head]) -> list[Finding]:
    """Patients who may stand behind several rows, or under several names, without the study knowing."""
    aside = _roles(study) | {column for head in heads.values() for column in head.columns()}
    place = f'{cohort.name} column "{study.cohort.patient}"'
    return [
        *unrecognised_patients(cohort.frame, cohort.name, study.cohort.patient, aside),
        *alike_identifiers(cohort.patient, cohort.row, place),
    ]


def _form_findings(heads: Mapping[str, Head]) -> Iterator[Finding]:
    """What is lacking to store, judge and deliver the answers: nobody should train first to hear of it."""
    parts: tuple[catalogue.Axis, ...] = ("answers", "evidence.forms", "delivery.forms")
    for name, head in heads.items():
        for axis in parts:
            if head.form in catalogue.names(axis):
                catalogue.find(axis, head.form)
                continue
            growth = catalogue.AXES[axis]
            rule = f'the form "{head.form}" of its answers must be a {growth.word}'
            found = f"no installed package offers it in the entry point group {growth.group}"
            yield Finding(
                "missing_form", f"[targets.{name}]", rule, found, "Update or complete the package of its kind."
            )


def face(inputs: Mapping[str, Input], heads: Mapping[str, Head]) -> dict[str, Input]:
    """The inputs, those told so on which a dense question is asked.

    Raises:
        StudyError: if there is no such input, or no such question can be asked on it.
    """
    dense = [head for head in heads.values() if isinstance(head, Dense)]
    findings = [finding for head in dense for finding in _ground_findings(head, inputs)]
    stop_on([*findings, *(finding for head in dense for finding in _finder_findings(head, heads))], StudyError)
    grounds = {head.ground for head in dense}
    return {name: located(kind).facing() if name in grounds else kind for name, kind in inputs.items()}


def _ground_findings(head: Dense, inputs: Mapping[str, Input]) -> list[Finding]:
    place = f"[targets.{head.name}] on"
    on = head.ground
    if on not in inputs:
        return [catalogue.unknown(place, "input", on, tuple(inputs))]
    if inputs[on].ground in head.grounds:
        return []
    wanted = " or ".join(f"{one}s" for one in head.grounds)
    rule, remedy = f"must name an input that holds {wanted}", "Name another input, or ask another kind of question."
    return [Finding("wrong_ground", place, rule, "it names one of another kind", remedy)]


def _finder_findings(head: Dense, heads: Mapping[str, Head]) -> list[Finding]:
    """A question about what another one finds needs that other one, on the same input."""
    if head.finder is None:
        return []
    other = heads.get(head.finder)
    if other is not None and other.ground == head.ground and type(other) is not type(head):
        return []
    rule, remedy = "must lean on a target that finds spans in the same text", 'Name a target of kind "tag".'
    return [Finding("wrong_finder", f"[targets.{head.name}]", rule, "there is none of that name", remedy)]


def match_targets(
    cohort: Cohort,
    inputs: Mapping[str, InputColumns],
    questions: Mapping[str, Question[Head]],
    cache: Path | None,
) -> dict[str, Question[Head]]:
    """The dense questions, their targets held against the records that they are about; findings come together.

    Raises:
        CohortError, ReadError: as the kinds do, with rows of the user's table.
    """
    dense = dense_questions(questions)
    asked = {question.head.ground for question in dense.values()}
    grounds = {name: inputs[name].located for name in asked}
    geometry = {name: records.geometry() for name, records in grounds.items()}
    matched: dict[str, Question[Head]] = {}
    errors: list[PolyclinicError] = []
    for name, question in dense.items():
        head, on = question.head, question.head.ground
        try:
            with users_rows(cohort.row):
                facts = GroundFacts(geometry[on], grounds[on].foreground, cohort.folder, cache)
                target = head.match(question.outcomes, facts)
                matched[name] = replace(question, target=target)
        except PolyclinicError as error:
            errors.append(error)
    if errors:
        raise type(errors[0])([finding for error in errors for finding in error.findings])
    return matched


def claim_columns(
    study: Study, cohort: Cohort, inputs: Mapping[str, Input], heads: Mapping[str, Head]
) -> dict[str, tuple[str, ...]]:
    """Which columns each input reads: those it names, and for "rest" those that nothing else uses."""
    outcome = {column: f"[targets.{name}]" for name, head in heads.items() for column in head.columns()}
    offered = dict.fromkeys(cohort.frame.columns)
    taken = outcome.keys() | _roles(study) | {column for kind in inputs.values() for column in kind.columns(())}
    rest = tuple(column for column in offered if column not in taken)
    columns = {name: kind.columns(rest) for name, kind in inputs.items()}
    findings = [
        catalogue.unknown(place, f"column in {cohort.name}", column, tuple(offered))
        for place, names in [
            *((f"[inputs.{name}]", names) for name, names in columns.items()),
            *((f"[targets.{name}]", head.columns()) for name, head in heads.items()),
        ]
        for column in names
        if column not in offered
    ]
    for name, names in columns.items():
        findings += [_also_outcome(name, c, outcome[c]) for c in names if c in outcome]
        if not names:
            remedy = "Name its columns."
            findings.append(Finding("no_columns", f"[inputs.{name}]", "needs columns", "none are left", remedy))
    stop_on(findings, StudyError)
    return columns


def _roles(study: Study) -> set[str]:
    """Columns that say who, where, when and for what a row is: never an input of their own accord."""
    cohort, split = study.cohort, study.split
    group = split.by.removeprefix("group:") if split.by.startswith("group:") else None
    return {c for c in (cohort.patient, cohort.site, cohort.date, split.column, group) if c is not None}


def _also_outcome(name: str, column: str, target: str) -> Finding:
    rule = "an input must not be the outcome"
    return Finding(
        "outcome_as_input", f'[inputs.{name}] column "{column}"', rule, f"{target} asks for it", "Leave it out."
    )


def _read_targets(cohort: Cohort, heads: Mapping[str, Head]) -> dict[str, Question[Head]]:
    with users_rows(cohort.row):
        targets = {name: h.read_target(cohort.frame.select(h.columns()), cohort.name) for name, h in heads.items()}
    return {name: Question(head, targets[name]) for name, head in heads.items()}


def read_inputs(
    cohort: Cohort, kinds: Mapping[str, Input], columns: Mapping[str, tuple[str, ...]], cache: Path | None
) -> dict[str, InputColumns]:
    """Read every record of every input; findings of all inputs come together.

    Raises:
        ReadError, CohortError: as the kinds do, with rows of the user's table.
    """
    inputs: dict[str, InputColumns] = {}
    errors: list[PolyclinicError] = []
    for name, kind in kinds.items():
        cells = ColumnCells(cohort.frame.select(columns[name]), cohort.folder, cohort.name, cache)
        try:
            with users_rows(cohort.row):
                inputs[name] = InputColumns.read(kind, cells)
        except PolyclinicError as error:
            errors.append(error)
    if errors:
        raise type(errors[0])([finding for error in errors for finding in error.findings])
    return inputs


@contextmanager
def users_rows(row: Int[np.ndarray, " row"]) -> Iterator[None]:
    """Errors raised inside count rows of the frame; let them out with the rows of the user's table."""
    try:
        yield
    except MissingPackage:
        raise
    except PolyclinicError as error:
        raise type(error)(_in_users_rows(error.findings, row)) from error


def _in_users_rows(findings: tuple[Finding, ...] | list[Finding], row: Int[np.ndarray, " row"]) -> list[Finding]:
    return [replace(f, rows=tuple(int(row[r - 1]) for r in f.rows)) for f in findings]


def divide_cohort(assembled: Assembled) -> tuple[Split, Assembled]:
    """Draw the split, stratified on the first outcome, and look for leaks across it.

    Raises:
        CohortError: too few patients, or of a class.
        LeakError: with all findings that the study does not accept.
    """
    study, cohort = assembled.study, assembled.cohort
    first = next(iter(assembled.questions.values()))
    contents = {name: Content(one.records.fingerprints(), one.records.halves) for name, one in assembled.inputs.items()}
    answers = _in_order(q.head.columns() for q in assembled.questions.values() if not isinstance(q.head, Dense))
    found = find_copies(cohort, contents, cohort.frame.select(answers) if answers else None)
    split = divide(
        cohort,
        study.split,
        members=study.model.ensemble,
        seed=study.study.seed,
        groups=first.outcomes.strata(),
        every_group=first.head.strata_are_classes,
        together=copies(found.prints),
    )
    doubts = leaks(
        cohort,
        split,
        outcome=cohort.frame.select(_in_order(q.head.columns() for q in assembled.questions.values())),
        candidates=cohort.frame.select(_in_order(one.columns for one in assembled.inputs.values())),
        fingerprints=found.prints,
        properties={name: one.records.properties() for name, one in assembled.inputs.items()},
    )
    findings = sift([*split.findings, *found.findings, *doubts], study.accept)
    stop_on(findings, LeakError)
    findings = [*assembled.findings, *findings]
    return split, replace(assembled, findings=(*findings, *idle(findings, study.accept)))


def _in_order(groups: Iterable[tuple[str, ...]]) -> list[str]:
    """All names, each once, in the order of their first coming."""
    return list(dict.fromkeys(name for names in groups for name in names))
