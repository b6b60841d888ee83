"""Putting a study together with its cohort: which columns are whose, what the records hold, what is wrong with them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from polyclinic.cohort.copies import Content, find_copies
from polyclinic.cohort.findings import inspect
from polyclinic.cohort.follow_up_leaks import follow_up_findings
from polyclinic.cohort.leaks import leaks
from polyclinic.cohort.part_prevalence import uneven_parts
from polyclinic.cohort.patient_groups import copies
from polyclinic.cohort.rows import Split
from polyclinic.cohort.split import divide
from polyclinic.cohort.table import Cohort, leave_out
from polyclinic.cohort.unnamed_patients import alike_identifiers, unrecognised_patients
from polyclinic.cohort.unused_columns import unused_columns, unused_findings
from polyclinic.errors import CohortError, Finding, LeakError, StudyError, stop_on
from polyclinic.formats.columns.column_patterns import means_none
from polyclinic.heads.base import Dense, Head, Question
from polyclinic.inputs.base import Input
from polyclinic.steps.cohort_reader import CohortReader
from polyclinic.steps.cross_fit import cross_fit_parts
from polyclinic.steps.few_tune_events import few_tune_events
from polyclinic.steps.kinds import StudyKinds
from polyclinic.study import catalogue
from polyclinic.study.findings import idle, sift
from polyclinic.study.role_columns import role_columns
from polyclinic.study.rules import idle_requests
from polyclinic.study.schema import Study
from polyclinic.training.assembled import Assembled


def assemble(study: Study, kinds: StudyKinds, cohort: Cohort, cache: Path | None) -> Assembled:
    """Bind the columns of a cohort to the kinds of a study, read every record and every outcome.

    Args:
        study: As read.
        kinds: What it asks for.
        cohort: As loaded.
        cache: Where decoded records may be kept, or None.

    Raises:
        StudyError: columns that the table lacks, or that two parts of the study claim.
        CohortError: outcomes or records that cannot be used.
        ReadError: files that cannot be read.
    """
    heads = kinds.heads
    columns = claim_columns(study, cohort, kinds.inputs, heads)
    questions = CohortReader(cohort, cache).targets(heads)
    known = np.logical_or.reduce([question.outcomes.known for question in questions.values()])
    cohort = cohort if known.all() else leave_out(cohort, ~known, "outcome not known")
    reader = CohortReader(cohort, cache)
    questions = reader.targets(heads)
    read, outcomes = _in_order(columns.values()), [head.columns() for head in heads.values()]
    findings = [
        *idle_requests(study),
        *cohort.findings,
        *inspect(cohort, read, _in_order(outcomes)),
        *follow_up_findings(cohort, read, outcomes),
        *_patient_findings(study, cohort, heads, read),
    ]
    stop_on(sift(findings, study.accept), CohortError)
    inputs = reader.inputs(kinds.inputs, columns)
    questions |= reader.match(inputs, questions)
    findings = sift([*findings, *reader.check(inputs, questions)], study.accept)
    stop_on(findings, CohortError)
    assembled = Assembled(study, cohort, inputs, questions, tuple(findings), cache)
    unused = unused_findings(cohort, unused_columns(cohort.frame, assembled.columns_in_use, cohort.readings))
    return replace(assembled, findings=(*findings, *unused))


def _patient_findings(study: Study, cohort: Cohort, heads: Mapping[str, Head], read: Iterable[str]) -> list[Finding]:
    """Patients who may stand behind several rows, or under several names, without the study knowing."""
    aside = {*role_columns(study)} | {column for head in heads.values() for column in head.columns()}
    place = f'{cohort.name} column "{study.cohort.patient}"'
    known = study.cohort.patient_pattern is not None
    return [
        *([] if known else unrecognised_patients(cohort.frame, cohort.name, study.cohort.patient, aside, read)),
        *alike_identifiers(cohort.patient, cohort.row, place),
    ]


def claim_columns(
    study: Study, cohort: Cohort, inputs: Mapping[str, Input], heads: Mapping[str, Head]
) -> dict[str, tuple[str, ...]]:
    """Which columns each input reads: those it names, and for "rest" those that nothing else uses."""
    outcome = {column: f"[targets.{name}]" for name, head in heads.items() for column in head.columns()}
    offered = dict.fromkeys(cohort.frame.columns)
    taken = (
        outcome.keys() | {*role_columns(study)} | {column for kind in inputs.values() for column in kind.columns(())}
    )
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
    findings += [
        catalogue.unknown(f"[inputs.{name}] leave_out", f"column in {cohort.name}", entry, tuple(offered))
        for name, kind in inputs.items()
        for entry in means_none(offered, kind.left_out())
    ]
    for name, names in columns.items():
        findings += [_also_outcome(name, c, outcome[c]) for c in names if c in outcome]
        if not names:
            remedy = "Name its columns."
            findings.append(Finding("no_columns", f"[inputs.{name}]", "needs columns", "none are left", remedy))
    stop_on(findings, StudyError)
    return columns


def _also_outcome(name: str, column: str, target: str) -> Finding:
    rule = "an input must not be the outcome"
    return Finding(
        "outcome_as_input", f'[inputs.{name}] column "{column}"', rule, f"{target} asks for it", "Leave it out."
    )


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
    asked = cohort.frame.select(answers)
    found = find_copies(cohort, contents, asked if answers else None)
    split = divide(
        cohort,
        study.split,
        members=study.model.ensemble,
        seed=study.study.seed,
        groups=first.outcomes.strata(),
        every_group=first.head.strata_are_classes,
        together=copies(found.prints),
        crossed=cross_fit_parts(assembled),
        regroup=lambda rest: _groups(first, rest),
    )
    doubts = leaks(
        cohort,
        split,
        outcome=cohort.frame.select(_in_order(q.head.columns() for q in assembled.questions.values())),
        candidates=cohort.frame.select(_in_order(one.columns for one in assembled.inputs.values())),
        fingerprints=found.prints,
        properties={name: one.records.properties() for name, one in assembled.inputs.items()},
    )
    uneven = uneven_parts(cohort, split, study.split, asked)
    few = few_tune_events(assembled.questions, split)
    findings = sift([*split.findings, *found.findings, *uneven, *doubts, *few], study.accept)
    stop_on(findings, LeakError)
    findings = [*assembled.findings, *findings]
    return split, replace(assembled, findings=(*findings, *idle(findings, study.accept)))


def _groups(question: Question[Head], rows: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
    """Outcome groups of some rows, from these alone; -1 where none of them has a known outcome."""
    here = question.take(rows).outcomes
    return here.strata() if here.known.any() else np.full(len(rows), -1, dtype=np.int64)


def _in_order(groups: Iterable[tuple[str, ...]]) -> list[str]:
    """All names, each once, in the order of their first coming."""
    return list(dict.fromkeys(name for names in groups for name in names))
