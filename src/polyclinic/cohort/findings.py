"""What is impossible or doubtful about the columns that a study uses. Nothing is changed, everything is told."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import polars as pl
from jaxtyping import Bool

from polyclinic.cohort.alike_words import alike_words
from polyclinic.cohort.missing_codes import missing_codes_of
from polyclinic.cohort.missingness import missing_by_outcome
from polyclinic.cohort.plausible import impossible, limits_of, zeros_stand_apart
from polyclinic.cohort.repeats import copied, frame_halves
from polyclinic.cohort.table import Cohort
from polyclinic.cohort.target_leakage import Classes, as_outcome
from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.cells import says_unknown
from polyclinic.formats.columns.column_types import counted, is_number_text, pick, shorten
from polyclinic.formats.columns.fingerprint import column_digest

_MOSTLY_MISSING = 0.5
"""More than half: such a column tells mostly whether somebody measured."""

_MOSTLY_NUMBERS = 0.8
"""From this share of numbers on, the cells that are none are taken for slips rather than for words."""

_MOST_CATEGORIES = 200
"""More different words are free text or identifiers; a round number."""
_MOST_CODES = 24
"""More different numbers are rather measurements than codes; a round number."""

_CODE = r"^[A-Za-z]{1,3}[-.]?[0-9]+([.-][0-9A-Za-z]+)*$"
_ADDRESS = r"[/\\#]|\.[A-Za-z]{2,5}$"


def inspect(cohort: Cohort, input_columns: Sequence[str], outcome_columns: Sequence[str]) -> list[Finding]:
    """Everything that is impossible or doubtful about the columns of a study; raises nothing.

    Errors stop (an input without a single value), refusals may be accepted by name (impossible values), warnings and
    notes are told.

    Args:
        cohort: The patients.
        input_columns: Columns that inputs read.
        outcome_columns: Columns that hold the outcome.
    """
    inputs = pick(cohort.frame, input_columns)
    outcomes = pick(cohort.frame, outcome_columns)
    each = chain.from_iterable(_column(cohort, column) for column in inputs)
    coded = chain.from_iterable(_codes(cohort, column) for column in outcomes if column.dtype.is_float())
    return [
        *readings_of(cohort, [*inputs.columns, *outcomes.columns]),
        *each,
        *coded,
        *_constant(cohort, inputs),
        *_duplicate_columns(cohort, inputs),
        *_duplicate_rows(cohort),
        *_missing(cohort, inputs),
        *_missing_by_outcome(cohort, inputs, outcomes),
    ]


def readings_of(cohort: Cohort, columns: Iterable[str]) -> list[Finding]:
    """What was done to read the cells of some columns, and what stands in the way of reading them."""
    readings = [cohort.readings[name] for name in dict.fromkeys(columns) if name in cohort.readings]
    return [finding for reading in readings for finding in reading.findings]


def _column(cohort: Cohort, column: pl.Series) -> Iterator[Finding]:
    """Findings about one input column by itself."""
    if column.null_count() == len(column):
        yield _finding(
            cohort, column.name, "no_values", "an input needs values", "every cell is missing", "Leave it out."
        )
    elif column.dtype == pl.String:
        yield from _text_in_numbers(cohort, column)
        yield from _alike(cohort, column)
        yield from _unknown_words(cohort, column)
        yield from _identifier(cohort, column)
    elif column.dtype.is_numeric():
        yield from _impossible(cohort, column)
        yield from _zeros(cohort, column)
        yield from _codes(cohort, column)


def _text_in_numbers(cohort: Cohort, column: pl.Series) -> Iterator[Finding]:
    """A column of words that is mostly numbers; letters before digits, as in ICD codes, are codes and meant so."""
    number = is_number_text(column)
    known = len(column) - column.null_count()
    code = column.str.contains(_CODE)
    coded = bool(code.any()) or bool(column.str.contains(r"^0[0-9]").any())  # such as V57, or 007
    other = (~number & ~code).fill_null(False)
    numbers = int(number.sum())
    if numbers == known and column.n_unique() > _MOST_CODES and column.name not in cohort.readings:
        yield _finding(
            cohort,
            column.name,
            "numbers_as_text",
            "a column of numbers should not be declared text",
            f"{column.n_unique()} different numbers, read as categories as the file or the study declares",
            "If they are measurements, list the column under numeric of its input.",
            Severity.WARNING,
        )
    if other.any() and numbers >= 5 and numbers >= _MOSTLY_NUMBERS * known and not coded:
        yield _finding(
            cohort,
            column.name,
            "text_in_number_column",
            "a column of numbers must hold nothing but numbers",
            f"something else in {int(other.sum())} of {counted(known, 'cell')}, so that all are read as categories",
            "Correct the cells, or name the words that mean not known in [cohort] missing_values.",
            Severity.WARNING,
            other.to_numpy().astype(bool),
        )


def _alike(cohort: Cohort, column: pl.Series) -> Iterator[Finding]:
    """Categories that may be one; free text and identifiers, with many different words, are not asked."""
    words = column.drop_nulls().unique()
    alike = alike_words(words) if len(words) <= _MOST_CATEGORIES else set()
    if alike:
        rows = column.is_in(sorted(alike)).fill_null(False).to_numpy().astype(bool)
        yield _finding(
            cohort,
            column.name,
            "alike_words",
            "a category should be spelt in one way",
            f"{counted(len(alike), 'word')} differ in capitals, composed accents, blanks or width of signs only",
            "They count as different categories. Write them alike if they are one.",
            Severity.WARNING,
            rows,
        )


def _unknown_words(cohort: Cohort, column: pl.Series) -> Iterator[Finding]:
    """Words that mean "not known" and count as a category of their own; they may be meant so, as unknown primary."""
    different = column.drop_nulls().unique()
    found = sorted(filter(says_unknown, different)) if len(different) <= _MOST_CATEGORIES else []
    if found:
        rows = column.is_in(found).fill_null(False).to_numpy().astype(bool)
        words = " and ".join(f'"{word}"' for word in found)
        yield _finding(
            cohort,
            column.name,
            "unknown_as_category",
            "a category should say something that is known",
            f"read like any other: {words}, in {counted(int(rows.sum()), 'cell')}",
            "If nothing is known there, add the word to [cohort] missing_values.",
            Severity.NOTE,
            rows,
        )


def _identifier(cohort: Cohort, column: pl.Series) -> Iterator[Finding]:
    """Text that is another one in nearly every row: an identifier tells a model nothing, and a stranger who it was."""
    known = column.drop_nulls()
    distinct = known.n_unique()
    address = bool(known.head(100).str.contains(_ADDRESS).all())
    long = float(known.str.len_chars().cast(pl.Float64).to_numpy().mean()) > 40
    if distinct > 50 and distinct > 0.5 * len(known) and not address and not long:
        yield _finding(
            cohort,
            column.name,
            "identifier_as_input",
            "an input should repeat its values",
            f"{distinct} different ones in {counted(len(known), 'row')}, as in an identifier",
            "Leave it out if it names the patient or the visit.",
            Severity.WARNING,
        )


def _impossible(cohort: Cohort, column: pl.Series) -> Iterator[Finding]:
    limits = limits_of(column.name)
    if limits is None:
        return
    rows = impossible(column.cast(pl.Float64).fill_null(float("nan")).to_numpy(), limits)
    if rows.any():
        between = " or ".join(f"{low:g} to {high:g}" for low, high in limits.ranges)
        yield _finding(
            cohort,
            column.name,
            "impossible_values",
            f"{limits.what} of a patient lies within {between}",
            f"not so in {int(rows.sum())} of {counted(len(rows), 'row')}",
            "Correct the unit or the cells; name a code such as 999 in [cohort] missing_codes; or accept "
            "impossible_values with the reason.",
            Severity.REFUSED,
            rows,
        )


def _zeros(cohort: Cohort, column: pl.Series) -> Iterator[Finding]:
    limits = limits_of(column.name)
    never_zero = limits is not None and not limits.zero_possible
    zero = (column == 0).fill_null(False)
    if zero.any() and not zero.all() and (never_zero or zeros_stand_apart(column)):
        yield _finding(
            cohort,
            column.name,
            "zeros_for_missing",
            "0 should be a measurement",
            f"0 in {int(zero.sum())} of {counted(len(zero), 'row')}, far from all others, as if not measured",
            "If so, name the column in zero_missing under [cohort]: a model then knows that the value is missing.",
            Severity.WARNING,
            zero.to_numpy().astype(bool),
        )


def _codes(cohort: Cohort, column: pl.Series) -> Iterator[Finding]:
    codes = missing_codes_of(column)
    if codes:
        listed = ", ".join(f"{code:g}" for code in codes)
        rows = column.cast(pl.Float64).is_in(codes).fill_null(False)
        yield _finding(
            cohort,
            column.name,
            "codes_for_missing",
            "every number should be a measurement",
            f"{listed} in {int(rows.sum())} of {counted(len(rows), 'row')}, far from all others, as if not known",
            f'If so, write missing_codes = {{"{column.name}" = [{listed}]}} under [cohort].',
            Severity.WARNING,
            rows.to_numpy().astype(bool),
        )


def _constant(cohort: Cohort, inputs: pl.DataFrame) -> Iterator[Finding]:
    flat = [c.name for c in inputs if c.null_count() < len(c) and not c.dtype.is_nested() and c.n_unique() == 1]
    if flat:
        yield Finding(
            name="constant_column",
            place=cohort.name,
            rule="an input column should vary",
            found=f"the same value in every row: {shorten(flat)}",
            remedy="They add nothing and may be left out.",
            severity=Severity.WARNING,
        )


def _duplicate_columns(cohort: Cohort, inputs: pl.DataFrame) -> Iterator[Finding]:
    first: dict[bytes, str] = {}
    pairs = []
    for column in inputs:
        earlier = first.setdefault(column_digest(column), column.name)
        if earlier != column.name and column.n_unique() > 1:
            pairs.append(f"{column.name} = {earlier}")
    if pairs:
        yield Finding(
            name="duplicate_columns",
            place=cohort.name,
            rule="every input column should say something else",
            found=f"the same content: {shorten(pairs, 6)}",
            remedy="Leave the copies out.",
            severity=Severity.WARNING,
        )


def _duplicate_rows(cohort: Cohort) -> Iterator[Finding]:
    """Rows that are the same in every column of the table, the patient included."""
    if any(kind.is_nested() for kind in cohort.frame.dtypes):
        return
    frame = cohort.frame.with_columns(pl.Series("\0patient", cohort.patient))
    own_rows = len(np.unique(cohort.patient)) == len(cohort)
    same = (cohort.frame if own_rows else frame).is_duplicated().to_numpy().astype(bool)
    if same.any():
        same &= copied(frame_halves(cohort.frame), cohort.row)
    if same.any():
        yield Finding(
            name="duplicate_rows",
            place=cohort.name,
            rule="a row should stand in the table once",
            found=f"the same as another one in every column: {counted(int(same.sum()), 'row')}",
            remedy="Take the copies out if they are one visit of one patient.",
            severity=Severity.WARNING,
            rows=_rows(cohort, same),
        )


def _missing(cohort: Cohort, inputs: pl.DataFrame) -> Iterator[Finding]:
    share = {c.name: c.null_count() / len(c) for c in inputs}
    mostly = [f"{name} {part:.0%}" for name, part in share.items() if _MOSTLY_MISSING < part < 1]
    if mostly:
        yield Finding(
            name="mostly_missing",
            place=cohort.name,
            rule="an input column should be known for most patients",
            found=f"missing in more than half of the rows: {shorten(mostly)}",
            remedy="They stay in, missing as such; leave out what will not be measured either when the model is used.",
            severity=Severity.WARNING,
        )


def _missing_by_outcome(cohort: Cohort, inputs: pl.DataFrame, outcomes: pl.DataFrame) -> Iterator[Finding]:
    for outcome in outcomes:
        classes = as_outcome(outcome)
        if not isinstance(classes, Classes):
            continue
        found = missing_by_outcome(inputs, classes.code)
        if found:
            listed = shorten((f"{name} {low:.0%} to {high:.0%}" for name, low, high in found), 6)
            yield Finding(
                name="missing_by_outcome",
                place=f'{cohort.name} outcome "{outcome.name}"',
                rule="a value should be missing equally often whatever the outcome",
                found=f"not so: {listed}",
                remedy="Ask how it was recorded: whether a value was measured may give the outcome away.",
                severity=Severity.WARNING,
            )


def _rows(cohort: Cohort, mask: Bool[np.ndarray, " row"]) -> tuple[int, ...]:
    return tuple(int(row) for row in cohort.row[mask])


def _finding(
    cohort: Cohort,
    column: str,
    name: str,
    rule: str,
    found: str,
    remedy: str,
    severity: Severity = Severity.ERROR,
    rows: Bool[np.ndarray, " row"] | None = None,
) -> Finding:
    numbers = () if rows is None else _rows(cohort, rows)
    return Finding(name, f'{cohort.name} column "{column}"', rule, found, remedy, severity, numbers)
