"""The form of cells: shapes whose measures are known without a computer."""

import numpy as np
import pytest

from polyclinic.evidence.metrics import morphology


def squares():
    """Two squares of 10 points, 4 apart, and a third far away with a number that leaves a gap."""
    labels = np.zeros((60, 80), dtype=int)
    labels[10:20, 10:20], labels[10:20, 24:34], labels[40:50, 60:70] = 1, 2, 7
    return labels


def test_squares_are_measured_in_the_unit_of_the_spacing():
    table = morphology.table(squares(), spacing=(0.5, 0.5), unit="um")
    assert table["cell"].to_list() == [1, 2, 7]
    assert table["area_um2"].to_list() == [25.0] * 3
    assert table["row_px"].to_list() == [14.5, 14.5, 44.5]
    assert table["solidity"].to_list() == [1.0] * 3
    assert table["eccentricity"].to_list() == [0.0] * 3
    assert table["length_um"][0] == pytest.approx(4 * 5 / np.sqrt(12))
    assert table["nearest_centre_um"].to_list()[:2] == [7.0, 7.0]


def test_neighbours_are_those_within_reach():
    near, distance = morphology.neighbours(squares(), reach=6.0)
    assert near.tolist() == [1, 1, 0]
    assert distance[:2].tolist() == [14, 14]
    assert morphology.neighbours(squares(), reach=2.0)[0].tolist() == [0, 0, 0]


def test_other_steps_along_the_axes_give_the_same_disc():
    rows, columns = np.indices((80, 160))
    disc = ((rows - 40) ** 2 + ((columns - 80) / 2) ** 2 <= 30**2).astype(int)
    found = morphology.shapes(disc, (1.0, 0.5))
    assert found.area[0] == pytest.approx(np.pi * 900, rel=0.01)
    assert found.perimeter[0] == pytest.approx(2 * np.pi * 30, rel=0.03)
    assert found.eccentricity[0] < 0.1
    assert found.roundness[0] == pytest.approx(1, abs=0.06)


def test_a_notch_lowers_solidity():
    labels = squares()
    labels[10:15, 10:15] = 0
    assert morphology.shapes(labels).solidity[0] == pytest.approx(75 / 87.5)


def test_brightness_and_texture_of_a_chessboard():
    board = np.indices((10, 10)).sum(axis=0) % 2
    found = morphology.brightness(
        np.ones((10, 10), dtype=int), np.stack([board, 1 - board]).astype(float) * [[[2.0]], [[4.0]]]
    )
    assert found.mean.tolist() == [[1.0, 2.0]]
    assert found.spread.tolist() == [[1.0, 2.0]]
    flat = morphology.brightness(squares(), np.ones((1, 60, 80)))
    assert flat.contrast.tolist() == [0.0] * 3
    assert flat.homogeneity.tolist() == [1.0] * 3
    assert flat.entropy.tolist() == [0.0] * 3


def test_columns_name_the_channels_and_an_empty_picture_gives_an_empty_table():
    table = morphology.table(np.zeros((5, 5), dtype=int), np.zeros((3, 5, 5)))
    assert len(table) == 0
    assert "intensity_mean_red" in table.columns
    assert "area_px2" in table.columns


def test_one_cell_has_no_nearest_centre():
    labels = np.zeros((8, 8), dtype=int)
    labels[4, 4] = 3
    table = morphology.table(labels)
    assert table["nearest_centre_px"].to_list() == [None]
    assert table["area_px2"].to_list() == [1.0]
