"""`card.md`: the model card. What the model is for, what it rests on, how good it is, and what is not known."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from polyclinic.cohort.document import CohortDocument, LeftColumn, NotedFinding
from polyclinic.cohort.unused_columns import WHYS
from polyclinic.delivery.checklist import CLAIM, TRIPOD, Item, answer, missing_key, unanswered
from polyclinic.delivery.markdown import Markdown, code, heading, item, pair, table
from polyclinic.delivery.material import Material, RunFacts
from polyclinic.delivery.names import metric_name, model_name
from polyclinic.delivery.numbers import NOTHING, count, with_interval
from polyclinic.delivery.operating import decision_in_words
from polyclinic.delivery.sections.making import imbalance
from polyclinic.delivery.sections.masthead import RESEARCH_ONLY, origins
from polyclinic.delivery.sections.patients import follow_up, when_and_where
from polyclinic.delivery.verdict import headline_metrics, nearest_plain, outcome, verdict
from polyclinic.evidence.records import Estimate, Evidence, Outcome, TargetEvidence, Tested
from polyclinic.study.schema import InputSection, SplitSection, Study, TargetSection, TrainingSection
from polyclinic.translations.phrase import Phrase, joined

PICTURES = {"image", "volume", "slide"}
"""Kinds of input for which CLAIM is asked."""
_MOST_COLUMNS = 20
"""Names that a line of the card can hold; a round number."""
FEW = 100
"""Patients with the rarer outcome below which an estimate is called shaky. Source: Collins GS, Ogundimu EO, Altman DG.
Statistics in Medicine 2016;35:214-226 (at least 100 events and 100 non-events to validate a model)."""

Lines = Iterator[str]


def card(material: Material) -> Lines:
    """The whole card as lines of Markdown."""
    about = material.study.study
    yield from heading(about.title or about.name, level=1)
    yield Phrase("> **{words}**", words=RESEARCH_ONLY)
    yield ""
    yield joined(Phrase("Model card"), *origins(material.cohort, material.facts), by="; ")
    yield ""
    for title, lines in _parts(material).items():
        yield from heading(Phrase(title))
        yield from lines
        yield ""
    lacking = unanswered(material)
    yield from _checklist("TRIPOD+AI", TRIPOD, lacking)
    if any(section.kind in PICTURES for section in material.study.inputs.values()):
        yield ""
        yield from _checklist("CLAIM", CLAIM, lacking)


def _parts(material: Material) -> Mapping[str, Lines]:
    study, evidence, facts = material.study, material.evidence, material.facts
    return {
        "Intended use": iter([study.study.intended_use or _missing(missing_key("[study] intended_use"))]),
        "What is asked": _question(study.targets),
        "Data": chain(_data(study, evidence, material.cohort, facts), _unused(material.cohort.unused)),
        "Split": _split(study.split, facts),
        "Model": _model(study, facts.parameters),
        "Performance": _performance(evidence, material.facts),
        "Calibration": _calibration(evidence),
        "Subgroups": _subgroups(evidence),
        "Limits": _limits(evidence, material.cohort.findings),
        "Accepted findings": _accepted(study.accept),
        "How to use it": _at_use(study.inputs),
        "How to repeat it": _repeat(facts, material.cohort.fingerprints, study.study.seed),
    }


def _missing(needed: str) -> Phrase:
    return Phrase("**{missing}** \N{EN DASH} {needed}", missing=Phrase("NOT REPORTED"), needed=needed)


def _question(targets: Mapping[str, TargetSection]) -> Lines:
    for name, section in targets.items():
        keys = section.options.model_dump(mode="json").items()
        options = ", ".join(f"{key} = {code(value)}" for key, value in keys if isinstance(value, str))
        kind = Markdown(f"{section.kind}: {options}" if options else section.kind)
        yield Phrase("- **{name}** ({kind})", name=name, kind=kind)


def _data(study: Study, evidence: Evidence, cohort: CohortDocument, run: RunFacts) -> Lines:
    section = study.cohort
    yield item(pair(Phrase("Table"), code(section.source or section.table or "")))
    seen = [*when_and_where(cohort), *follow_up(run.follow_up, evidence.targets)]
    yield from (item(pair(name, value)) for name, value in seen)
    for name, target in evidence.targets.items():
        yield item(pair(name, _counts(target.counts)))
    keys = {
        "Patient column": section.patient,
        "Patient pattern": section.patient_pattern,
        "Site column": section.site,
        "Date column": section.date,
        "Left out": section.exclude,
    }
    yield from (item(pair(Phrase(name), code(value))) for name, value in keys.items() if value is not None)
    for name, described in study.inputs.items():
        yield Phrase("- {input} **{name}** ({kind})", input=Phrase("Input"), name=name, kind=Markdown(described.kind))


def _unused(columns: Sequence[LeftColumn]) -> Lines:
    """Columns of the table that the model does not know, with the reasons."""
    if columns:
        listed = (
            Phrase("{name} ({why})", name=code(one.column), why=WHYS.get(one.why, one.why))
            for one in columns[:_MOST_COLUMNS]
        )
        yield item(pair(Phrase("Columns not used"), joined(*listed, by=", ")))
    if len(columns) > _MOST_COLUMNS:
        yield Phrase("- {n} more columns are not used; `cohort.json` lists them", n=count(len(columns) - _MOST_COLUMNS))


def _counts(counts: Tested) -> str:
    known = [
        Phrase("{n} patients tested", n=count(counts.patients)),
        Phrase("{n} rows", n=count(counts.rows)),
        Phrase("{n} with the outcome", n=count(counts.positives)) if counts.positives is not None else "",
        Phrase("{n} events", n=count(counts.events)) if counts.events is not None else "",
        joined(*(Phrase("{name} {n}", name=name, n=count(n)) for name, n in counts.per_class.items()), by=", "),
    ]
    return joined(*filter(None, known), by="; ")


def _split(section: SplitSection, facts: RunFacts) -> Lines:
    yield Phrase("No patient stands on two sides: train, tune and test are divided by patient.")
    if section.folds is not None:
        yield item(_folds(section, facts.folds))
    yield item(pair(Phrase("Way of dividing"), _way(section)))
    for part in facts.parts:
        size = Phrase("{n} patients, {rows} rows", n=count(round(part.patients)), rows=count(round(part.rows)))
        yield item(pair(_PARTS[part.part], size))
    if facts.split_hash:
        yield Markdown(f"- `split.parquet` sha256: `{facts.split_hash}`")


def _folds(section: SplitSection, all_folds: int) -> Phrase:
    """How often everybody was tested."""
    if section.fold_columns:
        phrase = "Cross-validation in given folds ({folds} in all, repetitions: {repeat}); every patient is tested"
        return Phrase(phrase, folds=all_folds, repeat=len(section.fold_columns))
    phrase = "Cross-validation in {folds} folds (repetitions: {repeat}); every patient is tested"
    return Phrase(phrase, folds=section.folds, repeat=section.repeat)


def _way(section: SplitSection) -> str:
    """By what the patients are divided: columns of the table, or a rule of ours."""
    columns = joined(*map(code, section.given_columns), by=", ")
    return Phrase("as the table says, column {columns}", columns=columns) if columns else code(section.by)


def _model(study: Study, parameters: int | None) -> Lines:
    section, training = study.model, study.training
    members = pair(Phrase("members of the ensemble"), str(section.ensemble))
    yield item(joined(pair(Phrase("Size"), Phrase(section.size)), members, by="; "))
    if parameters:
        yield item(pair(Phrase("Weights per model"), count(parameters)))
    started = code(section.start_from) if section.start_from else Phrase("random, by the seed")
    yield item(pair(Phrase("Initial weights"), started))
    optimizer = pair(Phrase("Optimizer"), training.optimizer)
    yield item(joined(optimizer, _stopping(training), by="; "))
    yield item(pair(Phrase("Class imbalance"), imbalance(training)))
    yield item(pair(Phrase("Trials of hyper-parameter search, on tune rows"), str(training.search)))


_PARTS = {
    "train": Phrase("Train"),
    "tune": Phrase("Tune"),
    "left_out": Phrase("Left out in turn"),
    "test": Phrase("Test"),
}


def _stopping(training: TrainingSection) -> Phrase:
    """On whose answers the number of epochs was chosen; the study is resolved, so that cross_fit is a number."""
    if not training.cross_fit:
        return Phrase("early stopping on tune rows")
    words = (
        "epochs, threshold and corrections chosen on patients left out in {parts} parts; then trained on all of them "
        "for as many epochs"
    )
    return Phrase(words, parts=training.cross_fit)


def _delivered(networks: int, folds: int) -> Phrase:
    """Whose answer a new patient gets, and whose performance stands above."""
    words = (
        "A new patient's answer is the mean of {networks} networks, those of all {folds} folds. The figures above are "
        "of the networks of single folds, each on patients that it never saw: the mean of all was tested on nobody."
    )
    return Phrase(words, networks=networks, folds=folds)


def _performance(evidence: Evidence, facts: RunFacts) -> Lines:
    for name, target in evidence.targets.items():
        yield Phrase("**{name}.** {verdict}", name=name, verdict=verdict(target))
        yield ""
        yield from table(*_metrics(target))
        decision = decision_in_words(target)
        if decision:
            yield decision
            yield ""
    share, resamples = f"{100 * evidence.confidence:g}%", count(evidence.resamples)
    yield Phrase("Intervals: {share}, bootstrap over patients, {n} resamples.", share=share, n=resamples)
    if facts.folds > 1:
        yield ""
        yield _delivered(len(facts.fits), facts.folds)


def _metrics(target: TargetEvidence) -> tuple[list[str], list[list[str]]]:
    """Head and rows: ours, and beside it the plain model that the verdict is about."""
    plain = nearest_plain(target)
    head = [Phrase("Metric"), Phrase("This model"), *([model_name(plain.name)] if plain else [])]
    rows = [
        [
            metric_name(metric),
            with_interval(estimate, metric),
            *([with_interval(plain.metrics.get(metric), metric)] if plain else []),
        ]
        for metric, estimate in target.metrics.items()
    ]
    return head, rows


def _calibration(evidence: Evidence) -> Lines:
    listed = False
    for name, target in evidence.targets.items():
        found = target.calibration
        if found is None or not (found.before or found.after):
            drawn = found is not None and found.curve
            where = "see the calibration curve in the report" if drawn else "not judged for this kind of answer"
            yield item(pair(name, Phrase(where)))
            listed = True
            continue
        if listed:
            yield ""
            listed = False
        yield Phrase("**{name}**", name=name)
        yield ""
        sides = (found.before, found.after)
        rows = [
            [metric_name(metric), *(with_interval(side.get(metric), metric) for side in sides)]
            for metric in dict.fromkeys([*found.before, *found.after])
        ]
        yield from table([Phrase("Metric"), Phrase("Before"), Phrase("After")], rows)


def _subgroups(evidence: Evidence) -> Lines:
    if not any(target.subgroups for target in evidence.targets.values()):
        yield _missing(missing_key("[cohort] strata"))
    for name, target in evidence.targets.items():
        metric = next(iter(headline_metrics(target)), "")
        rows = [
            [group.column, group.value, count(group.n), with_interval(group.metrics.get(metric), metric)]
            for group in target.subgroups
        ]
        if rows:
            yield Phrase("**{name}**", name=name)
            yield ""
            yield from table([Phrase("Column"), Phrase("Subgroup"), Phrase("Rows"), metric_name(metric)], rows)


def _limits(evidence: Evidence, findings: Sequence[NotedFinding]) -> Lines:
    beginning = "Tested on patients of the same table only; nothing is known about other places and times."
    end = "It is a statistical model, not a medical device, and replaces no one's judgement."
    yield item(Phrase(beginning))
    for name, target in evidence.targets.items():
        yield from (item(pair(name, words)) for words in _doubts(target))
    for finding in findings:
        if finding.severity == "warning":
            yield Phrase("- {place}: {rule}; {found}.", place=finding.place, rule=finding.rule, found=finding.found)
    yield item(Phrase(end))


def _doubts(target: TargetEvidence) -> Lines:
    """What the numbers themselves warn of."""
    rare = _rarer(target.counts)
    if rare is not None and rare < FEW:
        yield Phrase("only {n} tested with the rarer outcome: the estimates are shaky.", n=count(rare))
    if outcome(target) in (Outcome.WORSE, Outcome.UNDECIDED, Outcome.NOT_WORSE):
        yield Phrase("not shown to be better than a plain model, which is easier to check and to explain.")
    slope = target.metrics.get("calibration_slope", Estimate())
    if slope.high is not None and slope.high < 1:
        yield Phrase("probabilities are too extreme: high ones too high, low ones too low.")
    if slope.low is not None and slope.low > 1:
        yield Phrase("probabilities are too timid: high ones too low, low ones too high.")


def _rarer(counts: Tested) -> float | None:
    seen = counts.positives if counts.positives is not None else counts.events
    if seen is not None and counts.rows is not None:
        return min(seen, counts.rows - seen)
    return min(counts.per_class.values(), default=None)


def _accepted(accepted: Mapping[str, str]) -> Lines:
    yield from (item(pair(code(name), reason)) for name, reason in accepted.items())
    if not accepted:
        yield Phrase("None.")


def _at_use(inputs: Mapping[str, InputSection]) -> Lines:
    yield Phrase("`polyclinic predict` on this folder and a table with the same columns gives the answers.")
    yield Phrase("A record that cannot be read is refused by row number; a missing one is masked only where allowed:")
    for name, section in inputs.items():
        allowed = Markdown(f"missing = {code(section.options.missing)}")
        yield item(pair(Phrase("**{name}**", name=name), allowed))


def _repeat(facts: RunFacts, fingerprints: Mapping[str, str], seed: int) -> Lines:
    file = pair(Phrase("Study file"), code("study.toml"))
    yield item(joined(file, pair(Phrase("Seed"), str(seed)), by="; "))
    for name, version in facts.versions.items():
        yield item(f"{name} {version}")
    for name, value in fingerprints.items():
        yield item(pair(Markdown(f"{code(name)} sha256"), code(value)))
    processor = pair(Phrase("Processor"), facts.processor or NOTHING)
    yield item(joined(processor, pair(Phrase("Precision"), facts.precision or NOTHING), by="; "))


def _checklist(name: str, items: Sequence[Item], lacking: frozenset[str]) -> Lines:
    answers = [answer(one, lacking) for one in items]
    whole = sum(1 for found in answers if found.where and not found.needed)
    partly = sum(1 for found in answers if found.where and found.needed)
    yield from heading(name)
    yield Phrase(
        "Of {all} items, {whole} are answered, {partly} in part, {open} are not reported.",
        all=len(answers),
        whole=whole,
        partly=partly,
        open=len(answers) - whole - partly,
    )
    yield ""
    parts = [(found.where, _missing(found.needed) if found.needed else "") for found in answers]
    where = [joined(*filter(None, part), by="; ") for part in parts]
    rows = [[one.number, Phrase(one.asked), place] for one, place in zip(items, where, strict=True)]
    yield from table([Phrase("Item"), Phrase("What is asked for"), Phrase("Where it is answered")], rows)
