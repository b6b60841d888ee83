"""Diabetes 130-US hospitals: readmission within 30 days, split by patient; the whole study, its time and memory.

    POLYCLINIC_DATA=... python benchmarks/diabetes130.py

101,766 encounters of 71,518 patients. Encounters that ended in death or hospice are left out (who cannot come back is
not at risk), as Strack et al., BioMed Research International 2014, did. Goal: above logistic regression and boosting on
the same rows, under 5 minutes and 3 GB. Data: UCI, laid as ehr/diabetes130/dataset_diabetes.zip.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import polars as pl
from measure import by_repeat, data, measure, row

_GONE = (11, 13, 14, 19, 20, 21)


def table(folder: Path) -> Path:
    """The encounters with one more column, whether the patient came back within 30 days."""
    with zipfile.ZipFile(data("ehr/diabetes130/dataset_diabetes.zip")) as archive:
        text = archive.read("dataset_diabetes/diabetic_data.csv")
    frame = pl.read_csv(text, null_values=["?"], infer_schema_length=None)
    frame = frame.filter(~pl.col("discharge_disposition_id").is_in(_GONE))
    back = (pl.col("readmitted") == "<30").alias("back_within_30_days")
    path = folder / "encounters.parquet"
    frame.with_columns(back).drop("readmitted", "encounter_id").write_parquet(path)
    return path


def main(seeds: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = table(Path(folder))
        for seed in seeds or ["1", "2", "3"]:
            measured = measure("diabetes130", path, {"seed = 1": f"seed = {seed}"})
            print(f"\nseed {seed}: {measured.minutes:.1f} min, peak {measured.gib:.2f} GiB")
            for model, predictions in measured.models.items():
                print(row(model, by_repeat(predictions, "back", ["auroc"])["auroc"]))
            print(measured.evidence["targets"]["back"]["verdict"])


if __name__ == "__main__":
    main(sys.argv[1:])
