"""Golub leukaemia, the published 38 training and 34 independent patients: errors of the test over three seeds.

    POLYCLINIC_DATA=... python benchmarks/golub.py

Reference: the paper (Golub et al., Science 1999) makes 29 strong calls of 34, all right. 7,129 genes.
Data: github.com/jhcui18/Leukemia_classifier, laid as genomics/golub/.
"""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from measure import data, measure


def table(folder: Path) -> Path:
    """One row per patient: part, cancer, and one column per gene."""
    actual = pl.read_csv(data("genomics/golub/actual.csv"))
    frames = []
    for part, name in (("train", "train"), ("test", "independent")):
        raw = pl.read_csv(data(f"genomics/golub/data_set_ALL_AML_{name}.csv.gz"), infer_schema_length=None)
        patients = [column for column in raw.columns if column.isdigit()]
        genes = {gene: raw.select(patients).row(i) for i, gene in enumerate(raw["Gene Accession Number"])}
        frame = pl.DataFrame({"patient": [int(p) for p in patients], "part": part, **genes})
        frames.append(frame.join(actual, on="patient", how="left"))
    path = folder / "golub.parquet"
    pl.concat(frames).write_parquet(path)
    return path


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = table(Path(folder))
        for seed in (1, 2, 3):
            measured = measure("golub", path, {"seed = 1": f"seed = {seed}"})
            for model, predictions in measured.models.items():
                answer = predictions.part("test").answers["leukaemia"]
                wrong = int(np.sum(answer.probabilities.argmax(axis=1) != answer.truth))
                print(f"seed {seed} {model:<24} {wrong} errors of {len(answer)}; {measured.minutes:.1f} min")


if __name__ == "__main__":
    main()
