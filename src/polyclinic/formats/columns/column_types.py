"""Columns of a table: from text to numbers, dates and categories, by a rule that looks at the whole column."""

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

import numpy as np
import polars as pl
from jaxtyping import Shaped

from polyclinic.errors import Finding
from polyclinic.formats.columns.plain_dates import plain_dates
from polyclinic.formats.columns.reading import CellReading

_INTEGER = r"^[+-]?(0|[1-9][0-9]{0,17})$"
_NUMBER = r"^[+-]?((0|[1-9][0-9]{0,17})(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_LONG_WHOLE = r"^[+-]?[1-9][0-9]{15,}(\.0*)?$"
LARGEST_EXACT = 2**53
"""Above it a float no longer holds every whole number, so two identifiers would become one."""
_TRUTH = r"^(?i)(true|false)$"
_YEAR_FIRST = r"^[0-9]{4}[-/年]"
MOST_GROUPS = 12
"""A number with more values is a measure and is cut into bands; codes and scores rarely have more. A round number."""
_GLANCE = 1000
"""First rows that spare most columns the look at all of them. A round number."""

_KINDS = (
    (_INTEGER, pl.all().str.strip_prefix("+").cast(pl.Int64)),
    (_NUMBER, pl.all().str.strip_prefix("+").cast(pl.Float64)),
    (_TRUTH, pl.all().str.to_lowercase() == "true"),
)


def type_columns(frame: pl.DataFrame, reading: CellReading, keep: Collection[str] = ()) -> pl.DataFrame:
    """The same table with each column of text as what all of its known cells are.

    In this order: integer, number, true/false, date, date and time, text. A number that begins with 0, such as an
    identifier "007", makes its column text. Cells are stripped of blanks, but for texts; those that mean "not known"
    become missing.
    A column whose very text counts stays text unless its numbers or dates, written again, give every cell as it was.

    Args:
        frame: Columns of text, and others, which stay as they are.
        reading: What the study says about the cells, and what columns are for.
        keep: Columns that stay text whatever they hold.
    """
    clean = strip(frame, reading)
    text = pl.DataFrame([c for c in clean if c.dtype == pl.String and c.null_count() < len(c) and c.name not in keep])
    found: dict[str, pl.Series] = {}
    for pattern, convert in _KINDS:
        fitting = _fitting(pl.DataFrame([c for c in text if c.name not in found]), pattern)
        found |= {column.name: column for column in fitting.select(convert)} if fitting.width else {}
    maybe = _fitting(pl.DataFrame([c for c in text if c.name not in found]), _YEAR_FIRST)
    found |= {c.name: dates for c in maybe if (dates := plain_dates(c)) is not None}
    found = {name: typed for name, typed in found.items() if not _said_otherwise(clean[name], typed, reading)}
    kept = {name for name, typed in found.items() if _is_text(clean[name], typed, reading)}
    return pl.DataFrame([c if c.name in kept else found.get(c.name, c) for c in clean])


def _said_otherwise(text: pl.Series, typed: pl.Series, reading: CellReading) -> bool:
    """Whether the study says that a point stands between thousands: then 1.234 is not what it looks like."""
    said = reading.of(text.name)
    commas = said.decimal == "," or said.thousands == "."
    return commas and typed.dtype.is_float() and bool(text.str.contains(".", literal=True).any())


def _is_text(text: pl.Series, typed: pl.Series, reading: CellReading) -> bool:
    """Whether a column's text counts and would be lost: 2.10 is another ward than 2.1."""
    large = typed.dtype.is_float() and bool((np.abs(typed.to_numpy()) > LARGEST_EXACT).any())
    if large and reading.of(text.name).type != "number" and bool(long_wholes(text).any()):
        return True
    uses = reading.uses
    if text.name not in uses.words | uses.groups or typed.dtype == pl.Boolean:
        return False
    if text.name not in uses.words and text.n_unique() > MOST_GROUPS:
        return False
    return not bool((typed.cast(pl.String) == text).all())


def strip(frame: pl.DataFrame, reading: CellReading) -> pl.DataFrame:
    """The same table with words stripped of blanks, and what means "not known" as missing; texts stand as given."""
    unknown = ["", *reading.missing_values]
    texts = pl.selectors.string() & pl.selectors.by_name(*reading.uses.texts, require_all=False)
    words, blank = pl.selectors.string() - texts, texts.str.strip_chars().is_in(unknown)
    bare = words.str.strip_chars()
    return frame.with_columns(
        pl.when(bare.is_in(unknown)).then(None).otherwise(bare).name.keep(),
        pl.when(blank).then(None).otherwise(texts).name.keep(),
        pl.col(pl.Float32, pl.Float64).fill_nan(None),
    )


def plain_types(frame: pl.DataFrame) -> pl.DataFrame:
    """The same table with the many types of parquet and arrow as the few that the house works with."""
    return pl.DataFrame([_plain(column) for column in frame])


def is_number_text(values: pl.Series) -> pl.Series:
    """Which cells of a column of text are numbers; null where missing."""
    return values.str.contains(_NUMBER)


def long_wholes(values: pl.Series) -> pl.Series:
    """Which cells of a column of text are whole numbers that no float holds exactly: identifiers, not measures."""
    digits = values.set(~values.str.contains(_LONG_WHOLE).fill_null(False), None)
    return (digits.cast(pl.Float64).abs() > LARGEST_EXACT).fill_null(False)


def pick(frame: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Some columns by their very names: polars' own ``select`` takes a name such as "*" or "^a$" for a pattern."""
    return pl.DataFrame([frame[name] for name in dict.fromkeys(names)])


def as_words(column: pl.Series) -> Shaped[np.ndarray, " row"]:
    """A column as an array of text, "" where not known; 1.0 is written as 1 in a column of whole numbers."""
    known = column.drop_nulls()
    whole = column.dtype.is_float() and bool(((known % 1 == 0) & (known.abs() <= LARGEST_EXACT)).all())
    text = (column.cast(pl.Int64) if whole else column).cast(pl.String)
    return np.asarray(text.fill_null("").to_list(), dtype=np.str_)


def absent_column(place: str, name: str, columns: Sequence[str]) -> Finding:
    """The finding for a column that the study names and the table lacks, with the nearest one that is there."""
    near = get_close_matches(name, columns, n=1, cutoff=0.5)
    same = [column for column in columns if column.lower() == name.lower()]
    hint = f'Did you mean "{(same or near)[0]}"? ' if same or near else ""
    return Finding(
        name="unknown_column",
        place=place,
        rule="must name a column of the table",
        found=f'there is no column "{name}"',
        remedy=f"{hint}The table has: {shorten(columns)}.",
    )


def path_findings(frame: pl.DataFrame, column: str, key: str, table: str, what: str) -> list[Finding]:
    """What keeps a column from naming files: it is not there, or holds no text.

    Args:
        frame: The table.
        column: Name of the column.
        key: Place in the study file that names it.
        table: The user's word for the table.
        what: What the files hold, such as "images".
    """
    if column not in frame.columns:
        return [absent_column(key, column, frame.columns)]
    if frame[column].dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        place, rule = f'{table} column "{column}"', f"a column of {what} must hold paths"
        return [Finding("not_paths", place, rule, "it does not hold text", "Name the column of paths.")]
    return []


def paths(frame: pl.DataFrame, columns: Sequence[str]) -> tuple[tuple[str | None, ...], ...]:
    """The trimmed cells of some columns by row, None where empty."""
    trimmed = [frame[column].cast(pl.String).str.strip_chars().to_list() for column in columns]
    return tuple(tuple(cell or None for cell in row) for row in zip(*trimmed, strict=True))


def counted(many: int, noun: str) -> str:
    """A number with its noun: "1 row", "1,200 rows"."""
    return f"{many:,} {noun}{'' if many == 1 else 's'}"


def shorten(names: Iterable[str], most: int = 12) -> str:
    """Names for a message: the first few and how many more."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def _fitting(text: pl.DataFrame, pattern: str) -> pl.DataFrame:
    """The columns whose every known cell fits; a glance at the first ones spares most columns the whole look."""
    for many in (_GLANCE, text.height):
        if text.width:
            fits = text.head(many).select(pl.all().str.contains(pattern).all()).row(0)
            text = pl.DataFrame([column for column, fit in zip(text, fits, strict=True) if fit])
    return text


def _plain(column: pl.Series) -> pl.Series:
    kind = column.dtype
    if isinstance(kind, (pl.Categorical, pl.Enum)):
        return column.cast(pl.String)
    if isinstance(kind, pl.Decimal):
        return _decimal(column, kind.scale)
    if isinstance(kind, pl.Datetime):
        moment = column if kind.time_zone is None else column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return moment.cast(pl.Datetime("us"))
    return column.cast(pl.String) if kind == pl.Null else column


def _decimal(column: pl.Series, scale: int) -> pl.Series:
    """Decimals as numbers; those of whole numbers that no float holds exactly keep every digit."""
    text = column.cast(pl.String)
    if scale or not bool(long_wholes(text).any()):
        return column.cast(pl.Float64)
    whole = text.cast(pl.Int64, strict=False)
    return text if whole.null_count() > text.null_count() else whole
