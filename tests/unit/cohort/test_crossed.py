"""Leaving out one part after another: every row once, never apart from the rest of its patient."""

import numpy as np

from polyclinic.cohort.crossed import left_out_in_turn
from polyclinic.cohort.patient_groups import PatientGroups


def patients(rows: int = 60, per_patient: int = 3) -> PatientGroups:
    unit = np.arange(rows) // per_patient
    return PatientGroups(unit, np.arange(rows // per_patient) % 2)


def test_every_row_is_left_out_once_and_the_rest_trains():
    asked = np.ones(60, dtype=bool)
    asked[:6] = False
    parts = left_out_in_turn(patients(), asked, 5, np.random.default_rng(0))
    assert len(parts) == 5
    left_out = np.concatenate([part.tune.index for part in parts])
    assert sorted(left_out) == list(range(6, 60))
    for part in parts:
        assert sorted([*part.train.index, *part.tune.index]) == list(range(6, 60))


def test_patients_stay_together_and_groups_are_spread():
    who = patients()
    for part in left_out_in_turn(who, np.ones(60, dtype=bool), 5, np.random.default_rng(1)):
        assert not set(who.unit[part.train.index]) & set(who.unit[part.tune.index])
        assert np.bincount(who.group[np.unique(who.unit[part.tune.index])]).tolist() == [2, 2]


def test_no_more_parts_than_patients():
    assert len(left_out_in_turn(patients(9), np.ones(9, dtype=bool), 5, np.random.default_rng(0))) == 3
