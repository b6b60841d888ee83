"""Cells that touch are told apart."""

import numpy as np
import pytest

from known.drawn_cells import ellipses, pictures
from polyclinic.decoding import watershed
from polyclinic.evidence.metrics import instances


def test_relative_distance_is_one_in_the_middle_of_every_cell_and_does_not_end_at_the_rim():
    labels = np.zeros((9, 20), dtype=int)
    labels[2:7, 2:7] = 1
    labels[2:7, 7:12] = 2
    labels[:, 16:] = 3
    found = watershed.relative_distance(labels)
    assert (found[4, 4], found[4, 9], found[4, 7]) == (1, 1, pytest.approx(1 / 3))
    assert found[0, 19] == found[8, 19] == 1
    assert found[labels == 0].max() == 0
    assert (watershed.relative_distance(np.ones((3, 3), dtype=int)) == 1).all()


def test_two_discs_that_touch_become_two_cells():
    truth = ellipses((40, 60), [(20, 20, 12, 12, 0), (20, 42, 12, 12, 0)])
    found = watershed.tell_apart((truth > 0).astype(float), watershed.relative_distance(truth), 0.5, 0.4, 5)
    judged, _ = instances.judge(truth, found)
    assert judged.matched[0] == 2
    assert judged.aji > 0.97


def test_crowded_cells_come_back_from_their_own_distances():
    truth = pictures(5, cells=25)[0]
    found = watershed.tell_apart((truth > 0).astype(float), watershed.relative_distance(truth), 0.5, 0.5, 3)
    assert instances.judge(truth, found)[0].aji > 0.85


def test_a_low_peak_beside_a_high_one_is_a_seed_of_its_own_only_if_the_saddle_is_deep():
    heights = np.zeros((3, 30))
    heights[1] = np.interp(np.arange(30), [0, 5, 10, 15, 20, 29], [0, 0.9, 0.45, 0.8, 0.45, 0])
    assert watershed.find_seeds(heights, heights > 0, 0.3, smallest=1).max() == 2
    heights[1] = np.interp(np.arange(30), [0, 5, 10, 15, 20, 29], [0, 0.9, 0.78, 0.8, 0.45, 0])
    assert watershed.find_seeds(heights, heights > 0, 0.3, smallest=1).max() == 1


def test_a_plateau_is_shared_by_distance():
    heights, seeds = np.full((1, 11), 0.5), np.zeros((1, 11), dtype=int)
    seeds[0, 1], seeds[0, 9] = 1, 2
    assert watershed.flood(heights, seeds, np.ones((1, 11), dtype=bool))[0].tolist() in (
        [1] * 5 + [2] * 6,
        [1] * 6 + [2] * 5,
    )


def test_an_island_without_a_seed_is_a_cell_of_its_own_and_small_ones_are_left_out():
    inside = np.zeros((10, 10), dtype=bool)
    inside[1:4, 1:4] = inside[6:9, 6:9] = inside[0, 9] = True
    labels = watershed.flood(np.full((10, 10), 0.2), np.zeros((10, 10), dtype=int), inside)
    assert labels.max() == 3
    assert watershed.tidy(labels, 4).max() == 2


def test_nothing_inside_gives_no_cells():
    nothing = np.zeros((6, 7))
    assert not watershed.tell_apart(nothing, nothing, 0.5, 0.5, 1).any()


def test_tidy_fills_holes_and_keeps_the_largest_piece():
    labels = np.zeros((12, 12), dtype=int)
    labels[1:8, 1:8], labels[3, 3], labels[10, 10] = 4, 0, 4
    found = watershed.tidy(labels, 1)
    assert found[3, 3] == 1
    assert found[10, 10] == 0
