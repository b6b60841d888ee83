"""What the metrics of dense questions (regions, boxes, cells, spans, relations) are called and what they say."""

from polyclinic.delivery.metric_name import MetricName

DENSE: dict[str, MetricName] = {
    # regions
    "dice": MetricName("Dice", "overlap of the drawn and the true region, mean over records; 1 = the same"),
    "iou": MetricName("IoU", "what both share of what either covers, mean over records"),
    "hausdorff_95": MetricName(
        "Hausdorff distance (95%)",
        "how far the outlines lie apart, leaving out the farthest 5%; lower is better",
        -1,
        0.0,
        "unit",
    ),
    "surface_dice": MetricName(
        "Surface Dice", "share of the outlines within one millimetre (or one point) of each other"
    ),
    "outline_missing": MetricName(
        "Regions wholly missed or made up",
        "share of records; for them there is no distance of outlines; lower is better",
        -1,
        0.0,
    ),
    "size_error": MetricName(
        "Error of the size", "mean, in ml where the spacing is known, else in points; lower is better", -1, 0.0, "plain"
    ),
    "size_error_percent": MetricName(
        "Error of the size in per cent", "of the true size; lower is better", -1, 0.0, "plain"
    ),
    "size_bias_percent": MetricName(
        "Bias of the size in per cent", "0 is ideal; above 0 regions are drawn too large", 0, 0.0, "plain"
    ),
    "lesion_sensitivity": MetricName("Lesion sensitivity", "share of the connected true parts that were touched"),
    "false_lesions": MetricName(
        "False lesions per record", "connected parts that touch nothing true; lower is better", -1, 0.0, "plain"
    ),
    "pixel_f1": MetricName("F1 of points", "Dice of all points of all records put together"),
    "pixel_sensitivity": MetricName("Sensitivity of points", "share of the points that belong which were found"),
    "pixel_specificity": MetricName("Specificity of points", "share of the other points that were left alone"),
    "pixel_accuracy": MetricName(
        "Accuracy of points", "share of all points decided rightly; high wherever regions are small"
    ),
    "pixel_auroc": MetricName(
        "AUROC of points", "chance that a point that belongs is ranked above one that does not; 0.5 is a coin"
    ),
    "pixel_auprc": MetricName(
        "AUPRC of points",
        "precision averaged over all sensitivities; the share of points that belong is what chance would give",
    ),
    # boxes
    "map_50": MetricName(
        "mAP at overlap 0.5",
        "area under precision over recall, averaged over classes; a box counts when it overlaps an object by half",
    ),
    "map_10": MetricName(
        "mAP at overlap 0.1", "the same when a tenth is enough, as is usual for small lesions in scans"
    ),
    "map_50_95": MetricName(
        "mAP at overlaps 0.5 to 0.95", "averaged over ever stricter overlaps, as the COCO benchmark does"
    ),
    "average_precision_50": MetricName(
        "Average precision at overlap 0.5", "area under precision over recall of this class"
    ),
    "average_precision_50_95": MetricName(
        "Average precision at overlaps 0.5 to 0.95", "averaged over ever stricter overlaps"
    ),
    "cpm": MetricName(
        "Sensitivity over false boxes (CPM)",
        "share of objects found, averaged over 1/8, 1/4, 1/2, 1, 2, 4 and 8 false boxes per picture (FROC)",
    ),
    "sensitivity_at_1_false": MetricName(
        "Sensitivity at one false box", "share of objects found at the price of one false box per picture"
    ),
    "object_sensitivity": MetricName(
        "Sensitivity for objects", "share of the objects that are found, at the chosen score"
    ),
    "object_precision": MetricName(
        "Precision for objects", "share of the boxes that find an object, at the chosen score"
    ),
    "object_f1": MetricName("F1 for objects", "harmonic mean of these two"),
    "false_boxes": MetricName(
        "False boxes per picture", "at the chosen score, all classes; lower is better", -1, 0.0, "plain"
    ),
    "count_error": MetricName(
        "Error of the count", "objects too many or too few per picture; lower is better", -1, 0.0, "plain"
    ),
    "count_bias": MetricName("Bias of the count", "0 is ideal; above 0 too many are counted", 0, 0.0, "plain"),
    # cells
    "aji": MetricName(
        "AJI",
        "overlap of every true cell with its match; missed and false cells count against it (aggregated Jaccard index)",
    ),
    "aji_plus": MetricName("AJI+", "the same when every predicted cell may match once only"),
    "pq": MetricName("Panoptic quality", "how well cells are found times how well found ones are outlined"),
    "sq": MetricName("Segmentation quality", "mean overlap of the cells that were found"),
    "rq": MetricName("Recognition quality", "F1 of finding cells, by picture"),
    "ap_50": MetricName("Cell precision at overlap 0.5", "found / (found + missed + false), by picture"),
    "ap_75": MetricName("Cell precision at overlap 0.75", "the same when cells must overlap by three quarters"),
    "ap_50_95": MetricName("Cell precision at overlaps 0.5 to 0.95", "averaged over ever stricter overlaps"),
    "ap_50_pooled": MetricName("Cell precision at overlap 0.5, pooled", "over all cells of all pictures together"),
    "f1_50": MetricName("F1 for cells", "harmonic mean of the next two, overlap 0.5"),
    "cell_sensitivity": MetricName("Sensitivity for cells", "share of the true cells that are found"),
    "cell_precision": MetricName("Precision for cells", "share of the predicted cells that are there"),
    "area_error_percent": MetricName(
        "Error of the area in per cent", "of matched cells; lower is better", -1, 0.0, "plain"
    ),
    "area_bias_percent": MetricName(
        "Bias of the area in per cent", "0 is ideal; above 0 cells are drawn too large", 0, 0.0, "plain"
    ),
    "area_correlation": MetricName("Correlation of areas", "true and predicted area of matched cells"),
    "perimeter_correlation": MetricName(
        "Correlation of perimeters", "true and predicted length of the outline of matched cells"
    ),
    "eccentricity_correlation": MetricName(
        "Correlation of eccentricities", "how drawn out matched cells are, true and predicted"
    ),
    "solidity_correlation": MetricName("Correlation of solidities", "how dented matched cells are, true and predicted"),
    # spans and relations
    "entity_f1": MetricName(
        "F1, exact", "harmonic mean of precision and recall; a span counts when its label and both ends are right"
    ),
    "entity_precision": MetricName("Precision, exact", "share of the found spans that are right"),
    "entity_recall": MetricName("Recall, exact", "share of the true spans that are found"),
    "partial_f1": MetricName("F1, partial", "the same when it is enough that spans of one label touch"),
    "recall_seen": MetricName("Recall of wording seen before", "of mentions that also stand in the training texts"),
    "recall_unseen": MetricName(
        "Recall of new wording", "of mentions that stand in no training text: what is found beyond memory"
    ),
    "assertion_accuracy": MetricName(
        "Accuracy of what is said of it", "share of found spans of which the assertion (such as negated) is right"
    ),
    "micro_f1": MetricName("Micro F1", "F1 of all types put together"),
    "micro_precision": MetricName("Micro precision", "share of the answered relations that are right"),
    "micro_recall": MetricName("Micro recall", "share of the true relations that are found"),
    "macro_f1_with_none": MetricName("Macro F1, none included", 'macro F1 with "none" as a type of its own'),
    "pair_accuracy": MetricName("Accuracy of pairs", "share of all pairs decided rightly, unrelated ones included"),
}
