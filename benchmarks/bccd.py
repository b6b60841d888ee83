"""BCCD, the published split (205/87/72), from scratch: average precision by class, and errors of counting.

    POLYCLINIC_DATA=... python benchmarks/bccd.py [--seeds 1] [--tune]

Published: YOLOv8n, pretrained on COCO, mAP at .5 about .90 on splits of its users' own. Goal: .85 from scratch.
Data: github.com/Shenggan/BCCD_Dataset (MIT), laid as images/BCCD/. ``--tune`` shows the figures of the tune rows alone,
for choices; the test rows are then not looked at.
"""

import argparse
import csv
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from measure import data, measure, row

from polyclinic.evidence.judge import judge
from polyclinic.predictions.record import Predictions
from polyclinic.study.schema import EvidenceSection

METRICS = ("map_50", "map_50_95", "cpm", "sensitivity_at_1_false", "object_f1", "false_boxes", "count_error")
BY_CLASS = ("average_precision_50", "average_precision_50_95", "object_sensitivity", "object_precision", "count_error")


def write_table(root: Path, folder: Path) -> Path:
    """The split files as a table: picture, file of boxes, part."""
    table = folder / "bccd.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "boxes", "part"))
        for part, word in (("train", "train"), ("val", "tune"), ("test", "test")):
            for name in (root / "ImageSets" / "Main" / f"{part}.txt").read_text(encoding="utf-8").split():
                picture, boxes = root / "JPEGImages" / f"{name}.jpg", root / "Annotations" / f"{name}.xml"
                writer.writerow((picture.as_posix(), boxes.as_posix(), word))
    return table


def figures(predictions: Predictions, part: str, resamples: int) -> dict:
    """The evidence on one part, as a document."""
    one = predictions.part(part)
    samples = replace(one.samples, part=np.full(len(one.samples), "test"))
    settings = EvidenceSection(resamples=resamples)
    return judge(replace(one, samples=samples), (), settings, seed=1).document()["targets"]["cells"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--tune", action="store_true")
    asked = parser.parse_args()
    part = "tune" if asked.tune else "test"
    with tempfile.TemporaryDirectory() as folder:
        table = write_table(data("images/BCCD/BCCD"), Path(folder))
        runs = [measure("bccd", table, {"seed = 1": f"seed = {seed}"}) for seed in range(1, asked.seeds + 1)]
    for model in runs[0].models:
        documents = [figures(run.models[model], part, 1000) for run in runs]
        print(f"\n{model}, {part} rows")
        for metric in METRICS:
            found = documents[0]["metrics"][metric]
            print(row(metric, [d["metrics"][metric]["value"] for d in documents]), limits(found))
        for name in documents[0]["per_class"]:
            for metric in BY_CLASS:
                found = documents[0]["per_class"][name][metric]
                values = [d["per_class"][name][metric]["value"] for d in documents]
                print(row(f"{name} {metric}", values), limits(found))
    print("\nminutes:", ", ".join(f"{run.minutes:.1f}" for run in runs), f"peak {runs[-1].gib:.2f} GiB")


def limits(found: dict) -> str:
    """The interval of the first seed."""
    return f"first seed {found['low']:.3f} to {found['high']:.3f}"


if __name__ == "__main__":
    main()
