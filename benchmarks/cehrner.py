"""Entities in Chinese health records: cEHRNER of ChineseBLUE, official split, trained from the beginning.

    POLYCLINIC_DATA=... python benchmarks/cehrner.py [--seeds 1] [--members 1] [--inner]

Exact entity F1 over seven types. Goal: 0.882, which is BERT-base; MC-BERT has 0.900 (paper in the repository). Data:
alibaba-research/ChineseBLUE (Apache-2.0), laid as text/chinese_blue/cEHRNER/{train,dev,test}.txt[.gz].

``--inner`` is for choosing how to train: every fifth record of the train part is judged, the test is not read.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import iob
from measure import Asked, Figure, compare, main

FOLDER = "text/chinese_blue/cEHRNER"
METRICS = ("entity_f1", "entity_precision", "entity_recall", "partial_f1", "recall_seen", "recall_unseen")
PARTS = {"train": "train.txt.gz", "tune": "dev.txt", "test": "test.txt"}
EVERY = 5
"""Every fifth record is judged with ``--inner``: as many as the official test has."""


def table(source: Path, folder: Path, *, inner: bool) -> Path:
    """One record per row; the characters follow each other without a space."""
    parts = {part: iob.rows(iob.sentences(source / name), 1, "") for part, name in PARTS.items()}
    if inner:
        learn = parts["train"]
        parts |= {"train": [row for k, row in enumerate(learn) if k % EVERY], "test": learn[::EVERY]}
    return iob.table(parts, folder / "cehrner.parquet")


def figures(asked: Asked) -> Iterator[Figure]:
    """Exact and partial matches, and names that were or were not among the training rows."""
    with tempfile.TemporaryDirectory() as folder:
        runs = asked.run("cehrner", table(asked.data(FOLDER), Path(folder), inner=asked.own.inner))
    title = f"cEHRNER (Chinese), {'inner' if asked.own.inner else 'official'} test"
    references = {"entity_f1": "BERT-base .882, pretrained"}
    yield from compare(runs, "entities", METRICS, data=title, references=references)


def small(root: Path) -> None:
    """Made-up records of a few characters."""
    for seed, (name, count) in enumerate(zip(PARTS.values(), (40, 10, 10), strict=True)):
        iob.write(root / FOLDER / name, iob.made_up(count, "疾", ("患", "者", "有", "无", "今", "日"), seed), " ")


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--inner", action="store_true", help="judge a fifth of the train part, do not read the test")


if __name__ == "__main__":
    main(figures, __doc__, small=small, add=add)
