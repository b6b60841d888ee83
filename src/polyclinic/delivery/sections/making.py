"""How the model came about: what was found in the data, what was accepted, how it learned, how to repeat it."""

from polyclinic.delivery.cohort_document import Found
from polyclinic.delivery.figures.learning import learning_curve
from polyclinic.delivery.markup import Html, element, join
from polyclinic.delivery.material import Material
from polyclinic.delivery.numbers import count, significant
from polyclinic.delivery.sections.parts import ReportSection, facts, figure, grid, note
from polyclinic.delivery.words import Words
from polyclinic.errors import name_rows


def findings(material: Material) -> ReportSection:
    """What the checks found, accepted refusals with their reasons first."""
    say, accepted = material.say, material.study.accept
    ordered = sorted(material.cohort.findings, key=lambda finding: finding.name not in accepted)
    items = [_finding(finding, accepted.get(finding.name), say) for finding in ordered]
    body = element("ul", *items, class_="findings") if items else note(say("The checks found nothing to report."))
    return ReportSection("findings", say("Findings"), body)


def _finding(finding: Found, reason: str | None, say: Words) -> Html:
    kinds = {"warning": say("Warning"), "note": say("Note"), "refused": say("Refused"), "error": say("Error")}
    kind = say("Accepted") if reason is not None else kinds.get(finding.severity, finding.severity)
    css = "accepted" if reason is not None else finding.severity
    return element(
        "li",
        element("span", kind, class_=f"badge {css}"),
        element("div", element("code", finding.place), *_told(finding, reason, say)),
    )


def _told(finding: Found, reason: str | None, say: Words) -> list[Html]:
    """What was found and what to do; in another language its meaning first, then the program's own words."""
    words = f"{finding.rule}; {finding.found}{name_rows(finding.rows)}."
    remedy = say("Reason given: {reason}", reason=reason) if reason is not None else finding.remedy
    meaning = say.finding(finding.name)
    if not meaning:
        return [element("p", words), element("p", remedy, class_="how")]
    own = words if reason is not None else f"{words} {finding.remedy}"
    given = element("p", remedy, class_="how") if reason is not None else Html()
    return [element("p", meaning), given, element("p", own, class_="how", lang="en")]


def training(material: Material) -> ReportSection:
    """The training curve."""
    say, histories = material.say, material.facts.histories
    drawn = [fit for fit in histories if fit.epochs]
    if not drawn:
        return ReportSection("training", say("Training"), Html())
    words = say("A dot marks the weights that were kept. Tune rows decide when to stop; test rows play no part.")
    shown = figure(say("Training curve"), learning_curve(drawn, say), words)
    return ReportSection("training", say("Training"), grid(shown, _fits(material)))


def _fits(material: Material) -> Html:
    say, facts_of_run = material.say, material.facts
    kept = [fit.best or len(fit.epochs) for fit in facts_of_run.histories]
    passes = str(kept[0]) if len(set(kept)) == 1 else say("{low} to {high}", low=min(kept), high=max(kept))
    pairs = [
        (say("Models"), count(len(kept))),
        (say("Epochs kept"), passes),
        (say("Weights per model"), count(facts_of_run.parameters) if facts_of_run.parameters else None),
        (say("Optimizer"), material.study.training.optimizer),
        (say("Class imbalance"), _imbalance(material)),
        (say("Recalibration"), say(material.study.training.calibration)),
    ]
    return element("div", facts(pairs), class_="card")


def _imbalance(material: Material) -> str:
    chosen = material.study.training.imbalance
    say = material.say
    return say("none") if chosen == "none" else say("{method}, recalibrated afterwards", method=say(chosen))


def making(material: Material) -> ReportSection:
    """Everything that is needed to get the same numbers again."""
    say, run = material.say, material.facts
    pairs = [
        (say("Seed"), str(material.study.study.seed)),
        (say("Minutes"), None if run.minutes is None else significant(run.minutes, 2)),
        (say("Processor"), run.processor),
        (say("Precision"), run.precision),
        (say("Resamples for intervals"), count(material.evidence.resamples)),
        (say("Split (sha256)"), _code(run.split_hash)),
        *(
            (say("{file} (sha256)", file=_source(name, say)), _code(value))
            for name, value in material.cohort.fingerprints.items()
        ),
        (say("Versions"), ", ".join(f"{name} {version}" for name, version in run.versions.items())),
    ]
    inputs = [
        element("li", element("b", name), ": ", say.sentences(*map(say.told, sentences)))
        for name, sentences in run.notes.items()
        if sentences
    ]
    prepared = join(element("h3", say("How inputs were prepared")), element("ul", *inputs)) if inputs else None
    resolved = None
    if run.study_text:
        text = element("pre", element("code", run.study_text))
        resolved = element("details", element("summary", say("The study file, every default written out")), text)
    return ReportSection("making", say("How it was made"), join(facts(pairs), prepared, resolved))


def _source(name: str, say: Words) -> str:
    """A file as the user calls it; the table as it was read has a name of ours."""
    return say("table") if name == "table" else name


def _code(words: str) -> Html | None:
    return element("code", words) if words else None
