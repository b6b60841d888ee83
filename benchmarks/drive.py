"""DRIVE, 20 training and 20 test photographs, from scratch: F1, AUC and Dice of vessels within the field of view.

    POLYCLINIC_DATA=... python benchmarks/drive.py [--seeds 1] [--members 1] [--plain] [--inner] [--pictures FOLDER]

F1 is that of all test pixels within the field of view together, as published; the second observer is judged against
the first by the same function, in the same table. Published: second observer .788, U-Net about .82 with AUC about .975.
Training images 38, 39 and 40 are the tune rows. With --inner nothing of the test images is read: training images 21 to
26 are judged instead; by that the recipe was chosen. Data: drive.grand-challenge.org, laid as images/DRIVE/.
"""

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
from measure import by_repeat, data, measure, row
from PIL import Image

from polyclinic.answers.mask import MaskAnswer
from polyclinic.evidence.metrics.overlap import decide, judge_region
from polyclinic.formats.packed import unpack
from polyclinic.formats.pictures import raster
from polyclinic.geometry import RegionMarks
from polyclinic.records.images import outlines as marked

METRICS = ("pixel_f1", "pixel_auroc", "pixel_auprc", "pixel_sensitivity", "pixel_specificity", "dice", "surface_dice")
TUNE = range(38, 41)
INNER = range(21, 27)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--inner", action="store_true")
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("OLD", "NEW"))
    parser.add_argument("--pictures", type=Path)
    asked = parser.parse_args()
    root = data("images/DRIVE")
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        table = cohort(root, Path(folder), inner=asked.inner)
        for seed in range(asked.first, asked.first + asked.seeds):
            changes = {"seed = 1": f"seed = {seed}", "ensemble = 1": f"ensemble = {asked.members}", **dict(asked.set)}
            if not asked.plain:
                changes["baselines = true"] = "baselines = false"
            runs.append(measure("drive", table, changes))
            print(f"seed {seed}: {runs[-1].minutes:.1f} minutes, peak {runs[-1].gib:.2f} GiB", flush=True)
    print("\ngoal: F1 .815, AUC .975")
    if not asked.inner:
        tell_second_observer(root)
    for model in runs[0].models:
        for metric in METRICS:
            values = [by_repeat(run.models[model], "vessels", [metric])[metric][0] for run in runs]
            print(row(f"{model} {metric}", values))
    for metric in ("pixel_f1", "pixel_auroc", "dice"):
        found = runs[0].evidence["targets"]["vessels"]["metrics"][metric]
        print(f"{metric}: {found['value']:.4f} ({found['low']:.4f} to {found['high']:.4f}), {found['n']} eyes")
    if asked.pictures and not asked.inner:
        draw(runs[0].models, root, asked.pictures)


def cohort(root: Path, folder: Path, *, inner: bool = False) -> Path:
    """The table of all forty eyes; or of the twenty training eyes, six of which stand in for the test."""
    parts = {eye: "tune" if eye in TUNE else "train" for eye in range(21, 41)}
    parts |= dict.fromkeys(INNER if inner else range(1, 21), "test")
    lines = []
    for eye, whose in parts.items():
        base, word = (root / "training", "training") if eye > 20 else (root / "testing", "test")
        image = base / "images" / f"{eye:02d}_{word}.tif"
        drawn, field = base / "1st_manual" / f"{eye:02d}_manual1.gif", base / "mask" / f"{eye:02d}_{word}_mask.gif"
        lines.append([eye, image.as_posix(), drawn.as_posix(), field.as_posix(), whose])
    path = folder / "cohort.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["eye", "image", "vessels", "field", "part"], *lines])
    return path


def tell_second_observer(root: Path) -> None:
    f1, dice, sensitivity, specificity = second_observer(root)
    print(row("second observer pixel_f1", [f1]))
    print(row("second observer dice", [dice]))
    print(f"{'':<28} sensitivity {sensitivity:.4f}, specificity {specificity:.4f}")


def second_observer(root: Path) -> tuple[float, float, float, float]:
    """F1 of all test pixels within the field of view, mean Dice, sensitivity and specificity."""
    judged = []
    for eye in range(1, 21):
        names = (
            f"1st_manual/{eye:02d}_manual1.gif",
            f"2nd_manual/{eye:02d}_manual2.gif",
            f"mask/{eye:02d}_test_mask.gif",
        )
        first, second, field = (np.array(Image.open(root / "testing" / name)) > 0 for name in names)
        found = judge_region(second & field, first & field, (1.0, 1.0), 1.0)
        judged.append((found.both, found.predicted, found.true, field.sum(), found.dice))
    both, predicted, true, inside, dice = np.array(judged).T
    outside = inside - predicted - true + both
    specificity = outside.sum() / (inside - true).sum()
    return 2 * both.sum() / (predicted + true).sum(), dice.mean(), both.sum() / true.sum(), specificity


def draw(models, root: Path, folder: Path) -> None:
    """The three first test eyes with outlines of the truth and of the answer."""
    folder.mkdir(parents=True, exist_ok=True)
    for model, predictions in models.items():
        answer: MaskAnswer = predictions.answers["vessels"]
        test = np.flatnonzero(predictions.samples.part == "test")
        for position in test[:3]:
            eye = int(predictions.samples.patient[position])
            frame = raster.read((root / "testing" / "images" / f"{eye:02d}_test.tif").read_bytes())
            said = decide(unpack(answer.probability[position]), answer.thresholds[position], exclusive=answer.exclusive)
            said &= unpack(answer.inside[position])
            marks = RegionMarks(answer.regions, unpack(answer.truth[position]), said.astype(np.uint8))
            (folder / f"{model}_{eye:02d}.png").write_bytes(marked.draw(frame, marks))


if __name__ == "__main__":
    main()
