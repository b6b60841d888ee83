"""What inputs say of their records, in Chinese, by the template of the phrase."""

CHINESE_INPUTS = {
    "{name}: {words}": "{name}：{words}",
    "{name}: {words}; {legend}": "{name}：{words}；{legend}",
    "truth blue, answer orange, white where they agree": "真实为蓝色，回答为橙色，一致处为白色",
    "full line: truth, broken line: answer": "实线：真实；虚线：回答",
    "sagittal": "矢状面",
    "coronal": "冠状面",
    "axial": "横断面",
    "slice {n} of {all}": "第 {n} 层，共 {all} 层",
    "{view} slice {n} of {all}": "{view}第 {n} 层，共 {all} 层",
    "{view} slice {n} of {all}, the patient's right on the left": "{view}第 {n} 层，共 {all} 层，患者右侧在图左",
    "no image": "无图像",
    "no volume": "无扫描",
    "no text": "无文本",
    "{n} of {all} genes": "共 {all} 个基因中的 {n} 个",
    "{name}: {n} of {all} genes": "{name}：共 {all} 个基因中的 {n} 个",
    "grey": "灰度",
    "colour": "彩色",
    "Images were brought to {height} x {width} pixels in {colour}, their shape kept.": (
        "图像以{colour}缩放至 {height} x {width} 像素，保持长宽比。"
    ),
    "Images were looked at in {colour}, {scale:g} times as large as in the file, in parts of {height} x {width} "
    "pixels that overlap by half.": (
        "图像以{colour}、文件尺寸的 {scale:g} 倍读取，分成 {height} x {width} 像素、半数重叠的部分。"
    ),
    "Regions were also asked about in mirrored windows, and the answers averaged.": (
        "区域的预测还在镜像翻转的窗口上各做一次，再取平均。"
    ),
    "Intensities were centred and scaled by the mean and standard deviation of the training images.": (
        "亮度按训练图像的均值和标准差标准化。"
    ),
    "While training, images were shifted up to {shift:.0%}, zoomed up to {zoom:.0%}, tilted up to {tilt:g} "
    "degrees; flips: {flips}; rotations by quarters: {rotations}.": (
        "训练时图像随机平移至多 {shift:.0%}、缩放至多 {zoom:.0%}、倾斜至多 {tilt:g} 度；"
        "翻转：{flips}；直角旋转：{rotations}。"
    ),
    "horizontal": "左右",
    "both": "左右和上下",
    "quarter": "有",
    "no": "否",
    "their own spacing": "各自的间距",
    "Volumes were brought to {step}.": "扫描重采样至{step}。",
    "Volumes were brought to {step}, upright (RAS+).": "扫描重采样至{step}，并统一方位（RAS+）。",
    "Values were cut at percentiles 0.5 and 99.5 of each volume, then centred and scaled by its own spread.": (
        "数值截至每份扫描的 0.5 与 99.5 百分位，再按其自身的均值和标准差标准化。"
    ),
    "Values were cut to {low:g} to {high:g}, then centred and scaled alike in all volumes.": (
        "数值截至 {low:g} 至 {high:g}，再对全部扫描作同样的标准化。"
    ),
    "The network sees {extent} points of each volume.": "网络看到每份扫描的 {extent} 个点。",
    "The network sees {extent} points at once, in overlapping windows.": "网络每次看到 {extent} 个点，窗口相互重叠。",
    "While training, volumes were shifted up to {shift:.0%}, zoomed up to {zoom:.0%}, tilted up to {tilt:g} "
    "degrees about each axis; mirrored: {axes}.": (
        "训练时扫描随机平移至多 {shift:.0%}、缩放至多 {zoom:.0%}、绕各轴倾斜至多 {tilt:g} 度；镜像：{axes}。"
    ),
    "words": "词",
    "characters": "字",
    "Texts were cut into {unit}; {n} pieces of words have numbers of their own.": (
        "文本切分为{unit}；{n} 个词的片段有各自的编号。"
    ),
    "A public transformer was the start; it cut the texts.": "以公开的 Transformer 为起点，由其切分文本。",
    "Up to {n} tokens are read in one go, longer texts in several windows.": (
        "一次至多读取 {n} 个词元，更长的文本分窗读取。"
    ),
    "{n} numbers were centred and scaled by median and interquartile range.": (
        "{n} 个数值列按中位数和四分位距标准化。"
    ),
    "{n} categories have levels of their own for rare words and missing values.": (
        "{n} 个类别列为少见的词和缺失值设有单独的水平。"
    ),
    "A missing number is marked as missing; nothing is filled in.": "缺失的数值标记为缺失，不作填补。",
    "Logarithms to base 2 were taken, linear below {floor:.3g}.": "取以 2 为底的对数，{floor:.3g} 以下为线性。",
    "The mean and spread of each sample over its genes were taken out.": "去除了每份样本在其基因上的均值和离散度。",
    "The {n} of {all} genes that varied most among training rows were kept.": (
        "保留了训练数据中变异最大的 {n} 个基因（共 {all} 个）。"
    ),
}
