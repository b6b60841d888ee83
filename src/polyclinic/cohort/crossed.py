"""Leaving out one part after another of the patients that are not tested, so that each is answered by strangers."""

import numpy as np
from jaxtyping import Bool

from polyclinic.cohort.draw import deal
from polyclinic.cohort.patient_groups import PatientGroups
from polyclinic.cohort.rows import Inner, TrainRows, TuneRows


def left_out_in_turn(
    patients: PatientGroups, rows: Bool[np.ndarray, " row"], parts: int, rng: np.random.Generator
) -> tuple[Inner, ...]:
    """Divide some rows into training and tune rows so often that every one is a tune row once, always by patient.

    Args:
        patients: Who the rows are of, with their outcome groups, by which the parts are balanced.
        rows: True where a row is to be divided.
        parts: How many parts; no more than there are patients.
        rng: Deals the patients out.
    """
    here = np.unique(patients.unit[rows])
    dealt = np.full(len(patients), -1, dtype=np.int64)
    dealt[here] = deal(patients.group[here], min(parts, len(here)), rng)
    divided = []
    for number in range(min(parts, len(here))):
        tune = patients.rows(dealt == number) & rows
        divided.append(Inner(TrainRows(np.flatnonzero(rows & ~tune)), TuneRows(np.flatnonzero(tune))))
    return tuple(divided)
