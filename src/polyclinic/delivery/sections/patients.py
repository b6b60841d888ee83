"""Who was studied: the flow chart and table one."""

from polyclinic.delivery.cohort_document import FlowStep, TableOne
from polyclinic.delivery.markup import Html, element, join
from polyclinic.delivery.material import Material, PartCount
from polyclinic.delivery.numbers import count
from polyclinic.delivery.sections.parts import Section, figure, note, table
from polyclinic.delivery.words import Words


def patients(material: Material) -> Section:
    """Flow chart and table one."""
    say = material.say
    flow = flow_chart(material)
    body = join(
        figure(say("Who was studied"), flow, say("From the table to the groups that trained, tuned and tested.")),
        _table_one(material.cohort.table_one, say),
    )
    return Section("patients", say("Patients"), body)


def flow_chart(material: Material) -> Html:
    """A chart from the table to train, tune and test, with those left out on the side."""
    say = material.say
    steps = [_step(step, say) for step in material.cohort.flow]
    parts = [_part(part, say) for part in material.facts.parts]
    split = element("div", *parts, class_="flow-parts") if parts else None
    return element("div", *steps, split, class_="flow")


def _step(step: FlowStep, say: Words) -> Html:
    box = element("div", element("b", _sizes(step.rows, step.patients, say)), element("span", step.step), class_="box")
    if not step.left_out:
        return element("div", box, class_="flow-step")
    out = element("div", element("b", say("{n} left out", n=count(step.left_out))), class_="box out")
    return element("div", box, out, class_="flow-step")


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
        _sizes(part.rows, part.patients, say),
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
    rows = [[_variable(row.name, row.level), *row.cells] for row in one.rows]
    words = note(say("Numbers are median (quartiles) or count (share)."))
    head = element("h3", say("Table one"))
    return element("div", head, table([say("Variable"), *one.groups], rows, "table-one"), words)


def _variable(name: str, level: str) -> Html:
    return element("span", level, class_="level") if level else element("b", name)
