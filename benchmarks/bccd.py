"""BCCD, the published split (205/87/72), from scratch: average precision by class, and errors of counting.

    POLYCLINIC_DATA=... python benchmarks/bccd.py [--seeds 1] [--tune]

Published: YOLOv8n, pretrained on COCO, mAP at .5 about .90 on splits of its users' own. Goal: .85 from scratch.
Data: github.com/Shenggan/BCCD_Dataset (MIT), laid as images/BCCD/. ``--tune`` shows the figures of the tune rows alone,
for choices; the test rows are then not looked at.
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_up
import numpy as np
from measure import OURS, Asked, Figure, main

from polyclinic.evidence.judge import judge
from polyclinic.predictions.record import Predictions
from polyclinic.study.schema import EvidenceSection

FOLDER = "images/BCCD/BCCD"
METRICS = ("map_50", "map_50_95", "cpm", "sensitivity_at_1_false", "object_f1", "false_boxes", "count_error")
BY_CLASS = ("average_precision_50", "average_precision_50_95", "object_sensitivity", "object_precision", "count_error")
PARTS = {"train": "train", "val": "tune", "test": "test"}
RESAMPLES = 1000
"""As many as a study draws unless it says otherwise."""


def write_table(root: Path, folder: Path) -> Path:
    """The split files as a table: picture, file of boxes, part."""
    table = folder / "bccd.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "boxes", "part"))
        for part, word in PARTS.items():
            for name in (root / "ImageSets" / "Main" / f"{part}.txt").read_text(encoding="utf-8").split():
                picture = root / "JPEGImages" / f"{name}.jpg"
                boxes = root / "Annotations" / f"{name}.xml"
                writer.writerow((picture.as_posix(), boxes.as_posix(), word))
    return table


def judged(predictions: Predictions, part: str, resamples: int) -> Mapping[str, Any]:
    """The evidence on one part, as a document."""
    one = predictions.part(part)
    samples = replace(one.samples, part=np.full(len(one.samples), "test", dtype=object))
    settings = EvidenceSection(resamples=resamples)
    found: Mapping[str, Any] = judge(replace(one, samples=samples), (), settings, seed=1).document()["targets"]["cells"]
    return found


def figures(asked: Asked) -> Iterator[Figure]:
    """Average precision and counts, of all classes and of each."""
    part = "tune" if asked.own.tune else "test"
    with tempfile.TemporaryDirectory() as folder:
        runs = asked.run("bccd", write_table(asked.data(FOLDER), Path(folder)))
    title = f"BCCD, its split, {part} rows"
    minutes = tuple(run.minutes for run in runs)
    for model in runs[0].models:
        documents = [judged(run.models[model], part, 20 if asked.small else RESAMPLES) for run in runs]
        for metric in METRICS:
            found = [one["metrics"][metric] for one in documents]
            leads = metric == "map_50"
            reference = "YOLOv8n about .90, pretrained" if model == OURS and leads else ""
            yield replace(_figure(title, metric, found, model), reference=reference, leads=leads, minutes=minutes)
        for name in documents[0]["per_class"]:
            for metric in BY_CLASS:
                found = [one["per_class"][name][metric] for one in documents]
                yield _figure(title, f"{name} {metric}", found, model)


def _figure(title: str, metric: str, found: list[Mapping[str, Any]], model: str) -> Figure:
    values = tuple(float(one["value"]) for one in found if one["value"] is not None)
    return Figure(title, metric, values, model, found[0]["low"], found[0]["high"])


def small(root: Path) -> None:
    """Pictures with three discs, one of each class, and their boxes as in Pascal VOC."""
    rng = np.random.default_rng(made_up.SEED)
    for word in ("ImageSets/Main", "Annotations"):
        (root / FOLDER / word).mkdir(parents=True)
    for part, rows in zip(PARTS, (8, 3, 3), strict=True):
        names = [f"BloodImage_{part}{row:03d}" for row in range(rows)]
        (root / FOLDER / "ImageSets" / "Main" / f"{part}.txt").write_text("\n".join(names), encoding="utf-8")
        for name in names:
            _write_smear(root / FOLDER, name, rng)


def _write_smear(root: Path, name: str, rng: np.random.Generator) -> None:
    side = 96
    picture = np.zeros((side, side))
    boxes = ""
    for corner, (label, radius) in enumerate({"RBC": 9, "WBC": 14, "Platelets": 5}.items()):
        row = 24 + 48 * (corner // 2) + int(rng.integers(-6, 7))
        column = 24 + 48 * (corner % 2) + int(rng.integers(-6, 7))
        picture += made_up.disc(side, (row, column), radius)
        edges = {"xmin": column - radius, "ymin": row - radius, "xmax": column + radius, "ymax": row + radius}
        inner = "".join(f"<{word}>{value}</{word}>" for word, value in edges.items())
        boxes += f"<object><name>{label}</name><bndbox>{inner}</bndbox></object>"
    made_up.save(root / "JPEGImages" / f"{name}.jpg", made_up.noisy(np.stack([picture] * 3, axis=2), rng))
    size = f"<size><width>{side}</width><height>{side}</height><depth>3</depth></size>"
    text = f"<annotation><filename>{name}.jpg</filename>{size}{boxes}</annotation>"
    (root / "Annotations" / f"{name}.xml").write_text(text, encoding="utf-8")


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--tune", action="store_true", help="judge the tune rows, do not look at the test")


if __name__ == "__main__":
    main(figures, __doc__, small=small, add=add)
