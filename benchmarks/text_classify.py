"""Texts to classes, official splits, trained from the beginning, beside TF-IDF + logistic regression on the same rows.

    POLYCLINIC_DATA=... python benchmarks/text_classify.py [cmedic] [cmedtc] [druglib] [--seeds 1] [--minutes 8]

cmedic: how firmly a Chinese query asks for a drug, a doctor or a cure, 3 classes; pretrained BERT-base F1 0.860,
MC-BERT 0.875. cmedtc: what a criterion of a trial is about, 44 classes; 0.790 and 0.821. Their page does not say which
F1; ours are accuracy (micro F1) and macro F1. druglib: is a patient's review of a drug good (rating 7 to 10) or bad (1
to 4), reviews between left out; benefits, side effects and comments in one text; no published figure on this split. A
tenth of its training rows are for tuning.
Data: alibaba-research/ChineseBLUE (Apache-2.0), laid as text/chinese_blue/{cMedIC,cMedTC}/{train,dev,test}.txt; drugLib
reviews (UCI 461), laid as text/druglib/drugLib{Train,Test}_raw.tsv.gz.
"""

import argparse
import gzip
import tempfile
from pathlib import Path

import polars as pl
from measure import by_repeat, data, measure, row

METRICS = ("accuracy", "macro_f1", "log_loss")
CHINESE = {"cmedic": "cMedIC", "cmedtc": "cMedTC"}
EVERY = 10
REVIEWS = ("benefitsReview", "sideEffectsReview", "commentsReview")


def read(path: Path) -> str:
    """The text of a file, packed or not."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")


def chinese(name: str) -> pl.DataFrame:
    """One query or criterion per row."""
    rows = []
    for part, word in (("train", "train"), ("tune", "dev"), ("test", "test")):
        folder = data(f"text/chinese_blue/{CHINESE[name]}")
        lines = read(next(iter(sorted(folder.glob(f"{word}.txt*"))))).splitlines()
        rows += [(part, *line.split("\t", 1)[::-1]) for line in lines if "\t" in line]
    return pl.DataFrame(rows, schema=["part", "text", "label"], orient="row")


def druglib() -> pl.DataFrame:
    """One review per row."""
    frames = []
    for part, name in (("train", "Train"), ("test", "Test")):
        content = gzip.decompress(data(f"text/druglib/drugLib{name}_raw.tsv.gz").read_bytes())
        raw = pl.read_csv(content, separator="\t", infer_schema=False)
        raw = raw.with_columns(pl.col("rating").cast(pl.Int64, strict=False)).filter(pl.col("rating").is_not_null())
        text = pl.concat_str([pl.col(column).fill_null("") for column in REVIEWS], separator="\n").alias("text")
        label = pl.when(pl.col("rating") >= 7).then(pl.lit("good")).when(pl.col("rating") <= 4).then(pl.lit("bad"))
        frames.append(raw.select(pl.lit(part).alias("part"), text, label.alias("label")).drop_nulls())
    whole = pl.concat(frames).with_row_index()
    tune = (pl.col("part") == "train") & (pl.col("index") % EVERY == EVERY - 1)
    return whole.with_columns(pl.when(tune).then(pl.lit("tune")).otherwise(pl.col("part")).alias("part")).drop("index")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--minutes", type=int, help="cap on the training of each run; it shortens the schedule")
    asked = parser.parse_args()
    for name in asked.names or (*CHINESE, "druglib"):
        frame = druglib() if name == "druglib" else chinese(name)
        print(f"\n{name}: {frame['part'].value_counts(sort=True).rows()}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.parquet"
            frame.write_parquet(path)
            changes = {"ensemble = 1": f"ensemble = {asked.members}", "NAME": name}
            if asked.minutes is not None:
                changes["[evidence]"] = f"[training]\nminutes = {asked.minutes}\n\n[evidence]"
            runs = [
                measure("text_classify", path, {"seed = 1": f"seed = {seed}", **changes})
                for seed in range(1, asked.seeds + 1)
            ]
        for model in runs[0].models:
            for metric in (*METRICS, "auroc") if name == "druglib" else METRICS:
                if metric == "macro_f1" and name == "druglib":
                    continue
                values = [by_repeat(run.models[model], "answer", [metric])[metric][0] for run in runs]
                print(row(f"{model} {metric}", values), flush=True)
        print(runs[0].evidence["targets"]["answer"]["verdict"])
        print("minutes:", ", ".join(f"{run.minutes:.1f}" for run in runs), f"peak {runs[-1].gib:.2f} GiB", flush=True)


if __name__ == "__main__":
    main()
