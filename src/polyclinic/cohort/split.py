"""Dividing the cohort into what is learned from, what is chosen on and what is tested on. Always by patient."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import polars as pl
from jaxtyping import Bool, Int

from polyclinic.cohort import given_folds, part_column, refusals
from polyclinic.cohort.by_site_or_time import deal_sites, draw_sites, latest
from polyclinic.cohort.crossed import left_out_in_turn
from polyclinic.cohort.draw import both_sides, deal, draw, windows
from polyclinic.cohort.patient_groups import PatientGroups, joined, patient_groups
from polyclinic.cohort.rows import Fold, Inner, Split, TestRows, TrainRows, TuneRows
from polyclinic.cohort.table import Cohort
from polyclinic.errors import CohortError, stop_on
from polyclinic.formats.columns.column_types import absent_column
from polyclinic.study.schema import SplitSection

_GROUP = "group:"


def divide(
    cohort: Cohort,
    section: SplitSection,
    *,
    members: int = 1,
    seed: int,
    groups: Int[np.ndarray, " row"],
    every_group: bool = True,
    together: Int[np.ndarray, " row"] | None = None,
    crossed: int = 0,
    regroup: Callable[[Int[np.ndarray, " rest"]], Int[np.ndarray, " rest"]] | None = None,
) -> Split:
    """Divide the patients into train, tune and test, once or (with folds) so that everybody is tested once.

    The same cohort, section and seed give the same rows on every machine. Nothing here looks for leaks: see ``leaks``.

    Args:
        cohort: The patients.
        section: The [split] table of the study.
        members: How many members of an ensemble; each has tune rows of its own, unless the study's column gives them.
        seed: The study's seed.
        groups: Outcome group of each row, -1 where not known: parts are balanced by it where they are drawn.
        every_group: Whether every group is a class that must be trained and tested, so that a class with one patient
            is refused; False where the groups only serve the balance.
        together: Rows that share a value stay on one side where patients are drawn at random, beside those of one
            patient: see ``copies``.
        crossed: Into how many parts the rows that are not tested are cross-fitted; 0 = they are not.
        regroup: Outcome groups of some rows from these alone: where the test rows are given, tune rows and parts are
            balanced by it, so that no outcome of a test row decides who they are.

    Raises:
        CohortError: too few patients, sites or classes; dates, sites or parts that are missing; a part that is empty.
    """
    stop_on(refusals.contradictions(section), CohortError)
    linked = _together(cohort, section, together)
    patients = patient_groups(cohort.patient, groups, linked)
    parts = 0 if _gives_tune_rows(cohort, section) else crossed
    refusals.refuse_too_few(cohort, section, patients, every_group)
    given = bool(section.given_columns) or section.by in ("time", "site")
    folds = []
    for repeat, tests in enumerate(_repetitions(cohort, section, patients, seed, every_group)):
        for number, test in enumerate(tests):
            rest = patients if regroup is None or not given else _regrouped(patients, ~test, regroup)
            inner = _inner(cohort, section, rest, test, members, np.random.default_rng([seed, repeat, number, 1]))
            fold = Fold(repeat, number, inner, TestRows(np.flatnonzero(test)))
            folds.append(_crossed(fold, rest, parts, seed))
    stop_on(refusals.empty_parts(cohort, folds), CohortError)
    notes = (
        *part_column.notes(cohort, section),
        *refusals.doubts(cohort, section, folds, groups),
        *([] if linked is None or together is None else refusals.copies_kept(cohort, together)),
    )
    return Split(tuple(folds), notes, by_site=section.by == "site")


def _crossed(fold: Fold, patients: PatientGroups, parts: int, seed: int) -> Fold:
    """The fold with its tune rows given back to the training, and its parts left out in turn; the same with 0 parts."""
    if not parts:
        return fold
    rest = np.ones(len(patients.unit), dtype=bool)
    rest[fold.test.index] = False
    rng = np.random.default_rng([seed, fold.repeat, fold.number, 2])
    whole = _pair(rest, np.zeros_like(rest))
    return replace(fold, members=(whole,) * len(fold.members), crossed=left_out_in_turn(patients, rest, parts, rng))


def _regrouped(
    patients: PatientGroups,
    rest: Bool[np.ndarray, " row"],
    regroup: Callable[[Int[np.ndarray, " rest"]], Int[np.ndarray, " rest"]],
) -> PatientGroups:
    """The same patients, grouped by the outcomes of some rows alone."""
    group = np.full(len(patients), -1, dtype=np.int64)
    index = np.flatnonzero(rest)
    np.maximum.at(group, patients.unit[index], regroup(index))
    return PatientGroups(patients.unit, group)


def _together(
    cohort: Cohort, section: SplitSection, together: Int[np.ndarray, " row"] | None
) -> Int[np.ndarray, " row"] | None:
    """What keeps rows on one side beside the patient: copies of a record, and a column of the study.

    Given columns, time and site decide by themselves who is tested; copies are left to the search for leaks there.
    """
    if section.given_columns or section.by in ("time", "site"):
        return None
    if not section.by.startswith(_GROUP):
        return together
    group = _group_of(cohort, section.by.removeprefix(_GROUP))
    return group if together is None else joined(group, together)


def _group_of(cohort: Cohort, name: str) -> Int[np.ndarray, " row"]:
    if name not in cohort.frame.columns:
        raise CohortError(absent_column("[split] by", name, cohort.frame.columns))
    column = cohort.frame[name]
    if column.null_count():
        raise CohortError(refusals.missing(cohort, name, column.is_null().to_numpy(), "group"))
    return column.rank("dense").cast(pl.Int64).to_numpy() - 1


def _repetitions(
    cohort: Cohort, section: SplitSection, patients: PatientGroups, seed: int, every_group: bool
) -> Iterator[list[Bool[np.ndarray, " row"]]]:
    """The tested rows of every fold, for each repetition: as the table gives them, or drawn."""
    if section.fold_columns:
        yield from given_folds.read_folds(cohort, section.fold_columns)
        return
    for repeat in range(section.repeat if section.folds else 1):
        yield _tests(cohort, section, patients, np.random.default_rng([seed, repeat]), every_group)


def _tests(
    cohort: Cohort, section: SplitSection, patients: PatientGroups, rng: np.random.Generator, every_group: bool
) -> list[Bool[np.ndarray, " row"]]:
    """The tested rows of every fold of one repetition."""
    if section.column is not None:
        return [part_column.read_parts(cohort, section.column) == "test"]
    if section.by == "time":
        return [latest(cohort, section.test)]
    if section.by == "site":
        folds = section.drawn_folds
        held = deal_sites(cohort, folds, rng) if folds else [draw_sites(cohort, section.test, rng)]
        units = np.arange(len(patients))
        return [patients.rows(np.isin(units, patients.unit[rows])) for rows in held]
    if section.drawn_folds is not None:
        fold = deal(patients.group, section.drawn_folds, rng)
        return [patients.rows(fold == number) for number in range(section.drawn_folds)]
    taken = draw(patients.group, section.test, rng)
    return [patients.rows(both_sides(taken, patients.group, rng) if every_group else taken)]


def _inner(
    cohort: Cohort,
    section: SplitSection,
    patients: PatientGroups,
    test: Bool[np.ndarray, " row"],
    members: int,
    rng: np.random.Generator,
) -> tuple[Inner, ...]:
    """The rows that are not tested, divided for every member: as the column says, or drawn by patient."""
    if section.column is not None and _gives_tune_rows(cohort, section):
        tune = part_column.read_parts(cohort, section.column) == "tune"
        return (_pair(~test & ~tune, tune),) * members
    rest = np.unique(patients.unit[~test])
    if len(rest) < 2:
        raise CohortError(refusals.too_few_for_tune(cohort, len(rest)))
    inner = []
    for inside in windows(patients.group[rest], section.tune, members, rng):
        chosen = np.zeros(len(patients), dtype=bool)
        chosen[rest[inside]] = True
        tune = patients.rows(chosen) & ~test
        inner.append(_pair(~test & ~tune, tune))
    return tuple(inner)


def _gives_tune_rows(cohort: Cohort, section: SplitSection) -> bool:
    """Whether the study's column says who tunes: those rows are kept from training, as whoever drew them meant."""
    return section.column is not None and bool((part_column.read_parts(cohort, section.column) == "tune").any())


def _pair(train: Bool[np.ndarray, " row"], tune: Bool[np.ndarray, " row"]) -> Inner:
    return Inner(TrainRows(np.flatnonzero(train)), TuneRows(np.flatnonzero(tune)))
