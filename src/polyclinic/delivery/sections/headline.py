"""The top of the report: the question, the answer in one sentence, and the numbers that carry it."""

from polyclinic.delivery.figures.strips import pair, strip
from polyclinic.delivery.forms.base import delivery_by_word
from polyclinic.delivery.markup import Element, element, join
from polyclinic.delivery.metric_names import METRICS
from polyclinic.delivery.names import metric_name, model_name
from polyclinic.delivery.numbers import count, interval, number, with_interval
from polyclinic.delivery.verdict import headline_metrics, nearest_plain, outcome, verdict
from polyclinic.evidence.records import Baseline, Estimate, Evidence, TargetEvidence, Tested
from polyclinic.study.schema import About
from polyclinic.translations.phrase import Phrase, joined


def headline(study: About, evidence: Evidence) -> Element:
    """Title, verdict and headline numbers of every target."""
    title = element("h1", study.title or study.name)
    use = element("p", study.intended_use, class_="use") if study.intended_use else None
    several = len(evidence.targets) > 1
    share = f"{100 * evidence.confidence:g}%"
    targets = [_target(name if several else "", target, share) for name, target in evidence.targets.items()]
    kicker = element("p", Phrase("Study report"), " \N{MIDDLE DOT} ", study.name, class_="kicker")
    return element("header", kicker, title, use, *targets, class_="top")


def _target(name: str, target: TargetEvidence, share: str) -> Element:
    heading = element("p", element("a", name, href=f"#target-{name}"), class_="target-name") if name else None
    plain = nearest_plain(target)
    cards = [_card(target, metric, plain) for metric in headline_metrics(target)]
    words = element("p", verdict(target), class_=f"verdict {outcome(target)}")
    first = delivery_by_word(target.form).first(target)
    numbers = element("div", *cards, class_="numbers")
    return element("div", heading, first, words, numbers, _tested(target.counts, share))


def _card(target: TargetEvidence, metric: str, plain: Baseline | None) -> Element:
    ours = target.metrics[metric]
    unit = f" {target.unit}" if target.unit and METRICS.get(metric) and METRICS[metric].scale == "unit" else ""
    value = element("p", number(ours.value, metric), element("small", unit) if unit else None, class_="big")
    words = interval(ours, metric)
    around = element("p", words, class_="around") if words else None
    return element(
        "div",
        element("p", metric_name(metric), class_="metric"),
        value,
        around,
        _beside(ours, plain, metric),
        class_="number-card",
    )


def _beside(ours: Estimate, plain: Baseline | None, metric: str) -> Element | None:
    theirs = None if plain is None else plain.metrics.get(metric)
    if plain is None or theirs is None or theirs.value is None or ours.value is None:
        return None
    drawing = pair(strip([ours, theirs]), ours, theirs)
    words = element("p", model_name(plain.name), element("span", with_interval(theirs, metric)), class_="plain")
    return join(drawing, words)


def _tested(counts: Tested, share: str) -> Element:
    """Who the numbers rest on."""
    items = [
        Phrase("{n} patients tested", n=count(counts.patients)) if counts.patients is not None else "",
        Phrase("{n} rows", n=count(counts.rows)) if counts.rows is not None and counts.rows != counts.patients else "",
        Phrase("{n} with the outcome", n=count(counts.positives)) if counts.positives is not None else "",
        Phrase("{n} events", n=count(counts.events)) if counts.events is not None else "",
        Phrase("{n} folds", n=count(counts.folds)) if (counts.folds or 1) > 1 else "",
        Phrase("{n} repetitions", n=count(counts.repeats)) if (counts.repeats or 1) > 1 else "",
        Phrase("{share} intervals over patients", share=share),
    ]
    return element("p", joined(*filter(None, items), by=" \N{MIDDLE DOT} "), class_="tested")
