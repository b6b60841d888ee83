"""Names of rows of which a part names the patient, as in phon_S01_1, phon_S01_2: read by a pattern, or suspected.

Patterns are read by an engine without backtracking, so that none can hang a run; it knows neither look-around nor
references back.
"""

import numpy as np
import polars as pl
from jaxtyping import Int

from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import counted

PATTERN = r"^(.+)[ _./#-][^ _./#-]+$"
"""Everything before the last part of a name."""

_LAST = r"[ _./#-]([^ _./#-]+)$"

_FEWEST_STEMS = 10
"""Fewer are arms, sites or batches. A round number."""

_FEWEST_EACH = 3
"""Rows of each stem where all have as many: a series of recordings, not a pair by chance."""

_MOST_SIDES = 5
"""Different endings of both eyes, or of the visits of a trial; names of persons have far more."""

_FEWEST_SHARED = 0.1
"""Share of rows whose stem is that of another row; fewer are slips. A round number."""

_MOST_IN_SERIES = 50
"""Recordings of one person; longer series are the patients of a hospital. A round number."""


def patients_by_pattern(column: pl.Series, pattern: str, place: str, key: str) -> tuple[pl.Series, list[Finding]]:
    """The first group of the pattern in each cell, and what is wrong with pattern or cells; absent cells stay so.

    Args:
        column: Names of the rows.
        pattern: A regular expression; its first group is the patient.
        place: The column, for messages.
        key: The key of the study that holds the pattern, for messages.
    """
    cells = column.cast(pl.String)
    try:
        named = cells.str.extract(pattern, 1)
    except pl.exceptions.ComputeError as error:
        rule, why = "must be a regular expression", str(error).split("\n\n")[0].split("error: ")[-1].strip()
        remedy = (
            f"Correct it; look-around and references back are not known. An example: patient_pattern = '{PATTERN}'."
        )
        return cells, [Finding("bad_patient_pattern", key, rule, f"it is none ({why})", remedy)]
    named = named.set((named == "").fill_null(value=False), None)
    return named, _doubts(cells, named, place, key)


def shared_stems(column: pl.Series) -> int | None:
    """How many stems there are, if names that differ in every row share them as recordings of one person do, else None.

    One of three signs: every stem has as many rows, three or more, and endings come again; the endings are a few words
    or numbers, as L and R; the endings count from 0 or 1 within each stem. Running numbers (P0001) have one stem or
    none, and barcodes (TCGA-AB-1234) endings of their own in each row.
    """
    if column.dtype != pl.String or column.null_count() or column.n_unique() < len(column):
        return None
    cells = column.str.strip_chars()
    stems, endings = cells.str.extract(PATTERN, 1), cells.str.extract(_LAST, 1)
    if stems.null_count():
        return None
    stem = stems.rank("dense").cast(pl.Int64).to_numpy() - 1
    size = np.bincount(stem)
    if not max(_FEWEST_STEMS, int(size.max(initial=0)) + 1) <= len(size) < len(stem):
        return None
    again = 2 * endings.n_unique() <= len(stem)
    equal = again and size.min() >= _FEWEST_EACH and size.max() - size.min() <= 1
    return len(size) if equal or _few_endings(endings, size[stem]) or _in_series(endings, stem) else None


def _few_endings(endings: pl.Series, rows_of_stem: Int[np.ndarray, " row"]) -> bool:
    return endings.n_unique() <= _MOST_SIDES and float((rows_of_stem > 1).mean()) >= _FEWEST_SHARED


def _in_series(endings: pl.Series, stem: Int[np.ndarray, " row"]) -> bool:
    """Whether the endings (1, R1) count from 0 or 1, without a gap, in each stem; 001 and the like number persons."""
    words, numbers = endings.str.extract(r"^(\D*)", 1), endings.str.extract(r"^\D*([1-9]?[0-9]|0[0-9])$", 1)
    if numbers.null_count() or words.n_unique() > 1:
        return False
    number, size = numbers.cast(pl.Int64).to_numpy(), np.bincount(stem)
    least, most = np.full(len(size), _MOST_IN_SERIES + 1), np.full(len(size), -1)
    np.minimum.at(least, stem, number)
    np.maximum.at(most, stem, number)
    counts = bool(np.isin(least, (0, 1)).all()) and bool((most - least + 1 == size).all())
    return counts and int(size.max()) <= _MOST_IN_SERIES and 2 * len(size) <= len(stem)


def _doubts(cells: pl.Series, named: pl.Series, place: str, key: str) -> list[Finding]:
    """Cells in which the pattern finds nobody, and a pattern that joins no rows."""
    nobody = named.is_null() & cells.is_not_null()
    if nobody.any():
        rule = "the pattern must find the patient in every name, as its first group in brackets"
        found = f"it finds none in {counted(int(nobody.sum()), 'row')}"
        rows = tuple(int(row) + 1 for row in nobody.arg_true())
        return [Finding("patient_not_in_name", place, rule, found, f"Correct {key}, or the names.", rows=rows)]
    if named.n_unique() < len(named) or len(named) < 2:
        return []
    rule, found = "the pattern should find the rows of a patient", "it finds another patient in every row"
    remedy = "Leave it out if every row is another patient; else cut off more of the name."
    return [Finding("pattern_joins_nobody", key, rule, found, remedy, Severity.WARNING)]
