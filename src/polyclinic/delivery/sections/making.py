"""How the model came about: what was found in the data, what was accepted, how it learned, how to repeat it."""

from collections.abc import Mapping, Sequence

from polyclinic.cohort.document import NotedFinding
from polyclinic.delivery.blocks import ReportSection, facts, figure, grid, note
from polyclinic.delivery.figures.learning import learning_curve
from polyclinic.delivery.markup import EMPTY, Choice, Element, element, join
from polyclinic.delivery.material import RunFacts
from polyclinic.delivery.numbers import count
from polyclinic.delivery.plan import FitRecord
from polyclinic.errors import name_rows
from polyclinic.study.schema import TrainingSection
from polyclinic.translations.phrase import Phrase, sentences

_SEVERITIES = {
    "warning": Phrase("Warning"),
    "note": Phrase("Note"),
    "refused": Phrase("Refused"),
    "error": Phrase("Error"),
}


_UNUSED = "unused_columns"


def findings(found: Sequence[NotedFinding], accepted: Mapping[str, str]) -> ReportSection:
    """What the checks found, accepted refusals with their reasons first; unused columns stand with the patients."""
    told = [finding for finding in found if finding.name != _UNUSED]
    ordered = sorted(told, key=lambda finding: finding.name not in accepted)
    items = [_finding(finding, accepted.get(finding.name)) for finding in ordered]
    body = element("ul", *items, class_="findings") if items else note(Phrase("The checks found nothing to report."))
    return ReportSection("findings", Phrase("Findings"), body)


def _finding(finding: NotedFinding, reason: str | None) -> Element:
    """What was found and what to do; in another language its meaning first, then the program's own words."""
    kind = Phrase("Accepted") if reason is not None else _SEVERITIES.get(finding.severity, finding.severity)
    css = "accepted" if reason is not None else finding.severity
    meaning = Phrase(finding.name)
    remedy = finding.remedy if reason is None else Phrase("Reason given: {reason}", reason=reason)
    own = join(element("p", _what(finding)), element("p", remedy, class_="how"))
    words = Choice(meaning, _with_meaning(meaning, finding, reason), own)
    return element(
        "li",
        element("span", kind, class_=f"badge {css}"),
        element("div", element("code", finding.place), words),
    )


def _with_meaning(meaning: Phrase, finding: NotedFinding, reason: str | None) -> Element:
    given = None
    own = _what(finding)
    if reason is None:
        own = f"{own} {finding.remedy}"
    else:
        given = element("p", Phrase("Reason given: {reason}", reason=reason), class_="how")
    return join(element("p", meaning), given, element("p", own, class_="how", lang="en"))


def _what(finding: NotedFinding) -> str:
    return f"{finding.rule}; {finding.found}{name_rows(finding.rows)}."


def training(fits: Sequence[FitRecord], section: TrainingSection) -> ReportSection:
    """The training curve, and what was chosen and kept."""
    title = Phrase("Training")
    measured = [fit for fit in fits if fit.history]
    if not measured:
        return ReportSection("training", title, EMPTY)
    words = Phrase("A dot marks the weights that were kept. Tune rows decide when to stop; test rows play no part.")
    if section.cross_fit:
        words = Phrase(
            "The loss on tune rows is that of networks that left these patients out: it decided for how many epochs "
            "the network that is delivered learned from all of them. Test rows play no part."
        )
    curve = figure(Phrase("Training curve"), learning_curve(measured), words)
    return ReportSection("training", title, grid(curve, _choices(fits, section)))


def _choices(fits: Sequence[FitRecord], section: TrainingSection) -> Element:
    kept = [fit.best or len(fit.history) for fit in fits]
    same = len(set(kept)) == 1
    weights = fits[0].weights
    pairs = [
        (Phrase("Models"), count(len(kept))),
        (Phrase("Epochs kept"), str(kept[0]) if same else Phrase("{low} to {high}", low=min(kept), high=max(kept))),
        (Phrase("Weights per model"), count(weights) if weights else None),
        (Phrase("Optimizer"), section.optimizer),
        (Phrase("Class imbalance"), imbalance(section)),
        (Phrase("Recalibration"), Phrase(section.calibration)),
    ]
    return element("div", facts(pairs), class_="card")


def imbalance(section: TrainingSection) -> Phrase:
    """What was done about rare classes, in words."""
    method = Phrase(section.imbalance)
    return method if method == "none" else Phrase("{method}, recalibrated afterwards", method=method)


def making(run: RunFacts, fingerprints: Mapping[str, str], seed: int, resamples: int) -> ReportSection:
    """Everything that is needed to get the same numbers again."""
    # A file as the user calls it; the table as it was read has a name of ours.
    files = [(Phrase("table") if name == "table" else name, value) for name, value in fingerprints.items()]
    pairs = [
        (Phrase("Seed"), str(seed)),
        (Phrase("Processor"), run.processor),
        (Phrase("Precision"), run.precision),
        (Phrase("Resamples for intervals"), count(resamples)),
        (Phrase("Split (sha256)"), _code(run.split_hash)),
        *((Phrase("{file} (sha256)", file=name), _code(value)) for name, value in files),
        (Phrase("Versions"), ", ".join(f"{name} {version}" for name, version in run.versions.items())),
    ]
    inputs = [element("li", element("b", name), ": ", sentences(*notes)) for name, notes in run.notes.items() if notes]
    prepared = join(element("h3", Phrase("How inputs were prepared")), element("ul", *inputs)) if inputs else None
    resolved = None
    if run.study_text:
        text = element("pre", element("code", run.study_text))
        resolved = element("details", element("summary", Phrase("The study file, every default written out")), text)
    return ReportSection("making", Phrase("How it was made"), join(facts(pairs), prepared, resolved))


def _code(words: str) -> Element | None:
    return element("code", words) if words else None
