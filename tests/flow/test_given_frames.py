"""A frame goes wherever the path of a table goes, and comes to the same."""

import json

import pandas as pd
import polars as pl
import pytest

import polyclinic
from polyclinic import workflow
from polyclinic.errors import BundleError, CohortError


@pytest.fixture
def frame() -> pd.DataFrame:
    """Eighty patients as pandas holds them."""
    index = pd.Index([f"p{number}" for number in range(80)], name="patient_id")
    columns = {
        "age": pd.Series([40 + number % 37 for number in range(80)], index=index, dtype="Int64"),
        "ward": pd.Series(
            [("north", "south", None)[number % 3] for number in range(80)], index=index, dtype="category"
        ),
        "crp": pd.Series([0.5 + number * 7 % 11 for number in range(80)], index=index),
        "sick": pd.Series([("no", "yes")[number * 5 % 7 > 3] for number in range(80)], index=index),
    }
    return pd.DataFrame(columns)


def test_a_study_is_drafted_for_a_frame_which_is_written_beside_it(frame, tmp_path):
    drafted = polyclinic.new(frame, "sick", out=str(tmp_path / "ward.toml"))
    assert drafted.table == tmp_path / "ward.parquet"
    assert str(drafted.table) in drafted._repr_html_()
    assert 'table = "ward.parquet"' in drafted.study.read_text("utf-8")
    assert 'patient = "patient_id"' in drafted.study.read_text("utf-8")
    assert pl.read_parquet(drafted.table)["age"].to_list() == frame["age"].to_list()
    assert not polyclinic.check(str(drafted.study)).stopping
    with pytest.raises(BundleError, match="overwrites nothing"):
        polyclinic.new(frame, "sick", out=tmp_path / "ward.toml")


def test_a_frame_for_which_nothing_can_be_drafted_leaves_nothing(frame, tmp_path):
    with pytest.raises(CohortError):
        polyclinic.new(frame, "no such column", out=tmp_path / "ward.toml")
    assert list(tmp_path.iterdir()) == []


def test_a_check_takes_a_frame(small):
    made = small()
    table = pl.read_csv(made.study.parent / "cohort.csv")
    (made.study.parent / "cohort.csv").unlink()
    checked = polyclinic.check(made.study, table=table.head(60))
    assert not checked.stopping
    assert checked.flow[0].rows == 60
    assert "table_given" in {finding.name for finding in checked.findings}
    assert "Nothing stands in the way" in checked._repr_html_()


def test_a_run_on_a_frame_is_the_run_on_the_file(small, tmp_path):
    made = small()
    table = made.study.parent / "cohort.csv"
    from_file = polyclinic.run(made.study, tmp_path / "file")
    from_frame = polyclinic.run(str(made.study), str(tmp_path / "frame"), table=pd.read_csv(table))
    from_path = polyclinic.run(made.study, tmp_path / "path", table=table)
    assert from_frame.evidence == from_file.evidence == from_path.evidence
    assert "auroc" in from_frame._repr_html_()
    kept = json.loads((from_frame.folder / "cohort.json").read_text("utf-8"))
    assert "the given table" in kept["fingerprints"]
    assert "table_given" in {finding["name"] for finding in kept["findings"]}
    weights = "model/0-0-0/weights.safetensors"
    assert (from_frame.folder / weights).read_bytes() == (from_file.folder / weights).read_bytes()


def test_answers_come_back_as_a_frame_or_are_written(finished, tmp_path):
    table = pd.read_csv(finished.folder.parent / "cohort.csv").head(9)
    answers = polyclinic.predict(finished.folder, table)
    assert isinstance(answers, pd.DataFrame)
    written = polyclinic.predict(str(finished.folder), table, str(tmp_path / "answers.parquet"))
    assert written.rows == len(answers) == 9
    assert pl.read_parquet(written.out)["probability_yes"].to_list() == answers["probability_yes"].tolist()
    assert isinstance(polyclinic.predict(finished.folder, table.to_dict("list")), pl.DataFrame)
    assert str(written.out.name) in written._repr_html_()


def test_a_draft_that_is_stopped_leaves_no_table(tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(workflow, "draft", stopped)
    with pytest.raises(KeyboardInterrupt):
        polyclinic.new({"age": [40, 50], "sick": [0, 1]}, "sick", out=tmp_path / "ward.toml")
    assert list(tmp_path.iterdir()) == []
