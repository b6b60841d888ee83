"""What stands between the cells of a table of text: what the user says, the file says, or all of its rows agree on."""

import re
from dataclasses import dataclass

from polyclinic.errors import CohortError, Finding
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.text.records import records_of

_SIGNS = ",;\t|"
_GLANCE = 2**20
"""Bytes from which the separator is found: some thousand rows, and the whole of most tables. A round number."""

_EXCEL = re.compile(r'\A\s*"?sep=([^\n"])"?[,;\t]*\n', re.IGNORECASE)
_WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(frozen=True)
class TextLayout:
    """Where the table begins, and what stands between its cells."""

    text: str
    separator: str


def find_layout(text: str, reading: TableReading, table: str, usual: str) -> TextLayout:
    """The separator and the text from the header on, or from the titles above it where the user names no header.

    Raises:
        CohortError: two separators fit, or the text has no such line as the user names.
    """
    below = _from_header(text, reading.header, table)
    line = _EXCEL.match(text)
    if line is not None and reading.header is None:
        below = text[line.end() :]
    separator = reading.separator or (line[1] if line else None) or _agreed(below, table, usual)
    return TextLayout(below, separator)


def _from_header(text: str, header: int | None, table: str) -> str:
    if header is None:
        return text
    lines = text.split("\n", header - 1)
    if len(lines) < header or not lines[-1].strip():
        found = f"the file has {text.count(chr(10)) + 1} lines"
        rule, remedy = f"line {header} must hold the names of the columns", "Correct header under [cohort]."
        raise CohortError(Finding("no_header", table, rule, found, remedy))
    return lines[-1]


def _agreed(text: str, table: str, usual: str) -> str:
    """The one sign that divides all rows into the same number of cells."""
    glance = text if len(text) <= _GLANCE else text[: text.rfind("\n", 0, _GLANCE) + 1] or text
    firsts = {sign: first for sign in _SIGNS if (first := _first(glance, sign)) is not None}
    fitting = [sign for sign in firsts if firsts[sign] == 0] or list(firsts)
    if usual != "," and usual in fitting:
        return usual
    if len(fitting) > 1:
        raise CohortError(_ambiguous(table, fitting))
    header = text.lstrip("\n").split("\n", 1)[0]
    return next(iter(fitting), None) or next((sign for sign in (usual, *_SIGNS) if sign in header), usual)


def _first(glance: str, sign: str) -> int | None:
    """The line of the header if the sign divides all rows below it alike, and into more than one cell."""
    content = glance.encode()
    records = records_of(content, sign)
    if records is None or not len(records.cells) or records.cells[-1] == 1:
        return None
    if records.ends_in_separators(content, int(records.cells[0]), sign) and len(records.cells) > 1:
        return 0
    return records.header(content, sign)


def _ambiguous(table: str, fitting: list[str]) -> Finding:
    words = " and ".join(_WORDS[sign] for sign in fitting)
    rule = "one sign must divide all rows into the same number of cells"
    sign = fitting[0].replace("\t", r"\t")
    remedy = f'Say which it is under [cohort], such as separator = "{sign}".'
    return Finding("ambiguous_separator", table, rule, f"{words} do so", remedy)
