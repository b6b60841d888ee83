"""Golub leukaemia, the published 38 training and 34 independent patients: errors of the test over three seeds.

    POLYCLINIC_DATA=... python benchmarks/golub.py

Reference: the paper (Golub et al., Science 1999) makes 29 strong calls of 34, all right. 7,129 genes.
Data: github.com/jhcui18/Leukemia_classifier, laid as genomics/golub/.
"""

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

import made_up
import numpy as np
import polars as pl
from measure import OURS, Asked, Figure, main

from polyclinic.answers.classes import ClassAnswer

FOLDER = "genomics/golub"
PARTS = {"train": "data_set_ALL_AML_train.csv.gz", "test": "data_set_ALL_AML_independent.csv.gz"}


def table(source: Path, folder: Path) -> Path:
    """One row per patient: part, cancer, and one column per gene."""
    actual = pl.read_csv(source / "actual.csv")
    frames = []
    for part, name in PARTS.items():
        raw = pl.read_csv(source / name, infer_schema_length=None)
        patients = [column for column in raw.columns if column.isdigit()]
        genes = {gene: raw.select(patients).row(i) for i, gene in enumerate(raw["Gene Accession Number"])}
        frame = pl.DataFrame({"patient": [int(p) for p in patients], "part": part, **genes})
        frames.append(frame.join(actual, on="patient", how="left"))
    path = folder / "golub.parquet"
    pl.concat(frames).write_parquet(path)
    return path


def figures(asked: Asked) -> Iterator[Figure]:
    """How many test patients get the wrong class."""
    with tempfile.TemporaryDirectory() as folder:
        runs = asked.run("golub", table(asked.data(FOLDER), Path(folder)))
    for model in runs[0].models:
        answers = [run.models[model].part("test").answers["leukaemia"] for run in runs]
        errors = tuple(_errors(answer) for answer in answers if isinstance(answer, ClassAnswer))
        reference = "paper: 29 of 34 strong calls" if model == OURS else "same rows"
        minutes = tuple(run.minutes for run in runs)
        yield Figure("Golub, 38 / 34", "errors", errors, model, reference=reference, leads=True, minutes=minutes)


def _errors(answer: ClassAnswer) -> int:
    return int(np.sum(answer.probabilities.argmax(axis=1) != answer.truth))


def small(root: Path) -> None:
    """Forty genes of 24 and 12 made-up patients, one gene in a line."""
    signal = made_up.hidden(36)
    genes = made_up.numbers(signal, [f"G{number}" for number in range(40)])
    (root / FOLDER).mkdir(parents=True)
    for name, patients in zip(PARTS.values(), (range(24), range(24, 36)), strict=True):
        columns = {str(patient + 1): genes.row(patient) for patient in patients}
        calls = {f"call.{patient}": ["P"] * 40 for patient in patients}
        frame = pl.DataFrame({"Gene Accession Number": genes.columns, **columns, **calls})
        (root / FOLDER / name).write_bytes(gzip.compress(frame.write_csv().encode()))
    cancer = pl.DataFrame({"patient": range(1, 37), "cancer": np.where(signal > 0, "AML", "ALL")})
    cancer.write_csv(root / FOLDER / "actual.csv")


if __name__ == "__main__":
    main(figures, __doc__, seeds=3, small=small)
