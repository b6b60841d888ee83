"""The phrases of report and card in Chinese, by the English phrase."""

CHINESE = {
    "{low} to {high}": "{low} 至 {high}",
    # models
    "logistic regression": "逻辑回归",
    "ridge regression": "岭回归",
    "linear regression": "线性回归",
    "linear models": "线性模型",
    "Cox regression": "Cox 回归",
    "gradient boosting": "梯度提升",
    "random forest": "随机森林",
    "logistic regression point by point": "逐点逻辑回归",
    "gradient boosting point by point": "逐点梯度提升",
    "blobs and logistic regression": "斑点检测加逻辑回归",
    "Otsu and watershed": "Otsu 阈值加分水岭",
    "dictionary of training mentions": "训练说法词典",
    "linear CRF with dictionary": "线性 CRF 加词典",
    "TF-IDF and logistic regression": "TF-IDF 加逻辑回归",
    "this model": "本模型",
    "This model": "本模型",
    # headline
    "Study report": "研究报告",
    "This model is better than {plain}: {metric} {ours} against {theirs}, difference {difference}.": (
        "本模型优于{plain}：{metric} {ours} 对 {theirs}，差值 {difference}。"
    ),
    "This model is worse than {plain}: {metric} {ours} against {theirs}, difference {difference}.": (
        "本模型不如{plain}：{metric} {ours} 对 {theirs}，差值 {difference}。"
    ),
    "This model and {plain} cannot be told apart: {metric} {ours} against {theirs}, difference {difference}.": (
        "本模型与{plain}无明确差异：{metric} {ours} 对 {theirs}，差值 {difference}。"
    ),
    "No plain model was trained to compare with: {metric} {ours}.": "没有训练可供比较的简单模型：{metric} {ours}。",
    "{n} patients tested": "测试患者 {n} 名",
    "{n} patients": "患者 {n} 名",
    "{n} rows": "{n} 行",
    "{n} patients, {rows} rows": "患者 {n} 名，{rows} 行",
    "{n} with the outcome": "有结局 {n} 名",
    "{n} events": "事件 {n} 例",
    "{n} folds": "{n} 折",
    "{n} repetitions": "重复 {n} 次",
    "{share} intervals over patients": "按患者抽样的 {share} 置信区间",
    # chapters
    "Contents": "目录",
    "Performance": "性能",
    "Performance: {target}": "性能：{target}",
    "Patients": "患者",
    "Findings": "检查发现",
    "Training": "训练",
    "How it was made": "制作过程",
    "By class": "分类别结果",
    "By label": "分标签结果",
    "By region": "分区域结果",
    "By relation": "分关系结果",
    "Region": "区域",
    "Objects": "目标数",
    "Spans": "片段数",
    "Relation": "关系",
    "Relations": "关系数",
    "One line per region: the points of all records together.": "每条线代表一个区域：合并全部记录的像素。",
    "One line per class: the more of its objects are found, the fewer of the boxes are right.": (
        "每条线代表一个类别：检出的目标越多，正确的框比例越低。"
    ),
    "Test rows, by {figure}. Rows in which there is nothing to see are left out.": (
        "测试数据，按{figure}排序；没有可看内容的行不列入。"
    ),
    "{metric} of the record": "单份记录的 {metric}",
    "spans missed or wrong": "漏检或错误的片段数",
    "{n} missed or wrong": "漏检或错误 {n} 个",
    "loss of the record": "单份记录的损失",
    "All numbers": "全部指标",
    "For whom: subgroups": "适用人群：亚组",
    "Cases": "病例",
    "Best": "最佳",
    "Median": "中位",
    "Worst": "最差",
    "Worst mistakes": "最严重的错误",
    # curves
    "1 \N{MINUS SIGN} specificity": "1 \N{MINUS SIGN} 特异度",
    "Sensitivity": "灵敏度",
    "Sensitivity (recall)": "灵敏度（召回率）",
    "Positive predictive value (precision)": "阳性预测值（精确率）",
    "ROC curve": "ROC 曲线",
    "ROC curve by class": "各类别的 ROC 曲线",
    "Precision-recall curve by class": "各类别的精确率-召回率曲线",
    "ROC curve by region": "各区域的 ROC 曲线",
    "Precision-recall curve by region": "各区域的精确率-召回率曲线",
    "The mean over all classes, with its band.": "所有类别的平均及其区间带。",
    "One line per class: that class against all others.": "每条线代表一个类别与其余全部类别之比较。",
    "Precision-recall curve": "精确率-召回率曲线",
    "FROC curve": "FROC 曲线",
    "False boxes per record": "每份记录的误报框数",
    "The further up, the more is found at the same price in false boxes. Rings: the rates of CPM.": (
        "曲线越高，同样的误报代价下检出越多。圆圈：计算 CPM 所用的误报数。"
    ),
    "operating point": "工作点",
    "prevalence {share}": "患病率 {share}",
    "The further the curve bows to the top left, the better; the dashed line is a coin.": (
        "曲线越靠近左上角越好；虚线相当于抛硬币。"
    ),
    "How many of the flagged really have the outcome, the more of them one wants to find.": (
        "随着检出更多患者，被标为阳性者中确有结局的比例。"
    ),
    # calibration
    "Calibration": "校准",
    "Calibration curve": "校准曲线",
    "Predicted probability": "预测概率",
    "Observed share": "实际比例",
    "as delivered": "交付的模型",
    "before recalibration": "再校准之前",
    "with the outcome": "有结局",
    "without the outcome": "无结局",
    "On the dashed line, 30% means 30%. Dots: groups of similar predictions, with intervals.": (
        "落在虚线上时，预测 30% 即实际 30%。圆点：预测相近的一组患者及其区间。"
    ),
    "Below: all predictions; upright lines are the thresholds.": "下方：全部预测值；竖线为阈值。",
    "Predicted and observed share with an event by {horizon}, in groups of similar predictions.": (
        "按预测相近分组，比较 {horizon} 前预测与实际的事件比例。"
    ),
    "Log-rank test between the groups: p\N{NO-BREAK SPACE}{p}.": "组间对数秩检验：p\N{NO-BREAK SPACE}{p}。",
    "Before and after recalibration": "再校准前后",
    "Before": "之前",
    "After": "之后",
    "{metric} could not be computed in {n} of {all} resamples; its interval leaves them out.": (
        "{metric} 在 {all} 次重抽样中有 {n} 次无法计算；其区间未计入这些抽样。"
    ),
    # operating point
    "In 1,000 patients like those tested": "在 1,000 名类似的患者中",
    "found": "检出",
    "missed span": "漏检",
    "found, but not there": "误检",
    "missed": "漏诊",
    "false alarms": "误报",
    "cleared": "正确排除",
    "have the outcome and are flagged": "有结局且被标为阳性",
    "have the outcome and are not flagged": "有结局但未被标为阳性",
    "do not have it, yet are flagged": "无结局却被标为阳性",
    "do not have it and are not flagged": "无结局且未被标为阳性",
    "Point estimates, at the operating point chosen on tune rows and the prevalence of the tested patients.": (
        "点估计；工作点在调优数据上选定，患病率取自测试患者。"
    ),
    "Operating point chosen on tune rows: threshold {cut}{rule}.": "工作点在调优数据上选定：阈值 {cut}{rule}。",
    # tables
    "Metric": "指标",
    "best plain model on tune rows": "调优数据上最佳的简单模型",
    "Difference": "差值",
    "to {plain}": "与{plain}相比",
    "Value (low to high).": "数值（下限 至 上限）。",
    "Value (low to high)": "数值（下限 至 上限）",
    "Difference: this model minus the plain one.": "差值：本模型减去简单模型。",
    "Class": "类别",
    "Label": "标签",
    "Rows": "行数",
    "Confusion matrix": "混淆矩阵",
    "Truth \N{DOWNWARDS ARROW}  Answer \N{RIGHTWARDS ARROW}": ("真实 \N{DOWNWARDS ARROW}  回答 \N{RIGHTWARDS ARROW}"),
    "Test rows by true class (row) and most probable class (column); with shares of the row.": (
        "测试数据：行为真实类别，列为概率最高的类别；百分数为该行中的比例。"
    ),
    "Subgroup": "亚组",
    "Everyone": "全部",
    "Many subgroups are looked at: some differ by chance alone. An interval that leaves out the dashed line is a "
    "reason to look closer, not a proof.": (
        "同时考察了许多亚组，其中一些差异仅由偶然造成。区间不含虚线只说明值得进一步研究，并非证明。"
    ),
    # mistakes
    "Row": "行号",
    "Truth": "真实值",
    "Answer": "回答",
    "Loss": "损失",
    "Test rows of the user's table, counted from 1 without the header, the worst first.": (
        "测试数据在原表中的行号（从 1 起，不含表头），最严重者在前。"
    ),
    "These pictures come from patients' records: pass this page on accordingly.": (
        "这些图片来自患者记录：传阅本页时请注意保护隐私。"
    ),
    "What happened then": "当时的情况",
    "Predicted chance to be event-free": "预测的未发生事件概率",
    "event": "发生事件",
    "no event until then": "至此未发生事件",
    # survival and values
    "Survival by predicted risk": "按预测风险分组的生存曲线",
    "Tested patients in three equal groups by predicted risk: what really happened to them.": (
        "测试患者按预测风险等分为三组，其真实转归如图。"
    ),
    "AUC over time": "随时间变化的 AUC",
    "AUC for an event by this time": "此时间前发生事件的 AUC",
    "How well the risk separates those with an event by then from those still without.": (
        "风险评分区分此前已发生事件者与尚未发生者的能力。"
    ),
    "Time": "时间",
    "Event-free": "未发生事件",
    "Number at risk": "在险人数",
    "low risk": "低风险",
    "middle risk": "中风险",
    "high risk": "高风险",
    "Error over time": "随时间变化的误差",
    "Brier score at this time": "此时间的 Brier 评分",
    "How far the predicted chance was from what happened; the dashed line is a coin.": (
        "预测概率与实际结果相差多远；虚线相当于抛硬币。"
    ),
    "Measured": "实测值",
    "Predicted": "预测值",
    "Predicted against measured": "预测值与实测值",
    "On the dashed line the prediction is right.": "虚线上预测完全正确。",
    "Rings: means of similar predictions.": "圆环：预测相近的一组患者的均值。",
    "Bland-Altman plot": "Bland-Altman 图",
    "Mean of predicted and measured": "预测值与实测值的均值",
    "Predicted minus measured": "预测值减实测值",
    "mean": "均值",
    "95 of 100 differences are expected between the dashed lines.": "预计 95% 的差值落在两条虚线之间。",
    # words of options and of tables; inputs use some of them too
    "none": "无",
    "auto": "自动",
    "temperature": "温度缩放",
    "isotonic": "保序回归",
    "weight": "加权",
    "oversample": "过采样",
    "undersample": "欠采样",
    "tiny": "极小",
    "small": "小",
    "medium": "中",
    "large": "大",
    "site": "中心",
    "not known": "未知",
    "other": "其他",
    "table": "数据表",
    # patients
    "Who was studied": "研究对象",
    "From the table to the groups that trained, tuned and tested.": "从原表到训练、调优和测试各组。",
    "Sizes of one fold, on average over {n}.": "各组大小为 {n} 折的平均。",
    "1 row left out": "排除 1 行",
    "{n} rows left out": "排除 {n} 行",
    "in the table": "原表",
    "outcome not known": "结局未知",
    "excluded: {condition}": "排除条件：{condition}",
    "all": "全部",
    "missing": "缺失",
    "standardised difference": "标准化差异",
    "{n} further columns are not described.": "另有 {n} 列未列出。",
    "Train": "训练",
    "Tune": "调优",
    "Test": "测试",
    "the weights are learned here": "在此学习权重",
    "stopping, threshold and calibration are chosen here": "在此决定停止时机、阈值和校准",
    "nothing is learned or chosen here": "在此不学习、不选择",
    "Table one": "表 1",
    "Variable": "变量",
    "Numbers are median [quartiles] or count (share of those known).": (
        "数值为中位数 [四分位数] 或行数（占已知者的比例）。"
    ),
    # making
    "The checks found nothing to report.": "检查未发现需要报告的问题。",
    "Warning": "警告",
    "Note": "说明",
    "Refused": "拒绝",
    "Error": "错误",
    "Accepted": "已接受",
    "Reason given: {reason}": "给出的理由：{reason}",
    "A dot marks the weights that were kept. Tune rows decide when to stop; test rows play no part.": (
        "圆点为最终保留的权重。何时停止由调优数据决定；测试数据不参与。"
    ),
    "Training curve": "训练曲线",
    "Epoch": "轮次",
    "training rows": "训练数据",
    "tune rows": "调优数据",
    "Models": "模型数",
    "Epochs kept": "保留的轮次",
    "Weights per model": "每个模型的权重数",
    "Optimizer": "优化器",
    "Class imbalance": "类别不平衡处理",
    "Recalibration": "再校准",
    "{method}, recalibrated afterwards": "{method}，之后再校准",
    "Seed": "随机种子",
    "Minutes": "分钟",
    "Processor": "处理器",
    "Precision": "数值精度",
    "Resamples for intervals": "区间的重抽样次数",
    "Split (sha256)": "数据划分 (sha256)",
    "{file} (sha256)": "{file} (sha256)",
    "Versions": "版本",
    "How inputs were prepared": "输入的处理方式",
    "The study file, every default written out": "研究文件（已写出所有默认值）",
    "Made by Polyclinic {version} from the files beside this page. It describes a statistical model on the "
    "patients above; it is not a medical device and replaces no one's judgement.": (
        "由 Polyclinic {version} 根据同一文件夹中的文件生成。本页描述的是在上述患者上建立的统计模型；"
        "它不是医疗器械，不能代替任何人的判断。"
    ),
    # card
    "Model card, written by Polyclinic {version}.": "模型卡，由 Polyclinic {version} 生成。",
    "Intended use": "预期用途",
    "What is asked": "研究问题",
    "Data": "数据",
    "Split": "数据划分",
    "Model": "模型",
    "Subgroups": "亚组",
    "Limits": "局限",
    "Accepted findings": "已接受的检查发现",
    "How to use it": "使用方法",
    "How to repeat it": "如何重现",
    "NOT REPORTED": "未报告",
    "for the authors to write": "需由作者填写",
    "set {key}": "请填写 {key}",
    "Card, {section}": "模型卡“{section}”",
    "Card, title": "模型卡标题",
    "Report, {section}": "报告“{section}”",
    "Report, top of the page": "报告页首",
    "Files: {files}": "文件：{files}",
    "Table": "数据表",
    "Patient column": "患者列",
    "Site column": "中心列",
    "Date column": "日期列",
    "Left out": "排除",
    "Input": "输入",
    "No patient stands on two sides: train, tune and test are divided by patient.": (
        "训练、调优与测试按患者划分：没有患者同时出现在两边。"
    ),
    "Cross-validation in {folds} folds (repetitions: {repeat}); every patient is tested": (
        "{folds} 折交叉验证（重复 {repeat} 次）；每名患者都被测试"
    ),
    "not shown to be better than a plain model, which is easier to check and to explain.": (
        "未显示优于更易核查和解释的简单模型。"
    ),
    "probabilities are too extreme: high ones too high, low ones too low.": "概率过于极端：高者过高，低者过低。",
    "probabilities are too timid: high ones too low, low ones too high.": "概率过于保守：高者过低，低者过高。",
    "As the table says, column": "按表中的列",
    "Way of dividing": "划分方式",
    "Size": "规模",
    "members of the ensemble": "集成成员数",
    "random, by the seed": "按种子随机",
    "Initial weights": "初始权重",
    "early stopping on tune rows": "依调优数据提前停止",
    "Trials of hyper-parameter search, on tune rows": "在调优数据上的超参数搜索次数",
    "Intervals: {share}, bootstrap over patients, {n} resamples.": "区间：{share}，按患者自助抽样 {n} 次。",
    "see the calibration curve in the report": "见报告中的校准曲线",
    "Column": "列",
    "Tested on patients of the same table only; nothing is known about other places and times.": (
        "仅在同一数据表的患者上测试；在其他地点和时间的表现未知。"
    ),
    "only {n} tested with the rarer outcome: the estimates are shaky.": "较少见的结局仅有 {n} 例：估计不稳定。",
    "It is a statistical model, not a medical device, and replaces no one's judgement.": (
        "这是统计模型，不是医疗器械，不能代替任何人的判断。"
    ),
    "None.": "无。",
    "`polyclinic predict` on this folder and a table with the same columns gives the answers.": (
        "对本文件夹和列相同的数据表运行 `polyclinic predict` 即得结果。"
    ),
    "A record that cannot be read is refused by row number; a missing one is masked only where allowed:": (
        "无法读取的记录将按行号拒绝；缺失的记录仅在允许时被屏蔽："
    ),
    "Study file": "研究文件",
    "Of {all} items, {whole} are answered, {partly} in part, {open} are not reported.": (
        "共 {all} 项：已回答 {whole} 项，部分回答 {partly} 项，未报告 {open} 项。"
    ),
    "Item": "条目",
    "What is asked for": "要求",
    "Where it is answered": "所在位置",
}
