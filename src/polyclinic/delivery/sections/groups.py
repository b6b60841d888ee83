"""For whom it works: the forest plot of subgroups."""

from itertools import groupby

from polyclinic.delivery.blocks import note, table
from polyclinic.delivery.figures.strips import Strip, scale_row, strip, whisker
from polyclinic.delivery.markup import EMPTY, Child, Element, element, join
from polyclinic.delivery.names import metric_name
from polyclinic.delivery.numbers import count, stacked
from polyclinic.delivery.verdict import headline_metrics
from polyclinic.evidence.records import Estimate, TargetEvidence
from polyclinic.evidence.subgroups import UNKNOWN
from polyclinic.translations.phrase import Phrase


def subgroups(target: TargetEvidence) -> Element:
    """One line per subgroup, on the first headline metric, with the value for everyone as a dashed line."""
    metric = next(iter(headline_metrics(target)), "")
    groups = [group for group in target.subgroups if metric in group.metrics]
    if not groups:
        return EMPTY
    overall = target.metrics[metric]
    scale = strip([group.metrics[metric] for group in groups], *([overall.value] if overall.value is not None else []))
    rows = [_row(Phrase("Everyone"), count(target.counts.rows), overall, overall.value, scale, metric, "all")]
    between = whisker(scale, Estimate(), "", overall.value)  # the line at everyone's value runs on between the groups
    for column, members in groupby(groups, key=lambda group: group.column):
        rows.append([element("b", Phrase(column) if column == "site" else column), "", between, ""])
        for group in members:
            name = element("span", Phrase(group.value) if group.value == UNKNOWN else group.value, class_="level")
            rows.append(_row(name, count(group.n), group.metrics[metric], overall.value, scale, metric, "ours"))
    rows.append(["", "", scale_row(scale), ""])
    head = [Phrase("Subgroup"), Phrase("Rows"), metric_name(metric), Phrase("Value (low to high)")]
    words = _NOTE.in_english(target.subgroup_note) if target.subgroup_note else _NOTE
    return join(table(head, rows, "forest"), note(words))


_NOTE = Phrase(
    "Many subgroups are looked at: some differ by chance alone. An interval that leaves out the dashed line is a "
    "reason to look closer, not a proof."
)


def _row(
    name: Child, n: str, estimate: Estimate, overall: float | None, scale: Strip, metric: str, css: str
) -> list[Child]:
    value = element("span", stacked(estimate, metric), class_="flat")
    return [name, n, whisker(scale, estimate, css, overall), value]
