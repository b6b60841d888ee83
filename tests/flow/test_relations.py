"""Entities and the relations between them, from the study file to the answers for new patients."""

import json

import numpy as np
import polars as pl
import pytest

import polyclinic
from polyclinic.errors import StudyError
from polyclinic.predictions.table import load
from polyclinic.steps.example_cohort import example_cohort

QUICK = {"training": {"epochs": 8, "precision": "fp32"}, "evidence": {"resamples": 20}, "model": {"size": "tiny"}}


def study_of(folder, spans_from: str, **settings):
    made = example_cohort(folder, {"note": "text"}, {"names": "tag", "link": "relate"}, patients=90, settings=settings)
    lines = made.study.read_text(encoding="utf-8")
    made.study.write_text(lines.replace('kind = "relate"', f'kind = "relate"\nspans_from = "{spans_from}"'))
    return made


@pytest.mark.slow
def test_from_end_to_end(tmp_path):
    made = study_of(tmp_path, "names", **QUICK)
    done = polyclinic.run(made.study, tmp_path / "run")
    [ours] = load(done.folder / "predictions.parquet")
    answer = ours.part("test").answers["link"]
    assert all(answer.pairs)
    evidence = json.loads((done.folder / "evidence.json").read_bytes())["targets"]["link"]
    assert evidence["metrics"]["micro_f1"]["value"] > 0.6
    assert evidence["baselines"] == {}
    table = pl.read_csv(made.table).drop("names", "link", "link_spans")
    table.write_csv(tmp_path / "new.csv")
    told = polyclinic.predict(done.folder, tmp_path / "new.csv", tmp_path / "told.parquet")
    rows = pl.read_parquet(told.out).filter(pl.col("target") == "link")
    assert len(rows) == len(table)
    found = [json.loads(cell) for cell in rows["relations"]]
    assert np.mean([len(one) > 0 for one in found]) > 0.3
    assert {pair["type"] for one in found for pair in one} <= {"before", "after"}


def test_a_finder_must_find_spans_in_the_same_text(tmp_path):
    made = study_of(tmp_path, "nobody", **QUICK)
    with pytest.raises(StudyError, match="finds spans"):
        polyclinic.run(made.study, tmp_path / "run")
