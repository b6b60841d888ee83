"""Diseases and drugs in English abstracts: BC5CDR and NCBI-disease, official test, no pretrained weights or vectors.

    POLYCLINIC_DATA=... python benchmarks/ner.py [bc5cdr] [ncbi] [--seeds 1] [--members 1] [--inner]

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
Without the plain models, a dictionary and a linear-chain CRF: --set evidence.baselines=false.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import iob
from measure import Asked, Figure, compare, main

SETS = {
    "bc5cdr": ("BC5CDR", "text/ner/BC5CDR-IOB", "goal .86, BiLSTM-CRF with vectors .869"),
    "ncbi": ("NCBI-disease", "text/ner/NCBI-disease-IOB", "goal .83, BiLSTM-CRF with vectors .858"),
}
TOGETHER = {"bc5cdr": (20, 20), "ncbi": (100, 40)}
"""Sentences of a row that trains, and of one that is judged."""
METRICS = ("entity_f1", "entity_precision", "entity_recall", "partial_f1", "recall_seen", "recall_unseen")
TUNE = 0.1
"""The last tenth of what trains is for tuning: enough to stop by, and 90 % are left to learn from."""


def table(name: str, source: Path, folder: Path, *, inner: bool) -> Path:
    """The table of one set."""

    def part(word: str) -> list[iob.Sentence]:
        return iob.sentences(next(source.glob(f"{word}.tsv*")))

    learned, judged = TOGETHER[name]
    learn = part("train") if inner else [*part("train"), *part("devel")]
    tuned = round(len(learn) * (1 - TUNE))
    parts = {
        "train": iob.rows(learn[:tuned], learned),
        "tune": iob.rows(learn[tuned:], judged),
        "test": iob.rows(part("devel" if inner else "test"), judged),
    }
    return iob.table(parts, folder / f"{name}.parquet")


def figures(asked: Asked) -> Iterator[Figure]:
    """Exact and partial matches, and names that were or were not among the training rows."""
    for name in asked.names:
        title, source, reference = SETS[name]
        with tempfile.TemporaryDirectory() as folder:
            path = table(name, asked.data(source), Path(folder), inner=asked.own.inner)
            runs = asked.run("ner", path)
        part = "development part" if asked.own.inner else "official test"
        references = {"entity_f1": reference}
        yield from compare(runs, "entities", METRICS, data=f"{title}, {part}", references=references)


def small(root: Path) -> None:
    """Both sets with made-up sentences, more of them where more make a row."""
    for name, (_, source, _) in SETS.items():
        for seed, part in enumerate(("train", "devel", "test")):
            made = iob.made_up(3 * max(TOGETHER[name]), "Disease", ("the", "patient", "has", "no", "sign", part), seed)
            iob.write(root / source / f"{part}.tsv", made, "\t")


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--inner", action="store_true", help="judge the development part, do not read the test")


if __name__ == "__main__":
    main(figures, __doc__, sets=tuple(SETS), small=small, add=add)
