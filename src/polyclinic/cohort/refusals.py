"""What makes a division impossible or doubtful: too few patients, classes or sites, contradictions, empty parts."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int

from polyclinic.cohort.patient_groups import PatientGroups
from polyclinic.cohort.rows import Fold
from polyclinic.cohort.table import Cohort
from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.formats.columns.column_types import counted
from polyclinic.study.schema import SplitSection

# Below this nothing can be learned and tested; a floor against nonsense, not a claim that ten patients are enough.
FEWEST_PATIENTS = 10
_PLACE = "[split]"


def contradictions(section: SplitSection) -> list[Finding]:
    """Keys of the section that exclude each other."""
    found = []
    if section.column is not None and (section.folds is not None or section.by != "random"):
        other = "folds" if section.folds is not None else "by"
        found.append(_both("column", other))
    if section.by == "time" and section.folds is not None:
        found.append(_both('by = "time"', "folds"))
    elif section.by != "random" and section.fold_columns:
        found.append(_both("by", "folds of a column"))
    return found


def refuse_too_few(cohort: Cohort, section: SplitSection, patients: PatientGroups, every_group: bool) -> None:
    """Raise if there are too few patients for the division, or a class has one patient only."""
    findings = []
    persons = len(np.unique(cohort.patient))
    fewest = max(FEWEST_PATIENTS, 2 * (section.drawn_folds or 1))
    if persons < fewest:
        findings.append(_too_few(cohort, persons, fewest, section))
    elif len(patients) < max(3, section.drawn_folds or 3):
        findings.append(_too_few_units(cohort, len(patients), max(3, section.drawn_folds or 3), section))
    if not section.given_columns and every_group and not findings:
        findings += _lone_classes(cohort, patients)
    stop_on(findings, CohortError)


def empty_parts(cohort: Cohort, folds: Sequence[Fold]) -> list[Finding]:
    """Parts without a row."""
    found = []
    for fold in folds:
        sizes = {"test": len(fold.test)}
        sizes["train"] = min(len(inner.train) for inner in fold.members)
        sizes["tune"] = min(len(inner.tune) for inner in fold.chosen_on)
        found += [_empty(cohort, part, fold) for part, size in sizes.items() if size == 0]
    return found


def doubts(
    cohort: Cohort, section: SplitSection, folds: Sequence[Fold], groups: Int[np.ndarray, " row"]
) -> list[Finding]:
    """What the user should know: an outcome group that is not tested or not trained, a key that does nothing."""
    found = []
    if section.repeat > 1 and section.folds is None:
        remedy = "Set folds as well, or take repeat out."
        found.append(_warning("repeat_without_folds", "repeat goes with folds", "folds are not set", remedy))
    known = np.unique(groups[groups >= 0])
    untested = sum(len(np.setdiff1d(known, groups[fold.test.index])) > 0 for fold in folds)
    untrained = sum(
        any(len(np.setdiff1d(known, groups[inner.train.index])) > 0 for inner in fold.members) for fold in folds
    )
    for many, word in ((untested, "tested"), (untrained, "trained")):
        if many:
            rule = f"every outcome group should be {word} in every fold"
            remedy = "Use fewer folds or larger parts, or join rare classes."
            found.append(_warning("outcome_absent", rule, f"in {many} of {len(folds)} one is not", remedy))
    return found


def copies_kept(cohort: Cohort, together: Int[np.ndarray, " row"]) -> list[Finding]:
    """The note that copies of a record were found in several patients and kept on one side."""
    patient = np.unique(cohort.patient, return_inverse=True)[1]
    pairs = np.unique(np.stack([together, patient], axis=1), axis=0)
    several = np.bincount(pairs[:, 0]) > 1
    rows = tuple(int(row) for row in cohort.row[several[together]])
    if not rows:
        return []
    return [
        Finding(
            name="copies_kept_together",
            place=cohort.name,
            rule="a record should belong to one patient",
            found=f"the same to the last digit with several patients: {counted(int(several.sum()), 'record')}",
            remedy="They are kept on one side of the split; take the copies out if they are one patient.",
            severity=Severity.WARNING,
            rows=rows,
        )
    ]


def missing(cohort: Cohort, name: str, absent: Bool[np.ndarray, " row"], what: str) -> Finding:
    """Rows lack what the division goes by."""
    return Finding(
        name="split_value_missing",
        place=f'{cohort.name} column "{name}"' if what == "group" else f"{cohort.name} [cohort] {name}",
        rule=f"every row must have a {what} when the split goes by it",
        found=f"none in {int(absent.sum())} of {counted(len(absent), 'row')}",
        remedy="Fill them in, or leave the rows out with exclude.",
        rows=tuple(int(row) for row in cohort.row[absent]),
    )


def needs(by: str, key: str, what: str) -> Finding:
    """The study asks for a division by something that it does not name."""
    return Finding(
        name="split_needs_column",
        place=f"{_PLACE} by",
        rule=f'by = "{by}" needs {what}',
        found=f"[cohort] {key} is not set",
        remedy=f'Set {key} = "<column>" under [cohort].',
    )


def one_moment(cohort: Cohort) -> Finding:
    """Nobody is later than anybody else."""
    return Finding(
        "one_moment", f"{cohort.name} [cohort] date", "some patients must be later than others", "all have one date",
        'Divide by = "random" instead.',
    )  # fmt: skip


def too_few_sites(cohort: Cohort, many: int, fewest: int) -> Finding:
    """Sites cannot be held out."""
    return Finding(
        "too_few_sites", f"{cohort.name} [cohort] site", f"the split needs at least {fewest} sites",
        f"there are {many}", 'Divide by = "random" instead, or use fewer folds.',
    )  # fmt: skip


def too_few_for_tune(cohort: Cohort, many: int) -> Finding:
    """Nobody is left to learn from or to choose on."""
    return Finding(
        "too_few_patients", f"{_PLACE} of {cohort.name}", "at least 2 patients must be left for train and tune",
        f"{many} are", "Test a smaller share.",
    )  # fmt: skip


def _too_few(cohort: Cohort, many: int, fewest: int, section: SplitSection) -> Finding:
    what = f"{section.drawn_folds} folds" if section.drawn_folds else "train, tune and test"
    return Finding(
        name="too_few_patients",
        place=f"{_PLACE} of {cohort.name}",
        rule=f"{what} need at least {fewest} patients",
        found=f"there {'is' if many == 1 else 'are'} {many}",
        remedy="Use fewer folds, or find more patients: with so few, nothing can be learned and tested.",
    )


def _too_few_units(cohort: Cohort, many: int, fewest: int, section: SplitSection) -> Finding:
    what = "groups" if section.by.startswith("group:") else "patients without copies of their records"
    return Finding(
        "too_few_groups", f"{_PLACE} of {cohort.name}", f"the split needs at least {fewest} {what}",
        f"there are {many}", 'Divide by = "random" instead, or use fewer folds.',
    )  # fmt: skip


def _lone_classes(cohort: Cohort, patients: PatientGroups) -> list[Finding]:
    size = np.bincount(patients.group[patients.group >= 0])
    lone = np.flatnonzero(size == 1)
    return [
        Finding(
            name="class_with_one_patient",
            place=f"{_PLACE} of {cohort.name}",
            rule="every class needs at least 2 patients, to train on one and test on the other",
            found="a class has one patient",
            remedy="Join rare classes, leave the class out with exclude, or find more patients.",
            rows=tuple(int(row) for row in cohort.row[patients.rows(patients.group == group)]),
        )
        for group in lone
    ]


def _empty(cohort: Cohort, part: str, fold: Fold) -> Finding:
    return Finding(
        name="empty_part",
        place=f"{_PLACE} of {cohort.name}",
        rule="train, tune and test must each have rows",
        found=f"{part} has none in fold {fold.number + 1} of repetition {fold.repeat + 1}",
        remedy="Change the shares, or use fewer folds.",
    )


def _both(one: str, other: str) -> Finding:
    return Finding(
        "split_contradiction", _PLACE, "must say in one way how to divide", f"{one} and {other} are both set",
        f"Take {one} or {other} out.",
    )  # fmt: skip


def _warning(name: str, rule: str, found: str, remedy: str) -> Finding:
    return Finding(name, _PLACE, rule, found, remedy, Severity.WARNING)
