"""Cells against stardist and scikit-image. The drawn cells, the figures and the script that made them lie beside."""

import json
from pathlib import Path

import numpy as np
import pytest

from known.drawn_cells import ellipses, pictures
from polyclinic.evidence.metrics import instances, morphology

ORACLE = json.loads((Path(__file__).parent / "cells_oracle.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ORACLE["rows"], ids=lambda row: row["seed"])
def test_matches_as_stardist_has_them(row):
    found, _ = instances.judge(*pictures(row["seed"]))
    for level, matched in zip(instances.LEVELS, found.matched, strict=True):
        tp, fp, fn, accuracy, f1 = row["judged"]["levels"][f"{level:.2f}"]
        assert (matched, found.predicted - matched, found.true - matched) == (tp, fp, fn)
        assert matched / (found.true + found.predicted - matched) == pytest.approx(accuracy)
        assert 2 * matched / (found.true + found.predicted) == pytest.approx(f1)
    quality = 2 * found.matched_iou / (found.true + found.predicted)
    assert quality == pytest.approx(row["judged"]["panoptic_quality"])


@pytest.mark.parametrize("row", ORACLE["rows"], ids=lambda row: row["seed"])
def test_measures_as_scikit_image_has_them(row):
    labels = pictures(row["seed"])[0]
    found, theirs = morphology.shapes(labels), row["measured"]
    assert found.area.tolist() == theirs["area"]
    np.testing.assert_allclose(found.perimeter, theirs["perimeter"])
    np.testing.assert_allclose(np.stack([found.row, found.column], axis=1), theirs["centre"])
    # They take a point for a dot, we for a square, both in the moments and in the hull: small cells differ most.
    np.testing.assert_allclose(
        found.eccentricity[found.area > 50], np.array(theirs["eccentricity"])[found.area > 50], atol=0.02
    )
    np.testing.assert_allclose(
        found.solidity[found.area > 50], np.array(theirs["solidity"])[found.area > 50], atol=0.06
    )


def test_texture_as_scikit_image_has_it():
    levels = np.random.default_rng(7).integers(0, 16, (40, 40))
    found = morphology.brightness(np.ones((40, 40), dtype=int), levels[None].astype(float))
    assert found.contrast[0] == pytest.approx(ORACLE["texture"]["contrast"])
    assert found.homogeneity[0] == pytest.approx(ORACLE["texture"]["homogeneity"])
    assert found.entropy[0] == pytest.approx(ORACLE["texture"]["entropy"] / np.log(2))  # theirs is in nats


def test_a_drawn_ellipse_has_the_measures_of_the_ellipse():
    labels = ellipses((200, 200), [(100, 100, 60, 30, 0.6)])
    found = morphology.shapes(labels)
    assert found.area[0] == pytest.approx(np.pi * 60 * 30, rel=0.01)
    assert found.perimeter[0] == pytest.approx(290.7, rel=0.02)  # Ramanujan's first formula
    assert (found.major[0], found.minor[0]) == pytest.approx((120, 60), rel=0.01)
    assert found.eccentricity[0] == pytest.approx(np.sqrt(0.75), abs=0.005)
    assert found.solidity[0] > 0.97
