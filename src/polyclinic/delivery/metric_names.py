"""What each metric is called and what it says, in a clinician's words, in both languages."""

from polyclinic.delivery.metric_name import MetricName
from polyclinic.delivery.metric_names_dense import DENSE

METRICS: dict[str, MetricName] = DENSE | {
    "auroc": MetricName(
        "AUROC",
        "chance that a patient with the outcome is ranked above one without; 0.5 is a coin",
        "AUROC",
        "随机一名阳性患者的得分高于随机一名阴性患者的概率；0.5 等于抛硬币",
    ),
    "auprc": MetricName(
        "AUPRC",
        "precision averaged over all sensitivities; the prevalence is what chance would give",
        "AUPRC",
        "各灵敏度下精确率的平均；随机水平等于患病率",
    ),
    "brier_score": MetricName(
        "Brier score",
        "mean squared error of the probability; lower is better",
        "Brier 评分",
        "预测概率的均方误差；越低越好",
        -1,
        0.0,
    ),
    "log_loss": MetricName(
        "Log loss",
        "penalty for confident mistakes; lower is better",
        "对数损失",
        "对自信的错误的惩罚；越低越好",
        -1,
        0.0,
        "plain",
    ),
    "accuracy": MetricName("Accuracy", "share of right answers", "准确率", "回答正确的比例"),
    "accuracy_at_half": MetricName(
        "Accuracy at 0.5",
        "share of right answers when 0.5 is the threshold",
        "阈值 0.5 的准确率",
        "以 0.5 为阈值时回答正确的比例",
    ),
    "balanced_accuracy": MetricName(
        "Balanced accuracy", "mean of the shares right in each class", "平衡准确率", "各类别正确率的平均"
    ),
    "sensitivity": MetricName(
        "Sensitivity", "share of those with the outcome that are found", "灵敏度", "有结局者中被检出的比例"
    ),
    "specificity": MetricName(
        "Specificity", "share of those without the outcome that are cleared", "特异度", "无结局者中被正确排除的比例"
    ),
    "ppv": MetricName(
        "PPV",
        "share of the flagged that have the outcome (positive predictive value)",
        "阳性预测值",
        "被标为阳性者中确有结局的比例",
    ),
    "npv": MetricName(
        "NPV",
        "share of the cleared that do not have the outcome (negative predictive value)",
        "阴性预测值",
        "被标为阴性者中确无结局的比例",
    ),
    "f1": MetricName("F1", "harmonic mean of sensitivity and PPV", "F1", "灵敏度与阳性预测值的调和平均"),
    "calibration_slope": MetricName(
        "Calibration slope",
        "1 is ideal; below 1 the predictions are too extreme",
        "校准斜率",
        "理想值为 1；小于 1 表示预测过于极端",
        0,
        1.0,
        "plain",
    ),
    "calibration_intercept": MetricName(
        "Calibration intercept",
        "0 is ideal; above 0 the predictions are too low on the whole",
        "校准截距",
        "理想值为 0；大于 0 表示预测总体偏低",
        0,
        0.0,
        "plain",
    ),
    "expected_calibration_error": MetricName(
        "Expected calibration error",
        "mean gap between predicted and observed share; lower is better",
        "期望校准误差",
        "预测概率与实际比例的平均差距；越低越好",
        -1,
        0.0,
    ),
    "macro_auroc": MetricName("Macro AUROC", "AUROC of each class, averaged", "宏平均 AUROC", "各类别 AUROC 的平均"),
    "macro_auprc": MetricName("Macro AUPRC", "AUPRC of each class, averaged", "宏平均 AUPRC", "各类别 AUPRC 的平均"),
    "macro_f1": MetricName("Macro F1", "F1 of each class, averaged", "宏平均 F1", "各类别 F1 的平均"),
    "macro_sensitivity": MetricName(
        "Macro sensitivity", "sensitivity of each class, averaged", "宏平均灵敏度", "各类别灵敏度的平均"
    ),
    "macro_specificity": MetricName(
        "Macro specificity", "specificity of each class, averaged", "宏平均特异度", "各类别特异度的平均"
    ),
    "macro_brier_score": MetricName(
        "Macro Brier score",
        "Brier score of each label, averaged; lower is better",
        "宏平均 Brier 评分",
        "各标签 Brier 评分的平均；越低越好",
        -1,
        0.0,
    ),
    "micro_auroc": MetricName("Micro AUROC", "AUROC over all labels pooled", "微平均 AUROC", "合并全部标签的 AUROC"),
    "rmse": MetricName(
        "RMSE",
        "typical size of the error, large errors counting more; lower is better",
        "均方根误差",
        "误差的典型大小，大误差权重更高；越低越好",
        -1,
        0.0,
        "unit",
    ),
    "mae": MetricName(
        "MAE", "mean size of the error; lower is better", "平均绝对误差", "误差的平均大小；越低越好", -1, 0.0, "unit"
    ),
    "r2": MetricName("R²", "share of the variance that is explained", "R²", "被解释的方差比例"),
    "spearman": MetricName(
        "Spearman", "rank correlation of predicted and measured", "Spearman 相关", "预测值与实测值的秩相关"
    ),
    "concordance_index": MetricName(
        "Concordance (Harrell)",
        "chance that of two patients the one with the earlier event had the higher risk; 0.5 is a coin",
        "一致性指数（Harrell）",
        "两名患者中事件较早者风险更高的概率；0.5 等于抛硬币",
    ),
    "uno_concordance": MetricName(
        "Concordance (Uno)",
        "the same, corrected for censoring",
        "一致性指数（Uno）",
        "同上，并对删失进行校正",
    ),
    "integrated_brier_score": MetricName(
        "Integrated Brier score",
        "error of the survival curve averaged over follow-up; lower is better, 0.25 is a coin",
        "积分 Brier 评分",
        "生存曲线在随访期内的平均误差；越低越好，0.25 等于抛硬币",
        -1,
        0.0,
    ),
    "mean_auc": MetricName(
        "Mean time-dependent AUC",
        "AUROC for an event by a given time, averaged over follow-up",
        "平均时间依赖 AUC",
        "在某时间前发生事件的 AUROC，在随访期内平均",
    ),
}


def plain_name(metric: str) -> str:
    """A metric we have no name for, in its own words."""
    return metric.replace("_", " ").capitalize()
