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
from collections.abc import Iterator, Mapping
from pathlib import Path

import made_up
import numpy as np
from jaxtyping import Bool
from measure import Asked, Figure, compare, main
from PIL import Image

from polyclinic.answers.mask import MaskAnswer
from polyclinic.decoding.regions import decide
from polyclinic.evidence.metrics.overlap import judge_region
from polyclinic.formats.packed import unpack
from polyclinic.formats.pictures import raster
from polyclinic.geometry import RegionMarks
from polyclinic.predictions.record import Predictions
from polyclinic.records.images import outlines

FOLDER = "images/DRIVE"
METRICS = ("pixel_f1", "pixel_auroc", "pixel_auprc", "pixel_sensitivity", "pixel_specificity", "dice", "surface_dice")
PUBLISHED = {"pixel_f1": "U-Net .814-.825", "pixel_auroc": "U-Net about .975"}
TUNE = range(38, 41)
INNER = range(21, 27)


def figures(asked: Asked) -> Iterator[Figure]:
    """Figures of all models, then those of the second observer."""
    root = asked.data(FOLDER)
    plain = {} if asked.own.plain else {"evidence": {"baselines": False}}
    with tempfile.TemporaryDirectory() as folder:
        runs = asked.run("drive", cohort(root, Path(folder), inner=asked.own.inner), plain)
    title = "DRIVE, training eyes" if asked.own.inner else "DRIVE, 20 / 20"
    yield from compare(runs, "vessels", METRICS, data=title, leads=2, references=PUBLISHED)
    if not asked.own.inner:
        yield from second_observer(root)
        if asked.own.pictures:
            save_outlines(runs[0].models, root, asked.own.pictures)


def files(root: Path, eye: int) -> tuple[Path, Path, Path]:
    """Photograph, drawn vessels and field of view of an eye; those from 21 train."""
    base, word = (root / "training", "training") if eye > 20 else (root / "testing", "test")
    image = base / "images" / f"{eye:02d}_{word}.tif"
    return image, base / "1st_manual" / f"{eye:02d}_manual1.gif", base / "mask" / f"{eye:02d}_{word}_mask.gif"


def cohort(root: Path, folder: Path, *, inner: bool = False) -> Path:
    """The table of all forty eyes; or of the twenty training eyes, six of which stand in for the test."""
    parts = {eye: "tune" if eye in TUNE else "train" for eye in range(21, 41)}
    parts |= dict.fromkeys(INNER if inner else range(1, 21), "test")
    path = folder / "cohort.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["eye", "image", "vessels", "field", "part"])
        for eye, part in parts.items():
            writer.writerow([eye, *(file.as_posix() for file in files(root, eye)), part])
    return path


def second_observer(root: Path) -> Iterator[Figure]:
    """F1 of all test pixels within the field of view, mean Dice, sensitivity and specificity."""
    counts = []
    for eye in range(1, 21):
        _, drawn, mask = files(root, eye)
        again = root / "testing" / "2nd_manual" / f"{eye:02d}_manual2.gif"
        first, second, field = (_read(path) for path in (drawn, again, mask))
        found = judge_region(second & field, first & field, (1.0, 1.0), 1.0)
        counts.append((found.both, found.predicted, found.true, field.sum(), found.dice))
    both, predicted, true, inside, dice = np.array(counts).T
    outside = inside - predicted - true + both
    observed = {
        "pixel_f1": 2 * both.sum() / (predicted + true).sum(),
        "dice": dice.mean(),
        "pixel_sensitivity": both.sum() / true.sum(),
        "pixel_specificity": outside.sum() / (inside - true).sum(),
    }
    for metric, value in observed.items():
        reference = "against the first"
        leads = metric == "pixel_f1"
        yield Figure("DRIVE, 20 / 20", metric, (float(value),), "second observer", reference=reference, leads=leads)


def _read(path: Path) -> Bool[np.ndarray, "row column"]:
    with Image.open(path) as opened:
        return np.array(opened) > 0


def save_outlines(models: Mapping[str, Predictions], root: Path, folder: Path) -> None:
    """The three first test eyes with outlines of the truth and of the answer."""
    folder.mkdir(parents=True, exist_ok=True)
    for model, predictions in models.items():
        answer = predictions.answers["vessels"]
        assert isinstance(answer, MaskAnswer)
        test = np.flatnonzero(predictions.samples.part == "test")
        for position in test[:3]:
            eye = int(predictions.samples.patient[position])
            frame = raster.read(files(root, eye)[0].read_bytes())
            probability = unpack(answer.probability[position])
            found = decide(probability, answer.thresholds[position], exclusive=answer.exclusive)
            found &= unpack(answer.inside[position])
            marks = RegionMarks(answer.regions, unpack(answer.truth[position]), found.astype(np.uint8))
            (folder / f"{model}_{eye:02d}.png").write_bytes(outlines.outlined_png(frame, marks))


def small(root: Path) -> None:
    """Forty pictures with a bright bar for a vessel, in a round field of view."""
    rng = np.random.default_rng(made_up.SEED)
    field = made_up.disc(64, (32, 32), 30)
    for eye in range(1, 41):
        image, drawn, mask = files(root / FOLDER, eye)
        vessel = np.zeros((64, 64))
        start = rng.integers(18, 42)
        vessel[start : start + 5] = field[start : start + 5]
        made_up.save(
            image, made_up.noisy(np.stack([vessel] * 3, axis=2) * 0.6, rng) * field[:, :, None].astype(np.uint8)
        )
        made_up.save(mask, (255 * field).astype(np.uint8))
        made_up.save(drawn, (255 * vessel).astype(np.uint8))
        if eye <= 20:
            again = drawn.parents[1] / "2nd_manual" / f"{eye:02d}_manual2.gif"
            made_up.save(again, (255 * np.roll(vessel, 1, axis=0)).astype(np.uint8))


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--plain", action="store_true", help="with the plain model")
    parser.add_argument("--inner", action="store_true", help="judge training eyes, do not read the test")
    parser.add_argument("--pictures", type=Path, help="where to save outlines of three eyes")


if __name__ == "__main__":
    main(figures, __doc__, small=small, add=add)
