"""Drafting a study file from a table: every guess is written out with its reason, for a person to correct."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import tomli_w

from polyclinic.cohort.alike_words import alike_classes
from polyclinic.cohort.guess import Roles, guess_roles, names_place
from polyclinic.cohort.guess_target import TargetGuess, guess_target
from polyclinic.cohort.missing_codes import missing_codes_of
from polyclinic.cohort.outcomes import words
from polyclinic.cohort.table import ROW
from polyclinic.cohort.unnamed_patients import alike_identifiers, is_patient_name, unrecognised_patients
from polyclinic.errors import CohortError, Finding, Severity
from polyclinic.formats.columns.column_types import as_words, counted, shorten
from polyclinic.formats.columns.reading import CellReading, ColumnUses, TableReading
from polyclinic.formats.read_table import TypedTable, guess_encoding, read_table

SCHEMA_LINE = "#:schema ./study.schema.json"
_FEW_PATIENTS = 1000
"""With fewer, one split of a fifth tests under 200 patients, and its intervals are wide: folds test everybody once."""


@dataclass(frozen=True)
class Unused:
    """A column that the drafted study does not use, and why."""

    column: str
    why: str


@dataclass(frozen=True)
class Drafted:
    """A study file as drafted.

    Attributes:
        text: Of the study file.
        unused: Columns of the table that the study does not use.
        questions: What a person has to decide before the study is run.
        findings: What is doubtful about the table.
    """

    text: str
    unused: tuple[Unused, ...]
    questions: tuple[str, ...]
    findings: tuple[Finding, ...]


def draft(table: Path, target: str, relative: str | None = None) -> Drafted:
    """A commented study file for a table.

    Args:
        table: The table of patients.
        target: Column that holds the outcome; several of yes and no may be given, divided by commas.
        relative: Path of the table as it shall stand in the study file; by default its name.

    Raises:
        CohortError: if the table cannot be read, has no such column, or leaves nothing to learn from.
    """
    read, encoding = _read(table)
    read = _with_names_kept(table, encoding, read, target)
    folder = Path(str(table).partition("#")[0]).parent
    asked = guess_target(read.frame, target, read.name, folder)
    roles = guess_roles(read.frame, asked.columns, read.readings, folder, dense=bool(asked.ground))
    named = _located(roles)
    if not (named or roles.numbers or roles.categories):
        raise CohortError(_nothing_left(read.name))
    if asked.ground and asked.ground not in {kind for kind, _ in named.values()}:
        raise CohortError(_no_ground(read.name, asked.ground))
    path, sign, member = str(table).partition("#")  # of a zip with several tables
    findings = _findings(read, asked, roles)
    codes = _codes_for_missing(read.frame, roles)
    parts = [
        SCHEMA_LINE,
        f"# Drafted by polyclinic new from {_comment(read.name)}: {read.frame.height} rows.",
        "# Every choice below is a guess: correct it, then run polyclinic check on this file.",
        "",
        *_about(table),
        *_cohort(relative or f"{Path(path).name}{sign}{member}", encoding, roles),
        *_missing_codes(codes),
        *(f"# {finding.severity}: {_comment(str(finding))}" for finding in findings),
        "",
        *_inputs(roles),
        *_target(asked, named),
        *_split(read, roles),
    ]
    unused = tuple(Unused(column, why) for column, why in _unused(roles))
    questions = (*_of_patients(findings), *asked.questions, *_of_folds(roles), *_of_groups(roles), *_of_codes(codes))
    return Drafted("\n".join(parts) + "\n", unused, questions, findings)


def _codes_for_missing(frame: pl.DataFrame, roles: Roles) -> dict[str, list[int | float]]:
    """Numbers that look like codes for "not known", by column."""
    if roles.is_expression:
        return {}
    found = {name: missing_codes_of(frame[name]) for name in roles.numbers}
    return {
        name: [int(code) if code.is_integer() else code for code in codes] for name, codes in found.items() if codes
    }


def _missing_codes(codes: Mapping[str, Sequence[float]]) -> Iterator[str]:
    if codes:
        columns = ", ".join(f"{_value(name)} = {list(ones)}" for name, ones in codes.items())
        yield f"missing_codes = {{ {columns} }}   # far from all other values, as if not known"


def _of_codes(codes: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """What to decide about numbers that were taken for codes."""
    if codes:
        listed = shorten((f"{', '.join(f'{code:g}' for code in ones)} in {name}" for name, ones in codes.items()), 6)
        yield (
            f"Do these numbers mean not known: {listed}? They lie far from all others, and are drafted as "
            "missing_codes; take out what is measured."
        )


def _of_patients(findings: Sequence[Finding]) -> Iterator[str]:
    """What to decide about a column that seems to name the patients better than the draft does."""
    for finding in findings:
        if finding.name == "unrecognised_patients":
            yield f"May several rows be of one patient? {finding.place}: {finding.found}. {finding.remedy}"


def _of_folds(roles: Roles) -> Iterator[str]:
    """What to decide about columns that were taken for published folds."""
    if roles.folds and roles.part is None:
        named = shorten(roles.folds, 10)
        yield (
            f"Does {named} say in which fold each row is tested? What the column is called says so, and it is drafted "
            "as the split, several as repetitions; if it is a measurement, take it out of [split] folds."
        )


def _of_groups(roles: Roles) -> Iterator[str]:
    """What to decide about whole numbers that were taken for names of groups."""
    if roles.nominal and not roles.is_expression:
        named = shorten(roles.nominal, 10)
        yield (
            f"Do the whole numbers of {named} name groups? What the columns are called says so, and they are drafted "
            "as categorical; take out what is measured, counted or graded."
        )


def _with_names_kept(table: Path, encoding: str, read: TypedTable, target: str) -> TypedTable:
    """The table read again as a run would read it, if names of patients, places or classes had become numbers."""
    names = [name for name in read.frame.columns if is_patient_name(name) or names_place(name)]
    asked = [name for name in target.split(",") if name in read.frame.columns]
    if not any(read.frame[name].dtype.is_float() for name in (*names, *asked)):
        return read
    uses = ColumnUses(words=frozenset(names), groups=frozenset(asked))
    return read_table(table, TableReading(encoding, cells=CellReading(uses=uses)), place="table")


def _unused(roles: Roles) -> Iterator[tuple[str, str]]:
    """Every column without a part in the study, with the reason."""
    yield from ((column, _DRAWN) for column in roles.masks)
    yield from ((doubt.column, doubt.why) for doubt in roles.doubtful)


def _findings(read: TypedTable, asked: TargetGuess, roles: Roles) -> tuple[Finding, ...]:
    """What is doubtful about the table, and how odd cells were read, of what a check would tell later."""
    patient = roles.patient or ROW
    found = unrecognised_patients(read.frame, read.name, patient, asked.columns)
    if roles.patient is not None:
        rows = np.arange(1, read.frame.height + 1)
        place = f'{read.name} column "{roles.patient}"'
        found += alike_identifiers(as_words(read.frame[roles.patient]), rows, place)
    given = (*roles.numbers, *roles.categories, *asked.columns)
    found += [f for name in given if name in read.readings for f in read.readings[name].findings]
    if asked.kind == "classify":
        classes = {word for word in words(read.frame[asked.columns[0]]) if word is not None}
        found += alike_classes(classes, f'{read.name} column "{asked.columns[0]}"')
    if asked.kind == "survive":
        found += _not_above_zero(read, asked.columns[1])
    return tuple(found)


def _not_above_zero(read: TypedTable, time: str) -> list[Finding]:
    low = (read.frame[time] <= 0).fill_null(value=False)
    if not low.any():
        return []
    place, rows = f'{read.name} column "{time}"', tuple(int(row) + 1 for row in low.arg_true())
    rule, found = "a follow-up time must be above 0", f"it is 0 or below in {counted(len(rows), 'row')}"
    remedy = f'Correct them, or write exclude = "{time} <= 0" under [cohort]; the flow chart then counts them.'
    return [Finding("time_not_positive", place, rule, found, remedy, Severity.WARNING, rows)]


def _read(table: Path) -> tuple[TypedTable, str]:
    """The table, and the encoding in which it could be read."""
    try:
        return read_table(table, place="table"), "utf-8"
    except CohortError as error:
        if error.findings[0].name != "wrong_encoding":
            raise
    encoding = guess_encoding(table)
    return read_table(table, TableReading(encoding), place="table"), encoding


def _about(table: Path) -> Iterator[str]:
    name = re.sub(r"[^\w-]+", "-", re.split(r"[.#]", table.name, maxsplit=1)[0]).strip("-") or "study"
    yield "[study]"
    yield _key("name", name, "folder of the run, under runs/")
    yield _key("title", "", "the clinical question in one sentence")
    yield _key("intended_use", "", "who uses the answer, for which patients, at which moment of care")
    yield ""


def _cohort(relative: str, encoding: str, roles: Roles) -> Iterator[str]:
    yield "[cohort]"
    yield _key("table", relative)
    if encoding != "utf-8":
        yield _key("encoding", encoding, "the table is not UTF-8")
    if roles.patient is None:
        yield "# No column looks like the name of a patient. If patients come more than once, name that column here."
        yield _key("patient", "row", "every row is another patient")
    else:
        yield _key("patient", roles.patient, "by its name; all rows of a patient stay on one side of the split")
    yield _optional("site", roles.site, "hospital or scanner", "hospital")
    yield _optional("date", roles.date, "the moment of prediction; nothing later may be an input", "admission_date")
    yield '# strata = ["sex", "age"]      # subgroups to report'
    yield '# exclude = "age < 18"         # rows to leave out, counted in the flow chart'


def _located(roles: Roles) -> dict[str, tuple[str, str]]:
    """Inputs that are pictures, scans or texts: their names with kind and column."""
    columns = {"image": roles.images, "volume": roles.volumes, "text": roles.texts}
    return {
        f"{kind}{'' if len(names) == 1 else number}": (kind, column)
        for kind, names in columns.items()
        for number, column in enumerate(names, 1)
    }


_DRAWN = "drawn, not taken, by its name"

_WHY = {
    "image": "the cells are paths of images",
    "volume": "the cells are paths of scans",
    "text": "the cells are sentences",
}


def _inputs(roles: Roles) -> Iterator[str]:
    for name, (kind, column) in _located(roles).items():
        yield f"[inputs.{name}]"
        yield _key("kind", kind, _WHY[kind])
        yield _key("column", column)
        yield '# missing = "allow"            # if some patients have none'
        yield ""
    for column in roles.masks:
        yield f"# {_comment(column)} is {_DRAWN}: no input."
        yield ""
    if roles.is_expression:
        yield from _expression(roles)
    elif roles.numbers or roles.categories:
        yield from _tabular(roles)
    else:
        yield from _not_used(roles)


def _expression(roles: Roles) -> Iterator[str]:
    if roles.categories:
        yield "[inputs.clinical]"
        yield _key("kind", "tabular", "the columns that are not numbers")
        yield _key("columns", list(roles.categories))
        yield ""
    yield "[inputs.expression]"
    yield _key("kind", "expression", f"{counted(len(roles.numbers), 'column')} of numbers: probably genes")
    yield _key("columns", "rest", "every column not used elsewhere")
    yield from _left_out(roles)
    yield ""


def _not_used(roles: Roles) -> Iterator[str]:
    yield from (f"# not used: {_comment(doubt.column)}: {_comment(doubt.why)}" for doubt in roles.doubtful)


def _tabular(roles: Roles) -> Iterator[str]:
    numbers, categories = len(roles.numbers), len(roles.categories)
    yield "[inputs.clinical]"
    yield _key("kind", "tabular", f"{counted(numbers, 'column')} of numbers, {categories} of categories")
    yield _key("columns", "rest", "every column not used elsewhere")
    yield from _left_out(roles)
    if roles.nominal:
        yield _key("categorical", list(roles.nominal), "whole numbers that name groups, by what the columns are called")
    else:
        yield '# categorical = ["stage"]      # codes made of digits'
    yield ""


def _left_out(roles: Roles) -> Iterator[str]:
    if roles.doubtful:
        yield "leave_out = ["
        yield from (f"  {_value(doubt.column)},   # {_comment(doubt.why)}" for doubt in roles.doubtful)
        yield "]"


def _target(asked: TargetGuess, named: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    yield "[targets.outcome]"
    yield _key("kind", asked.kind, asked.why)
    if asked.ground:
        on = next(name for name, (kind, _) in named.items() if kind == asked.ground)
        yield _key("on", on, "the input in which it is looked for")
    for key, value, comment in asked.keys:
        yield _key(key, value, comment)
    yield from (f"# To decide: {_comment(question)}" for question in asked.questions)
    yield ""


def _split(read: TypedTable, roles: Roles) -> Iterator[str]:
    patients = read.frame.height if roles.patient is None else read.frame[roles.patient].n_unique()
    yield "[split]                        # always by patient"
    if roles.part is not None:
        yield _key("column", roles.part, "a column that says train, tune and test")
    elif roles.folds:
        named = [f"column:{name}" for name in roles.folds]
        yield _key("folds", named[0] if len(named) == 1 else named, "columns that name folds, by what they are called")
        yield _key(
            "tune", 0.15, "of the others, to choose epochs, threshold and correction on; not where cross-fitting does"
        )
    elif patients < _FEW_PATIENTS:
        yield _key("folds", 5, f"{patients} patients are few: every one of them is tested once")
        yield _key(
            "tune", 0.15, "of the others, to choose epochs, threshold and correction on; not where cross-fitting does"
        )
    else:
        yield _key("test", 0.2, f"of {patients} patients")
        yield _key(
            "tune", 0.15, "of the others, to choose epochs, threshold and correction on; not where cross-fitting does"
        )
    free = roles.part is None and not roles.folds
    if roles.date is not None and free:
        yield '# by = "time"                  # the later patients are the test; not together with folds'
    if roles.site is not None and free:
        yield '# by = "site"                  # whole hospitals are the test'


def _key(key: str, value: Any, comment: str = "") -> str:
    line = f"{key} = {_value(value)}"
    return f"{line:<30} # {_comment(comment)}" if comment else line


def _optional(key: str, value: str | None, comment: str, example: str) -> str:
    return _key(key, value, comment) if value is not None else f"{f'# {key} = {_value(example)}':<30} # {comment}"


def _value(value: Any) -> str:
    """A value in TOML, quoted right whatever signs it holds."""
    document: Mapping[str, Any] = {"x": value}
    return tomli_w.dumps(document).removeprefix("x = ").rstrip("\n")


def _comment(text: str) -> str:
    """Text for a comment, in which TOML allows no line break or control sign."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _no_ground(table: str, kind: str) -> Finding:
    words = {"image": "pictures", "volume": "scans", "text": "texts"}[kind]
    return Finding(
        name="no_columns",
        place=table,
        rule=f"the outcome says where something is in {words}: there must be a column of them",
        found="there is none that looks so",
        remedy="Add the column with the paths or texts, or write the study file by hand.",
    )


def _nothing_left(table: str) -> Finding:
    return Finding(
        name="no_columns",
        place=table,
        rule="something must be left to learn from",
        found="beside the outcome there are only identifiers, dates, constant or empty columns",
        remedy="Name another outcome, or another table.",
    )
