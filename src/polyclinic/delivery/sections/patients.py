"""Who was studied: the flow chart and table one."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from polyclinic.cohort.document import CohortDocument, DescribedRow, DescribedTable, FlowStep
from polyclinic.delivery.blocks import ReportSection, figure, note, table
from polyclinic.delivery.markup import EMPTY, Child, Element, element, join
from polyclinic.delivery.material import PartCount
from polyclinic.delivery.numbers import count
from polyclinic.translations.phrase import Phrase, sentences

_PARTS = {
    "train": ("Train", "the weights are learned here"),
    "tune": ("Tune", "stopping, threshold and calibration are chosen here"),
    "test": ("Test", "nothing is learned or chosen here"),
}
"""Name and use of each part of the split."""


def patients(cohort: CohortDocument, parts: Sequence[PartCount], folds: int, given: Sequence[str]) -> ReportSection:
    """Flow chart and table one; ``given`` are the columns that say who trains and who is tested."""
    flow = flow_chart(cohort.flow, parts)
    words = Phrase("From the table to the groups that trained, tuned and tested.")
    average = Phrase("Sizes of one fold, on average over {n}.", n=folds) if folds > 1 and parts else ""
    source = Phrase("Divided as the table says, column {columns}.", columns=", ".join(given)) if given else ""
    chart = figure(Phrase("Who was studied"), flow, sentences(words, source, average)) if flow else None
    return ReportSection("patients", Phrase("Patients"), join(chart, _table_one(cohort.table_one)))


def flow_chart(flow: Sequence[FlowStep], parts: Sequence[PartCount]) -> Element:
    """A chart from the table to train, tune and test, with those left out on the side."""
    boxes = []
    for part in parts:
        name, use = _PARTS[part.part]
        words = (
            element("b", Phrase(name)),
            _sizes(round(part.rows), round(part.patients)),
            element("span", Phrase(use)),
        )
        boxes.append(element("div", *words, class_=f"box {part.part}"))
    split = element("div", *boxes, class_="flow-parts") if parts else None
    return element("div", *map(_step, flow), split, class_="flow") if flow or split else EMPTY


def _step(step: FlowStep) -> Element:
    sizes = element("b", _sizes(step.rows, step.patients))
    words = element("span", _reason(step.step))
    if not step.left_out:
        return element("div", element("div", sizes, words, class_="box"), class_="flow-step")
    gone = Phrase("1 row left out") if step.left_out == 1 else Phrase("{n} rows left out", n=count(step.left_out))
    out = element("div", element("b", gone), words, class_="box out")
    return element("div", element("div", sizes, class_="box"), out, class_="flow-step")


def _reason(step: str) -> str:
    """A step in words; conditions stay as the user wrote them."""
    if step in ("in the table", "outcome not known"):
        return Phrase(step)
    start = "excluded: "
    return Phrase("excluded: {condition}", condition=step.removeprefix(start)) if step.startswith(start) else step


def _sizes(rows: float | None, people: float | None) -> str:
    if people is None or people == rows:
        return Phrase("{n} patients", n=count(rows)) if people is not None else Phrase("{n} rows", n=count(rows))
    return Phrase("{n} patients, {rows} rows", n=count(people), rows=count(rows))


def _table_one(one: DescribedTable | None) -> Element:
    if one is None or not one.rows:
        return EMPTY
    lines = [line for name, members in groupby(one.rows, key=lambda row: row.name) for line in _lines(name, members)]
    words = Phrase("Numbers are median [quartiles] or count (share of those known).")
    more = Phrase("{n} further columns are not described.", n=one.columns_left_out) if one.columns_left_out else ""
    head = [Phrase("Variable"), *(_group(name) for name in one.groups)]
    return element(
        "div", element("h3", Phrase("Table one")), table(head, lines, "table-one"), note(sentences(words, more))
    )


def _lines(name: str, members: Iterable[DescribedRow]) -> Iterator[list[Child]]:
    """A variable and its levels; the name stands alone unless the variable is a number."""
    for n, row in enumerate(members):
        if n == 0 and row.level:
            yield [element("b", name), *("" for _ in row.cells)]
        words = Phrase(row.level) if row.level in ("missing", "other") else row.level
        yield [element("span", words, class_="level") if row.level else element("b", name), *map(_cell, row.cells)]


def _cell(cell: str) -> Element | str:
    """Quartiles go below their median, so that the table stays narrow."""
    median, bracket, quartiles = cell.partition(" [")
    return join(median, element("small", f"[{quartiles}")) if bracket else cell


def _group(name: str) -> str:
    if name.startswith("all ("):
        return Phrase("{all}{size}", all=Phrase("all"), size=name.removeprefix("all"))
    return Phrase(name) if name == "standardised difference" else name
