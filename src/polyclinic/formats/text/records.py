"""Where the records of a delimited text lie, and which of them holds the names of the columns."""

import csv
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from polyclinic.errors import CohortError, Finding

_NEWLINE, _QUOTE = ord("\n"), ord('"')
_MOST_TITLES = 10
"""Lines above a header: an export has one to five; where there are more, the study file names the line."""


@dataclass(frozen=True)
class TextRecords:
    """Where the records lie in the bytes, and how many cells each has; blank lines are gone."""

    start: Int[np.ndarray, " record"]
    end: Int[np.ndarray, " record"]
    cells: Int[np.ndarray, " record"]

    def rest(self, first: int) -> "TextRecords":
        """The records from the one with number ``first`` on."""
        return TextRecords(self.start[first:], self.end[first:], self.cells[first:])

    def split(self, content: bytes, number: int, separator: str) -> list[str]:
        """The cells of one record, without blanks around them; none where its quotation marks make no sense."""
        line = content[self.start[number] : self.end[number]].decode()
        try:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
        except csv.Error:
            return []

    def header(self, content: bytes, separator: str) -> int | None:
        """The number of the record with the names of the columns; None if the records are not all of one length.

        Lines above it are titles: few, at most half as full as a row, and followed by a line of words. So a row that
        is one cell too short near the top is still a row, and is told.
        """
        width = int(self.cells[-1])
        other = np.flatnonzero(self.cells != width)
        least = int(other[-1]) + 1 if len(other) else 0
        last = min(len(self.cells) - 1, _MOST_TITLES)
        first = next((at for at in range(least, last) if not self._is_title(content, at, separator)), least)
        if first == 0:
            return 0
        names = self.split(content, first, separator)
        full = max(sum(map(bool, self.split(content, number, separator))) for number in range(first))
        words = bool(names) and all(name and not is_number(name) for name in names)
        if first <= _MOST_TITLES and words and full <= max(1, width // 2):
            return first
        return 0 if least == 0 else None

    def _is_title(self, content: bytes, number: int, separator: str) -> bool:
        """Whether only the first cells are filled, or none, as in a title of a sheet that was saved as text."""
        cells = [bool(cell) for cell in self.split(content, number, separator)]
        return sum(cells) <= len(cells) // 2 and all(cells[: sum(cells)])

    def ends_in_separators(self, content: bytes, width: int, separator: str) -> bool:
        """Whether all records but the first end in a separator more than it has."""
        if not bool((self.cells[1:] == width + 1).all()):
            return False
        signs = np.frombuffer(content, dtype=np.uint8)
        return bool((signs[self.end[1:] - 1] == ord(separator)).all())


def find_records(content: bytes, separator: str, table: str) -> TextRecords:
    """TextRecords and their numbers of cells, counting only signs outside quotation marks.

    Raises:
        CohortError: if a quotation mark is opened and not closed.
    """
    found = records_of(content, separator)
    if found is None:
        raise CohortError(unclosed(table))
    return found


def records_of(content: bytes, separator: str) -> TextRecords | None:
    """As ``find_records``; None if a quotation mark is opened and not closed."""
    signs = np.frombuffer(content, dtype=np.uint8)
    marks = np.flatnonzero((signs == _NEWLINE) | (signs == ord(separator)) | (signs == _QUOTE))
    marked = signs[marks]
    quote = marked == _QUOTE
    inside = np.cumsum(quote) % 2 == 1 if quote.any() else quote
    if len(inside) and inside[-1]:
        return None
    breaks = marks[(marked == _NEWLINE) & ~inside]
    start = np.concatenate([[0], breaks + 1])
    end = np.concatenate([breaks, [len(content)]])
    separators = marks[(marked == ord(separator)) & ~inside]
    cells = np.searchsorted(separators, end) - np.searchsorted(separators, start) + 1
    filled = end > start
    return TextRecords(start[filled], end[filled], cells[filled])


def is_number(cell: str) -> bool:
    """Whether a name of a column is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def unclosed(table: str) -> Finding:
    """The finding for quotation marks that do not stand in pairs."""
    return Finding(
        name="unclosed_quotation",
        place=table,
        rule="quotation marks must stand in pairs around a cell",
        found="one is opened and not closed, or stands alone inside a cell",
        remedy='Write a quotation mark inside a cell twice ("") and put the cell between quotation marks.',
    )
