"""Numbers of MONAI and SimpleITK for masks that ``tests/known/drawn_masks.py`` draws. Run outside the house:

python -m venv oracle && oracle/bin/pip install monai==1.6.1 SimpleITK==2.5.7 torch scipy
oracle/bin/python tests/known/make/overlap_oracle.py > tests/known/overlap_oracle.json
"""

import json
import sys
from pathlib import Path

import numpy as np
import SimpleITK
import torch
from monai.metrics import compute_hausdorff_distance, compute_iou, compute_surface_dice, get_confusion_matrix

sys.path.insert(0, str(Path(__file__).parents[2]))
from known.drawn_masks import SHAPES, pair


def monai_tensor(mask):
    return torch.from_numpy(mask.astype(np.float32))[None, None]


def judge(predicted, truth, spacing):
    ours, theirs = monai_tensor(predicted), monai_tensor(truth)
    measure = SimpleITK.LabelOverlapMeasuresImageFilter()
    images = [SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in (truth, predicted)]
    for image in images:
        image.SetSpacing(spacing[::-1])
    measure.Execute(*images)
    parts = SimpleITK.ConnectedComponentImageFilter()
    parts.SetFullyConnected(True)
    lesions = SimpleITK.GetArrayFromImage(parts.Execute(images[0]))
    return {
        "dice": measure.GetDiceCoefficient(),
        "iou": float(compute_iou(ours, theirs)),
        "size_error": float((predicted.sum() - truth.sum()) * np.prod(spacing)),
        "hausdorff_95": float(compute_hausdorff_distance(ours, theirs, percentile=95, spacing=spacing)),
        "hausdorff": float(compute_hausdorff_distance(ours, theirs, spacing=spacing)),
        "surface_dice": float(compute_surface_dice(ours, theirs, [1.0], include_background=True, spacing=spacing)),
        "lesions": int(lesions.max()),
        "lesions_found": len(set(lesions[predicted & truth].tolist())),
        "confusion": get_confusion_matrix(ours, theirs)[0, 0].tolist(),
    }


if __name__ == "__main__":
    found = {name: judge(*pair(name), SHAPES[name].spacing) for name in SHAPES}
    print(json.dumps({"source": "MONAI 1.6.1, SimpleITK 2.5.7", "shapes": found}, indent=1))
