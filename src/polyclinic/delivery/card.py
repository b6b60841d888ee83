"""`card.md`: the model card. What the model is for, what it rests on, how good it is, and what is not known."""

from collections.abc import Iterator, Sequence

from polyclinic.delivery.checklist import Item, answer
from polyclinic.delivery.checklist_claim import CLAIM
from polyclinic.delivery.checklist_tripod import TRIPOD
from polyclinic.delivery.documents import Estimate, Estimates, TargetEvidence
from polyclinic.delivery.markdown import code, plain, table
from polyclinic.delivery.material import Material
from polyclinic.delivery.numbers import NOTHING, count, number, with_interval
from polyclinic.delivery.sections.headline import best_plain, headline_metrics, outcome, verdict
from polyclinic.delivery.words import Words

PICTURES = {"image", "volume", "slide"}
"""Kinds of input for which CLAIM is asked."""
FEW = 100
"""Patients with the rarer outcome below which an estimate is called shaky. Source: Collins GS, Ogundimu EO, Altman DG.
Statistics in Medicine 2016;35:214-226 (at least 100 events and 100 non-events to validate a model)."""


def write_card(material: Material) -> str:
    """The whole card as Markdown."""
    return "\n".join(_lines(material)).rstrip() + "\n"


def _lines(material: Material) -> Iterator[str]:
    say, about = material.say, material.study.study
    yield f"# {plain(about.title or about.name)}\n"
    yield say("Model card, written by Polyclinic {version}.", version=_version(material)) + "\n"
    parts = {
        "Intended use": _use,
        "What is asked": _question,
        "Data": _data,
        "Split": _split,
        "Model": _model,
        "Performance": _performance,
        "Calibration": _calibration,
        "Subgroups": _subgroups,
        "Limits": _limits,
        "Accepted findings": _accepted,
        "How to use it": _at_use,
        "How to repeat it": _repeat,
    }
    for heading, write in parts.items():
        yield f"## {say(heading)}\n"
        yield from write(material)
        yield ""
    yield from _checklist("TRIPOD+AI", TRIPOD, material)
    if any(section.kind in PICTURES for section in material.study.inputs.values()):
        yield ""
        yield from _checklist("CLAIM", CLAIM, material)


def _version(material: Material) -> str:
    return material.facts.versions.get("polyclinic", "")


def _missing(material: Material, needed: str) -> str:
    return f"**{material.say('NOT REPORTED')}** \N{EN DASH} {needed}"


def _use(material: Material) -> Iterator[str]:
    use = material.study.study.intended_use
    yield plain(use) if use else _missing(material, material.say("set {key}", key="`[study] intended_use`"))


def _question(material: Material) -> Iterator[str]:
    for name, section in material.study.targets.items():
        options = ", ".join(
            f"{key} = {code(str(value))}"
            for key, value in section.options.model_dump(mode="json").items()
            if isinstance(value, str)
        )
        yield f"- **{plain(name)}** ({section.kind}{': ' if options else ''}{options})"


def _data(material: Material) -> Iterator[str]:
    say, section = material.say, material.study.cohort
    origin = section.source or section.table or ""
    yield f"- {say('Table')}: {code(origin)}"
    for name, target in material.evidence.targets.items():
        yield f"- {plain(name)}: {_counts(target, say)}"
    for key, column in (
        ("Patient column", section.patient),
        ("Site column", section.site),
        ("Date column", section.date),
    ):
        if column is not None:
            yield f"- {say(key)}: {code(column)}"
    if section.exclude is not None:
        yield f"- {say('Left out')}: {code(section.exclude)}"
    for name, described in material.study.inputs.items():
        yield f"- {say('Input')} **{plain(name)}** ({described.kind})"


def _counts(target: TargetEvidence, say: Words) -> str:
    counts = target.counts
    shown = [
        say("{n} patients tested", n=count(counts.patients)),
        say("{n} rows", n=count(counts.rows)),
        say("{n} with the outcome", n=count(counts.positives)) if counts.positives is not None else "",
        say("{n} events", n=count(counts.events)) if counts.events is not None else "",
        ", ".join(f"{plain(name)} {count(n)}" for name, n in counts.per_class.items()),
    ]
    return "; ".join(part for part in shown if part)


def _split(material: Material) -> Iterator[str]:
    say, section = material.say, material.study.split
    yield say("No patient stands on two sides: train, tune and test are divided by patient.")
    if section.folds is not None:
        phrase = "Cross-validation in {folds} folds (repetitions: {repeat}); every patient is tested"
        yield "- " + say(phrase, folds=section.folds, repeat=section.repeat)
    elif section.column is not None:
        yield f"- {say('As the table says, column')} {code(section.column)}"
    yield f"- {say('Way of dividing')}: {code(section.by)}"
    for part in material.facts.parts:
        names = {"train": say("Train"), "tune": say("Tune"), "test": say("Test")}
        sizes = say("{n} patients, {rows} rows", n=count(round(part.patients)), rows=count(round(part.rows)))
        yield f"- {names.get(part.part, part.part)}: {sizes}"
    if material.facts.split_hash:
        yield f"- `split.parquet` sha256: `{material.facts.split_hash}`"


def _model(material: Material) -> Iterator[str]:
    say, section, training = material.say, material.study.model, material.study.training
    yield f"- {say('Size')}: {say(section.size)}; {say('members of the ensemble')}: {section.ensemble}"
    if material.facts.parameters:
        yield f"- {say('Weights per model')}: {count(material.facts.parameters)}"
    started = code(section.start_from) if section.start_from else say("random, by the seed")
    yield f"- {say('Initial weights')}: {started}"
    yield f"- {say('Optimizer')}: {training.optimizer}; {say('early stopping on tune rows')}"
    rare = training.imbalance
    handled = say("none") if rare == "none" else say("{method}, recalibrated afterwards", method=say(rare))
    yield f"- {say('Class imbalance')}: {handled}"
    yield f"- {say('Trials of hyper-parameter search, on tune rows')}: {training.search}"


def _performance(material: Material) -> Iterator[str]:
    say = material.say
    for name, target in material.evidence.targets.items():
        plain_model = best_plain(target)
        yield f"**{plain(name)}.** {plain(verdict(target, say))}\n"
        head = [say("Metric"), say("This model"), *([say.model(plain_model.name)] if plain_model else [])]
        rows = [
            [
                say.metric(metric),
                with_interval(target.metrics[metric], say, metric),
                *([with_interval(plain_model.metrics.get(metric), say, metric)] if plain_model else []),
            ]
            for metric in target.metrics
        ]
        yield from table(head, rows)
        yield from _operating_point(target, say)
    share, resamples = f"{100 * material.evidence.confidence:g}%", count(material.evidence.resamples)
    yield say("Intervals: {share}, bootstrap over patients, {n} resamples.", share=share, n=resamples)


def _operating_point(target: TargetEvidence, say: Words) -> Iterator[str]:
    cuts = sorted(
        cut for cut in (target.operating_point.thresholds if target.operating_point else ()) if cut is not None
    )
    if cuts:
        low, high = number(cuts[0]), number(cuts[-1])
        shown = low if low == high else say("{low} to {high}", low=low, high=high)
        yield say("Operating point chosen on tune rows: threshold {cut}{rule}.", cut=shown, rule="") + "\n"


def _calibration(material: Material) -> Iterator[str]:
    say = material.say
    for name, target in material.evidence.targets.items():
        found = target.calibration
        if found is None or not (found.before or found.after):
            yield f"- {plain(name)}: {say('see the calibration curve in the report')}"
            continue
        yield f"**{plain(name)}**\n"
        yield from table([say("Metric"), say("Before"), say("After")], _before_after(found.before, found.after, say))


def _before_after(before: Estimates, after: Estimates, say: Words) -> list[list[str]]:
    metrics = list(dict.fromkeys([*before, *after]))
    return [[say.metric(m), with_interval(before.get(m), say, m), with_interval(after.get(m), say, m)] for m in metrics]


def _subgroups(material: Material) -> Iterator[str]:
    say = material.say
    if not any(target.subgroups for target in material.evidence.targets.values()):
        yield _missing(material, say("set {key}", key="`[cohort] strata`"))
    for name, target in material.evidence.targets.items():
        metric = next(iter(headline_metrics(target)), "")
        rows = [
            [group.column, group.value, count(group.n), with_interval(group.metrics.get(metric), say, metric)]
            for group in target.subgroups
        ]
        if rows:
            yield f"**{plain(name)}**\n"
            yield from table([say("Column"), say("Subgroup"), say("Rows"), say.metric(metric)], rows)


def _limits(material: Material) -> Iterator[str]:
    say = material.say
    yield "- " + say("Tested on patients of the same table only; nothing is known about other places and times.")
    for name, target in material.evidence.targets.items():
        rare = _rarer(target)
        if rare is not None and rare < FEW:
            yield f"- {plain(name)}: " + say(
                "only {n} tested with the rarer outcome: the estimates are shaky.", n=count(rare)
            )
        yield from (f"- {plain(name)}: {words}" for words in _doubts(target, say))
    for finding in material.cohort.findings:
        if finding.severity == "warning":
            yield f"- {plain(finding.place)}: {plain(finding.rule)}; {plain(finding.found)}."
    yield "- " + say("It is a statistical model, not a medical device, and replaces no one's judgement.")


def _doubts(target: TargetEvidence, say: Words) -> Iterator[str]:
    """What the numbers themselves warn of."""
    if outcome(target) in ("level", "worse"):
        yield say("not shown to be better than a plain model, which is easier to check and to explain.")
    slope = target.metrics.get("calibration_slope", Estimate())
    if slope.high is not None and slope.high < 1:
        yield say("probabilities are too extreme: high ones too high, low ones too low.")
    if slope.low is not None and slope.low > 1:
        yield say("probabilities are too timid: high ones too low, low ones too high.")


def _rarer(target: TargetEvidence) -> float | None:
    counts = target.counts
    seen = counts.positives if counts.positives is not None else counts.events
    if seen is not None and counts.rows is not None:
        return min(seen, counts.rows - seen)
    return min(counts.per_class.values(), default=None)


def _accepted(material: Material) -> Iterator[str]:
    accepted = material.study.accept
    for name, reason in accepted.items():
        yield f"- {code(name)}: {plain(reason)}"
    if not accepted:
        yield material.say("None.")


def _at_use(material: Material) -> Iterator[str]:
    say = material.say
    yield say("`polyclinic predict` on this folder and a table with the same columns gives the answers.")
    yield say("A record that cannot be read is refused by row number; a missing one is masked only where allowed:")
    for name, section in material.study.inputs.items():
        yield f"- **{plain(name)}**: missing = {code(section.options.missing)}"


def _repeat(material: Material) -> Iterator[str]:
    say, facts = material.say, material.facts
    yield f"- {say('Study file')}: `study.toml`; {say('Seed')}: {material.study.study.seed}"
    for name, version in facts.versions.items():
        yield f"- {plain(name)} {plain(version)}"
    for name, value in material.cohort.fingerprints.items():
        yield f"- {code(name)} sha256: `{plain(value)}`"
    yield f"- {say('Processor')}: {plain(facts.processor) or NOTHING}; {say('Precision')}: {facts.precision or NOTHING}"
    if facts.minutes is not None:
        yield f"- {say('Minutes')}: {facts.minutes:.1f}"


def _checklist(name: str, items: Sequence[Item], material: Material) -> Iterator[str]:
    say = material.say
    answers = [answer(item, material) for item in items]
    whole = sum(1 for found in answers if found.place and not found.needed)
    partly = sum(1 for found in answers if found.place and found.needed)
    yield f"## {name}\n"
    values = {"whole": whole, "partly": partly, "open": len(items) - whole - partly, "all": len(items)}
    yield say("Of {all} items, {whole} are answered, {partly} in part, {open} are not reported.", **values) + "\n"
    rows = []
    for item, found in zip(items, answers, strict=True):
        asked = item.english if say.language == "en" else item.chinese
        missing = _missing(material, found.needed) if found.needed else ""
        rows.append([item.number, asked, "; ".join(part for part in (found.place, missing) if part)])
    yield from table([say("Item"), say("What is asked for"), say("Where it is answered")], rows, escaped=True)
