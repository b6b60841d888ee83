"""What a plain program says of cells: Otsu's threshold, then a watershed on the distance from the background.

Source: Otsu N. IEEE Transactions on Systems, Man, and Cybernetics 1979;9:62-66; distance and watershed as in Malpica N
et al. Cytometry 1997;28:289-297.
"""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import ndimage

from polyclinic.baselines.questions.base import Answers, DenseSort, PlainDense, PlainQuestion
from polyclinic.decoding.watershed import LARGER, flood, tidy
from polyclinic.evidence.metrics import instances
from polyclinic.formats.packed import pack, unpack
from polyclinic.geometry import to_file
from polyclinic.heads.cells import FoundCells
from polyclinic.layers.objects.cell_maps import spacing_um

_BINS = 256  # of the histogram: as many as a picture of 8 bits has values
_BLURS = (1.0, 0.0, 2.0)  # in points; round numbers
_APART = (5, 3, 8, 12, 18)  # points between two middles; round numbers
_LEARNING_PICTURES = 40  # spread evenly; a round number


@dataclass(frozen=True)
class CellRecipe:
    """What is chosen on training rows, by panoptic quality; of equals the first that was tried.

    Attributes:
        blur: Standard deviation of the smoothing before the threshold, in points.
        apart: Least distance of two middles, in points.
        smallest: Points of the smallest cell.
    """

    blur: float = _BLURS[0]
    apart: int = _APART[0]
    smallest: float = 0.0


def draw_cells(grey: Float[np.ndarray, "row column"], recipe: CellRecipe) -> Int[np.ndarray, "row column"]:
    """Cells of one picture. Whether they are bright or dark is not asked: they are the smaller part of it."""
    smooth = ndimage.gaussian_filter(grey, recipe.blur) if recipe.blur else grey
    inside = smooth > otsu(smooth)
    inside = ~inside if inside.mean() > 0.5 else inside
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(inside), 1.0) * inside
    return tidy(
        flood(depth / max(float(depth.max()), 1e-9), _peaks(depth, inside, recipe.apart), inside), recipe.smallest
    )


def otsu(grey: Float[np.ndarray, "row column"]) -> float:
    """The level that divides the points into two classes that differ most."""
    counts, edges = np.histogram(grey, _BINS)
    middle = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    total = np.cumsum(counts * middle)
    low = total / np.maximum(below, 1)
    high = (total[-1] - total) / np.maximum(above, 1)
    between = below.astype(np.float64) * above * (low - high) ** 2
    return float(edges[1 + int(np.argmax(between))])


def _peaks(
    depth: Float[np.ndarray, "row column"], inside: Bool[np.ndarray, "row column"], apart: int
) -> Int[np.ndarray, "row column"]:
    """Points that are the deepest within ``apart``; such points side by side are one seed."""
    rows, columns = np.indices((2 * apart + 1, 2 * apart + 1)) - apart
    around = rows**2 + columns**2 <= apart**2
    top = (depth == ndimage.maximum_filter(depth, footprint=around)) & inside
    return np.asarray(ndimage.label(top, np.ones((3, 3)))[0], dtype=np.int64)


def fit_otsu(question: PlainQuestion) -> Answers | None:
    """Choose smoothing, distance and smallest cell on training rows; None where none of them has cells."""
    rows = [int(row) for row in question.rows.train.index if question.truth.maps[int(row)].size]
    if not rows:
        return None
    rows = [rows[k] for k in np.unique(np.linspace(0, len(rows) - 1, _LEARNING_PICTURES).round().astype(int))]
    # The smallest cell in points of the network's grid, from that in points of the file.
    turn = question.lattice(rows[0]).to_source[:, :-1]
    recipe = CellRecipe(smallest=float(question.head.plan.smallest / abs(np.linalg.det(turn))))
    areas = [recipe.smallest * larger for larger in LARGER] if question.head.options.min_area == "auto" else []
    recipe = _best([replace(recipe, blur=blur) for blur in _BLURS], question, rows)
    recipe = _best([replace(recipe, apart=apart) for apart in _APART], question, rows)
    recipe = _best([replace(recipe, smallest=area) for area in areas] or [recipe], question, rows)

    def answer(row: int) -> FoundCells:
        spacing = spacing_um(question.lattice(row), question.head.options.pixel_um)
        return FoundCells(pack(_in_file(question, row, recipe)), spacing)

    return answer


def _in_file(question: PlainQuestion, row: int, recipe: CellRecipe) -> Int[np.ndarray, "row column"]:
    labels = draw_cells(question.values(row).mean(axis=0), recipe)
    return to_file(labels, question.lattice(row), order=0)


def _best(offered: list[CellRecipe], question: PlainQuestion, rows: list[int]) -> CellRecipe:
    """That of the highest mean panoptic quality."""

    def quality(recipe: CellRecipe) -> float:
        true = question.truth.cells
        judged = [instances.judge(unpack(true[row]), _in_file(question, row, recipe))[0] for row in rows]
        return float(np.mean([np.nan_to_num(one.quality) for one in judged]))

    return max(offered, key=quality)


@final
class PlainCells(PlainDense):
    """Plain models of kind "cells"."""

    offered = (DenseSort("Otsu and watershed", fit_otsu),)
