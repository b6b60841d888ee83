"""Patients whom the study does not recognise: the column that names them, and identifiers that are all but the same.

A patient with several rows, taken for several patients, stands on both sides of the split. Then the model is tested on
those it learned from, and every interval is too narrow.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from jaxtyping import Bool, Int, Shaped

from polyclinic.cohort.alike_words import alike_words
from polyclinic.cohort.field_words import consists_of, is_called, mentions, tokens
from polyclinic.cohort.name_stems import PATTERN, shared_stems
from polyclinic.cohort.plausible import limits_of
from polyclinic.cohort.table import ROW
from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import counted, shorten

_FEWEST_GROUPS = 10
"""Fewer groups are arms, sites or folds. A round number."""

_GLUED = r"(patient|patienten|pat|pt|p|subject|subj|case|person|participant)(id|no|nr|num|nbr|code)(num|no|nr)?"
"""Names in one piece, such as patno or pidnum."""

_FEW_UNKNOWN = 0.2
"""A column that lacks more is no name of patients; where a few are lacking a check names the rows."""

_MOST_COLUMNS = 200
"""Columns that are looked at; beyond them are genes and features of pictures."""

_MOST_ROWS_EACH = 100
"""Patients with more rows each are wards or hospitals. A round number."""

_FAR_FROM_CHANCE = 60.0
"""Bits by which rows of a group agree beyond chance: 2 to the minus 60, whatever the number of columns looked at."""

_FEWEST_CONSTANT = 3
"""Columns that must be constant within groups where none of them is one that is the same for life."""


@dataclass(frozen=True)
class _Suspect:
    """A column that seems to name patients with several rows each.

    Attributes:
        column: Its name.
        why: What speaks for it.
        many: Patients that it would name.
        remedy: What to write.
        sure: Whether the name of the column says so, and there are more patients than rows of each.
    """

    column: str
    why: str
    many: int
    remedy: str
    sure: bool = False


def is_patient_name(name: str) -> bool:
    """Whether a column is called as one that names the patient, in any of the languages of the list."""
    words = [word for word in tokens(name) if not is_called(word, "filler")]
    if mentions(name, "patient_chinese") or is_called(name, "patient") or is_called(" ".join(words), "patient"):
        return True
    persons = [word for word in words if is_called(word, "person")]
    rest = [word for word in words if word not in persons]
    plain = len(persons) == 1 and is_called(persons[0], "person_alone")
    if re.fullmatch(_GLUED, "".join(words)):
        return True
    numbered = any(is_called(word, "number") for word in rest)
    return bool(persons) and consists_of(name, "person", "number", "filler") and (numbered or plain)


def patient_column(frame: pl.DataFrame) -> str | None:
    """The column whose name says that it names the patient; a plain "id" only if no other one does.

    Of several the one with the fewest different values: a record or a visit has names of its own, and more of them.
    """
    whole = [column for column in frame if _may_name(column) and column.null_count() <= _FEW_UNKNOWN * len(column)]
    named = [column for column in whole if is_patient_name(column.name)]
    plain = [column for column in whole if tokens(column.name) in (("id",), ("ids",), ("编号",))]
    found = min(named, key=pl.Series.n_unique, default=None)
    return found.name if found is not None else next((column.name for column in plain), None)


def unrecognised_patients(
    frame: pl.DataFrame, table: str, patient: str, aside: Iterable[str] = (), read: Iterable[str] = ()
) -> list[Finding]:
    """A column that seems to name the patients better than the study does.

    Three signs: its name; rows with the same value agree in what is the same for life, or in several columns, far
    beyond chance; all values stand in equally many rows, as in repeated measures. Where its name says so, and the study
    calls every row another patient, it is refused; content alone is a warning.

    Args:
        frame: The table.
        table: The user's word for it.
        patient: The column that the study names, or "row".
        aside: Columns with a part of their own, such as outcome and site: never patients.
        read: Columns that an input reads.
    """
    if patient in frame.columns and frame[patient].n_unique() < frame.height:
        return []
    own = [frame[patient]] if patient in frame.columns else []
    free = [column for column in frame if column.name != patient and column.name not in set(aside)]
    found = _named(free) or _repeating(free) or _in_parts([*own, *free])
    if found is None:
        return []
    is_read = found.column in set(read)
    learns = ", and an input reads it" if is_read else ""
    leave = f' In any case keep it out of the inputs: leave_out = ["{found.column}"].' if is_read else ""
    many = f"{found.many} of them in {counted(frame.height, 'row')}"
    return [
        Finding(
            name="unrecognised_patients",
            place=f'{table} column "{found.column}"',
            rule="all rows of a patient must be known as such, or the patient stands on both sides of the split",
            found=f"it seems to name patients ({found.why}): {many}{learns}",
            remedy=f"{found.remedy}{leave}",
            severity=Severity.REFUSED if found.sure and patient == ROW else Severity.WARNING,
        )
    ]


def alike_identifiers(patient: Shaped[np.ndarray, " row"], row: Int[np.ndarray, " row"], place: str) -> list[Finding]:
    """A warning where identifiers of patients differ in nothing but how they are typed.

    Capitals, composed or decomposed accents, full-width signs, blanks. They stay different patients: only whoever wrote
    them knows.
    """
    if patient.dtype.kind != "U":
        return []
    alike = alike_words(np.unique(patient).tolist())
    if not alike:
        return []
    rows: Bool[np.ndarray, " row"] = np.isin(patient, sorted(alike))
    return [
        Finding(
            name="alike_identifiers",
            place=place,
            rule="a patient should be written in one way",
            found=f"{counted(len(alike), 'identifier')} differ in capitals, composed accents, blanks or width of signs "
            "only",
            remedy="They count as different patients. Write them alike if they are one.",
            severity=Severity.WARNING,
            rows=tuple(int(number) for number in row[rows]),
        )
    ]


def _may_name(column: pl.Series) -> bool:
    """Whether a column may name patients by its content: whole numbers or text, and many of them."""
    known = column.drop_nulls()
    whole = column.dtype.is_integer() or column.dtype == pl.String
    if column.dtype.is_float():
        whole = bool((known % 1 == 0).all())
    return whole and known.n_unique() > min(_FEWEST_GROUPS, len(known) // 2)


def _named(columns: Sequence[pl.Series]) -> _Suspect | None:
    """The first column whose name says so; rather one with few rows of each value, for hospitals have many."""
    named = [column for column in columns if is_patient_name(column.name) and _may_name(column)]
    repeated = [column for column in named if bool(column.drop_nulls().is_duplicated().any())]
    found = next((column for column in repeated if _has_few_rows_each(column)), next(iter(repeated), None))
    if found is None:
        return None
    return replace(_suspect(found, "its name says so"), sure=_has_few_rows_each(found))


def _has_few_rows_each(column: pl.Series) -> bool:
    known = column.drop_nulls()
    return known.n_unique() ** 2 > len(known)


def _repeating(columns: Sequence[pl.Series]) -> _Suspect | None:
    """The first column whose content says so."""
    looked_at = [column for column in columns if not column.dtype.is_nested()][:_MOST_COLUMNS]
    suspects = [column for column in looked_at if _may_repeat(column)]
    codes = {column.name: _codes(column) for column in looked_at} if suspects else {}
    for column in suspects:
        sizes = np.unique(codes[column.name], return_counts=True)[1]
        if names := _constant_within(column.name, codes):
            return _suspect(column, f"rows with the same value agree in {shorten(names, 4)}")
        if len(set(sizes.tolist())) == 1 and (column.dtype == pl.String or _counts_up(column)):
            return _suspect(column, f"each of its values stands in {sizes[0]} rows")
    return None


def _in_parts(columns: Sequence[pl.Series]) -> _Suspect | None:
    """A column of text that is another one in each row, but whose cells share stems, as S01_1, S01_2, S01_3."""
    for column in columns:
        if (many := shared_stems(column)) is not None:
            remedy = (
                f"If so, write patient = \"{column.name}\" and patient_pattern = '{PATTERN}' under [cohort]: what the "
                "brackets hold, here all before the last part, is the patient."
            )
            why = "rows may be of the same patient: names share a stem, with another ending in each row"
            return _Suspect(column.name, why, many, remedy)
    return None


def _suspect(column: pl.Series, why: str) -> _Suspect:
    return _Suspect(column.name, why, column.n_unique(), f'If so, write patient = "{column.name}" under [cohort].')


def _may_repeat(column: pl.Series) -> bool:
    """Whether a column may name patients with several rows each; nothing that is measured, counted or a place."""
    if not _may_name(column) or column.null_count() or column.dtype.is_float():
        return False
    many = column.n_unique()
    each = len(column) / many
    other = mentions(column.name, "repeats", "place", "same_for_life") or limits_of(column.name) is not None
    negative = column.dtype.is_numeric() and bool((column < 0).any())
    return many >= _FEWEST_GROUPS and 1 < each <= _MOST_ROWS_EACH and many > each and not other and not negative


def _constant_within(name: str, codes: Mapping[str, Int[np.ndarray, " row"]]) -> list[str]:
    """The columns in which rows of a group agree far beyond chance; none where they may do so for another reason."""
    _, first, group = np.unique(codes[name], return_index=True, return_inverse=True)
    constant = [other for other, code in codes.items() if other != name and _agrees(other, code, group, first)]
    for_life = any(mentions(other, "same_for_life") for other in constant)
    return constant if for_life or len(constant) >= _FEWEST_CONSTANT else []


def _agrees(
    name: str, code: Int[np.ndarray, " row"], group: Int[np.ndarray, " row"], first: Int[np.ndarray, " group"]
) -> bool:
    """Whether a column has one value in each group, and how surprising that is, in bits, is enough."""
    if not (code == code[first][group]).all():
        return False
    share = np.bincount(code) / len(code)
    another_name = int((share > 0).sum()) == len(first) and not mentions(name, "same_for_life")
    bits = (len(code) - len(first)) * -float(np.log2((share**2).sum()))
    return bits > _FAR_FROM_CHANCE and not another_name


def _codes(column: pl.Series) -> Int[np.ndarray, " row"]:
    """Number of the value of each row, 0 where missing."""
    return column.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()


def _counts_up(column: pl.Series) -> bool:
    """Whether the whole numbers of a column are consecutive, as numbers of patients are."""
    return bool((column.unique().sort().diff().drop_nulls() == 1).all())
