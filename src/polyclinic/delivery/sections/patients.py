"""Who was studied: the flow chart and table one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from polyclinic.cohort.describe import FEW_OF_MANY, MOST_COLUMNS
from polyclinic.cohort.document import CohortDocument, DescribedRow, DescribedTable, FlowStep, LeftColumn
from polyclinic.cohort.unused_columns import WHYS
from polyclinic.delivery.blocks import ReportSection, facts, figure, note, table
from polyclinic.delivery.markup import EMPTY, Child, Element, element, join
from polyclinic.delivery.material import PartCount, RunFacts
from polyclinic.delivery.numbers import NOTHING, count, significant
from polyclinic.delivery.sections.masthead import data_period
from polyclinic.evidence.records import Estimate, Evidence, TargetEvidence
from polyclinic.translations.phrase import Phrase, joined, sentences

_PARTS = {
    "train": ("Train", "the weights are learned here"),
    "tune": ("Tune", "stopping, threshold and calibration are chosen here"),
    "left_out": (
        "Left out in turn",
        "tune rows in turn, each answered by a network that left it out; all choices are made here",
    ),
    "test": ("Test", "nothing is learned or chosen here"),
}
"""Name and use of each part of the split."""


_MOST_NAMES = 100
"""Names of unused columns beside one reason; a round number. `cohort.json` lists them all."""


def patients(cohort: CohortDocument, run: RunFacts, evidence: Evidence, given: Sequence[str]) -> ReportSection:
    """Flow chart, when and where the patients were seen, table one, and what of the table was not used.

    Args:
        cohort: What stands in `cohort.json`.
        run: What happened in the run.
        evidence: The unit of each target.
        given: The columns that say who trains and who is tested, if the table says so.
    """
    known = [*when_and_where(cohort), *follow_up(run.follow_up, evidence.targets)]
    chart = _who(cohort.flow, run, given)
    seen = facts(known) if known else None
    body = join(chart, seen, _table_one(cohort.table_one), _unused(cohort.unused, cohort.unused_in_all))
    return ReportSection("patients", Phrase("Patients"), body)


def _who(steps: Sequence[FlowStep], run: RunFacts, given: Sequence[str]) -> Element | None:
    """The flow chart."""
    flow = flow_chart(steps, run.parts)
    if not flow:
        return None
    words = Phrase("From the table to the groups that trained, tuned and tested.")
    average = Phrase("Sizes of one fold, on average over {n}.", n=run.folds) if run.folds > 1 and run.parts else ""
    source = Phrase("Divided as the table says, column {columns}.", columns=", ".join(given)) if given else ""
    return figure(Phrase("Who was studied"), flow, sentences(words, source, average))


def when_and_where(cohort: CohortDocument) -> list[tuple[str, str]]:
    """Months of the data and number of sites, by what they are; what the table does not say is left out."""
    sites = count(cohort.sites) if cohort.sites else ""
    both = [(Phrase("Period of the data"), data_period(cohort)), (Phrase("Sites"), sites)]
    return [(name, value) for name, value in both if value]


def follow_up(medians: Mapping[str, Estimate], targets: Mapping[str, TargetEvidence]) -> list[tuple[str, str]]:
    """How long patients were watched for each event, by what it is; a limit that was not reached is open."""
    return [
        (Phrase("Median follow-up ({target})", target=name), _length(median, targets[name].unit or ""))
        for name, median in medians.items()
        if name in targets
    ]


def _length(median: Estimate, unit: str) -> str:
    if median.value is None:
        return Phrase("not reached")
    low, high = (NOTHING if end is None else significant(end) for end in (median.low, median.high))
    around = Phrase("{low} to {high}", low=low, high=high)
    return Phrase("{value} ({interval})", value=f"{significant(median.value)} {unit}".strip(), interval=around)


def _unused(columns: Sequence[LeftColumn], in_all: int) -> Element:
    """What of the table the model does not know, by the reason, folded: nobody should miss age later."""
    if not columns:
        return EMPTY
    by_reason: dict[str, list[str]] = {}
    for one in columns:
        by_reason.setdefault(one.why, []).append(one.column)
    rows: list[list[Child]] = [
        [WHYS.get(why, why), count(len(names)), _names(names)] for why, names in by_reason.items()
    ]
    total = max(in_all, len(columns))
    title = Phrase("Columns of the table that are not used: {n}", n=count(total))
    cut = note(Phrase("The first {n} are listed.", n=count(len(columns)))) if total > len(columns) else None
    whole = table([Phrase("Why"), Phrase("Number"), Phrase("Columns")], rows, "unused", numeric_from=9)
    return element("details", element("summary", title), whole, cut)


def _names(names: Sequence[str]) -> Element:
    shown = [join(element("code", name), ", ") for name in names[:_MOST_NAMES]]
    shown[-1] = element("code", names[len(shown) - 1])
    more = Phrase("and {n} more; `cohort.json` lists them", n=count(len(names) - len(shown)))
    return join(*shown, *((" ", more) if len(names) > len(shown) else ()))


def flow_chart(flow: Sequence[FlowStep], parts: Sequence[PartCount]) -> Element:
    """A chart from the table to train, tune and test, with those left out on the side."""
    boxes = []
    for part in parts:
        name, use = _PARTS[part.part]
        words = (
            element("b", Phrase(name)),
            _sizes(round(part.rows), round(part.patients)),
            _events(part.events),
            element("span", Phrase(use)),
        )
        boxes.append(element("div", *words, class_=f"box {part.part}"))
    split = element("div", *boxes, class_="flow-parts") if parts else None
    return element("div", *map(_step, flow), split, class_="flow") if flow or split else EMPTY


def _events(events: Mapping[str, float]) -> Element | None:
    """How many had the event; of several such targets, each by its name."""
    if not events:
        return None
    several = len(events) > 1
    each = [Phrase("{n} events", n=count(round(n))) for n in events.values()]
    named = [joined(name, words, by=": ") for name, words in zip(events, each, strict=True)] if several else each
    return element("span", joined(*named, by="; "))


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
    more = _further(one.columns_left_out) if one.columns_left_out else ""
    head = [Phrase("Variable"), *(_group(name) for name in one.groups)]
    return element(
        "div", element("h3", Phrase("Table one")), table(head, lines, "table-one"), note(sentences(words, more))
    )


def _further(n: int) -> str:
    """How many columns are not described, and by which rule."""
    return Phrase(
        "And {n} further columns: the table holds {most}, inputs of few columns come first, and of an input of more "
        "than {most} columns the first {few} stand here.",
        n=count(n),
        most=MOST_COLUMNS,
        few=FEW_OF_MANY,
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
