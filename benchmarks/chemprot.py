"""What a chemical does to a protein: ChemProt as sentences with two marked names, 13 types, official split, from zero.

    POLYCLINIC_DATA=... python benchmarks/chemprot.py [--seeds 1] [--members 1] [--set 'epochs = 20' 'epochs = 30']

Micro F1 over all 13 types of the 3,469 marked pairs. Every line of the files asks about one pair, and every pair has a
type, so this is the share of right answers (``micro_recall``); SciBERT, pretrained on 1.14 million papers, has 83.64 by
that definition. The BLUE benchmark and its followers mean something else by ChemProt's micro F1: five types, and the
pairs without any among the questions.

Measured (seed 1, 11 minutes of one core): 0.6754 [0.6484, 0.7019]; TF-IDF + logistic on the same rows 0.6428.

Lines of one sentence become one row, so that it is read once; 25 test pairs carry two types, of which one at most can
be answered. Data: allenai/scibert (Apache-2.0), laid as text/chemprot_scibert/{train.txt.gz,dev.txt,test.txt}.
"""

import argparse
import gzip
import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from measure import by_repeat, data, measure, row

from polyclinic.predictions.record import Predictions

METRICS = ("micro_recall", "micro_f1", "macro_f1", "log_loss", "expected_calibration_error")
PARTS = {"train": "train.txt.gz", "tune": "dev.txt", "test": "test.txt"}
MARKS = re.compile(r"(<< | >>|\[\[ | \]\])")


def unmark(marked: str) -> tuple[str, list[int], list[int]]:
    """The sentence without marks, and where the two names stand in it: << head >> and [[ tail ]]."""
    text, found = "", {}
    for piece in MARKS.split(marked):
        opened = {" >>": "<< ", " ]]": "[[ "}.get(piece, piece)
        # A sentence may hold such a sign of its own: only the first after its counterpart is a mark.
        if MARKS.fullmatch(piece) and piece not in found and (opened == piece or opened in found):
            found[piece] = len(text)
        else:
            text += piece
    return text, [found["<< "], found[" >>"]], [found["[[ "], found[" ]]"]]


def lay(folder: Path) -> Path:
    """One row per sentence of a part, with the relations that the lines of this sentence tell."""
    rows: dict[tuple[str, str], list[dict]] = {}
    for part, name in PARTS.items():
        path = data(f"text/chemprot_scibert/{name}")
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in content.decode("utf-8").splitlines():
            told = json.loads(line)
            text, head, tail = unmark(told["text"])
            rows.setdefault((part, text), []).append({"head": head, "tail": tail, "type": told["label"]})
    columns = [(part, text, json.dumps(relations)) for (part, text), relations in rows.items()]
    path = folder / "chemprot.parquet"
    pl.DataFrame(columns, schema=["part", "text", "relations"], orient="row").write_parquet(path)
    return path


def as_test(predictions: Predictions) -> Predictions:
    """The tune rows, to be judged as if they were the test: what settings were chosen on."""
    tune = predictions.part("tune")
    return replace(tune, samples=replace(tune.samples, part=np.full(len(tune.samples), "test")))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("OLD", "NEW"))
    asked = parser.parse_args()
    print("chemprot: pretrained SciBERT 0.8364", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = lay(Path(folder))
        changes = {"ensemble = 1": f"ensemble = {asked.members}", **dict(asked.set)}
        runs = [
            measure("chemprot", path, {"seed = 1": f"seed = {seed}", **changes}) for seed in range(1, asked.seeds + 1)
        ]
    for model in runs[0].models:
        values = [by_repeat(as_test(run.models[model]), "relation", METRICS[:1])[METRICS[0]][0] for run in runs]
        print(row(f"tune {model} {METRICS[0]}", values), flush=True)
        for metric in METRICS:
            values = [by_repeat(run.models[model], "relation", [metric])[metric][0] for run in runs]
            print(row(f"test {model} {metric}", values), flush=True)
    found = runs[0].evidence["targets"]["relation"]
    interval = found["metrics"]["micro_recall"]
    print(f"95 % interval of the first seed over sentences: {interval['low']:.4f} to {interval['high']:.4f}")
    print(found["verdict"])
    print("minutes:", ", ".join(f"{run.minutes:.1f}" for run in runs), f"peak {runs[-1].gib:.2f} GiB")


if __name__ == "__main__":
    main()
