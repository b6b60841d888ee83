"""What the metrics of dense questions (regions, boxes, cells, spans, relations) are called and what they say."""

from polyclinic.delivery.metric_name import MetricName

DENSE: dict[str, MetricName] = {
    # regions
    "dice": MetricName(
        "Dice",
        "overlap of the drawn and the true region, mean over records; 1 = the same",
        "Dice 系数",
        "所画区域与真实区域的重叠，各记录的平均；1 为完全一致",
    ),
    "iou": MetricName(
        "IoU",
        "what both share of what either covers, mean over records",
        "交并比",
        "两者共有部分占合并部分的比例，各记录的平均",
    ),
    "hausdorff_95": MetricName(
        "Hausdorff distance (95%)",
        "how far the outlines lie apart, leaving out the farthest 5%; lower is better",
        "Hausdorff 距离（95%）",
        "两条轮廓相距多远（不计最远的 5%）；越低越好",
        -1,
        0.0,
        "unit",
    ),
    "surface_dice": MetricName(
        "Surface Dice",
        "share of the outlines within one millimetre (or one point) of each other",
        "表面 Dice",
        "相距不超过 1 毫米（或 1 个像素）的轮廓比例",
    ),
    "outline_missing": MetricName(
        "Regions wholly missed or made up",
        "share of records; for them there is no distance of outlines; lower is better",
        "整体漏画或虚构的区域",
        "占记录的比例；此时没有轮廓距离；越低越好",
        -1,
        0.0,
    ),
    "size_error": MetricName(
        "Error of the size",
        "mean, in ml where the spacing is known, else in points; lower is better",
        "大小误差",
        "平均值；已知间距时以毫升计，否则以像素计；越低越好",
        -1,
        0.0,
        "plain",
    ),
    "size_error_percent": MetricName(
        "Error of the size in per cent",
        "of the true size; lower is better",
        "大小误差（百分比）",
        "相对真实大小；越低越好",
        -1,
        0.0,
        "plain",
    ),
    "size_bias_percent": MetricName(
        "Bias of the size in per cent",
        "0 is ideal; above 0 regions are drawn too large",
        "大小偏差（百分比）",
        "理想值为 0；大于 0 表示区域画得过大",
        0,
        0.0,
        "plain",
    ),
    "lesion_sensitivity": MetricName(
        "Lesion sensitivity",
        "share of the connected true parts that were touched",
        "病灶灵敏度",
        "被触及的真实连通部分的比例",
    ),
    "false_lesions": MetricName(
        "False lesions per record",
        "connected parts that touch nothing true; lower is better",
        "每份记录的假病灶数",
        "未触及任何真实部分的连通部分；越低越好",
        -1,
        0.0,
        "plain",
    ),
    "pixel_f1": MetricName(
        "F1 of points", "Dice of all points of all records put together", "像素 F1", "将全部记录的像素合并计算的 Dice"
    ),
    "pixel_sensitivity": MetricName(
        "Sensitivity of points",
        "share of the points that belong which were found",
        "像素灵敏度",
        "属于区域的像素中被找到的比例",
    ),
    "pixel_specificity": MetricName(
        "Specificity of points",
        "share of the other points that were left alone",
        "像素特异度",
        "其余像素中未被误标的比例",
    ),
    "pixel_accuracy": MetricName(
        "Accuracy of points",
        "share of all points decided rightly; high wherever regions are small",
        "像素准确率",
        "判断正确的像素比例；区域很小时总是偏高",
    ),
    "pixel_auroc": MetricName(
        "AUROC of points",
        "chance that a point that belongs is ranked above one that does not; 0.5 is a coin",
        "像素 AUROC",
        "属于区域的像素得分高于其他像素的概率；0.5 等于抛硬币",
    ),
    "pixel_auprc": MetricName(
        "AUPRC of points",
        "precision averaged over all sensitivities; the share of points that belong is what chance would give",
        "像素 AUPRC",
        "各灵敏度下精确率的平均；随机水平等于属于区域的像素比例",
    ),
    # boxes
    "map_50": MetricName(
        "mAP at overlap 0.5",
        "area under precision over recall, averaged over classes; a box counts when it overlaps an object by half",
        "mAP（重叠 0.5）",
        "精确率-召回率曲线下面积，按类别平均；框与目标重叠达一半才算找到",
    ),
    "map_10": MetricName(
        "mAP at overlap 0.1",
        "the same when a tenth is enough, as is usual for small lesions in scans",
        "mAP（重叠 0.1）",
        "同上，重叠达十分之一即可，常用于扫描中的小病灶",
    ),
    "map_50_95": MetricName(
        "mAP at overlaps 0.5 to 0.95",
        "averaged over ever stricter overlaps, as the COCO benchmark does",
        "mAP（重叠 0.5 至 0.95）",
        "对逐步严格的重叠要求取平均，与 COCO 基准一致",
    ),
    "average_precision_50": MetricName(
        "Average precision at overlap 0.5",
        "area under precision over recall of this class",
        "平均精确率（重叠 0.5）",
        "该类别的精确率-召回率曲线下面积",
    ),
    "average_precision_50_95": MetricName(
        "Average precision at overlaps 0.5 to 0.95",
        "averaged over ever stricter overlaps",
        "平均精确率（重叠 0.5 至 0.95）",
        "对逐步严格的重叠要求取平均",
    ),
    "cpm": MetricName(
        "Sensitivity over false boxes (CPM)",
        "share of objects found, averaged over 1/8, 1/4, 1/2, 1, 2, 4 and 8 false boxes per picture (FROC)",
        "FROC 平均灵敏度（CPM）",
        "每图误报 1/8、1/4、1/2、1、2、4、8 个框时检出比例的平均（FROC）",
    ),
    "sensitivity_at_1_false": MetricName(
        "Sensitivity at one false box",
        "share of objects found at the price of one false box per picture",
        "每图 1 个误报时的灵敏度",
        "以每图 1 个误报为代价时检出的比例",
    ),
    "object_sensitivity": MetricName(
        "Sensitivity for objects",
        "share of the objects that are found, at the chosen score",
        "目标灵敏度",
        "在选定分数下检出的目标比例",
    ),
    "object_precision": MetricName(
        "Precision for objects",
        "share of the boxes that find an object, at the chosen score",
        "目标精确率",
        "在选定分数下确有目标的框的比例",
    ),
    "object_f1": MetricName("F1 for objects", "harmonic mean of these two", "目标 F1", "以上两者的调和平均"),
    "false_boxes": MetricName(
        "False boxes per picture",
        "at the chosen score, all classes; lower is better",
        "每图误报框数",
        "在选定分数下，含全部类别；越低越好",
        -1,
        0.0,
        "plain",
    ),
    "count_error": MetricName(
        "Error of the count",
        "objects too many or too few per picture; lower is better",
        "计数误差",
        "每图多数或少数的目标数；越低越好",
        -1,
        0.0,
        "plain",
    ),
    "count_bias": MetricName(
        "Bias of the count",
        "0 is ideal; above 0 too many are counted",
        "计数偏差",
        "理想值为 0；大于 0 表示数得过多",
        0,
        0.0,
        "plain",
    ),
    # cells
    "aji": MetricName(
        "AJI",
        "overlap of every true cell with its match; missed and false cells count against it (aggregated Jaccard index)",
        "AJI",
        "各真实细胞与其匹配者的重叠，漏检和误检均扣分（聚合 Jaccard 指数）",
    ),
    "aji_plus": MetricName(
        "AJI+", "the same when every predicted cell may match once only", "AJI+", "同上，每个预测细胞只能匹配一次"
    ),
    "pq": MetricName(
        "Panoptic quality",
        "how well cells are found times how well found ones are outlined",
        "全景质量",
        "检出质量与轮廓质量之积",
    ),
    "sq": MetricName(
        "Segmentation quality", "mean overlap of the cells that were found", "分割质量", "被检出细胞的平均重叠"
    ),
    "rq": MetricName("Recognition quality", "F1 of finding cells, by picture", "识别质量", "按图计算的细胞检出 F1"),
    "ap_50": MetricName(
        "Cell precision at overlap 0.5",
        "found / (found + missed + false), by picture",
        "细胞精确率（重叠 0.5）",
        "检出数 /（检出 + 漏检 + 误检），按图计算",
    ),
    "ap_75": MetricName(
        "Cell precision at overlap 0.75",
        "the same when cells must overlap by three quarters",
        "细胞精确率（重叠 0.75）",
        "同上，重叠须达四分之三",
    ),
    "ap_50_95": MetricName(
        "Cell precision at overlaps 0.5 to 0.95",
        "averaged over ever stricter overlaps",
        "细胞精确率（重叠 0.5 至 0.95）",
        "对逐步严格的重叠要求取平均",
    ),
    "ap_50_pooled": MetricName(
        "Cell precision at overlap 0.5, pooled",
        "over all cells of all pictures together",
        "细胞精确率（重叠 0.5，合并）",
        "将全部图片的细胞合并计算",
    ),
    "f1_50": MetricName(
        "F1 for cells", "harmonic mean of the next two, overlap 0.5", "细胞 F1", "以下两者的调和平均（重叠 0.5）"
    ),
    "cell_sensitivity": MetricName(
        "Sensitivity for cells", "share of the true cells that are found", "细胞灵敏度", "真实细胞中被检出的比例"
    ),
    "cell_precision": MetricName(
        "Precision for cells", "share of the predicted cells that are there", "细胞精确率", "预测细胞中确实存在的比例"
    ),
    "area_error_percent": MetricName(
        "Error of the area in per cent",
        "of matched cells; lower is better",
        "面积误差（百分比）",
        "匹配的细胞；越低越好",
        -1,
        0.0,
        "plain",
    ),
    "area_bias_percent": MetricName(
        "Bias of the area in per cent",
        "0 is ideal; above 0 cells are drawn too large",
        "面积偏差（百分比）",
        "理想值为 0；大于 0 表示细胞画得过大",
        0,
        0.0,
        "plain",
    ),
    "area_correlation": MetricName(
        "Correlation of areas", "true and predicted area of matched cells", "面积相关", "匹配细胞的真实与预测面积的相关"
    ),
    "perimeter_correlation": MetricName(
        "Correlation of perimeters",
        "true and predicted length of the outline of matched cells",
        "周长相关",
        "匹配细胞的真实与预测周长的相关",
    ),
    "eccentricity_correlation": MetricName(
        "Correlation of eccentricities",
        "how drawn out matched cells are, true and predicted",
        "偏心率相关",
        "匹配细胞的真实与预测偏心率的相关",
    ),
    "solidity_correlation": MetricName(
        "Correlation of solidities",
        "how dented matched cells are, true and predicted",
        "实心度相关",
        "匹配细胞的真实与预测实心度的相关",
    ),
    # spans and relations
    "entity_f1": MetricName(
        "F1, exact",
        "harmonic mean of precision and recall; a span counts when its label and both ends are right",
        "F1（精确匹配）",
        "精确率与召回率的调和平均；标签与两端均正确才算",
    ),
    "entity_precision": MetricName(
        "Precision, exact", "share of the found spans that are right", "精确率（精确匹配）", "找到的片段中正确的比例"
    ),
    "entity_recall": MetricName(
        "Recall, exact", "share of the true spans that are found", "召回率（精确匹配）", "真实片段中被找到的比例"
    ),
    "partial_f1": MetricName(
        "F1, partial",
        "the same when it is enough that spans of one label touch",
        "F1（部分匹配）",
        "同上，同一标签的片段有重叠即可",
    ),
    "recall_seen": MetricName(
        "Recall of wording seen before",
        "of mentions that also stand in the training texts",
        "已见说法的召回率",
        "训练文本中也出现过的说法",
    ),
    "recall_unseen": MetricName(
        "Recall of new wording",
        "of mentions that stand in no training text: what is found beyond memory",
        "新说法的召回率",
        "训练文本中从未出现的说法：记忆之外的发现能力",
    ),
    "assertion_accuracy": MetricName(
        "Accuracy of what is said of it",
        "share of found spans of which the assertion (such as negated) is right",
        "断言准确率",
        "找到的片段中断言（如否定）判断正确的比例",
    ),
    "micro_f1": MetricName("Micro F1", "F1 of all types put together", "微平均 F1", "合并全部类型的 F1"),
    "micro_precision": MetricName(
        "Micro precision", "share of the answered relations that are right", "微平均精确率", "给出的关系中正确的比例"
    ),
    "micro_recall": MetricName(
        "Micro recall", "share of the true relations that are found", "微平均召回率", "真实关系中被找到的比例"
    ),
    "macro_f1_with_none": MetricName(
        "Macro F1, none included",
        'macro F1 with "none" as a type of its own',
        "宏平均 F1（含无关系）",
        "将“无关系”也作为一类的宏平均 F1",
    ),
    "pair_accuracy": MetricName(
        "Accuracy of pairs",
        "share of all pairs decided rightly, unrelated ones included",
        "配对准确率",
        "全部配对（含无关系者）中判断正确的比例",
    ),
}
