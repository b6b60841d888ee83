"""How good the answers to one target are: figures, all metrics, and the plain models beside."""

from collections.abc import Sequence

from polyclinic.delivery.documents import Baseline, TargetEvidence
from polyclinic.delivery.markup import Html, element, join
from polyclinic.delivery.material import Material
from polyclinic.delivery.numbers import NOTHING, count, signed, stacked
from polyclinic.delivery.sections.cases import cases
from polyclinic.delivery.sections.classes import by_each, confusion, per_class
from polyclinic.delivery.sections.groups import subgroups
from polyclinic.delivery.sections.headline import best_plain
from polyclinic.delivery.sections.mistakes import mistakes
from polyclinic.delivery.sections.parts import ReportSection, chapter, note, table
from polyclinic.delivery.sections.pictures import pictures, tested_once
from polyclinic.delivery.words import Words


def performance(material: Material, name: str, target: TargetEvidence) -> ReportSection:
    """The chapter of one target."""
    say = material.say
    several = len(material.evidence.targets) > 1
    title = say("Performance: {target}", target=name) if several else say("Performance")
    answer = tested_once(material, name)
    parts = [
        ReportSection(f"figures-{name}", "", pictures(material, target, answer), 2),
        ReportSection(
            f"classes-{name}",
            say(by_each(target)),
            join(per_class(target, say), confusion(target, answer, say)),
            2,
        ),
        ReportSection(
            f"metrics-{name}", say("All numbers"), metrics_table(target, material.evidence.resamples, say), 2
        ),
        ReportSection(f"subgroups-{name}", say("For whom: subgroups"), subgroups(target, say), 2),
        ReportSection(f"cases-{name}", say("Cases"), cases(material, name, target), 2),
        ReportSection(f"mistakes-{name}", say("Worst mistakes"), mistakes(material, name, target), 2),
    ]
    return ReportSection(f"target-{name}", title, join(*(chapter(part) for part in parts if part.body)))


def metrics_table(target: TargetEvidence, resamples: int, say: Words) -> Html:
    """Every metric of ours with its interval, beside every plain model's."""
    best = best_plain(target)
    others = [model for model in _plain_models(target) if best is None or model.name != best.name]
    order = [*target.headline, *(metric for metric in target.metrics if metric not in target.headline)]
    rows = [_metric_row(metric, target, others, say) for metric in order if metric in target.metrics]
    head = [
        say("Metric"),
        say("This model"),
        *(_best_head(best, say) if best else ()),
        *(say.model(m.name) for m in others),
    ]
    words = say.sentences(
        say("Value (low to high)."), say("Difference: this model minus the plain one.") if best else ""
    )
    notes = (note(words), _operating_rule(target, say), *_degenerate(target, resamples, say))
    return join(table(head, rows, "metrics"), *notes, _recalibrated(target, say)) if rows else Html()


def _degenerate(target: TargetEvidence, resamples: int, say: Words) -> list[Html]:
    phrase = "{metric} could not be computed in {n} of {all} resamples; its interval leaves them out."
    return [
        note(say(phrase, metric=say.metric(metric), n=count(n), all=count(resamples)))
        for metric, n in target.degenerate.items()
    ]


def _recalibrated(target: TargetEvidence, say: Words) -> Html:
    """What the correction on tune rows did to the probabilities of the test rows."""
    found = target.calibration
    if found is None or not found.before:
        return Html()
    rows = [
        [element("b", say.metric(m)), stacked(before, say, m), stacked(found.after.get(m), say, m)]
        for m, before in found.before.items()
    ]
    heading = element("h4", say("Before and after recalibration"))
    return join(heading, table([say("Metric"), say("Before"), say("After")], rows, "narrow"))


def _plain_models(target: TargetEvidence) -> Sequence[Baseline]:
    if target.baselines:
        return [model.model_copy(update={"name": name}) for name, model in target.baselines.items()]
    return [target.baseline] if target.baseline is not None else []


def _best_head(best: Baseline, say: Words) -> tuple[Html, Html]:
    chosen = join(say.model(best.name), element("small", say("best plain model on tune rows")))
    return chosen, join(say("Difference"), element("small", say("to {plain}", plain=say.model(best.name))))


def _metric_row(metric: str, target: TargetEvidence, others: Sequence[Baseline], say: Words) -> list[Html]:
    name = element("span", element("b", say.metric(metric)), element("small", say.meaning(metric)), class_="two")
    best = best_plain(target)
    ours = element("span", stacked(target.metrics[metric], say, metric), class_="ours")
    compared = [] if best is None else [stacked(best.metrics.get(metric), say, metric), _difference(best, metric, say)]
    return [name, ours, *compared, *(stacked(model.metrics.get(metric), say, metric) for model in others)]


def _difference(best: Baseline, metric: str, say: Words) -> Html:
    found = best.difference.get(metric)
    if found is None or found.value is None:
        return Html(NOTHING)
    around = None
    if found.low is not None and found.high is not None:
        around = say("{low} to {high}", low=signed(found.low, metric), high=signed(found.high, metric))
    return join(element("b", signed(found.value, metric)), element("small", around) if around else None)


def _operating_rule(target: TargetEvidence, say: Words) -> Html:
    point = target.operating_point
    if point is None:
        return Html()
    cuts = sorted(threshold for threshold in point.thresholds if threshold is not None)
    if not cuts:
        return Html()
    shown = (
        f"{cuts[0]:.3f}"
        if cuts[0] == cuts[-1]
        else say("{low} to {high}", low=f"{cuts[0]:.3f}", high=f"{cuts[-1]:.3f}")
    )
    rule = f" ({point.rule})" if say.language == "en" and point.rule else ""
    return note(say("Operating point chosen on tune rows: threshold {cut}{rule}.", cut=shown, rule=rule))
