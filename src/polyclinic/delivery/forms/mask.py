"""Regions, for new patients: their sizes, and masks in the geometry and format of the source."""

import re

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.answers.mask import MaskAnswer
from polyclinic.delivery.figures.chances import ClassWords
from polyclinic.delivery.figures.counted import covered
from polyclinic.delivery.forms.base import AnswerFiles, AnswerLimits, Column, Columns, Delivery
from polyclinic.delivery.markup import Element
from polyclinic.delivery.mask_file import write_like
from polyclinic.delivery.number_columns import counts, with_interval
from polyclinic.errors import ReadError
from polyclinic.evidence.conformal import half_width
from polyclinic.evidence.records import TargetEvidence
from polyclinic.formats.packed import unpack
from polyclinic.translations.phrase import Phrase

_MM3_IN_ML = 1000.0


class MaskDelivery(Delivery):
    """Delivers a ``MaskAnswer``."""

    class_words = ClassWords(
        heading=Phrase("By region"),
        name=Phrase("Region"),
        roc=Phrase("ROC curve by region"),
        precision_recall=Phrase("Precision-recall curve by region"),
        reading=Phrase("One line per region: the points of all records together."),
    )
    class_metrics = (
        "dice",
        "iou",
        "hausdorff_95",
        "surface_dice",
        "size_error_percent",
        "lesion_sensitivity",
        "pixel_auroc",
    )
    record_metric = "dice"

    def columns(self, answer: MaskAnswer, limits: AnswerLimits) -> Columns:
        """Points of each region, and its volume or area with an interval where the spacing is known."""
        points = _points(answer, answer.probability)
        word, unit, scale = _size(answer)
        tune, step = limits.tune, np.prod(answer.spacing, axis=1) / scale
        tune_step = np.prod(tune.spacing, axis=1) / scale
        tune_points, true_points = _points(tune, tune.probability), _points(tune, tune.truth)
        columns: dict[str, Column] = {}
        for k, name in enumerate(answer.regions):
            columns[f"points_{name}"] = counts(points[:, k])
            if np.isfinite(step).any():
                half = half_width(tune_points[:, k] * tune_step, true_points[:, k] * tune_step, limits.confidence)
                columns |= with_interval(f"{word}_{name}_{unit}", points[:, k] * step, half)
        return columns

    def first(self, target: TargetEvidence) -> Element:
        """How much of the true regions is covered, and how many connected parts are touched or made up."""
        return covered(target) or super().first(target)

    def files(self, answer: MaskAnswer, position: int, files: AnswerFiles) -> tuple[str, ...]:
        """One mask; where regions overlap and the format cannot say so, one for each region."""
        if not answer.probability[position] or not unpack(answer.probability[position]).size:
            return ()
        layers = answer.decided(position).astype(np.uint8)
        source = None if layers.ndim == 3 else files.source
        if layers.ndim > 3 and source is None:
            return ()
        whole = layers[0] if len(layers) == 1 else layers
        try:
            return (write_like(whole, source, files.path(""), answer.regions),)
        except ReadError as refusal:
            if refusal.findings[0].name == "empty_mask":  # a segmentation object holds something; sizes of 0 tell it
                return ()
            if refusal.findings[0].name != "overlapping_regions":
                raise
        words = [re.sub(r"[^\w-]+", "-", region) for region in answer.regions]
        regions = zip(words, answer.regions, layers, strict=True)
        return tuple(write_like(layer, source, files.path(f"-{word}"), (region,)) for word, region, layer in regions)


def _points(answer: MaskAnswer, packed: Shaped[np.ndarray, " sample"]) -> Float[np.ndarray, "sample region"]:
    """Points of each region in each record, NaN where nothing is known of it."""
    found = np.full((len(answer), len(answer.regions)), np.nan)
    for position, content in enumerate(packed):
        grid = unpack(content) if content else np.zeros(0)
        if grid.size and packed is answer.truth:
            found[position] = [np.count_nonzero(region) for region in grid]
        elif grid.size:
            found[position] = [np.count_nonzero(region) for region in answer.decided(position)]
    return found


def _size(answer: MaskAnswer) -> tuple[str, str, float]:
    """What the size of a region is called, its unit, and how many cubed or squared steps make one."""
    dim = answer.spacing.shape[1]
    if dim == 3:
        return ("volume", "ml", _MM3_IN_ML) if answer.unit == "mm" else ("volume", f"{answer.unit}3", 1.0)
    return "area", f"{answer.unit}{dim}", 1.0
