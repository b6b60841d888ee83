"""Rules between keys of the study file that no single key can break."""

from collections.abc import Iterator

from polyclinic.errors import Finding, Severity
from polyclinic.study import catalogue
from polyclinic.study.schema import Study


def broken_rules(study: Study, place: str) -> list[Finding]:
    """What is wrong between sections that are each right by themselves."""
    return [
        *_cohort(study, f"{place} [cohort]"),
        *_split(study, f"{place} [split]"),
        *_training(study, f"{place} [training]"),
        *_thresholds(study, f"{place} [evidence] threshold"),
    ]


def idle_requests(study: Study) -> list[Finding]:
    """Warnings for what the study asks for and this version does not do."""
    return [*_delivery(study), *_margin(study)]


def _delivery(study: Study) -> Iterator[Finding]:
    if study.delivery.formats:
        yield Finding(
            name="no_such_delivery",
            place="study.toml [delivery] formats",
            rule="this version writes no files for other runtimes",
            found=f"asked for {', '.join(study.delivery.formats)}",
            remedy="The run goes on without; leave formats out.",
            severity=Severity.WARNING,
        )


def _margin(study: Study) -> Iterator[Finding]:
    evidence = study.evidence
    if evidence.margin is not None and not (evidence.baselines and evidence.resamples):
        lacking = "resamples is 0" if evidence.baselines else "baselines is false"
        yield Finding(
            name="idle_margin",
            place="study.toml [evidence] margin",
            rule="a margin needs plain models to be held against, and intervals",
            found=lacking,
            remedy="The run goes on without a verdict; leave margin out, or ask for both.",
            severity=Severity.WARNING,
        )


def _cohort(study: Study, place: str) -> Iterator[Finding]:
    if study.cohort.patient_pattern is not None and study.cohort.patient == "row":
        remedy = 'Write patient = "<column>", the one whose cells the pattern cuts.'
        rule = "patient_pattern needs a column of names"
        yield Finding("pattern_without_names", f"{place} patient_pattern", rule, 'patient = "row" names none', remedy)


def _split(study: Study, place: str) -> Iterator[Finding]:
    split, cohort = study.split, study.cohort
    if split.folds is not None and split.column is not None:
        yield Finding(
            "two_splits", place, "folds and column exclude each other", "both are given", "Keep one of the two."
        )
    if split.by != "random" and (split.folds is not None or split.column is not None):
        remedy = "Keep one of the two."
        yield Finding("two_splits", place, "by excludes folds and column", "both are given", remedy)
    if split.repeat > 1 and split.folds is None:
        yield Finding("repeat_without_folds", place, "repeat needs folds", "folds is missing", "Write folds = 5.")
    if split.repeat > 1 and split.fold_columns:
        remedy = 'Leave repeat out, and name a column for each repetition: folds = ["column:fold1", "column:fold2"].'
        rule, found = "repeat is for folds that are drawn", "the folds are given by the table"
        yield Finding("repeat_of_given_folds", place, rule, found, remedy)
    if split.by == "time" and cohort.date is None:
        remedy = 'Write date = "<column>" under [cohort].'
        yield Finding("no_date", place, 'by = "time" needs the moment of prediction', "no date column", remedy)
    if split.by == "site" and cohort.site is None:
        remedy = 'Write site = "<column>" under [cohort].'
        yield Finding("no_site", place, 'by = "site" needs the site', "no site column", remedy)


def _training(study: Study, place: str) -> Iterator[Finding]:
    training = study.training
    if training.stop_after is not None and training.epochs == "auto":
        remedy = "Give the planned epochs too, or leave stop_after out."
        yield Finding("stop_without_epochs", place, "stop_after needs epochs", 'epochs is "auto"', remedy)
    if training.search > 0 and training.processes > 1:
        remedy = "Search with one process, then run with several."
        yield Finding("search_in_processes", place, "search runs in one process", "processes > 1", remedy)


def _thresholds(study: Study, place: str) -> Iterator[Finding]:
    threshold = study.evidence.threshold
    for name in threshold if isinstance(threshold, dict) else ():
        if name not in study.targets:
            yield catalogue.unknown(place, "target", name, tuple(study.targets))
