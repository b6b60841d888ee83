"""Makes ``detection_oracle.json``: invented boxes, and what pycocotools says about them.

Run in an environment of its own: ``pip install pycocotools==2.0.11 numpy``, then ``python detection_oracle.py``.
"""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

PICTURES, CLASSES = 25, 3


def invent(rng):
    """True boxes, and predicted ones near them or anywhere, with scores that know something of it."""
    truth, predicted = [], []
    for picture in range(PICTURES):
        for _ in range(rng.integers(0, 9)):
            low, extent, klass = rng.uniform(0, 80, 2), rng.uniform(8, 25, 2), int(rng.integers(CLASSES))
            truth.append([picture, klass, *np.round([*low, *(low + extent)], 3).tolist()])
            for _ in range(rng.integers(0, 3)):
                moved = np.concatenate([low, low + extent]) + rng.normal(0, 2.0, 4)
                told = klass if rng.random() < 0.85 else int(rng.integers(CLASSES))
                predicted.append([picture, float(np.round(rng.beta(4, 2), 6)), told, *np.round(moved, 3).tolist()])
        for _ in range(rng.integers(0, 4)):
            low, extent = rng.uniform(0, 80, 2), rng.uniform(5, 25, 2)
            score, klass = float(np.round(rng.beta(2, 3), 6)), int(rng.integers(CLASSES))
            predicted.append([picture, score, klass, *np.round([*low, *(low + extent)], 3).tolist()])
    return truth, predicted


def ask(truth, predicted):
    """Average precision "overlap class" of COCO, areas and numbers of boxes unlimited."""
    annotations = [
        {"id": n + 1, "image_id": p, "category_id": k, "bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": 0,
         "area": (x1 - x0) * (y1 - y0)}
        for n, (p, k, y0, x0, y1, x1) in enumerate(truth)
    ]  # fmt: skip
    results = [
        {"image_id": p, "category_id": k, "bbox": [x0, y0, x1 - x0, y1 - y0], "score": s}
        for p, s, k, y0, x0, y1, x1 in predicted
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": p} for p in range(PICTURES)],
            "categories": [{"id": k} for k in range(CLASSES)],
            "annotations": annotations,
            "info": {},
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(results), "bbox")
        judge.params.maxDets = [1000]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][:, :, :, 0, 0]  # overlap, recall, class
    return precision.mean(axis=1).tolist(), judge.eval["recall"][:, :, 0, 0].tolist()


if __name__ == "__main__":
    truth, predicted = invent(np.random.default_rng(5))
    precision, recall = ask(truth, predicted)
    oracle = {"truth": truth, "predicted": predicted, "average_precision": precision, "recall": recall}
    (Path(__file__).parent.parent / "detection_oracle.json").write_text(json.dumps(oracle) + "\n", encoding="utf-8")
