"""Looking for what would let the answer into the training, or a training patient into the test."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
from jaxtyping import Bool, Int, Shaped, UInt64

from polyclinic.cohort.rows import Fold, Split
from polyclinic.cohort.table import Cohort
from polyclinic.cohort.target_leakage import Classes, Values, as_outcome, strength
from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import counted, shorten

# A single legitimate measure seldom reaches this: the best one of breast cytology has an area of .975.
DISGUISE_AREA = 0.995
DISGUISE_CORRELATION = 0.999
"""The same for numbers, by rank correlation: two instruments for one quantity may well reach 0.99."""

PROPERTY_TELLS = 0.9
"""Properties of files should tell nothing of the outcome; one that tells this much would be learned in its place."""

PROPERTY_HINTS = 0.75
"""Less than that may be chance or case mix; it is told, and does not stop."""

_FEWEST_OF_CLASS = 30
"""With fewer rows of a class a high area may be chance, the more so where many columns are tried."""

_FEWEST_NUMBERS = 30
"""The same for a rank correlation."""

Hashes = Mapping[str, UInt64[np.ndarray, " row"]]
Properties = Mapping[str, Mapping[str, Shaped[np.ndarray, " row"]]]


def leaks(
    cohort: Cohort,
    split: Split,
    *,
    outcome: pl.DataFrame,
    candidates: pl.DataFrame,
    fingerprints: Hashes,
    properties: Properties,
) -> list[Finding]:
    """Everything that looks like a leak. Refusals bear the name by which ``[accept]`` may accept them.

    Args:
        cohort: The patients.
        split: How they are divided.
        outcome: The outcome columns, rows as in the cohort.
        candidates: The columns that inputs read, rows as in the cohort.
        fingerprints: Equal where rows are copies, 0 = none, by what was compared: see ``find_copies``.
        properties: Properties of files, such as their size, by input and by name of the property.
    """
    train = split.folds[0].members[0].train.index
    outcomes = {name: as_outcome(outcome[name][train]) for name in outcome.columns}
    return [
        *_patients(cohort, split),
        *(_sites(cohort, split) if split.by_site else ()),
        *_duplicates(cohort, split, fingerprints),
        *_disguises(cohort, outcomes, candidates[train]),
        *_file_properties(cohort, outcomes, properties, train),
        *_after_index_time(cohort, candidates),
    ]


def _patients(cohort: Cohort, split: Split) -> list[Finding]:
    patient = np.unique(cohort.patient, return_inverse=True)[1]
    rows = _on_two_sides(patient, [side for fold in split.folds for side in _sides(fold, len(cohort))])
    if not rows.any():
        return []
    found = f"on two sides: {counted(len(np.unique(patient[rows])), 'patient')}"
    remedy = "Move all rows of a patient to one side, or take the column out of [split] and let patients be drawn."
    return [_refusal(cohort, "patient_on_two_sides", "a patient must be on one side of the split", found, remedy, rows)]


def _sites(cohort: Cohort, split: Split) -> list[Finding]:
    assert cohort.site is not None  # a split by site needs it
    site = np.unique(cohort.site, return_inverse=True)[1]
    rows = _on_two_sides(site, [_tested(fold, len(cohort)) for fold in split.folds])
    if not rows.any():
        return []
    found = f"on two sides: {counted(len(np.unique(site[rows])), 'site')}, because patients went to more than one"
    remedy = "Leave out the patients who went to several sites."
    return [_refusal(cohort, "site_on_two_sides", "a site must be on one side of the split", found, remedy, rows)]


def _duplicates(cohort: Cohort, split: Split, fingerprints: Hashes) -> Iterator[Finding]:
    for what, prints in fingerprints.items():
        _, content, size = np.unique(prints, return_inverse=True, return_counts=True)
        content = np.where((prints > 0) & (size[content] > 1), content, -1)
        if (content < 0).all():
            continue
        tested = _on_two_sides(content, [_tested(fold, len(cohort)) for fold in split.folds])
        chosen = _on_two_sides(content, [s for fold in split.folds for s in _sides(fold, len(cohort))]) & ~tested
        rule = f"no {what} should stand on two sides of the split"
        if tested.any():
            found = f"in the test and, the same, in the training: {counted(len(np.unique(content[tested])), 'record')}"
            remedy = "Take the copies out, give them the same patient, or accept duplicate_records with the reason."
            yield _refusal(cohort, "duplicate_records", rule, found, remedy, tested)
        if chosen.any():
            found = f"in train and, the same, in tune: {counted(len(np.unique(content[chosen])), 'record')}"
            remedy = "The test is not touched; early stopping may come a little late."
            yield _refusal(cohort, "duplicate_tune_records", rule, found, remedy, chosen, Severity.WARNING)


def _disguises(cohort: Cohort, outcomes: Mapping[str, Classes | Values], candidates: pl.DataFrame) -> Iterator[Finding]:
    for name, outcome in outcomes.items():
        bar = DISGUISE_AREA if isinstance(outcome, Classes) else DISGUISE_CORRELATION
        least = _FEWEST_OF_CLASS if isinstance(outcome, Classes) else _FEWEST_NUMBERS
        telling = [column.name for column in candidates if strength(column, outcome, least) >= bar]
        if telling:
            yield Finding(
                name="target_in_disguise",
                place=f'{cohort.name} outcome "{name}"',
                rule="no input column alone may tell the outcome almost perfectly",
                found=f"it is told by: {shorten(telling)}",
                remedy="Leave out what is known only after the outcome, or accept target_in_disguise with the reason.",
                severity=Severity.REFUSED,
            )


def _file_properties(
    cohort: Cohort,
    outcomes: Mapping[str, Classes | Values],
    properties: Properties,
    train: Int[np.ndarray, " train"],
) -> Iterator[Finding]:
    for source, arrays in properties.items():
        for word, values in arrays.items():
            column = pl.Series(word, values[train])
            strongest = max((strength(column, outcome, _FEWEST_OF_CLASS) for outcome in outcomes.values()), default=0.0)
            if strongest >= PROPERTY_HINTS:
                yield Finding(
                    name="file_property_gives_label_away",
                    place=f"input {source} of {cohort.name}",
                    rule="no property of the files may tell the outcome",
                    found=f"the {word} of the file alone does, to {strongest:.0%}",
                    remedy="Bring the files of all patients into the same form, from their origin on.",
                    severity=Severity.REFUSED if strongest >= PROPERTY_TELLS else Severity.WARNING,
                )


def _after_index_time(cohort: Cohort, candidates: pl.DataFrame) -> Iterator[Finding]:
    if cohort.dates is None:
        return
    moments = cohort.dates
    whole_days = bool((moments[~np.isnat(moments)].astype("datetime64[D]") == moments[~np.isnat(moments)]).all())
    for column in candidates:
        if column.dtype not in (pl.Date, pl.Datetime):
            continue
        dates = column.cast(pl.Datetime("us")).to_numpy()
        rows = dates.astype("datetime64[D]") > moments if whole_days else dates > moments
        if rows.any():
            yield _refusal(
                cohort,
                "after_index_time",
                f'column "{column.name}" must not be later than the moment of prediction',
                f"later in {counted(int(rows.sum()), 'row')}",
                "Leave the column out, or correct the date.",
                rows,
            )


def _tested(fold: Fold, rows: int) -> Int[np.ndarray, " row"]:
    """1 where tested, 0 elsewhere."""
    side = np.zeros(rows, dtype=np.int64)
    side[fold.test.index] = 1
    return side


def _sides(fold: Fold, rows: int) -> Iterator[Int[np.ndarray, " row"]]:
    """For every member: 0 train, 1 test, 2 tune."""
    for inner in fold.members:
        side = _tested(fold, rows)
        side[inner.tune.index] = 2
        yield side


def _on_two_sides(unit: Int[np.ndarray, " row"], sides: Sequence[Int[np.ndarray, " row"]]) -> Bool[np.ndarray, " row"]:
    """Rows whose unit (a patient, a site, a content; -1 = none) has rows on more than one side in any division."""
    rows = np.zeros(len(unit), dtype=bool)
    real = np.flatnonzero(unit >= 0)
    labels = unit[real]
    for side in sides:
        most = np.full(int(labels.max(initial=-1)) + 1, -1, dtype=np.int64)
        least = np.full(len(most), 9, dtype=np.int64)
        np.maximum.at(most, labels, side[real])
        np.minimum.at(least, labels, side[real])
        rows[real] |= (most != least)[labels]
    return rows


def _refusal(
    cohort: Cohort,
    name: str,
    rule: str,
    found: str,
    remedy: str,
    rows: Bool[np.ndarray, " row"],
    severity: Severity = Severity.REFUSED,
) -> Finding:
    numbers = tuple(int(row) for row in cohort.row[rows])
    return Finding(name, cohort.name, rule, found, remedy, severity, numbers)
