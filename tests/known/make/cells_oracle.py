"""Writes cells_oracle.json: what stardist 0.9.2 and scikit-image 0.26.0 say about drawn cells.

Run in an environment that has both: ``python tests/known/make/cells_oracle.py``.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE.parent))

from skimage.feature import graycomatrix, graycoprops  # noqa: E402
from skimage.measure import regionprops  # noqa: E402
from stardist.matching import matching  # noqa: E402

from known.drawn_cells import pictures  # noqa: E402

SEEDS = (1, 2, 3, 4)


def judged(truth, predicted):
    """Matches at every overlap; panoptic quality at a half."""
    found = {}
    for level in np.arange(50, 100, 5) / 100:
        match = matching(truth, predicted, thresh=level + 1e-5)  # ours must exceed the level, theirs may equal it
        found[f"{level:.2f}"] = [float(v) for v in (match.tp, match.fp, match.fn, match.accuracy, match.f1)]
    half = matching(truth, predicted, thresh=0.5)
    return {"levels": found, "panoptic_quality": float(half.panoptic_quality), "seg": float(half.mean_matched_score)}


def measured(truth):
    """Size and outline of every cell; the texture of one picture as a whole."""
    regions = regionprops(truth)
    return {
        "area": [float(r.area) for r in regions],
        "perimeter": [float(r.perimeter_crofton) for r in regions],
        "eccentricity": [float(r.eccentricity) for r in regions],
        "solidity": [float(r.solidity) for r in regions],
        "centre": [list(map(float, r.centroid)) for r in regions],
    }


def texture(seed):
    """Of a square of noise in 16 levels, the pairs of all four directions together."""
    levels = np.random.default_rng(seed).integers(0, 16, (40, 40)).astype(np.uint8)
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    matrix = graycomatrix(levels, [1], angles, levels=16, symmetric=True).sum(axis=3, keepdims=True)
    return {
        name: float(graycoprops(matrix / matrix.sum(), name)[0, 0]) for name in ("contrast", "homogeneity", "entropy")
    }


if __name__ == "__main__":
    rows = []
    for seed in SEEDS:
        truth, predicted = pictures(seed)
        rows.append({"seed": seed, "judged": judged(truth, predicted), "measured": measured(truth)})
    (HERE / "cells_oracle.json").write_text(json.dumps({"rows": rows, "texture": texture(7)}, indent=1) + "\n")
