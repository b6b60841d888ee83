"""Every file in studies/ runs from end to end on a small part of its cohort, and leaves all that is promised."""

import json
import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tomli_w

import polyclinic
from polyclinic import workflow
from polyclinic.cohort.builtin import read_builtin
from polyclinic.steps.example_cohort import example_cohort
from polyclinic.study.read import read_study

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "studies").glob("*.toml"))
PROMISED = {
    "report.html",
    "card.md",
    "evidence.json",
    "predictions.parquet",
    "split.parquet",
    "cohort.json",
    "study.toml",
    "log.jsonl",
    "bundle.json",
    "model",
}
PATIENTS = 240
LOADED = re.compile(
    r"""(src|href|action|data)\s*=\s*["']?(https?:)?//|url\(\s*["']?(https?:)?//|@import|<script|<link"""
)


def shortened(study: Path, folder: Path) -> Path:
    """The study on a smaller cohort and with little training; everything else is as it stands in the file."""
    document = tomllib.loads(study.read_text(encoding="utf-8"))
    cohort = document["cohort"]
    if "source" in cohort:
        frame = read_builtin(cohort.pop("source").removeprefix("builtin:")).frame
        cohort["table"] = "cohort.parquet"
        frame.sample(PATIENTS, seed=1).write_parquet(folder / "cohort.parquet")
    else:
        kinds = {
            axis: {name: section["kind"] for name, section in document[axis].items()} for axis in ("inputs", "targets")
        }
        example_cohort(folder, kinds["inputs"], kinds["targets"], patients=PATIENTS // 2)
    document["training"] = {**document.get("training", {}), "epochs": 2}
    document["evidence"] = {**document.get("evidence", {}), "resamples": 50}
    document["split"] = {**document.get("split", {}), **({"folds": 2} if "folds" in document.get("split", {}) else {})}
    path = folder / "study.toml"
    path.write_text(tomli_w.dumps(document), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=STUDIES, ids=[path.stem for path in STUDIES])
def done(request, tmp_path_factory) -> workflow.Done:
    folder = tmp_path_factory.mktemp(request.param.stem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POLYCLINIC_CACHE", str(folder / "cache"))
        return polyclinic.run(shortened(request.param, folder), folder / "run")


def numbers(document: Any) -> Iterator[float]:
    """Every number of a JSON document."""
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        for one in document:
            yield from numbers(one)
    elif isinstance(document, float):
        yield document


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_study_says_what_it_is_for(path):
    study = read_study(path)
    assert study.study.name == path.stem.replace("_", "-")
    assert study.study.title.endswith("?")
    assert study.study.intended_use
    assert path.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.slow
class TestTheBundle:
    def test_every_promised_file_is_there(self, done):
        assert {path.name for path in done.folder.iterdir()} >= PROMISED
        assert not (done.folder / ".work").exists()
        fits = list((done.folder / "model").iterdir())
        assert fits
        assert all({path.name for path in fit.iterdir()} == {"weights.safetensors", "plan.json"} for fit in fits)

    def test_the_headline_figures_are_finite_and_have_intervals(self, done):
        evidence = json.loads((done.folder / "evidence.json").read_bytes())
        assert evidence == done.evidence
        for target in evidence["targets"].values():
            for metric in target["headline"]:
                figure = target["metrics"][metric]
                assert all(math.isfinite(figure[key]) for key in ("value", "low", "high")), metric
                assert figure["low"] <= figure["value"] <= figure["high"]
            assert target["baseline"]["name"]
            assert target["verdict"].endswith(".")
        assert all(math.isfinite(number) for number in numbers(evidence))

    def test_every_patient_of_the_folds_is_tested_once(self, done):
        study = read_study(done.folder / "study.toml")
        answers = pl.read_parquet(done.folder / "predictions.parquet").filter(pl.col("part") == "test")
        cohort = json.loads((done.folder / "cohort.json").read_bytes())
        for target in study.targets:
            asked = answers.filter(pl.col("target") == target)
            assert asked["row"].n_unique() == asked.height
            assert asked.height == cohort["flow"][-1]["rows"]

    def test_nobody_trains_and_tests_at_once(self, done):
        split = pl.read_parquet(done.folder / "split.parquet")
        sides = split.group_by("patient", "repeat", "fold", "member").agg(pl.col("part").n_unique())
        assert (sides["part"] == 1).all()

    def test_the_report_opens_without_a_network(self, done):
        page = (done.folder / "report.html").read_text(encoding="utf-8")
        assert LOADED.search(page) is None
        assert read_study(done.folder / "study.toml").study.title in page.replace("&#x27;", "'")

    def test_the_log_tells_when(self, done):
        lines = (done.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["event"] for line in lines] == ["began", "finished"]

    def test_the_card_says_what_it_is_for(self, done):
        card = (done.folder / "card.md").read_text(encoding="utf-8")
        assert read_study(done.folder / "study.toml").study.intended_use in card
        assert "TRIPOD+AI" in card

    def test_the_resolved_study_gives_the_same_bytes(self, done, tmp_path, monkeypatch):
        """Every default is written out, so the copy in the bundle is the study."""
        monkeypatch.setenv("POLYCLINIC_CACHE", str(tmp_path / "cache"))
        again = polyclinic.run(done.folder / "study.toml", tmp_path / "again")
        for name in ("predictions.parquet", "evidence.json", "split.parquet"):
            assert (again.folder / name).read_bytes() == (done.folder / name).read_bytes(), name


def test_report_and_card_speak_chinese_where_the_study_asks_for_it(small, tmp_path):
    done = polyclinic.run(small(study={"language": "zh", "title": "谁患病？"}).study, tmp_path / "run")
    page = (done.folder / "report.html").read_text(encoding="utf-8")
    assert re.search(r'<html[^>]* lang="zh', page)
    assert "谁患病？" in page
    assert "校准" in page
    assert "预期用途" in (done.folder / "card.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore::polyclinic.errors.FindingWarning")
def test_published_folds_run_as_one_study(small, tmp_path):
    """Two columns are two repetitions: answers, split, card and report say so, and the column is no input."""
    made = small(split={"folds": ["column:fold", "column:again"]}, patients=60)
    table = pl.read_csv(made.table).with_columns(
        fold=pl.int_range(pl.len()) % 3 + 1, again=pl.lit("f") + (pl.int_range(pl.len()) // 4 % 3).cast(pl.String)
    )
    table.write_csv(made.table)
    assert not [one for one in polyclinic.check(made.study).findings if one.severity in ("error", "refused")]
    done = polyclinic.run(made.study, tmp_path / "run")
    answers = pl.read_parquet(done.folder / "predictions.parquet").filter(pl.col("part") == "test")
    assert answers.group_by("repeat").agg(pl.col("row").n_unique()).sort("repeat").rows() == [(0, 60), (1, 60)]
    split = pl.read_parquet(done.folder / "split.parquet")
    assert sorted(split.select("repeat", "given_by").unique().rows()) == [(0, "fold"), (1, "again")]
    assert set(split.filter(given_by="fold", part="test", fold=1)["row"] % 3) == {2}
    counts = json.loads((done.folder / "evidence.json").read_bytes())["targets"]["sick"]["counts"]
    assert (counts["folds"], counts["repeats"]) == (3, 2)
    assert "as the table says, column `fold`, `again`" in (done.folder / "card.md").read_text(encoding="utf-8")
    assert "column fold, again" in (done.folder / "report.html").read_text(encoding="utf-8")
    plan = json.loads(next((done.folder / "model").iterdir()).joinpath("plan.json").read_bytes())
    assert "fold" not in json.dumps(plan["inputs"])
    assert polyclinic.predict(done.folder, table.drop("fold", "again")).height == 60
    assert polyclinic.judge(done.folder)["targets"]["sick"] == done.evidence["targets"]["sick"]


@pytest.mark.filterwarnings("ignore::polyclinic.errors.FindingWarning")
def test_recordings_are_divided_by_the_pattern_of_their_names(small, tmp_path):
    """The check asks for the patient, the key answers, and new recordings are answered row by row."""
    made = small(patients=60)
    table = pl.read_csv(made.table)
    names = [f"phon_S{row // 3:02}_{row % 3}" for row in range(60)]
    table.with_columns(patient_id=pl.Series(names)).write_csv(made.table)
    warned = [one for one in polyclinic.check(made.study).findings if one.name == "unrecognised_patients"]
    assert "names share a stem" in str(warned)
    study = tomllib.loads(made.study.read_text(encoding="utf-8"))
    study["cohort"]["patient_pattern"] = "^(phon_S[0-9]+)_"
    made.study.write_text(tomli_w.dumps(study), encoding="utf-8")
    done = polyclinic.run(made.study, tmp_path / "run")
    assert "unrecognised_patients" not in {finding.name for finding in done.findings}
    split = pl.read_parquet(done.folder / "split.parquet")
    assert split["patient"].n_unique() == 20
    assert (split.group_by("patient", "repeat", "fold", "member").agg(pl.col("part").n_unique())["part"] == 1).all()
    assert "`^(phon_S[0-9]+)_`" in (done.folder / "card.md").read_text(encoding="utf-8")
    new = pl.read_csv(made.table).with_columns(patient_id=pl.Series([f"another {row}" for row in range(60)]))
    assert polyclinic.predict(done.folder, new)["patient"].to_list() == new["patient_id"].to_list()
