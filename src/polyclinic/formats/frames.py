"""Tables that a program gives instead of a file: frames of polars, pandas or arrow, and dicts of columns.

Nothing of theirs is imported: a frame is known by what it offers. What a column declares holds, as in a parquet file;
text is typed as the text of a csv file is; whatever means "not known" there (NaN, NaT, NA, None) is missing here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import polars as pl

from polyclinic.errors import CohortError, Finding, Severity
from polyclinic.formats.columns.column_types import counted, plain_types, type_columns
from polyclinic.formats.columns.fingerprint import frame_fingerprint
from polyclinic.formats.columns.headers import TableCells, named, plain_names, without_index
from polyclinic.formats.columns.mixed import as_displayed, mixed_cells
from polyclinic.formats.columns.read_columns import read_columns
from polyclinic.formats.columns.reading import CellReading
from polyclinic.formats.read_table import TypedTable
from polyclinic.formats.unreadable import unreadable

GIVEN = "the given table"
"""What messages call a table that has no name."""
_PANDAS_UNNAMED = re.compile(r"Unnamed: \d+")
"""What pandas calls the column without a name when it reads a csv file."""
_NOT_KNOWN = ("NAType", "NaTType")
"""What pandas puts where nothing is known, beside NaN and None."""
_AS_PLAIN = CellReading()


@runtime_checkable
class FrameLike(Protocol):
    """A frame of pandas, or of another library that has columns and can be read by arrow."""

    @property
    def columns(self) -> Any:
        """The names of the columns."""

    def __len__(self) -> int:
        """How many rows."""


Frame = pl.DataFrame | pl.LazyFrame | FrameLike | Mapping[str, Sequence[Any]]
"""What may be given where the path of a table may be given."""


@dataclass(frozen=True)
class GivenTable:
    """A table that a program gives.

    Attributes:
        cells: As they were given, with what the columns declare.
    """

    cells: TableCells

    def typed(self, reading: CellReading, folder: Path) -> TypedTable:
        """The table with its types, by the same rules as a table from a file.

        Args:
            reading: What the study says about cells and columns.
            folder: Where relative paths in cells start.
        """
        columns = read_columns(self.cells, reading, GIVEN)
        sources = {GIVEN: frame_fingerprint(columns.frame)}
        return TypedTable(columns.frame, folder, GIVEN, sources, self.cells.notes, columns.readings)

    def parquet(self) -> bytes:
        """The table as a parquet file, from which the same is read.

        Text becomes numbers or dates there only where no two different cells become one.
        """
        plain = plain_types(self.cells.frame)
        typed = type_columns(plain, _AS_PLAIN, keep=self.cells.nominal)
        kept = [
            column if column.n_unique() == cells.n_unique() else cells
            for column, cells in zip(typed, plain, strict=True)
        ]
        words = [c.cast(pl.Categorical) if c.name in self.cells.nominal else c for c in kept]
        content = BytesIO()
        pl.DataFrame(words).write_parquet(content)
        return content.getvalue()


def given_table(frame: object) -> GivenTable:
    """The table that a program gives.

    An index with a name, or of words, becomes a column; one of numbers without a name counts rows and is left out.

    Example:
        >>> given_table({"age": [61, None], "ward": ["north", "south"]}).cells.frame.shape
        (2, 2)

    Raises:
        CohortError: if it is no table, holds no rows, two columns of one name, or cells that are lists.
    """
    columns = dict(_columns(frame))
    cells = _cells(columns)
    if cells.frame.height == 0 or cells.frame.width == 0:
        raise unreadable(GIVEN, "must hold rows of patients", "there are none", "Give the right table.")
    names = ["" if not name or _PANDAS_UNNAMED.fullmatch(name) else name for name in cells.frame.columns]
    notes = _index_notes(frame)
    return GivenTable(plain_names(without_index(replace(cells, notes=(*cells.notes, *notes)), names, GIVEN), GIVEN))


def as_given(answers: pl.DataFrame, frame: object) -> Any:
    """Answers as a frame of the library that the question came from: of pandas for pandas, with its index; else polars.

    Args:
        answers: With a row for each row of ``frame``, or several.
        frame: What was given.
    """
    if not _is_pandas(frame):
        return answers
    index = frame.index if len(frame) == answers.height else None  # type: ignore[attr-defined, arg-type]
    columns = {column.name: column.to_numpy() for column in answers}
    return import_module("pandas").DataFrame(columns, index=index)


def _columns(frame: Any) -> Iterator[tuple[str, Any]]:
    """The columns with their names, each as its own library holds it."""
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, Mapping):
        labels, columns = list(frame), list(frame.values())
    elif isinstance(frame, pl.DataFrame):
        labels, columns = frame.columns, frame.get_columns()
    elif _is_pandas(frame):
        index = list(_index_columns(frame))
        labels = [*(label for label, _ in index), *frame.columns]
        columns = [*(values for _, values in index), *(frame.iloc[:, i] for i in range(frame.shape[1]))]
    elif hasattr(frame, "__arrow_c_stream__"):
        arrow = pl.DataFrame(frame)
        labels, columns = arrow.columns, arrow.get_columns()
    else:
        rule = "must be a path, a frame of polars, pandas or arrow, or a dict of columns"
        raise unreadable(GIVEN, rule, f"it is of type {type(frame).__name__}", "Give one of these.")
    yield from zip(named([_label(label) for label in labels], GIVEN), columns, strict=True)


def _is_pandas(frame: Any) -> bool:
    return all(hasattr(frame, name) for name in ("iloc", "index", "columns", "dtypes"))


def _label(label: Any) -> str:
    if isinstance(label, tuple):
        remedy = 'Join them: frame.columns = ["_".join(map(str, name)) for name in frame.columns].'
        raise unreadable(GIVEN, "a column must have one name", "columns have a name of several parts", remedy)
    return str(label)


def _index_columns(frame: Any) -> Iterator[tuple[str, Any]]:
    """What stands in the index of a pandas frame and means something."""
    levels = [frame.index.get_level_values(i) for i in range(frame.index.nlevels)]
    for number, values in enumerate(levels):
        if values.name is not None or len(levels) > 1 or not _counts(values):
            default = "index" if len(levels) == 1 else f"index_{number + 1}"
            yield _label(default if values.name is None else values.name), values


def _counts(index: Any) -> bool:
    """Whether an index is of whole numbers, as it is where nobody chose it."""
    return getattr(index.dtype, "kind", "") in "iu"


def _index_notes(frame: Any) -> tuple[Finding, ...]:
    """What the user should know about an index without a name."""
    if not _is_pandas(frame) or frame.index.nlevels > 1 or frame.index.name is not None:
        return ()
    if not _counts(frame.index):
        found, remedy = "one of words", 'It is the column "index" here; give it the name it deserves.'
    elif not np.array_equal(frame.index.to_numpy(), np.arange(len(frame))):
        found, remedy = (
            "one of numbers that are not 0, 1, 2, ...",
            "It is left out; give it a name if it means something.",
        )
    else:
        return ()
    return (Finding("frame_index", GIVEN, "an index should have a name", found, remedy, Severity.NOTE),)


def _cells(columns: Mapping[str, Any]) -> TableCells:
    """All columns as cells: those of one plain type at once, the others cell by cell."""
    _refuse_unequal(columns)
    quick = {name: series for name, values in columns.items() if (series := _at_once(name, values)) is not None}
    slow = mixed_cells({name: _one_by_one(v) for name, v in columns.items() if name not in quick}, GIVEN)
    found = quick | {column.name: column for column in slow.frame}
    frame = pl.DataFrame([found[name] for name in columns if name in found])
    declared = frozenset(column.name for column in frame if column.dtype != pl.String)
    nominal = frozenset(name for name, values in columns.items() if name in found and _is_categorical(values))
    return TableCells(frame, slow.notes, declared, nominal)


def _refuse_unequal(columns: Mapping[str, Any]) -> None:
    if single := [
        name for name, values in columns.items() if isinstance(values, str) or not hasattr(values, "__len__")
    ]:
        found = f"{counted(len(single), 'column')} of one value"
        raise unreadable(GIVEN, "every column must hold a cell for each row", found, "Repeat the value for every row.")
    if len({len(values) for values in columns.values()}) > 1:
        found, remedy = "they are of several lengths", "Give a cell for every row, None where nothing is known."
        raise unreadable(GIVEN, "all columns must be of one length", found, remedy)


def _is_categorical(values: Any) -> bool:
    return hasattr(getattr(values, "dtype", None), "categories") and not isinstance(values, pl.Series)


def _at_once(name: str, values: Any) -> pl.Series | None:
    """A column of polars, or one of numpy's numbers, moments, true and false; None for any other."""
    if isinstance(values, pl.Series):
        return None if isinstance(values.dtype, pl.Object) else values.alias(name)
    kind = getattr(values, "dtype", None)
    if not isinstance(kind, np.dtype) or kind.kind not in "biufM":
        return None
    array = np.asarray(values)
    if array.ndim != 1:
        raise CohortError(_several_dimensions(name))
    if kind.kind == "M":
        return pl.Series(name, array.astype("datetime64[us]"))
    return pl.Series(name, array.astype(np.float32) if kind == np.float16 else array)


def _one_by_one(values: Any) -> list[Any]:
    if getattr(values, "ndim", 1) != 1:
        raise CohortError(_several_dimensions(getattr(values, "name", None) or ""))
    cells = values.astype(object) if hasattr(values, "astype") else values
    known = [_cell(value) for value in cells]
    return [as_displayed(value) for value in known] if _is_categorical(values) else known


def _cell(value: Any) -> Any:
    """A cell as Python has it; None where nothing is known."""
    if value is None or type(value).__name__ in _NOT_KNOWN:
        return None
    if hasattr(value, "to_pydatetime"):  # a moment of pandas is finer than Python's
        return value.to_pydatetime(warn=False)
    plain = value.item() if isinstance(value, np.generic) else value
    return None if plain != plain else plain


def _several_dimensions(name: str) -> Finding:
    place = f'{GIVEN} column "{name}"' if name else GIVEN
    rule, found = "a column must hold one cell for each row", "it has several dimensions"
    return Finding("nested_cells", place, rule, found, "Give each part as a column of its own.")
