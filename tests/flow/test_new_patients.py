"""Every column that `predict` writes, for every form of answer, held against the files, the curve and the tune rows.

The bundle is the one of `tests/golden`, which holds every form; its promise is 60 %, as there are three tune rows.
"""

import json
import tarfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import polyclinic
from polyclinic.evidence.metrics.operating_point import youden_threshold

ARCHIVE = Path(__file__).parents[1] / "golden" / "bundles.tar.xz"
CONFIDENCE = 0.6
FAR, TORN = "unlike the patients it was trained on", "more than one class is plausible"
ABSENT, GROUNDLESS = "no input is present", "the record that the question is about is absent"
SILENT = "the table does not say what is asked about"
EVERYWHERE = {"row", "patient", "target", "shift", "abstain", "file"}


class Asked:
    """The bundle, asked about its own patients, some of them changed."""

    def __init__(self, folder: Path) -> None:
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(folder, filter="data")
        self.home = folder / "whole"
        self.patients = pl.read_csv(self.home / "cohort.csv")
        self.answers = self.ask(self.patients, "as-they-are")
        known = pl.read_parquet(self.home / "run" / "predictions.parquet")
        self.tune = known.filter(pl.col("part") == "tune")

    def ask(self, table: pl.DataFrame, name: str) -> pl.DataFrame:
        table.write_csv(self.home / f"{name}.csv")
        return pl.read_parquet(polyclinic.predict(self.home / "run", self.home / f"{name}.csv", self.path(name)).out)

    def path(self, name: str) -> Path:
        return self.home / f"{name}.parquet"

    def of(self, target: str) -> pl.DataFrame:
        """The answers to one question, without the columns of others."""
        found = self.answers.filter(pl.col("target") == target)
        return found.select([name for name in found.columns if found[name].null_count() < found.height])

    def file(self, name: str) -> Path:
        return self.home / "as-they-are.files" / name

    def tuned(self, target: str) -> pl.DataFrame:
        return self.tune.filter(pl.col("target") == target)


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> Asked:
    folder = tmp_path_factory.mktemp("new-patients")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POLYCLINIC_CACHE", str(folder / "cache"))
        return Asked(folder)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYCLINIC_CACHE", str(tmp_path / "cache"))


def promise(errors: np.ndarray) -> float:
    """The error that a new patient stays below as often as promised: with three tune rows the largest of them."""
    place = int(np.ceil((len(errors) + 1) * CONFIDENCE))
    return float(np.sort(errors)[place - 1])


def own_columns(frame: pl.DataFrame) -> set[str]:
    return set(frame.columns) - EVERYWHERE


def test_every_row_names_its_patient_and_its_question(asked):
    assert asked.answers["row"].to_list() == list(range(1, 25)) * 9
    assert asked.answers["patient"].to_list() == asked.patients["patient_id"].to_list() * 9
    questions = ["sick", "signs", "level", "death", "area", "spots", "nuclei", "names", "links"]
    assert asked.answers["target"].unique(maintain_order=True).to_list() == questions


def test_classes(asked):
    found, tune = asked.of("sick"), asked.tuned("sick")
    assert own_columns(found) == {"probability_no", "probability_yes", "decision", "threshold", "plausible"}
    chances = found.select("probability_no", "probability_yes").to_numpy()
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-9)
    truth = np.array([("no", "yes").index(word) for word in tune["truth"]])
    given = tune.select("probability_no", "probability_yes").to_numpy()[np.arange(len(truth)), truth]
    sets = 1 - chances <= promise(1 - given)
    words = [" | ".join(np.array(["no", "yes"])[chosen]) for chosen in sets]
    assert found["plausible"].to_list() == words
    # of an earlier version: no threshold is recorded, it is learned from the tune rows
    yes, truth_is_yes = tune["probability_yes"].to_numpy(), truth == 1
    assert found["threshold"].to_list() == [pytest.approx(youden_threshold(truth_is_yes * 1.0, yes), rel=1e-8)] * 24
    reached = found["probability_yes"] >= found["threshold"]
    assert found["decision"].to_list() == ["yes" if one else "no" for one in reached]
    torn = found["abstain"].str.contains(TORN).to_list()
    assert torn == [word != "no" and word != "yes" for word in words]


def test_labels(asked):
    found = asked.of("signs")
    words = ("probability", "decision", "threshold")
    assert own_columns(found) == {f"{word}_signs_{letter}" for letter in "abc" for word in words}
    chances = found.select([f"probability_signs_{letter}" for letter in "abc"]).to_numpy()
    for letter in "abc":
        reached = found[f"probability_signs_{letter}"] >= found[f"threshold_signs_{letter}"]
        assert found[f"decision_signs_{letter}"].to_list() == reached.cast(pl.Int64).to_list()
    assert (chances > 0).all()
    assert (chances < 1).all()


def test_a_value_stands_in_the_middle_of_its_interval(asked):
    found, tune = asked.of("level"), asked.tuned("level")
    assert own_columns(found) == {"value", "low", "high"}
    half = promise(np.abs(tune["value"] - tune["truth"].cast(pl.Float64)).to_numpy())
    assert half > 0
    np.testing.assert_allclose((found["high"] - found["value"]).to_numpy(), half, rtol=1e-6)
    np.testing.assert_allclose((found["value"] - found["low"]).to_numpy(), half, rtol=1e-6)
    assert found["value"].n_unique() > 12


def test_times_are_read_off_the_curve(asked):
    found = asked.of("death")
    assert own_columns(found) == {"risk", "low", "median", "high", "survival_at_1_year", "survival_times", "survival"}
    levels = {"low": 0.8, "median": 0.5, "high": 0.2}
    for row in found.iter_rows(named=True):
        curve, times = np.array(row["survival"]), np.array(row["survival_times"])
        assert (np.diff(times) > 0).all()
        assert (np.diff(curve) <= 0).all()
        for word, level in levels.items():
            first = np.flatnonzero(curve <= level)
            expected = times[first[0]] if len(first) else np.nan
            np.testing.assert_equal(row[word], expected)
        assert not row["low"] >= row["median"]
        assert not row["median"] >= row["high"]
    assert found["high"].is_not_nan().any()


def test_points_are_those_of_the_mask(asked):
    found = asked.of("area")
    assert own_columns(found) == {"points_object"}
    counted = [np.count_nonzero(np.asarray(Image.open(asked.file(name)))) for name in found["file"]]
    assert found["points_object"].to_list() == counted
    assert len(set(counted)) > 1


def test_boxes_are_those_of_the_file(asked):
    found, tune = asked.of("spots"), asked.tuned("spots")
    assert own_columns(found) == {"count_spot", "count_spot_low", "count_spot_high", "highest_spot", "boxes"}
    for row in found.iter_rows(named=True):
        document = json.loads(asked.file(row["file"]).read_text(encoding="utf-8"))
        scores = [box["score"] for box in document["boxes"]]
        assert row["count_spot"] == sum(box["counted"] for box in document["boxes"])
        assert row["count_spot"] == sum(score >= round(document["thresholds"]["spot"], 4) for score in scores)
        counted = [box for box in document["boxes"] if box["counted"]]
        listed = [([one["y0"], one["x0"]], [one["y1"], one["x1"]], one["score"]) for one in json.loads(row["boxes"])]
        assert listed == [(box["low"], box["high"], box["score"]) for box in counted]
        assert row["highest_spot"] == pytest.approx(max(scores), abs=1e-4)
        assert row["count_spot_low"] <= row["count_spot"] <= row["count_spot_high"]
        assert row["count_spot_high"] - row["count_spot"] == (found["count_spot_high"] - found["count_spot"])[0]
    assert len(tune) == 3


def test_cells_are_those_of_the_picture_and_of_the_table(asked):
    found = asked.of("nuclei")
    assert own_columns(found) == {"cells", "cells_low", "cells_high", "mean_area_px2"}
    for row in found.iter_rows(named=True):
        picture, shapes = row["file"].split(" | ")
        numbers = np.asarray(Image.open(asked.file(picture)))
        present = np.unique(numbers[numbers > 0])
        assert row["cells"] == len(present) == pl.read_csv(asked.file(shapes)).height
        assert row["cells_low"] <= row["cells"] <= row["cells_high"]
        if len(present):
            assert row["mean_area_px2"] == pytest.approx(np.count_nonzero(numbers) / len(present))


def test_spans_stand_in_the_text(asked):
    found = asked.of("names")
    assert own_columns(found) == {"count_disease", "count_drug", "spans"}
    for row, text in zip(found.iter_rows(named=True), asked.patients["note"], strict=True):
        spans = json.loads(row["spans"])
        for label in ("disease", "drug"):
            assert row[f"count_{label}"] == sum(span["label"] == label for span in spans)
        assert all(text[span["start"] : span["end"]].strip() == text[span["start"] : span["end"]] for span in spans)
        assert all(0 < span["confidence"] <= 1 for span in spans)


def test_relations_join_stretches_that_were_asked_about(asked):
    found = asked.of("links")
    assert own_columns(found) == {"count_after", "count_before", "relations"}
    total = 0
    for row, cell in zip(found.iter_rows(named=True), asked.patients["links_spans"], strict=True):
        offered = [[span["start"], span["end"]] for span in json.loads(cell)]
        relations = json.loads(row["relations"])
        for word in ("after", "before"):
            assert row[f"count_{word}"] == sum(one["type"] == word for one in relations)
        assert all(one["head"] in offered and one["tail"] in offered for one in relations)
        total += len(relations)
    assert total > 5


def test_a_table_of_text_leaves_out_what_is_no_cell(asked):
    out = asked.home / "short.csv"
    polyclinic.predict(asked.home / "run", asked.home / "cohort.csv", out)
    written = pl.read_csv(out, infer_schema_length=None)
    assert set(asked.answers.columns) - set(written.columns) == {"survival_times", "survival"}
    again = {name.name for name in out.with_suffix(".files").iterdir()}
    assert again == {name.name for name in (asked.home / "as-they-are.files").iterdir()}


def test_far_means_beyond_one(asked):
    """By steps a patient leaves the others behind; the reason comes with the first step beyond 1, not at 2."""
    numbers = [name for name in asked.patients.columns if name.startswith("labs_") and name[5:] in ("marker", "ratio")]
    steps = pl.Series(np.linspace(0, 6, 24))
    first = asked.patients.head(1)
    moved = pl.concat([first] * 24).with_columns(
        [(pl.col(name) * (1 + steps)).alias(name) for name in numbers],
        patient_id=pl.Series([f"M{number}" for number in range(24)]),
    )
    answers = asked.ask(moved, "ever-further").filter(pl.col("target") == "signs")
    shift = answers["shift"].to_numpy()
    far = answers["abstain"].str.contains(FAR).to_numpy()
    assert np.array_equal(far, shift > 1)
    assert ((shift > 1) & (shift < 2)).any()
    assert ((shift < 1) & (shift > 0.5)).any()


def test_each_reason_comes_with_what_causes_it(asked):
    """Nothing of the first, no picture of the second, no stretches of the third, everything of the fourth."""
    table = asked.patients.head(4)
    number = pl.int_range(pl.len())
    seen = [name for name in table.columns if name.startswith(("labs_", "film", "note"))]
    blank = pl.DataFrame([table[name].set(pl.Series([True, False, False, False]), None) for name in seen])
    table = table.with_columns(blank)
    table = table.with_columns(
        pl.when(number == 1).then(None).otherwise(pl.col("film_path")).alias("film_path"),
        pl.when(number == 2).then(None).otherwise(pl.col("links_spans")).alias("links_spans"),
    )
    answers = asked.ask(table, "lacking")

    def reasons(target: str) -> list[set[str]]:
        cells = answers.filter(pl.col("target") == target)["abstain"].to_list()
        return [set(cell.split("; ")) - {FAR, TORN, ""} for cell in cells]

    for target in ("sick", "signs", "level", "death"):
        assert reasons(target) == [{ABSENT}, set(), set(), set()]
    for target in ("area", "spots", "nuclei"):
        assert reasons(target) == [{ABSENT}, {GROUNDLESS}, set(), set()]
    assert reasons("names") == [{ABSENT}, set(), set(), set()]
    assert reasons("links") == [{ABSENT}, set(), {SILENT}, set()]
    of_area = answers.filter(pl.col("target") == "area")
    assert of_area["points_object"].is_null().to_list() == [True, True, False, False]
    assert of_area["file"].is_null().to_list() == [True, True, False, False]
    assert of_area["file"][2] == "00003-area.png"
