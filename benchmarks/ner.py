"""Diseases and drugs in English abstracts: BC5CDR and NCBI-disease, official test, no pretrained weights or vectors.

    POLYCLINIC_DATA=... python benchmarks/ner.py [bc5cdr] [ncbi] [--seeds 1] [--members 1] [--inner] [--set OLD NEW]

Exact entity F1. Goals: BC5CDR 0.86, NCBI-disease 0.83; a plain linear-chain CRF on the same sentences has 0.8396 and
0.781. Published with PubMed word vectors: BiLSTM-CRF 0.869 and 0.858, CNN-BiLSTM-CRF 0.867 and 0.826 (Multi-BioNER
README); BioBERT v1.1 on NCBI-disease 0.897. Data: cambridgeltl/MTL-Bioinformatics-2016 (CC BY 4.0), laid as
text/ner/<set>-IOB/{train,devel,test}.tsv[.gz].

The files are streams of sentences in the order of the abstracts, without a mark between two of them. So that a word is
read in the light of where else it stands, a row is several sentences that follow one another. BC5CDR: 20, about two
abstracts. NCBI-disease: 100 where they train, of which the network sees windows, and 40 where they tune or are tested.
Both were chosen on the development parts; of BC5CDR they could hardly be told apart. As usual for these sets the train
and development parts train together; the last tenth of their sentences is for tuning. The test is judged as published.

``--inner`` is for choosing how to train: the train part trains, the development part is judged, the test is not read.
``--set`` changes text of the study. Without the plain models, a dictionary and a linear-chain CRF:
--set 'baselines = true' 'baselines = false'.
"""

import argparse
import tempfile
from pathlib import Path

from iob import Sentence, rows, sentences, table
from measure import by_repeat, data, measure, row

FOLDERS = {"bc5cdr": ("BC5CDR-IOB", 0.86), "ncbi": ("NCBI-disease-IOB", 0.83)}
TOGETHER = {"bc5cdr": (20, 20), "ncbi": (100, 40)}
"""Sentences of a row that trains, and of one that is judged."""
METRICS = ("entity_f1", "entity_precision", "entity_recall", "partial_f1", "recall_seen", "recall_unseen")
TUNE = 0.1


def lay(name: str, folder: Path, *, inner: bool = False) -> Path:
    """The table of one set."""
    source = data(f"text/ner/{FOLDERS[name][0]}")

    def part(word: str) -> list[Sentence]:
        return sentences(next(source.glob(f"{word}.tsv*")))

    learned, judged = TOGETHER[name]
    learn = part("train") if inner else [*part("train"), *part("devel")]
    tuned = round(len(learn) * (1 - TUNE))
    parts = {
        "train": rows(learn[:tuned], learned),
        "tune": rows(learn[tuned:], judged),
        "test": rows(part("devel" if inner else "test"), judged),
    }
    return table(parts, folder / f"{name}.parquet")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--inner", action="store_true")
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("OLD", "NEW"))
    asked = parser.parse_args()
    for name in asked.names or FOLDERS:
        print(f"\n{name}: goal entity F1 {FOLDERS[name][1]:.2f}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            path = lay(name, Path(folder), inner=asked.inner)
            changes = {"ensemble = 1": f"ensemble = {asked.members}", **dict(asked.set)}
            runs = [
                measure("ner", path, {"seed = 1": f"seed = {seed}", **changes}) for seed in range(1, asked.seeds + 1)
            ]
        for model in runs[0].models:
            for metric in METRICS:
                values = [by_repeat(run.models[model], "entities", [metric])[metric][0] for run in runs]
                print(row(f"{model} {metric}", values), flush=True)
        found = runs[0].evidence["targets"]["entities"]["metrics"]["entity_f1"]
        print(f"95 % interval of the first seed over rows: {found['low']:.4f} to {found['high']:.4f}")
        print("minutes:", ", ".join(f"{run.minutes:.1f}" for run in runs), f"peak {runs[-1].gib:.2f} GiB", flush=True)


if __name__ == "__main__":
    main()
