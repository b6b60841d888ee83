"""Holding out what the training has never seen: whole hospitals, or the latest patients."""

import numpy as np
from jaxtyping import Bool, Int, Shaped

from polyclinic.cohort import refusals
from polyclinic.cohort.table import Cohort
from polyclinic.errors import CohortError


def latest(cohort: Cohort, share: float) -> Bool[np.ndarray, " row"]:
    """The rows of the patients who were seen last: about ``share`` of the patients.

    A patient counts by the last of his or her rows, so that nothing is learned from a moment after the first of the
    tested patients' last visits. Patients of the same moment stay on the same side.

    Raises:
        CohortError: if the study names no date, rows lack it, or all are of the same moment.
    """
    if cohort.dates is None:
        raise CohortError(refusals.needs("time", "date", "a column with the moment of prediction"))
    absent = np.isnat(cohort.dates)
    if absent.any():
        raise CohortError(refusals.missing(cohort, "date", absent, "date"))
    unit, last = _last_moment(cohort)
    moments = np.sort(last)
    cut = moments[len(moments) - max(1, round(share * len(moments)))]
    if cut == moments[0]:
        later = moments[moments > cut]
        if not len(later):
            raise CohortError(refusals.one_moment(cohort))
        cut = later[0]
    return np.asarray((last >= cut)[unit])


def draw_sites(cohort: Cohort, share: float, rng: np.random.Generator) -> Bool[np.ndarray, " row"]:
    """The rows of whole sites, drawn until they hold up to ``share`` of the patients; at least one site.

    Raises:
        CohortError: if the study names no site, rows lack it, or there is one site only.
    """
    site, size = _sites(cohort, 2)
    room = share * size.sum()
    held: list[int] = []
    for number in rng.permutation(len(size)):
        if size[number] <= room:
            held.append(int(number))
            room -= size[number]
    if not held:
        held = [int(np.argmin(size))]
    return np.isin(site, held)


def deal_sites(cohort: Cohort, folds: int, rng: np.random.Generator) -> list[Bool[np.ndarray, " row"]]:
    """The rows of each fold: whole sites, the larger ones first, each to the fold that has fewest patients.

    Raises:
        CohortError: if the study names no site, rows lack it, or there are fewer sites than folds.
    """
    site, size = _sites(cohort, folds)
    order = rng.permutation(len(size))
    order = order[np.argsort(-size[order], kind="stable")]
    load = np.zeros(folds, dtype=np.int64)
    fold = np.empty(len(size), dtype=np.int64)
    for number in order:
        fold[number] = np.argmin(load)
        load[fold[number]] += size[number]
    return [(fold == number)[site] for number in range(folds)]


def _last_moment(cohort: Cohort) -> tuple[Int[np.ndarray, " row"], Shaped[np.ndarray, " patient"]]:
    assert cohort.dates is not None
    unit = np.unique(cohort.patient, return_inverse=True)[1]
    order = np.lexsort((cohort.dates, unit))
    final = np.flatnonzero(np.diff(unit[order], append=-1))
    return unit, cohort.dates[order][final]


def _sites(cohort: Cohort, fewest: int) -> tuple[Int[np.ndarray, " row"], Int[np.ndarray, " site"]]:
    """Number of the site of each row, and how many patients each site has."""
    if cohort.site is None:
        raise CohortError(refusals.needs("site", "site", "a column that names the hospital or scanner"))
    absent = cohort.site == ""
    if absent.any():
        raise CohortError(refusals.missing(cohort, "site", absent, "site"))
    names, site = np.unique(cohort.site, return_inverse=True)
    if len(names) < fewest:
        raise CohortError(refusals.too_few_sites(cohort, len(names), fewest))
    patient = np.unique(cohort.patient, return_inverse=True)[1]
    pairs = np.unique(np.stack([site, patient], axis=1), axis=0)
    return site, np.bincount(pairs[:, 0], minlength=len(names))
