"""The corpus of odd cells: what stands in a column, and what a careful data manager would read there.

Each entry becomes a table of its own: the odd cells among plain ones, or by themselves and repeated. The table is read
as a run reads it, by a study that gives the column its role. So the corpus knows no function of the reader but those
that put a study together, and says what a user gets.

    id, column  name of the entry, name of the column
    cells       the odd cells
    plain       which plain cells stand beside them (``PLAIN``); without it the odd ones are repeated
    role        input (where nothing is said), patient, class, site or date
    keys        what the study says about the cells, in [cohort]

and one of these is right:

    number      a number, with these values; "nan" = not known
    category    words: true = as written, or these; "" = not known. Of an input only which cells are equal counts.
    date        these moments; "" = not known
    missing     nothing is known, or the study is refused for that
    refused     the study is refused, with a finding on the column that holds such a word (a regular expression)
    told        a finding on the column, of whatever severity, holds such a word; how the cells are read is free

with `also`, a word of a finding that must be there besides; with `or_told`, a finding of such a word is right as well.
A number with a limit of detection is read as its limit: the value nearest to what was measured that the cell itself
gives. Findings that take the column for an identifier or free text tell nothing of this kind: numbers are lost so.
"""

import csv
import re
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from polyclinic.cohort.findings import inspect
from polyclinic.cohort.table import Cohort, load
from polyclinic.cohort.unnamed_patients import alike_identifiers
from polyclinic.errors import Finding, PolyclinicError, Severity
from polyclinic.steps.assemble import claim_columns
from polyclinic.steps.cohort_reader import CohortReader
from polyclinic.steps.kinds import kinds_of
from polyclinic.study.read import parse_study

HERE = Path(__file__).parent
PENDING = HERE / "pending.txt"
STOPPING = (Severity.ERROR, Severity.REFUSED)
RIGHTS = ("number", "category", "date", "missing", "refused", "told")
ROLES = ("input", "patient", "class", "site", "date")
SILENT = ("words_without_repeats", "identifier_as_input", "assumed_positive")
"""Findings that say nothing of how cells are written."""
ALONE = 12
"""How often odd cells without plain ones are repeated, so that there are patients enough for a study."""

_NUMBERS = [round(2.05 + 0.37 * i, 2) for i in range(48)]
PLAIN: dict[str, tuple[list[str], list[Any]]] = {
    "points": ([f"{value:.2f}" for value in _NUMBERS], _NUMBERS),
    "commas": ([f"{value:.2f}".replace(".", ",") for value in _NUMBERS], _NUMBERS),
    "wholes": ([str(21 + i) for i in range(48)], [21 + i for i in range(48)]),
    "iso": ([f"2021-{1 + i // 24:02d}-{1 + i % 24:02d}" for i in range(48)],) * 2,
}
"""Plain cells, and what is right for them."""


@dataclass(frozen=True)
class Entry:
    """One entry of the corpus; the head of this file says what the fields mean."""

    id: str
    column: str
    cells: Sequence[str]
    plain: str | None = None
    role: str = "input"
    keys: dict[str, Any] = field(default_factory=dict)
    number: Sequence[Any] | None = None
    category: Any = None
    date: Sequence[str] | None = None
    missing: bool | None = None
    refused: str | None = None
    told: str | None = None
    also: str | None = None
    or_told: str | None = None

    def __post_init__(self) -> None:
        rights = [right for right in RIGHTS if getattr(self, right) is not None]
        assert len(rights) == 1, (self.id, rights)
        assert self.role in ROLES, self.id
        for right in ("number", "date"):
            assert len(getattr(self, right) or self.cells) == len(self.cells), self.id

    @property
    def all_cells(self) -> list[str]:
        """The whole column."""
        return [*self.cells, *PLAIN[self.plain][0]] if self.plain else [*self.cells] * ALONE

    def right(self, odd: Sequence[Any]) -> list[Any]:
        """What is right for every cell, from what is right for the odd ones."""
        return [*odd, *PLAIN[self.plain][1]] if self.plain else [*odd] * ALONE


@dataclass
class Read:
    """What a study makes of a column: the findings on it, and its values as far as the reading came."""

    findings: list[Finding] = field(default_factory=list)
    kind: str = "nothing"
    values: list[Any] = field(default_factory=list)


def entries() -> list[Entry]:
    """All entries, by theme."""
    found = [tomllib.loads(path.read_text(encoding="utf-8"))["cells"] for path in sorted(HERE.glob("*.toml"))]
    return [Entry(**fields) for theme in found for fields in theme]


def pending() -> list[str]:
    """Entries that are not read right yet."""
    return PENDING.read_text(encoding="utf-8").split()


def wrong(entry: Entry) -> str:
    """What is wrong with how an entry is read; "" if nothing is."""
    read = read_entry(entry)
    if entry.refused is not None:
        stopping = [finding for finding in read.findings if finding.severity in STOPPING]
        return "" if _tells(stopping, entry.refused) else f"not refused, but read as {read.kind}"
    if entry.told is not None:
        return "" if _tells(read.findings, entry.told) else f"read as {read.kind}, and nothing is told"
    if entry.or_told is not None and _tells(read.findings, entry.or_told):
        return ""
    if entry.missing and _tells(read.findings, "every cell is missing"):
        return ""
    if any(finding.severity in STOPPING for finding in read.findings):
        return f"refused: {read.findings[0]}"
    if entry.also is not None and not _tells(read.findings, entry.also):
        return f"nothing is told of it, read as {read.kind}"
    return _differs(entry, read)


def read_entry(entry: Entry) -> Read:
    """The column as a study reads it in its role."""
    read = Read()
    with tempfile.TemporaryDirectory() as folder:
        _write_table(entry, Path(folder) / "cohort.csv")
        try:
            for finding in _reading(entry, Path(folder), read):
                read.findings.append(finding)
        except PolyclinicError as refusal:
            read.findings += refusal.findings
    read.findings = [finding for finding in read.findings if _on_it(finding, entry)]
    return read


def _write_table(entry: Entry, path: Path) -> None:
    cells = entry.all_cells
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, quoting=csv.QUOTE_MINIMAL)
        writer.writerow(["case_no", entry.column, "marker", "outcome"])
        for i, cell in enumerate(cells):
            writer.writerow(
                [f"C{i:03d}", cell, round(0.5 + 0.731 * ((i * 37) % 101), 3), ("sick", "well")[i * 7 % 3 % 2]]
            )


def _study(entry: Entry) -> str:
    role = entry.role
    cohort = {"table": "cohort.csv", "patient": entry.column if role == "patient" else "case_no", **entry.keys}
    cohort |= {role: entry.column} if role in ("site", "date") else {}
    document = {
        "cohort": cohort,
        "inputs": {"x": {"kind": "tabular", "columns": [entry.column if role == "input" else "marker"]}},
        "targets": {"y": {"kind": "classify", "column": entry.column if role == "class" else "outcome"}},
    }
    return tomli_w.dumps(document)


def _reading(entry: Entry, folder: Path, read: Read) -> Iterator[Finding]:
    """Findings in the order of the reading; values are noted on the way."""
    study = parse_study(_study(entry))
    kinds = kinds_of(study)
    heads = kinds.heads
    cohort = load(study.cohort, folder, uses=kinds.column_uses(study.split))
    yield from cohort.findings
    yield from alike_identifiers(cohort.patient, cohort.row, f'{cohort.name} column "{study.cohort.patient}"')
    columns = claim_columns(study, cohort, kinds.inputs, heads)
    yield from inspect(cohort, columns["x"], heads["y"].columns())
    inputs = CohortReader(cohort, None).inputs(kinds.inputs, columns)
    yield from inputs["x"].records.check()
    target = heads["y"].read_target(cohort.frame, cohort.name)
    yield from target.check("[targets.y]")
    read.kind, read.values = _values(entry, cohort, inputs["x"].records, target)


def _values(entry: Entry, cohort: Cohort, records: Any, target: Any) -> tuple[str, list[Any]]:
    """What kind of column it is, and the value of every row."""
    if entry.role == "class":
        return "category", [target.classes[code] if code >= 0 else "" for code in target.truth]
    if entry.role == "date":
        assert cohort.dates is not None
        return "date", ["" if np.isnat(moment) else moment for moment in cohort.dates]
    if entry.role != "input":
        return "category", [str(word) for word in (cohort.patient if entry.role == "patient" else cohort.site)]
    if records.numeric:
        return "number", [float(value) for value in records.numbers[:, 0]]
    column = records.categories[entry.column]
    return "category", [column.words[code] if code >= 0 else "" for code in column.codes]


def _on_it(finding: Finding, entry: Entry) -> bool:
    """Whether a finding is on the column, by its name or by its role."""
    if finding.name in SILENT:
        return False
    place = "[targets.y]" if entry.role == "class" else f"[cohort] {entry.role}"
    return f'"{entry.column}"' in str(finding) or place in finding.place


def _tells(findings: Sequence[Finding], words: str) -> bool:
    return any(re.search(words, f"{one.name.replace('_', ' ')} {one}", re.IGNORECASE) for one in findings)


def _differs(entry: Entry, read: Read) -> str:
    if entry.missing:
        known = [value for value in read.values if value not in ("", None) and value == value]
        return f"{len(known)} cells are known" if known else ""
    if entry.number is not None:
        right = np.array([float(value) for value in entry.right(entry.number)])
        same = read.kind == "number" and np.allclose(np.array(read.values), right, rtol=1e-12, atol=0, equal_nan=True)
    elif entry.date is not None:
        moments = ["" if moment == "" else np.datetime64(moment) for moment in entry.right(entry.date)]
        same = read.kind == "date" and read.values == moments
    else:
        words = [word.strip() for word in entry.right(entry.cells if entry.category is True else entry.category)]
        same = read.kind == "category" and _same_words(entry, read.values, words)
    return "" if same else f"read as {read.kind}: {list(dict.fromkeys(map(str, read.values)))[:4]}"


def _same_words(entry: Entry, values: Sequence[str], words: Sequence[str]) -> bool:
    """The very words; of an input the same cells are equal, and the same are not known."""
    if entry.role != "input":
        return list(values) == list(words)
    pairs = set(zip(values, words, strict=True))
    return len(pairs) == len(set(values)) == len(set(words)) and all((v == "") == (w == "") for v, w in pairs)
