"""Who is turned away when a model is asked about new patients."""

import json

import numpy as np
import polars as pl
import pytest

import polyclinic
from polyclinic.errors import BundleError, CohortError
from polyclinic.steps.predict import WrittenAnswers

SETTINGS = {
    "cohort": {"exclude": "sex = 'male'"},
    "training": {"epochs": 2},
    "model": {"size": "tiny"},
    "evidence": {"resamples": 0, "baselines": False},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answering")
    made = polyclinic.example_cohort(folder, {"labs": "tabular"}, {"sick": "classify"}, patients=160, settings=SETTINGS)
    polyclinic.run(made.study, folder / "run")
    return folder


def ask(run, frame: pl.DataFrame) -> tuple[pl.DataFrame, WrittenAnswers]:
    number = len(list(run.glob("new*.csv")))
    table = run / f"new{number}.csv"
    frame.write_csv(table)
    predicted = polyclinic.predict(run / "run", table, run / f"answers-{number}.csv")
    return pl.read_csv(predicted.out), predicted


def test_patients_outside_the_criteria_get_a_reason(run):
    cohort = pl.read_csv(run / "cohort.csv").head(30).drop("sick")
    answers, _ = ask(run, cohort)
    outside = answers["abstain"].fill_null("").str.contains("left out by the criteria").to_numpy()
    assert np.array_equal(outside, (cohort["sex"] == "male").to_numpy())


def test_also_when_that_is_everybody(run):
    men = pl.read_csv(run / "cohort.csv").filter(pl.col("sex") == "male").head(5)
    answers, _ = ask(run, men)
    assert answers["abstain"].str.contains("left out by the criteria").all()


def test_criteria_that_cannot_be_checked_are_told(run):
    answers, predicted = ask(run, pl.read_csv(run / "cohort.csv").head(5).drop("sex"))
    assert "criteria_unchecked" in {finding.name for finding in predicted.findings}
    assert len(answers) == 5


def test_the_chances_add_up_and_every_answer_names_its_patient(run):
    cohort = pl.read_csv(run / "cohort.csv").head(12)
    answers, _ = ask(run, cohort)
    total = answers["probability_no"] + answers["probability_yes"]
    np.testing.assert_allclose(total.to_numpy(), 1.0, rtol=1e-6)
    assert answers["patient"].to_list() == cohort["patient_id"].to_list()
    assert answers["row"].to_list() == list(range(1, 13))


def test_values_unlike_those_of_training_are_a_reason_by_column(run):
    cohort = pl.read_csv(run / "cohort.csv").filter(pl.col("sex") != "male").head(4).drop("sick")
    row = pl.int_range(pl.len())
    odd = cohort.with_columns(
        labs_marker=pl.when(row == 1).then(-20.0).otherwise(pl.col("labs_marker")),
        labs_ratio=pl.when(row <= 2).then(400.0 + row).otherwise(pl.col("labs_ratio")),
        labs_ward=pl.when(row == 2).then(pl.lit("Z")).otherwise(pl.col("labs_ward")),
    )
    plain, _ = ask(run, cohort)
    answers, predicted = ask(run, odd)
    told = [
        [reason for reason in (cell or "").split("; ") if "training:" in reason]
        for cell in answers["abstain"].to_list()
    ]
    outside, unseen = "outside the range seen in training: ", "rare or never seen in training: "
    assert told == [
        [f"{outside}labs_ratio"],
        [f"{outside}labs_marker, labs_ratio"],
        [f"{outside}labs_ratio", f"{unseen}labs_ward"],
        [],
    ]
    assert not plain["abstain"].fill_null("").str.contains("training:").any()
    assert answers["probability_yes"].is_not_null().all()
    assert (answers["shift"] >= 0).all()
    [finding] = [finding for finding in predicted.findings if finding.name == "outside_training"]
    assert finding.found == "not so: labs_marker in 1 row, labs_ratio in 3 rows"
    assert finding.rows == (1, 2, 3)
    assert predicted.abstained >= 3
    assert not any(value in answers["abstain"].str.join("").item() for value in ("-20", "400", "401"))


def test_all_values_of_a_column_in_another_unit(run):
    cohort = pl.read_csv(run / "cohort.csv").head(6)
    answers, predicted = ask(run, cohort.with_columns(pl.col("labs_marker") * 1000))
    [finding] = [finding for finding in predicted.findings if finding.name == "another_unit"]
    assert 'column "labs_marker"' in finding.place
    assert "about 1000 times" in finding.found
    assert len(answers) == 6


def test_all_columns_that_lack_are_named_at_once_and_nothing_is_written(run):
    cohort = pl.read_csv(run / "cohort.csv").head(5)
    lacking = cohort.drop("labs_ratio").rename({"labs_ward": "Labs_Ward"})
    lacking.write_csv(run / "lacking.csv")
    with pytest.raises(CohortError) as caught:
        polyclinic.predict(run / "run", run / "lacking.csv", run / "lacking-answers.csv")
    assert len(caught.value.findings) == 2
    assert 'Did you mean "Labs_Ward"?' in str(caught.value)
    assert not (run / "lacking-answers.csv").exists()


def test_a_column_that_the_model_needs(run):
    cohort = pl.read_csv(run / "cohort.csv").head(5)
    needed = next(name for name in cohort.columns if name.startswith("labs"))
    with pytest.raises(CohortError, match=needed):
        ask(run, cohort.drop(needed))


def test_nothing_is_overwritten(run):
    (run / "there.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(BundleError, match="overwrite nothing"):
        polyclinic.predict(run / "run", run / "cohort.csv", run / "there.csv")
    assert (run / "there.csv").read_text(encoding="utf-8") == "mine"


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A study whose marker is written with decimal comma and unit, and whose wards are called 2.1 and 2.10."""
    folder = tmp_path_factory.mktemp("odd")
    settings = {**SETTINGS, "cohort": {}}
    made = polyclinic.example_cohort(folder, {"labs": "tabular"}, {"sick": "classify"}, patients=160, settings=settings)
    table = pl.read_csv(made.table)
    marker = [None if x is None else f"{x} mg/L".replace(".", ",") for x in table["labs_marker"]]
    ward = pl.col("labs_ward").replace({"A": "2.1", "B": "2.10"})
    table.with_columns(ward, labs_marker=pl.Series(marker)).write_csv(made.table)
    study = made.study.read_text(encoding="utf-8").replace(
        'kind = "tabular"', 'kind = "tabular"\ncategorical = ["labs_ward"]'
    )
    made.study.write_text(study, encoding="utf-8")
    polyclinic.run(made.study, folder / "run")
    return folder


def test_one_new_patient_is_read_as_the_patients_of_training_were(odd):
    cohort = pl.read_csv(odd / "cohort.csv", schema_overrides={"labs_ward": pl.String})
    one = cohort.filter(pl.col("labs_ward") == "2.10").drop_nulls("labs_marker").head(1)
    everybody, _ = ask(odd, cohort)
    alone, _ = ask(odd, one.with_columns(pl.col("labs_marker").str.replace(" mg/L", "")))
    expected = everybody.filter(pl.col("patient") == one["patient_id"][0])
    np.testing.assert_allclose(alone["probability_yes"], expected["probability_yes"], rtol=1e-5)


def test_what_training_settled_about_the_cells_is_not_told_again(odd):
    table = pl.read_csv(odd / "cohort.csv", schema_overrides={"labs_ward": pl.String})
    _, predicted = ask(odd, table)
    assert [f for f in predicted.findings if f.name == "read_as_numbers"] == []
    _, limited = ask(odd, table.with_columns(pl.concat_str(pl.lit("<"), "labs_marker").alias("labs_marker")))
    assert "read_as_numbers" in {f.name for f in limited.findings}  # a limit is new


def test_another_unit_than_in_training_is_refused(odd):
    cohort = pl.read_csv(odd / "cohort.csv", schema_overrides={"labs_ward": pl.String}).drop_nulls("labs_marker")
    with pytest.raises(CohortError, match="trained on"):
        ask(odd, cohort.head(3).with_columns(pl.col("labs_marker").str.replace("mg/L", "mg/dL")))


def test_entities_are_counted_in_the_cell_as_given(tmp_path):
    settings = {**SETTINGS, "training": {"epochs": 8}}
    made = polyclinic.example_cohort(tmp_path, {"note": "text"}, {"names": "tag"}, patients=160, settings=settings)
    polyclinic.run(made.study, tmp_path / "run")
    plain = pl.read_csv(made.table).head(30).drop("names")
    outer = plain.with_columns(pl.concat_str(pl.lit(" \u3000 "), "note", pl.lit("\n")).alias("note"))
    here, there = ([json.loads(cell) for cell in ask(tmp_path, table)[0]["spans"]] for table in (plain, outer))
    assert sum(map(len, here)) > 20
    for row, text, moved in zip(here, outer["note"], there, strict=True):
        assert [(s["start"] + 3, s["end"] + 3) for s in row] == [(s["start"], s["end"]) for s in moved]
        assert all(text[s["start"] : s["end"]].strip() == text[s["start"] : s["end"]] for s in moved)
