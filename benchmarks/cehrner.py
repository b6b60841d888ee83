"""Entities in Chinese health records: cEHRNER of ChineseBLUE, official split, trained from the beginning.

    POLYCLINIC_DATA=... python benchmarks/cehrner.py [--seeds 1] [--members 1] [--inner] [--set OLD NEW]

Exact entity F1 over seven types. Goal: 0.882, which is BERT-base; MC-BERT has 0.900 (paper in the repository). Data:
alibaba-research/ChineseBLUE (Apache-2.0), laid as text/chinese_blue/cEHRNER/{train,dev,test}.txt[.gz].

``--inner`` is for choosing how to train: every fifth record of the train part is judged, the test is not read.
"""

import argparse
import tempfile
from pathlib import Path

from iob import rows, sentences, table
from measure import by_repeat, data, measure, row

METRICS = ("entity_f1", "entity_precision", "entity_recall", "partial_f1", "recall_seen", "recall_unseen")
PARTS = {"train": "train.txt.gz", "tune": "dev.txt", "test": "test.txt"}
EVERY = 5


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--inner", action="store_true")
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("OLD", "NEW"))
    asked = parser.parse_args()
    print("cehrner: goal entity F1 0.882", flush=True)
    source = data("text/chinese_blue/cEHRNER")
    with tempfile.TemporaryDirectory() as folder:
        parts = {part: rows(sentences(source / name), 1, "") for part, name in PARTS.items()}
        if asked.inner:
            learn = parts["train"]
            parts |= {"train": [r for k, r in enumerate(learn) if k % EVERY], "test": learn[::EVERY]}
        path = table(parts, Path(folder) / "cehrner.parquet")
        changes = {"ensemble = 1": f"ensemble = {asked.members}", **dict(asked.set)}
        runs = [
            measure("cehrner", path, {"seed = 1": f"seed = {seed}", **changes}) for seed in range(1, asked.seeds + 1)
        ]
    for model in runs[0].models:
        for metric in METRICS:
            values = [by_repeat(run.models[model], "entities", [metric])[metric][0] for run in runs]
            print(row(f"{model} {metric}", values), flush=True)
    found = runs[0].evidence["targets"]["entities"]["metrics"]["entity_f1"]
    print(f"95 % interval of the first seed over records: {found['low']:.4f} to {found['high']:.4f}")
    print("minutes:", ", ".join(f"{run.minutes:.1f}" for run in runs), f"peak {runs[-1].gib:.2f} GiB")


if __name__ == "__main__":
    main()
