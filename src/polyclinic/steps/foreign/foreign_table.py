"""The table of another program's predictions as read, with what was found wrong with it so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float, Int, Shaped

from polyclinic.errors import CohortError, EvidenceError, Finding, MissingPackage, Severity
from polyclinic.formats.columns.reading import CellReading, ColumnUses, TableReading
from polyclinic.formats.frames import GivenTable
from polyclinic.formats.read_table import TypedTable, read_table
from polyclinic.steps.foreign.column_names import ColumnRoles, Role, Said, find_roles
from polyclinic.steps.foreign.two_classes import Words, words_of

_ONLY_EMPTY = ("",)
"""A class may be called NA: only an empty cell is missing, whatever the column is for."""
_STUDY = "[cohort"
_BESIDE = ", relative to the study file"


@dataclass(frozen=True)
class ForeignTable:
    """The table under its name, which column is what, and what was found wrong with it so far.

    Attributes:
        name: The user's word for it.
        table: Typed columns.
        roles: Which column is what.
        said: What the user says about it.
        findings: So far.
    """

    name: str
    table: pl.DataFrame
    roles: ColumnRoles
    said: Said
    findings: list[Finding] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.table)

    def found(self, name: str, column: str, rule: str, found: str, remedy: str, rows: tuple[int, ...] = ()) -> None:
        """Note one thing that is wrong."""
        place = f'{self.name} column "{column}"' if column else self.name
        self.findings.append(Finding(name, place, rule, found, remedy, rows=rows))

    def told(self, name: str, column: str, rule: str, found: str, remedy: str, severity: Severity) -> None:
        """Note one thing that the user should know."""
        self.findings.append(Finding(name, f'{self.name} column "{column}"', rule, found, remedy, severity))

    def broken(self, name: str, column: str, rule: str, remedy: str, bad: Shaped[np.ndarray, " sample"]) -> None:
        """Note the rows that break a rule, if there are any. Rows are counted in this file, from 1."""
        if bad.any():
            rows = tuple(int(row) + 1 for row in np.flatnonzero(bad))
            number = "1 row breaks this" if len(rows) == 1 else f"{len(rows)} rows break this"
            self.found(name, column, rule, number, remedy, rows)

    def words(self, role: Role) -> Words | None:
        """The column of a role as words; None where there is none."""
        return words_of(self.table[self.roles.of[role]]) if role in self.roles.of else None

    def is_empty(self, column: str) -> Shaped[np.ndarray, " sample"]:
        """The rows in which a column holds nothing."""
        return self.table[column].is_null().to_numpy().astype(bool)

    def numbers(self, column: str, among: Shaped[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
        """A column as numbers, NaN where it is empty; cells that are no numbers are noted."""
        cells = self.table[column]
        values = cells.cast(pl.Float64, strict=False)
        wrong = (cells.is_not_null() & values.is_null()).to_numpy() & among
        self.broken("not_a_number", column, "every cell must be a number", "Correct these cells.", wrong)
        return values.fill_null(np.nan).to_numpy().astype(np.float64)

    def filled(self, column: str, among: Shaped[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
        """The same where no cell may be empty."""
        values = self.numbers(column, among)
        empty = among & (self.is_empty(column) | np.isinf(values))
        remedy = "Leave out rows without an answer."
        self.broken("no_answer", column, "every cell must be a finite number", remedy, empty)
        return values

    def whole(self, role: Role, least: int, default: Int[np.ndarray, " sample"]) -> Int[np.ndarray, " sample"]:
        """A column of whole numbers, or the default where there is no such column."""
        column = self.roles.of.get(role)
        if column is None:
            return default
        values = self.numbers(column, np.ones(len(self), dtype=bool))
        bad = ~(values == np.round(values)) | (np.nan_to_num(values, nan=least) < least)
        rule = f"every cell must be a whole number, {least} or more"
        self.broken("not_whole", column, rule, "Number from there.", bad)
        return np.where(bad, least, values).astype(np.int64)


def read_foreign_table(source: GivenTable | Path | str, said: Said) -> ForeignTable:
    """Any table that a study could have, read once to see its columns and once more for what they are.

    Raises:
        EvidenceError: if it cannot be read, or has no rows.
        MissingPackage: if the package that reads such a table is not installed.
    """
    plain = _read(source, ColumnUses())
    roles = find_roles(plain.frame.columns, said, plain.name)
    numbers = {*roles.answers(), *_numeric_truth(plain.frame, roles)}
    words = {*roles.words(), *_answers_in_words(plain.frame, roles)} - numbers
    typed = _read(source, ColumnUses(words=frozenset(words), numbers=frozenset(numbers)))
    findings = [*roles.findings, *(_plainly(note) for note in typed.notes), *_reading_findings(typed, roles)]
    return ForeignTable(typed.name, typed.frame, roles, said, findings)


def _read(source: GivenTable | Path | str, uses: ColumnUses) -> TypedTable:
    cells = CellReading(missing_values=_ONLY_EMPTY, uses=uses)
    try:
        if isinstance(source, GivenTable):
            return source.typed(cells, Path())
        return read_table(source, TableReading(cells=cells), place="--predictions")
    except MissingPackage:
        raise
    except CohortError as error:
        raise EvidenceError(_plainly(finding) for finding in error.findings) from error


def _plainly(finding: Finding) -> Finding:
    """The finding without words about a study file: there is none here."""
    finding = replace(finding, rule=finding.rule.removesuffix(_BESIDE))
    if _STUDY not in finding.remedy:
        return finding
    stops = finding.severity in (Severity.ERROR, Severity.REFUSED)
    remedy = "Save the table as csv in UTF-8, with commas between cells and points before decimals."
    return replace(finding, remedy=remedy if stops else "Look whether that is meant.")


def _numeric_truth(frame: pl.DataFrame, roles: ColumnRoles) -> Iterator[str]:
    """The truth, where it is a number and not the name of a class."""
    truth, answer = roles.of.get(Role.TRUTH), roles.answer or roles.of.get(Role.PREDICTED)
    if truth is None:
        return
    if Role.VALUE in roles.of and not roles.classes and Role.CHANCE not in roles.of:
        yield truth
    elif not _is_about_classes(roles) and answer is not None and _measures(frame[truth]) and _is_numeric(frame[answer]):
        yield from (truth, answer)


def _is_about_classes(roles: ColumnRoles) -> bool:
    named = bool(roles.classes) or Role.CHANCE in roles.of or Role.SCORE in roles.of
    return named and roles.answer is None


def _measures(column: pl.Series) -> bool:
    return _is_numeric(column) and column.drop_nulls().n_unique() > 2


def _is_numeric(column: pl.Series) -> bool:
    return column.dtype.is_numeric()


def _answers_in_words(frame: pl.DataFrame, roles: ColumnRoles) -> Iterator[str]:
    """Answers that are classes rather than numbers."""
    for column in (roles.answer, roles.of.get(Role.PREDICTED)):
        if column is not None and not frame[column].dtype.is_float():
            yield column


def _reading_findings(typed: TypedTable, roles: ColumnRoles) -> Iterator[Finding]:
    """What was done to read the columns that are used; cells that are no numbers are named as everywhere else here."""
    for column in dict.fromkeys(roles.used):
        if column not in typed.readings:
            continue
        for finding in typed.readings[column].findings:
            if finding.name == "text_in_number_column":
                finding = replace(finding, name="not_a_number", rule="every cell must be a number")
                finding = replace(finding, severity=Severity.ERROR, remedy="Correct these cells.")
            yield _plainly(finding)
