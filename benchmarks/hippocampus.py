"""MSD Task04 Hippocampus, the folds of nnU-Net: Dice of the front and the back part, mean over the patients of a fold.

    POLYCLINIC_DATA=... python benchmarks/hippocampus.py [--folds 0 1 2 3 4] [--members 1] [--inner]

Published: nnU-Net about .90 and .89 on the test server, about .89 in cross-validation (Isensee et al., Nature Methods
2021). Folds: KFold(5, shuffle=True, random_state=12345) over the sorted cases, as nnU-Net draws them. Data: Medical
Segmentation Decathlon, Task04 (CC BY-SA 4.0), laid as volumes/msd_task04_hippocampus/{images,labels}; cases with
only one of both files are left out. With --inner the patients of the fold are left out altogether, and a fifth of the
others is judged instead; by that the recipe was chosen.
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

import made_up
import numpy as np
from jaxtyping import Bool
from measure import Asked, Figure, Run, main
from sklearn.model_selection import KFold

from polyclinic.answers.mask import MaskAnswer
from polyclinic.formats.packed import unpack
from polyclinic.records.examples.scans import nifti_bytes

FOLDER = "volumes/msd_task04_hippocampus"
GOALS = {"anterior": "goal .90", "posterior": "goal .89"}


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


def dice(answer: MaskAnswer) -> dict[str, list[float]]:
    """Dice of each region in every record of an answer."""
    found: dict[str, list[float]] = {name: [] for name in answer.regions}
    for answered, drawn in zip(answer.probability, answer.truth, strict=True):
        probability = unpack(answered).astype(int)
        truth = unpack(drawn).astype(bool)
        likeliest = np.concatenate([255 - probability.sum(axis=0, keepdims=True), probability]).argmax(axis=0)
        for number, name in enumerate(answer.regions):
            found[name].append(_dice(likeliest == number + 1, truth[number]))
    return found


def _dice(mask: Bool[np.ndarray, "..."], truth: Bool[np.ndarray, "..."]) -> float:
    return float(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))


def figures(asked: Asked) -> Iterator[Figure]:
    """Dice of each fold that is asked for: its regions, and their mean, which leads."""
    root = asked.data(FOLDER)
    for fold in asked.own.folds:
        with tempfile.TemporaryDirectory() as folder:
            table = write_table(Path(folder), root, fold, inner=asked.own.inner)
            runs = asked.run("hippocampus", table)
        yield from _fold(runs, f"MSD Hippocampus, nnU-Net's fold {fold}")


def _fold(runs: tuple[Run, ...], title: str) -> Iterator[Figure]:
    answers = [run.models["polyclinic"].part("test").answers["hippocampus"] for run in runs]
    found = [dice(answer) for answer in answers if isinstance(answer, MaskAnswer)]
    minutes = tuple(run.minutes for run in runs)
    for region, goal in GOALS.items():
        values = tuple(float(np.mean(one[region])) for one in found)
        yield Figure(title, f"Dice of the {region} part", values, reference=goal, minutes=minutes)
    means = tuple(float(np.mean([np.mean(one[region]) for region in GOALS])) for one in found)
    reference = "nnU-Net about .89-.90, on a GPU"
    yield Figure(title, "mean Dice", means, reference=reference, leads=True, minutes=minutes)


def small(root: Path) -> None:
    """Ten scans, a bright ball of two halves in each."""
    rng = np.random.default_rng(made_up.SEED)
    for part in ("images", "labels"):
        (root / FOLDER / part).mkdir(parents=True)
    axes = np.mgrid[:24, :28, :20]
    for number in range(10):
        centre = rng.uniform(9, 12, 3)
        ball = sum((axis - middle) ** 2 for axis, middle in zip(axes, centre, strict=True)) < 30
        label = ball * np.where(axes[1] > centre[1], 1, 2)
        name = f"hippocampus_{number:03d}.nii.gz"
        image = made_up.noisy(ball * 1.0, rng).astype(np.int16)
        (root / FOLDER / "images" / name).write_bytes(nifti_bytes(image, np.eye(4)))
        (root / FOLDER / "labels" / name).write_bytes(nifti_bytes(label.astype(np.int16), np.eye(4)))


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--folds", type=int, nargs="+", default=[0], help="of the five")
    parser.add_argument("--inner", action="store_true", help="judge a fifth of the other patients, not this fold")


if __name__ == "__main__":
    main(figures, __doc__, small=small, add=add)
