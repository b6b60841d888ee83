"""Average precision against pycocotools. The boxes, its figures and the script that made them lie beside this file."""

import json
from pathlib import Path

import numpy as np
import pytest

from polyclinic.evidence.metrics import detection

HERE = Path(__file__).parent
LEVELS = np.arange(50, 100, 5) / 100


@pytest.fixture(scope="module")
def oracle():
    return json.loads((HERE / "detection_oracle.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def matched(oracle):
    truth, predicted = np.array(oracle["truth"]), np.array(oracle["predicted"])
    pictures = int(truth[:, 0].max()) + 1
    parts = [(predicted[predicted[:, 0] == p, 1:], truth[truth[:, 0] == p, 1:]) for p in range(pictures)]
    boxes = np.concatenate([p for p, _ in parts])
    hits = np.concatenate([detection.match(p, t, LEVELS) for p, t in parts])
    owner = np.repeat(np.arange(pictures), [len(p) for p, _ in parts])
    objects = np.array([[(t[:, 0] == k).sum() for k in range(3)] for _, t in parts], dtype=float)
    return boxes, hits, owner, objects


@pytest.mark.parametrize("level", range(len(LEVELS)))
@pytest.mark.parametrize("klass", range(3))
def test_coco(oracle, matched, level, klass):
    boxes, hits, owner, objects = matched
    mine = boxes[:, 1] == klass
    ranking = detection.rank(boxes[mine, 0], hits[mine, level], owner[mine], objects[:, klass])
    found = detection.average_precision(ranking, points=101)[0]
    assert found == pytest.approx(oracle["average_precision"][level][klass], abs=1e-9)
    assert hits[mine, level].sum() / objects[:, klass].sum() == pytest.approx(oracle["recall"][level][klass], abs=1e-12)
