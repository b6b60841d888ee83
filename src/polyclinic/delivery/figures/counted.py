"""What a clinician reads first: answers as counts of patients or things that can be pictured."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from polyclinic.delivery.blocks import note
from polyclinic.delivery.figures.curves import prevalence
from polyclinic.delivery.figures.named_times import YEARS
from polyclinic.delivery.markup import EMPTY, Element, element
from polyclinic.delivery.metric_names import METRICS
from polyclinic.delivery.names import metric_meaning, metric_name
from polyclinic.delivery.numbers import count, interval, number, percent, significant
from polyclinic.delivery.operating import decision_in_words
from polyclinic.evidence.records import Estimate, Estimates, EventsByTime, TargetEvidence
from polyclinic.translations.phrase import Phrase, joined, sentences

MOST = 6
"""Classes or labels that are counted one by one: more would push the headline numbers off a first screen."""
_FEWEST = 5
"""Patients with the outcome in the crowd that is pictured: of fewer, found and missed would be rounding."""


@dataclass(frozen=True)
class Counted:
    """One count of the first figure.

    Attributes:
        value: The count, in words.
        around: Its interval, or "".
        name: What is counted.
        words: The same in a sentence.
        css: "good", "bad" or "plain", by what it means for the patient.
    """

    value: str
    around: str
    name: str
    words: str = ""
    css: str = "plain"


def first_figure(heading: str, cells: Sequence[Counted], words: str = "") -> Element:
    """Counts beside one another; nothing where there is none."""
    if not cells:
        return EMPTY
    caption = element("p", element("strong", heading), class_="caption")
    boxes = element("div", *map(_cell, cells), class_="thousand")
    return element("div", caption, boxes, note(words) if words else None, class_="card first")


def _cell(one: Counted) -> Element:
    around = element("small", one.around) if one.around else None
    words = element("span", one.words) if one.words else None
    return element("div", element("b", one.value), around, element("strong", one.name), words, class_=one.css)


def part_of(whole: int, share: Estimate, name: str, words: str = "", css: str = "plain") -> list[Counted]:
    """So many of ``whole``, with the interval; none where the share is not known."""
    if share.value is None:
        return []
    rounded = replace(share, value=_of(whole, share.value), low=_of(whole, share.low), high=_of(whole, share.high))
    return [Counted(count(rounded.value), interval(rounded, write=_count), name, words, css)]


def rest(share: Estimate) -> Estimate:
    """What is left of a whole."""
    value, low, high = (None if part is None else 1 - part for part in (share.value, share.high, share.low))
    return replace(share, value=value, low=low, high=high)


def in_a_thousand(target: TargetEvidence) -> Element:
    """The operating point as patients who are found, missed, alarmed for nothing and cleared."""
    share = prevalence(target)
    sensitivity, specificity = (target.metrics.get(name, Estimate()) for name in ("sensitivity", "specificity"))
    if share is None or not 0 < share < 1 or target.operating_point is None:
        return EMPTY
    whole = next((n for n in (1_000, 10_000) if n * share >= _FEWEST), 100_000)
    ill = round(whole * share)
    cells = [
        *part_of(ill, sensitivity, Phrase("found"), Phrase("have the outcome and are flagged"), "good"),
        *part_of(ill, rest(sensitivity), Phrase("missed"), Phrase("have the outcome and are not flagged"), "bad"),
        *part_of(
            whole - ill, rest(specificity), Phrase("false alarms"), Phrase("do not have it, yet are flagged"), "bad"
        ),
        *part_of(whole - ill, specificity, Phrase("cleared"), Phrase("do not have it and are not flagged"), "good"),
    ]
    heading = Phrase(
        "In {n} patients like those tested, {ill} of whom have the outcome", n=count(whole), ill=count(ill)
    )
    here = Phrase(
        "At the prevalence of those tested ({share}); where the outcome is rarer or more common, all four differ.",
        share=percent(share),
    )
    return first_figure(heading, cells, sentences(here, decision_in_words(target)))


def found_of_hundred(
    target: TargetEvidence,
    heading: str,
    pair: tuple[str, str],
    names: tuple[str, str, str],
    more: Sequence[Counted] = (),
) -> Element:
    """Of 100 things that are there, how many are found and missed; of 100 that are marked, how many are wrong.

    Args:
        target: What was measured.
        heading: What is counted.
        pair: The metrics for the share that is found of what is there, and that is there of what is marked.
        names: Of what the three are counts.
        more: Counts that follow.
    """
    sensitivity, precision = (target.metrics.get(name, Estimate()) for name in pair)
    found, missed, wrong = names
    cells = [
        *part_of(100, sensitivity, Phrase("found"), found, "good"),
        *part_of(100, rest(sensitivity), Phrase("missed"), missed, "bad"),
        *part_of(100, rest(precision), Phrase("false marks"), wrong, "bad"),
    ]
    several = len(target.classes) > 1 and target.form == "boxes"
    return first_figure(heading, [*cells, *more] if cells else [], Phrase("Mean over the classes.") if several else "")


def per_record(target: TargetEvidence, metric: str, name: str) -> list[Counted]:
    """A number per picture or record, as it is."""
    found = target.metrics.get(metric, Estimate())
    return (
        [] if found.value is None else [Counted(number(found.value, metric), interval(found, metric), name, css="bad")]
    )


def covered(target: TargetEvidence) -> Element:
    """Of regions: points that are found, connected parts that are touched, parts that are made up."""
    points, parts = (target.metrics.get(name, Estimate()) for name in ("pixel_sensitivity", "lesion_sensitivity"))
    cells = [
        *part_of(100, points, Phrase("points found"), Phrase("of 100 that belong to a region"), "good"),
        *part_of(100, parts, Phrase("parts found"), Phrase("of 100 connected true parts, at least touched"), "good"),
        *per_record(target, "false_lesions", Phrase("false parts per record")),
    ]
    several: str = Phrase("Mean over the regions.") if len(target.labels) > 1 else ""
    return first_figure(Phrase("Of the true regions"), cells, several)


def found_by_label(target: TargetEvidence) -> Element:
    """Of 100 with a label, how many are found; of 100 without it, how many are flagged. The commonest labels alone."""
    size = target.counts.per_class
    common = sorted(target.per_class, key=lambda name: -size.get(name, 0))[:MOST]
    cells = [one for name in target.per_class if name in common for one in _label(name, target.per_class[name])]
    fewer = Phrase("The most common labels; all of them stand below.") if len(target.per_class) > MOST else ""
    words = sentences(*filter(None, (fewer, decision_in_words(target))))
    return first_figure(Phrase("Label by label"), cells, words)


def _label(name: str, metrics: Estimates) -> list[Counted]:
    words: str = Phrase("of 100 with it are found")
    flagged = part_of(100, rest(metrics.get("specificity", Estimate())), "")
    if flagged:
        words = joined(words, Phrase("of 100 without it, {n} are flagged", n=flagged[0].value), by="; ")
    return part_of(100, metrics.get("sensitivity", Estimate()), name, words)


def within(target: TargetEvidence) -> Element:
    """Of numbers: the distance from the truth that half of the answers keep, and nine of ten."""
    cells = []
    sides = {"within_half": Phrase("half of the answers"), "within_nine_of_ten": Phrase("nine of ten answers")}
    for metric, name in sides.items():
        found = target.metrics.get(metric, Estimate())
        if found.value is not None:
            value = Phrase(
                "\N{PLUS-MINUS SIGN} {value} {unit}", value=number(found.value, metric), unit=target.unit or ""
            )
            words = Phrase("are no further than this from what was measured")
            cells.append(Counted(value, interval(found, metric), name, words))
    return first_figure(Phrase("How near the answers are"), cells)


def events_in_thirds(target: TargetEvidence) -> Element:
    """Of 1,000 patients, how many have the event by a time, and in which third by predicted risk they stand."""
    found = target.shape_of("events_by_time", EventsByTime)
    if found is None or found.time is None or found.everyone.value is None:
        return EMPTY
    time: str = Phrase("{value} {unit}", value=significant(found.time), unit=target.unit or "")
    if found.name:
        time = YEARS.get(found.name, found.name)
    by = Phrase("have the event by {time}", time=time)
    names = (Phrase("in the lowest third"), Phrase("in the middle third"), Phrase("in the highest third"))
    cells = part_of(1_000, found.everyone, Phrase("events"), by)
    for name, third in reversed(list(zip(names, found.thirds, strict=True))):
        cells += part_of(1_000, third, name, Phrase("of them, by predicted risk"))
    words = Phrase("Risks that tell nothing would put a third of the events in each third.")
    return first_figure(Phrase("In 1,000 patients like those tested"), cells, words)


def right_answers(target: TargetEvidence) -> Element:
    """Of several classes: how many patients get the right one, and how many of each class are recognised."""
    accuracy = target.metrics.get("accuracy", Estimate())
    cells = [
        *part_of(1_000, accuracy, Phrase("right"), Phrase("get the answer that is true of them"), "good"),
        *part_of(1_000, rest(accuracy), Phrase("wrong"), Phrase("get another answer"), "bad"),
    ]
    known = {name: n for name, n in target.counts.per_class.items() if n}
    common = ""
    if known:
        most = max(known, key=lambda name: known[name])
        share = known[most] / sum(known.values())
        common = Phrase(
            'Whoever always answered "{most}", the most common class, would be right for {n}.',
            most=most,
            n=count(_of(1_000, share)),
        )
    each = []
    if len(target.per_class) <= MOST:
        each = [
            one
            for name, metrics in target.per_class.items()
            for one in part_of(100, metrics.get("sensitivity", Estimate()), name, Phrase("of 100 are recognised"))
        ]
    return first_figure(Phrase("In 1,000 patients like those tested"), [*cells, *each] if cells else [], common)


def headline_in_words(target: TargetEvidence) -> Element:
    """Of a form that says nothing else: its first headline number, and what that means."""
    metric = next((name for name in target.headline if target.metrics.get(name, Estimate()).value is not None), "")
    if not metric:
        return EMPTY
    found = target.metrics[metric]
    known = METRICS.get(metric)
    unit = target.unit if known and known.scale == "unit" else None
    value = (
        Phrase("{value} {unit}", value=number(found.value, metric), unit=unit) if unit else number(found.value, metric)
    )
    cell = Counted(value, interval(found, metric), metric_name(metric), metric_meaning(metric))
    return first_figure(Phrase("How good the answers are"), [cell])


def _of(whole: int, share: float | None) -> float | None:
    return None if share is None else float(round(whole * share))


def _count(value: float | None, metric: str = "") -> str:
    return count(value)
