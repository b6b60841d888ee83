"""For whom it works: the forest plot of subgroups."""

from itertools import groupby

from polyclinic.delivery.documents import Estimate, Subgroup, TargetEvidence
from polyclinic.delivery.figures.strips import Strip, rule, scale_row, strip, whisker
from polyclinic.delivery.markup import Html, element, join
from polyclinic.delivery.numbers import count, stacked
from polyclinic.delivery.sections.headline import headline_metrics
from polyclinic.delivery.sections.parts import note, table
from polyclinic.delivery.words import Words
from polyclinic.evidence.subgroups import UNKNOWN


def subgroups(target: TargetEvidence, say: Words) -> Html:
    """One line per subgroup, on the first headline metric, with the value for everyone as a dashed line."""
    metric = next(iter(headline_metrics(target)), "")
    shown = [group for group in target.subgroups if metric in group.metrics]
    if not shown:
        return Html()
    overall = target.metrics[metric]
    scale = strip([group.metrics[metric] for group in shown], *([overall.value] if overall.value is not None else []))
    rows = [_row(say("Everyone"), count(target.counts.rows), overall, overall.value, scale, metric, say, "all")]
    for column, members in groupby(shown, key=lambda group: group.column):
        rows.append([element("b", say(column) if column == "site" else column), "", rule(scale, overall.value), ""])
        rows += [_member(group, overall.value, scale, metric, say) for group in members]
    rows.append(["", "", scale_row(scale), ""])
    head = [say("Subgroup"), say("Rows"), say.metric(metric), say("Value (low to high)")]
    words = target.subgroup_note if say.language == "en" and target.subgroup_note else say(_NOTE)
    return join(table(head, rows, "forest"), note(words))


_NOTE = (
    "Many subgroups are looked at: some differ by chance alone. An interval that leaves out the dashed line is a "
    "reason to look closer, not a proof."
)


def _member(group: Subgroup, overall: float | None, scale: Strip, metric: str, say: Words) -> list[Html | str]:
    name = element("span", say(group.value) if group.value == UNKNOWN else group.value, class_="level")
    return _row(name, count(group.n), group.metrics[metric], overall, scale, metric, say, "ours")


def _row(
    name: Html | str,
    n: str,
    estimate: Estimate,
    overall: float | None,
    scale: Strip,
    metric: str,
    say: Words,
    css: str,
) -> list[Html | str]:
    return [
        name,
        n,
        whisker(scale, estimate, css, overall),
        element("span", stacked(estimate, say, metric), class_="flat"),
    ]
