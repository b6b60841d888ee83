"""Guessing what the columns of a table are, for a draft that a person then corrects. A study never guesses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from polyclinic.cohort.field_words import is_called, mentions, tokens
from polyclinic.cohort.follow_up import known_afterwards, other_events
from polyclinic.cohort.given_folds import is_fold_column
from polyclinic.cohort.guess_place import holds_images, holds_lists, holds_texts, holds_volumes, is_mask
from polyclinic.cohort.part_column import is_part_column
from polyclinic.cohort.target_leakage import as_outcome, strength
from polyclinic.cohort.unnamed_patients import is_patient_name, patient_column
from polyclinic.cohort.unused_columns import why_unread
from polyclinic.formats.columns.column_types import pick
from polyclinic.formats.columns.laboratory import ColumnReading

_INDEX_DATE = r".*(index|admission|admit|baseline|visit|exam|scan|入院|检查|就诊).*"

_MANY_NUMBERS = 500
"""Columns of numbers from which on they are taken for genes: no clinical table measures so many things."""

_TELLS_ALL = 0.995
"""As in ``cohort.leaks``: what a check would refuse is not drafted."""

_ENOUGH_ROWS = 10_000
"""Rows on which a guess is made: 10,000 estimate an area to within about 0.01."""

_FEW_NAMES = 20
"""Identifiers are many; a column with so few values may be anything. A round number."""

_MOSTLY = 0.9
"""A visit or a record has a name of its own in nearly every row."""

_TWO = 2
"""With two values a code is the same as a number."""

_MOST_GROUPS = 20
"""Groups that whole numbers may name where a word of the name says so; more are measured. A round number."""

_MOST_CODES = 100
"""Groups that codes may name, such as ZIP; more name persons. A round number."""

_CONSTANT = "the same value in every row"
_OTHER_DIVISION = "names folds, but another column says train and test"


@dataclass(frozen=True)
class Doubt:
    """A column that is better left out, and why."""

    column: str
    why: str


@dataclass(frozen=True)
class Roles:
    """What each column probably is.

    Attributes:
        patient: Column that names the patient, or None: every row another one.
        site: Hospital or scanner, or None.
        date: Moment of prediction, or None.
        part: Column that says train, tune or test, or None.
        folds: Columns that say in which fold each row is tested, one for each repetition.
        images: Columns with paths of images.
        volumes: Columns with paths of scans.
        texts: Columns of sentences.
        masks: Columns with paths of what was drawn on images or scans: no inputs.
        numbers: Columns of numbers.
        categories: Columns of categories.
        doubtful: Columns that no input should read, with the reason.
        nominal: Columns of whole numbers that name groups.
    """

    patient: str | None
    site: str | None
    date: str | None
    part: str | None
    images: tuple[str, ...]
    volumes: tuple[str, ...]
    texts: tuple[str, ...]
    masks: tuple[str, ...]
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    doubtful: tuple[Doubt, ...]
    nominal: tuple[str, ...] = ()
    folds: tuple[str, ...] = ()

    @property
    def is_expression(self) -> bool:
        """Whether there are so many numbers that they are probably genes."""
        return len(self.numbers) > _MANY_NUMBERS


def guess_roles(
    frame: pl.DataFrame,
    outcome: tuple[str, ...],
    readings: Mapping[str, ColumnReading],
    folder: Path | None = None,
    *,
    dense: bool = False,
) -> Roles:
    """What each column probably is, the outcome columns aside.

    Args:
        frame: The table.
        outcome: Columns of the outcome.
        readings: How single columns were read that are not written plainly.
        folder: Folder where paths in cells begin, or None.
        dense: Whether the question is where rather than whether: no column can then be the outcome in disguise.
    """
    free = [column for column in frame if column.name not in outcome]
    patient = patient_column(pick(frame, [column.name for column in free]))
    part = next((c.name for c in free if is_part_column(c)), None)
    folds = tuple(c.name for c in free if is_fold_column(c) and c.name != part)
    site = next((c.name for c in free if names_place(c.name) and 2 <= c.n_unique() <= frame.height / 2), None)
    date = _moment(free)
    rest = [c for c in free if c.name not in (patient, part, site, date, *folds)]
    files = {c.name: c for c in rest if holds_images(c) or holds_volumes(c, folder)}
    masks = [name for name, c in files.items() if is_mask(c) and len(files) > 1]
    volumes = [name for name, c in files.items() if holds_volumes(c, folder) and name not in masks]
    images = [name for name in files if name not in volumes and name not in masks]
    texts = [c.name for c in rest if c.name not in files and holds_texts(c)]
    plain = [c for c in rest if c.name not in files and c.name not in texts]
    every = max(1, frame.height // _ENOUGH_ROWS)
    outcomes = [] if dense else [frame[name].gather_every(every) for name in outcome]
    genes = sum(c.dtype.is_numeric() for c in plain) > _MANY_NUMBERS
    late = {} if dense else known_afterwards(frame, outcome) | other_events(frame, outcome)
    reasons = {c.name: late.get(c.name) or _why_not(c, outcomes, readings.get(c.name)) for c in plain}
    doubtful = [Doubt(name, why) for name, why in reasons.items() if why is not None]
    doubtful += [Doubt(name, _OTHER_DIVISION) for name in folds if part is not None]
    if genes:  # a gene that is silent in every patient is no mistake
        doubtful = [doubt for doubt in doubtful if doubt.why != _CONSTANT]
    left = {doubt.column for doubt in doubtful}
    return Roles(
        patient=patient,
        site=site,
        date=date,
        part=part,
        images=tuple(images),
        volumes=tuple(volumes),
        texts=tuple(texts),
        masks=tuple(masks),
        numbers=tuple(c.name for c in plain if c.dtype.is_numeric() and c.name not in left),
        categories=tuple(c.name for c in plain if not c.dtype.is_numeric() and c.name not in left),
        doubtful=tuple(doubtful),
        nominal=tuple(c.name for c in plain if c.name not in left and is_nominal(c)),
        folds=folds,
    )


def _moment(columns: list[pl.Series]) -> str | None:
    """The date that is probably the moment of prediction: by its name, or the only one that is not of a later event."""
    dates = [c.name for c in columns if c.dtype in (pl.Date, pl.Datetime) and not mentions(c.name, "other_dates")]
    named = [name for name in dates if re.fullmatch(_INDEX_DATE, name.strip(), re.IGNORECASE)]
    return next(iter(named or (dates if len(dates) == 1 else [])), None)


def is_nominal(column: pl.Series) -> bool:
    """Whether whole numbers are names of groups, such as codes of race or kinds of admission.

    What is measured or counted stays a number whatever else its name says, such as the age at diagnosis.
    """
    known = column.drop_nulls()
    coded = _ends_as_code(column.name)
    most = min(_MOST_CODES if coded else _MOST_GROUPS, len(known) / 2)
    if not column.dtype.is_integer() or not _TWO < known.n_unique() <= most or _is_measured(column.name):
        return False
    return coded or mentions(column.name, "nominal")


def _ends_as_code(name: str) -> bool:
    """Whether the last word says that numbers are names: ZIP, ICD, code, or another word with "id" or "code"."""
    words = tokens(name)
    if not words:
        return False
    glued = re.fullmatch(r"[a-z]{2,}(id|code|type)", words[-1]) is not None
    return glued or mentions(words[-1], "code") or (len(words) > 1 and is_called(words[-1], "short_code"))


def _is_measured(name: str) -> bool:
    """Whether a word says that something is measured or counted; a number at the end, as of a ward, is a name."""
    if mentions(name, "measured", "years", "months", "weeks", "days", "hours"):
        return True
    return any(is_called(word, "counted") for word in tokens(name)[:-1])


def names_place(name: str) -> bool:
    """Whether a column is called as one that names the hospital, by itself or with "id" or the like."""
    words = [word for word in tokens(name) if not is_called(word, "number")]
    return is_called(" ".join(words), "place") or (bool(words) and is_called(words[-1], "place") and len(words) <= 2)


def _why_not(column: pl.Series, outcomes: list[pl.Series], reading: ColumnReading | None) -> str | None:
    """Why no input should read the column; None where nothing speaks against it."""
    if not column.null_count() < len(column):
        return "no value in any row"
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return "neither numbers nor categories"
    if column.dtype.is_temporal():
        return "a date; write the days since another date instead"
    if column.n_unique() == 1:
        return _CONSTANT
    some = column.gather_every(max(1, len(column) // _ENOUGH_ROWS))
    if (named := _why_named(column, reading)) is not None:
        return named
    if any(strength(some, as_outcome(outcome), 30) >= _TELLS_ALL for outcome in outcomes):
        return "tells the outcome almost perfectly by itself: known only afterwards?"
    return None


def _why_named(column: pl.Series, reading: ColumnReading | None) -> str | None:
    """Why a column names rows or patients, or holds texts, rather than something known about the patient."""
    known = column.drop_nulls()
    distinct = known.n_unique()
    if is_patient_name(column.name) and not column.dtype.is_float() and distinct > _FEW_NAMES:
        return "names the patient by its name"
    if _mostly_distinct(column) and _ends_as_identifier(column.name):
        return "an identifier by its name"
    if _counts_rows(column):
        return "the number of the row"
    if holds_lists(column):
        return "lists of something: an outcome of another question?"
    if column.dtype == pl.String and distinct > max(50, 0.5 * len(known)):
        return str(why_unread(reading) or "another text in nearly every row: an identifier, or free text")
    return None


def _mostly_distinct(column: pl.Series) -> bool:
    known = column.drop_nulls()
    return known.n_unique() > _MOSTLY * len(known) and len(known) > _FEW_NAMES and not column.dtype.is_float()


def _ends_as_identifier(name: str) -> bool:
    words = tokens(name)
    return bool(words) and (is_called(words[-1], "identifier") or mentions(name, "patient_chinese") or "编号" in name)


def _counts_rows(column: pl.Series) -> bool:
    """Whether a column counts from 0 or 1 to the last row, as an index that was written with it, or is called so."""
    if not column.dtype.is_integer() or column.null_count() or len(column) <= _FEW_NAMES:
        return False
    counts = column[0] in (0, 1) and bool((column.diff().drop_nulls() == 1).all())
    return counts or (is_called(column.name, "counter") and column.n_unique() == len(column))
