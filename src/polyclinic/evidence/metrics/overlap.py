"""How well a predicted region covers the true one, record by record.

Where a region is neither there nor predicted, the answer is right: Dice, IoU and surface Dice are 1, distances and
errors 0. Where it is there or predicted but not both, Dice, IoU and surface Dice are 0; a distance cannot be had (NaN),
and neither can the error in per cent where nothing is there. Such records are counted.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from polyclinic.evidence.metrics import lesions
from polyclinic.evidence.metrics.surface import compare, hausdorff_95, surface_dice

Mask = Bool[np.ndarray, "*grid"]


@dataclass(frozen=True)
class Overlap:
    """One region of one record, judged.

    Attributes:
        both: Points predicted and true.
        predicted: Points predicted.
        true: Points that are true.
        outside: Points neither predicted nor true.
        dice: Overlap, 1 is perfect.
        iou: Intersection over union, 1 is perfect.
        hausdorff_95: Distance of the outlines in the unit of the spacing, 0 is perfect; NaN where one is empty.
        surface_dice: Share of the outlines within the tolerance, 1 is perfect.
        size_error: Predicted minus true size, in the unit of the spacing to the power of the dimensions.
        size_error_percent: The same in per cent of the true size; NaN where nothing is there but something predicted.
        lesions: True lesions.
        lesions_found: Those that the prediction touches.
        lesions_false: Predicted parts that touch none.
    """

    both: float
    predicted: float
    true: float
    outside: float
    dice: float
    iou: float
    hausdorff_95: float
    surface_dice: float
    size_error: float
    size_error_percent: float
    lesions: float
    lesions_found: float
    lesions_false: float


def judge_region(predicted: Mask, truth: Mask, spacing: tuple[float, ...], tolerance: float) -> Overlap:
    """Every figure of one region in one record.

    Args:
        predicted: Points that are said to belong.
        truth: Points that do.
        spacing: Length of one step along each axis.
        tolerance: How far outlines may lie apart and still count as the same, in the unit of the spacing.
    """
    both, ours, theirs = (float(np.count_nonzero(mask)) for mask in (predicted & truth, predicted, truth))
    surfaces = compare(predicted, truth, spacing)
    same = ours == theirs == 0
    point = float(np.prod(spacing))
    found = lesions.count(predicted, truth)
    return Overlap(
        both=both,
        predicted=ours,
        true=theirs,
        outside=truth.size - ours - theirs + both,
        dice=1.0 if same else 2 * both / (ours + theirs),
        iou=1.0 if same else both / (ours + theirs - both),
        hausdorff_95=hausdorff_95(surfaces) if surfaces else (0.0 if same else np.nan),
        surface_dice=surface_dice(surfaces, tolerance) if surfaces else float(same),
        size_error=(ours - theirs) * point,
        size_error_percent=100 * (ours - theirs) / theirs if theirs else (0.0 if same else np.nan),
        lesions=float(found.true),
        lesions_found=float(found.found),
        lesions_false=float(found.false),
    )
