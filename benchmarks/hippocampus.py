"""MSD Task04 Hippocampus, the folds of nnU-Net: Dice of the front and the back part, mean over the patients of a fold.

    POLYCLINIC_DATA=... python benchmarks/hippocampus.py [--folds 0 1 2 3 4] [--epochs 30] [--members 1] [--inner]

Published: nnU-Net about .90 and .89 on the test server, about .89 in cross-validation (Isensee et al., Nature Methods
2021). Folds: KFold(5, shuffle=True, random_state=12345) over the sorted cases, as nnU-Net draws them. Data: Medical
Segmentation Decathlon, Task04 (CC BY-SA 4.0), laid as volumes/msd_task04_hippocampus/{images,labels}; cases with
only one of both files are left out. With --inner the patients of the fold are left out altogether, and a fifth of the
others is judged instead; by that the recipe was chosen.
"""

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
from measure import data, measure, row
from sklearn.model_selection import KFold

from polyclinic.formats.packed import unpack

FOLDER = "volumes/msd_task04_hippocampus"
GOALS = {"anterior": 0.90, "posterior": 0.89}


def cases(root: Path) -> list[str]:
    """Cases that have both files, sorted."""
    names = [{path.name for path in (root / part).glob("*.nii.gz")} for part in ("images", "labels")]
    return sorted(names[0] & names[1])


def write_table(folder: Path, root: Path, fold: int, *, inner: bool = False) -> Path:
    """A table with the image, the mask and the part of every case."""
    names = cases(root)
    known, tested = list(KFold(5, shuffle=True, random_state=12345).split(names))[fold]
    if inner:
        names = [names[number] for number in known]
        tested = next(KFold(5, shuffle=True, random_state=7).split(names))[1]
    table = folder / "cohort.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "label", "part"])
        for number, name in enumerate(names):
            part = "test" if number in tested else "train"
            writer.writerow([root / "images" / name, root / "labels" / name, part])
    return table


def dice(answer) -> dict[str, list[float]]:
    """Dice of each region in every record of an answer."""
    found: dict[str, list[float]] = {name: [] for name in answer.regions}
    for said, told in zip(answer.probability, answer.truth, strict=True):
        probability, truth = unpack(said).astype(int), unpack(told).astype(bool)
        likeliest = np.concatenate([255 - probability.sum(axis=0, keepdims=True), probability]).argmax(axis=0)
        for number, name in enumerate(answer.regions):
            mask = likeliest == number + 1
            found[name].append(2 * (mask & truth[number]).sum() / (mask.sum() + truth[number].sum()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folds", type=int, nargs="*", default=range(5))
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--inner", action="store_true")
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("OLD", "NEW"))
    asked = parser.parse_args()
    root = data(FOLDER)
    means: dict[str, list[float]] = {name: [] for name in GOALS}
    for fold in asked.folds:
        with tempfile.TemporaryDirectory() as folder:
            table = write_table(Path(folder), root, fold, inner=asked.inner)
            changes = {"epochs = 30": f"epochs = {asked.epochs}", "seed = 1": f"seed = {asked.seed}"}
            changes |= {"ensemble = 1": f"ensemble = {asked.members}", **dict(asked.set)}
            run = measure("hippocampus", table, changes)
        predictions = run.models["polyclinic"]
        tested = predictions.take(np.flatnonzero(predictions.samples.part == "test"))
        found = dice(tested.answers["hippocampus"])
        for name, values in found.items():
            means[name].append(float(np.mean(values)))
        told = ", ".join(f"{name} {means[name][-1]:.4f}" for name in GOALS)
        both = np.mean([means[name][-1] for name in GOALS])
        print(f"fold {fold}: {told}, mean {both:.4f}; {run.minutes:.1f} minutes, peak {run.gib:.2f} GiB", flush=True)
    for name, goal in GOALS.items():
        print(row(f"{name} (goal {goal:.2f})", means[name]))
    print(row("mean (goal 0.89)", np.mean(list(means.values()), axis=0)))


if __name__ == "__main__":
    main()
