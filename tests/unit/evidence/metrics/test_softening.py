"""A temperature and thresholds from tune records."""

import numpy as np
import pytest
from scipy.special import expit, logit

from polyclinic.evidence.metrics.softening import ProbabilityRecord, choose, soften
from polyclinic.formats.packed import pack

SHAPE = (60, 70)


def stored(chances):
    return pack(np.rint(chances * 65535).astype(np.uint16))


def records(sharpness, *, regions=1, inside=None, count=3):
    """Records whose true chances are known, told with log-odds that are ``sharpness`` times too large."""
    made = []
    for number in range(count):
        rng = np.random.default_rng(number)
        chances = expit(rng.normal(-1.5, 1.5, (regions, *SHAPE)))
        truth = rng.random(chances.shape) < chances
        made.append(ProbabilityRecord(stored(expit(sharpness * logit(chances))), truth, inside))
    return [lambda record=record: record for record in made]


@pytest.mark.parametrize("sharpness", [0.7, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("exclusive", [True, False])
def test_the_temperature_undoes_what_was_too_sure(sharpness, exclusive):
    assert choose(records(sharpness), exclusive=exclusive).temperature == pytest.approx(sharpness, rel=0.08)


def test_points_outside_have_no_say():
    inside = np.zeros(SHAPE, dtype=bool)
    inside[:40] = True
    made = records(2.0, inside=inside)
    for one in made:
        one().truth[:, 40:] = True
    assert choose(made, exclusive=True).temperature == pytest.approx(2.0, rel=0.1)


def test_thresholds_of_the_highest_dice_lie_at_half_of_it():
    found = choose(records(1.0, regions=2), exclusive=False).thresholds
    assert all(0.2 <= threshold <= 0.45 for threshold in found)


def test_the_likeliest_region_stays_the_likeliest():
    rng = np.random.default_rng(0)
    chances = rng.dirichlet([1, 1, 1], SHAPE).transpose(2, 0, 1)
    milder = soften(stored(chances[1:]), 2.5, exclusive=True)
    whole = np.concatenate([255 - milder.sum(axis=0, dtype=int, keepdims=True), milder])
    clear = np.sort(chances, axis=0)[-1] - np.sort(chances, axis=0)[-2] > 0.05
    assert (whole.argmax(axis=0) == chances.argmax(axis=0))[clear].all()


def test_by_hand():
    milder = soften(stored(np.array([[[0.8, 0.0, 1.0]]])), 2.0, exclusive=False)
    assert milder.tolist() == [[[170, 0, 255]]]


def test_a_temperature_of_1_only_changes_the_levels():
    kept = np.array([[[0, 7, 255]]], dtype=np.uint8)
    assert soften(pack(kept), 1.0, exclusive=True).tolist() == kept.tolist()
    assert soften(stored(kept / 255), 1.0, exclusive=True).tolist() == kept.tolist()


def test_faint_chances_are_told_apart_again():
    assert soften(stored(np.array([[[1e-4, 1e-3]]])), 2.0, exclusive=True).tolist() == [[[3, 8]]]
