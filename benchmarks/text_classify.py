"""Texts to classes, official splits, trained from the beginning, beside TF-IDF + logistic regression on the same rows.

    POLYCLINIC_DATA=... python benchmarks/text_classify.py [cmedic] [cmedtc] [druglib] [--seeds 1] [--minutes 8]

cmedic: how firmly a Chinese query asks for a drug, a doctor or a cure, 3 classes; pretrained BERT-base F1 0.860,
MC-BERT 0.875. cmedtc: what a criterion of a trial is about, 44 classes; 0.790 and 0.821. Their page does not say which
F1; ours are accuracy (micro F1) and macro F1. druglib: is a patient's review of a drug good (rating 7 to 10) or bad (1
to 4), reviews between left out; benefits, side effects and comments in one text; no published figure on this split. A
tenth of its training rows are for tuning.
Data: alibaba-research/ChineseBLUE (Apache-2.0), laid as text/chinese_blue/{cMedIC,cMedTC}/{train,dev,test}.txt; drugLib
reviews (UCI 461), laid as text/druglib/drugLib{Train,Test}_raw.tsv.gz.
"""

import argparse
import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from iob import read_text
from measure import Asked, Figure, compare, main

CHINESE = {"cmedic": "text/chinese_blue/cMedIC", "cmedtc": "text/chinese_blue/cMedTC"}
REVIEWS = "text/druglib"
COLUMNS = ("benefitsReview", "sideEffectsReview", "commentsReview")
PARTS = {"train": "train", "tune": "dev", "test": "test"}
EVERY = 10
"""Every tenth training review is for tuning: no part is given for it."""
SETS = {
    "cmedic": ("cMedIC (Chinese)", ("accuracy", "macro_f1", "log_loss"), "BERT-base .860, pretrained"),
    "cmedtc": ("cMedTC (Chinese)", ("accuracy", "macro_f1", "log_loss"), "BERT-base .790, pretrained"),
    "druglib": ("drugLib reviews", ("auroc", "accuracy", "log_loss"), ""),
}


def chinese(source: Path) -> pl.DataFrame:
    """One query or criterion per row."""
    rows = []
    for part, word in PARTS.items():
        lines = read_text(next(iter(sorted(source.glob(f"{word}.txt*"))))).splitlines()
        rows += [(part, *line.split("\t", 1)[::-1]) for line in lines if "\t" in line]
    return pl.DataFrame(rows, schema=["part", "text", "label"], orient="row")


def reviews(source: Path) -> pl.DataFrame:
    """One review per row."""
    frames = []
    for part, name in (("train", "Train"), ("test", "Test")):
        content = read_text(source / f"drugLib{name}_raw.tsv.gz").encode()
        raw = pl.read_csv(content, separator="\t", infer_schema=False)
        raw = raw.with_columns(pl.col("rating").cast(pl.Int64, strict=False)).filter(pl.col("rating").is_not_null())
        text = pl.concat_str([pl.col(column).fill_null("") for column in COLUMNS], separator="\n").alias("text")
        label = pl.when(pl.col("rating") >= 7).then(pl.lit("good")).when(pl.col("rating") <= 4).then(pl.lit("bad"))
        frames.append(raw.select(pl.lit(part).alias("part"), text, label.alias("label")).drop_nulls())
    whole = pl.concat(frames).with_row_index()
    tune = (pl.col("part") == "train") & (pl.col("index") % EVERY == EVERY - 1)
    return whole.with_columns(pl.when(tune).then(pl.lit("tune")).otherwise(pl.col("part")).alias("part")).drop("index")


def figures(asked: Asked) -> Iterator[Figure]:
    """What the classes are worth, the leading figure first."""
    minutes = {"training": {"minutes": asked.own.minutes}} if asked.own.minutes else {}
    for name in asked.names:
        title, metrics, reference = SETS[name]
        frame = chinese(asked.data(CHINESE[name])) if name in CHINESE else reviews(asked.data(REVIEWS))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.parquet"
            frame.write_parquet(path)
            runs = asked.run("text_classify", path, {"study": {"name": name}, **minutes})
        count = frame.filter(pl.col("part") == "test").height
        references = {metrics[0]: reference}
        yield from compare(runs, "answer", metrics, data=f"{title}, {count} test rows", references=references)


def small(root: Path) -> None:
    """Texts with a word that tells the class, most of the time."""
    rng = np.random.default_rng(1)
    words = np.array(["疼痛", "药物", "医生", "治疗", "多久", "如何"])
    for source in CHINESE.values():
        for part, count in zip(PARTS.values(), (60, 20, 20), strict=True):
            labels = rng.integers(3, size=count)
            lines = (f"{label}\t{''.join(rng.permutation(words)[:3])}{words[label]}" for label in labels)
            (root / source).mkdir(parents=True, exist_ok=True)
            (root / source / f"{part}.txt").write_text("\n".join(lines), encoding="utf-8")
    (root / REVIEWS).mkdir(parents=True)
    for name, count in (("Train", 80), ("Test", 30)):
        rating = rng.integers(1, 11, count)
        texts = [f"{'helped' if r > 5 else 'failed'} after {rng.integers(99)} days" for r in rating]
        frame = pl.DataFrame({"rating": rating, **dict.fromkeys(COLUMNS, texts)})
        content = frame.write_csv(separator="\t").encode()
        (root / REVIEWS / f"drugLib{name}_raw.tsv.gz").write_bytes(gzip.compress(content))


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--minutes", type=int, help="cap on the training of each run; it shortens the schedule")


if __name__ == "__main__":
    main(figures, __doc__, sets=tuple(SETS), small=small, add=add)
