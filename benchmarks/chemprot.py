"""What a chemical does to a protein: ChemProt as sentences with two marked names, 13 types, official split, from zero.

    POLYCLINIC_DATA=... python benchmarks/chemprot.py [--seeds 1] [--members 1] [--set training.epochs=30]

Micro F1 over all 13 types of the 3,469 marked pairs. Every line of the files asks about one pair, and every pair has a
type, so this is the share of right answers (``micro_recall``); SciBERT, pretrained on 1.14 million papers, has 83.64 by
that definition. The BLUE benchmark and its followers mean something else by ChemProt's micro F1: five types, and the
pairs without any among the questions.

Measured (seed 1): 0.664 [0.638, 0.689]; TF-IDF + logistic on the same rows 0.645, not told apart.

Lines of one sentence become one row, so that it is read once; 25 test pairs carry two types, of which one at most can
be answered. Data: allenai/scibert (Apache-2.0), laid as text/chemprot_scibert/{train.txt.gz,dev.txt,test.txt}.
"""

import gzip
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from iob import read_text
from measure import Asked, Figure, by_repeat, compare, main

from polyclinic.predictions.record import Predictions

FOLDER = "text/chemprot_scibert"
METRICS = ("micro_recall", "micro_f1", "macro_f1", "log_loss", "expected_calibration_error")
PARTS = {"train": "train.txt.gz", "tune": "dev.txt", "test": "test.txt"}
MARKS = re.compile(r"(<< | >>|\[\[ | \]\])")


def unmark(marked: str) -> tuple[str, list[int], list[int]]:
    """The sentence without marks, and where the two names stand in it: << head >> and [[ tail ]]."""
    text = ""
    found: dict[str, int] = {}
    for piece in MARKS.split(marked):
        opened = {" >>": "<< ", " ]]": "[[ "}.get(piece, piece)
        # A sentence may hold such a sign of its own: only the first after its counterpart is a mark.
        if MARKS.fullmatch(piece) and piece not in found and (opened == piece or opened in found):
            found[piece] = len(text)
        else:
            text += piece
    return text, [found["<< "], found[" >>"]], [found["[[ "], found[" ]]"]]


def table(source: Path, folder: Path) -> Path:
    """One row per sentence of a part, with the relations that the lines of this sentence tell."""
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for part, name in PARTS.items():
        for line in read_text(source / name).splitlines():
            pair = json.loads(line)
            text, head, tail = unmark(pair["text"])
            rows.setdefault((part, text), []).append({"head": head, "tail": tail, "type": pair["label"]})
    columns = [(part, text, json.dumps(relations)) for (part, text), relations in rows.items()]
    path = folder / "chemprot.parquet"
    pl.DataFrame(columns, schema=["part", "text", "relations"], orient="row").write_parquet(path)
    return path


def as_test(predictions: Predictions) -> Predictions:
    """The tune rows, to be judged as if they were the test: what settings were chosen on."""
    tune = predictions.part("tune")
    return replace(tune, samples=replace(tune.samples, part=np.full(len(tune.samples), "test", dtype=object)))


def figures(asked: Asked) -> Iterator[Figure]:
    """The share of right answers first; on tune rows as well."""
    with tempfile.TemporaryDirectory() as folder:
        runs = asked.run("chemprot", table(asked.data(FOLDER), Path(folder)))
    for model in runs[0].models:
        values = (value for run in runs for value in by_repeat(as_test(run.models[model]), "relation", METRICS[0]))
        yield Figure("ChemProt, tune rows", METRICS[0], tuple(values), model)
    references = {"micro_recall": "SciBERT .836, pretrained"}
    yield from compare(runs, "relation", METRICS, data="ChemProt, 13 labels", references=references)


def small(root: Path) -> None:
    """Made-up pairs of two types, each told by its verb."""
    rng = np.random.default_rng(1)
    for name, count in zip(PARTS.values(), (60, 20, 20), strict=True):
        lines = []
        for number in range(count):
            verb, label = (("blocks", "INHIBITOR"), ("starts", "ACTIVATOR"))[rng.integers(2)]
            text = f"Of {name[:2]} {number} the << drug{rng.integers(9)} >> {verb} [[ protein{rng.integers(9)} ]] ."
            lines.append(json.dumps({"text": text, "label": label}))
        content = "\n".join(lines).encode()
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        (root / FOLDER / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


if __name__ == "__main__":
    main(figures, __doc__, small=small)
