"""Diabetes 130-US hospitals: readmission within 30 days, split by patient; the whole study, its time and memory.

    POLYCLINIC_DATA=... python benchmarks/diabetes130.py [--seeds 3]

101,766 encounters of 71,518 patients. Encounters that ended in death or hospice are left out (who cannot come back is
not at risk), as Strack et al., BioMed Research International 2014, did. Goal: above logistic regression and boosting on
the same rows, under 5 minutes and 3 GB. Data: UCI, laid as ehr/diabetes130/dataset_diabetes.zip.
"""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import made_up
import numpy as np
import polars as pl
from measure import Asked, Figure, compare, main

ARCHIVE = "ehr/diabetes130/dataset_diabetes.zip"
MEMBER = "dataset_diabetes/diabetic_data.csv"
GONE = (11, 13, 14, 19, 20, 21)
"""Codes of discharge that mean death or hospice, by the key that comes with the data."""


def table(archive: Path, folder: Path) -> Path:
    """The encounters with one more column, whether the patient came back within 30 days."""
    with zipfile.ZipFile(archive) as opened:
        text = opened.read(MEMBER)
    frame = pl.read_csv(text, null_values=["?"], infer_schema_length=None)
    frame = frame.filter(~pl.col("discharge_disposition_id").is_in(GONE))
    back = (pl.col("readmitted") == "<30").alias("back_within_30_days")
    path = folder / "encounters.parquet"
    frame.with_columns(back).drop("readmitted", "encounter_id").write_parquet(path)
    return path


def figures(asked: Asked) -> Iterator[Figure]:
    """AUROC, and what it took."""
    title = "Diabetes-130, split by patient"
    with tempfile.TemporaryDirectory() as folder:
        runs = asked.run("diabetes130", table(asked.data(ARCHIVE), Path(folder)))
    yield from compare(runs, "back", ["auroc"], data=title)
    yield Figure(title, "peak GiB", tuple(run.gib for run in runs), reference="3", leads=True)


def small(root: Path) -> None:
    """Encounters of made-up patients, two each."""
    signal = np.repeat(made_up.hidden(100), 2)
    rng = np.random.default_rng(made_up.SEED)
    codes = {f"{word}_id": rng.integers(1, 9, 200) for word in ("admission_type", "discharge_disposition")}
    frame = made_up.numbers(signal, ["time_in_hospital", "num_lab_procedures"]).with_columns(
        pl.Series("encounter_id", np.arange(200)),
        pl.Series("patient_nbr", np.repeat(np.arange(100), 2)),
        pl.Series("gender", np.repeat(rng.choice(["Female", "Male"], 100), 2)),
        pl.Series("race", np.repeat(rng.choice(["Caucasian", "Asian", "?"], 100), 2)),
        *(pl.Series(name, values) for name, values in codes.items()),
        pl.Series("admission_source_id", rng.integers(1, 9, 200)),
        pl.Series("readmitted", np.where(signal > 0.5, "<30", "NO")),
    )
    text = io.BytesIO()
    frame.write_csv(text)
    (root / ARCHIVE).parent.mkdir(parents=True)
    with zipfile.ZipFile(root / ARCHIVE, "w") as opened:
        opened.writestr(MEMBER, text.getvalue())


if __name__ == "__main__":
    main(figures, __doc__, small=small)
