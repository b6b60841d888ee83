"""Who was studied: the flow chart and table one."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from polyclinic.delivery.cohort_document import FlowStep, TableOne, TableRow
from polyclinic.delivery.markup import Html, element, join
from polyclinic.delivery.material import Material, PartCount
from polyclinic.delivery.numbers import count
from polyclinic.delivery.sections.parts import ReportSection, figure, note, table
from polyclinic.delivery.words import Words


def patients(material: Material) -> ReportSection:
    """Flow chart and table one."""
    say = material.say
    flow = flow_chart(material)
    folds = (material.study.split.folds or 1) * material.study.split.repeat
    words = say("From the table to the groups that trained, tuned and tested.")
    if folds > 1 and material.facts.parts:
        words = say.sentences(words, say("Sizes of one fold, on average over {n}.", n=folds))
    chart = figure(say("Who was studied"), flow, words) if flow else None
    return ReportSection("patients", say("Patients"), join(chart, _table_one(material.cohort.table_one, say)))


def flow_chart(material: Material) -> Html:
    """A chart from the table to train, tune and test, with those left out on the side."""
    say = material.say
    steps = [_step(step, say) for step in material.cohort.flow]
    parts = [_part(part, say) for part in material.facts.parts]
    split = element("div", *parts, class_="flow-parts") if parts else None
    return element("div", *steps, split, class_="flow") if steps or split else Html()


def _step(step: FlowStep, say: Words) -> Html:
    sizes = element("b", _sizes(step.rows, step.patients, say))
    words = element("span", _reason(step.step, say))
    if not step.left_out:
        return element("div", element("div", sizes, words, class_="box"), class_="flow-step")
    gone = say("1 row left out") if step.left_out == 1 else say("{n} rows left out", n=count(step.left_out))
    out = element("div", element("b", gone), words, class_="box out")
    return element("div", element("div", sizes, class_="box"), out, class_="flow-step")


def _reason(step: str, say: Words) -> str:
    """A step in words; conditions stay as the user wrote them."""
    if step in ("in the table", "outcome not known"):
        return say(step)
    start = "excluded: "
    return say("excluded: {condition}", condition=step.removeprefix(start)) if step.startswith(start) else step


def _part(part: PartCount, say: Words) -> Html:
    names = {"train": say("Train"), "tune": say("Tune"), "test": say("Test")}
    uses = {
        "train": say("the weights are learned here"),
        "tune": say("stopping, threshold and calibration are chosen here"),
        "test": say("nothing is learned or chosen here"),
    }
    name = element("b", names.get(part.part, part.part))
    return element(
        "div",
        name,
        _sizes(round(part.rows), round(part.patients), say),
        element("span", uses.get(part.part, "")),
        class_=f"box {part.part}",
    )


def _sizes(rows: float | None, people: float | None, say: Words) -> str:
    if people is None or people == rows:
        return say("{n} patients", n=count(rows)) if people is not None else say("{n} rows", n=count(rows))
    return say("{n} patients, {rows} rows", n=count(people), rows=count(rows))


def _table_one(one: TableOne | None, say: Words) -> Html:
    if one is None or not one.rows:
        return Html()
    lines = [
        line for name, members in groupby(one.rows, key=lambda row: row.name) for line in _lines(name, members, say)
    ]
    words = say("Numbers are median [quartiles] or count (share of those known).")
    more = say("{n} further columns are not described.", n=one.columns_left_out) if one.columns_left_out else ""
    head = [say("Variable"), *(_group(name, say) for name in one.groups)]
    return element(
        "div", element("h3", say("Table one")), table(head, lines, "table-one"), note(say.sentences(words, more))
    )


def _lines(name: str, members: Iterable[TableRow], say: Words) -> Iterator[list[Html | str]]:
    """A variable and its levels; the name stands alone unless the variable is a number."""
    for n, row in enumerate(members):
        if n == 0 and row.level:
            yield [element("b", name), *("" for _ in row.cells)]
        words = say(row.level) if row.level in ("missing", "other") else row.level
        yield [element("span", words, class_="level") if row.level else element("b", name), *map(_cell, row.cells)]


def _cell(cell: str) -> Html | str:
    """Quartiles go below their median, so that the table stays narrow."""
    median, bracket, quartiles = cell.partition(" [")
    return join(median, element("small", f"[{quartiles}")) if bracket else cell


def _group(name: str, say: Words) -> str:
    if name.startswith("all ("):
        return say("all") + name.removeprefix("all")
    return say(name) if name == "standardised difference" else name
