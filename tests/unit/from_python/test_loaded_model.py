"""A loaded model answers frames with the numbers of `polyclinic predict`."""

import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import polyclinic
from polyclinic.errors import BundleError, CohortError, FindingWarning
from polyclinic.from_python.loaded_model import LoadedModel

ARCHIVE = Path(__file__).parents[2] / "golden" / "bundles.tar.xz"


@pytest.fixture(scope="module")
def golden(tmp_path_factory) -> Path:
    """A bundle of several networks, with the table that it was asked about."""
    folder = tmp_path_factory.mktemp("golden")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "folds"


@pytest.fixture(scope="module")
def model(golden) -> LoadedModel:
    return polyclinic.load(str(golden / "run"))


def test_the_answers_are_those_of_predict(golden, model, tmp_path):
    written = polyclinic.predict(golden / "run", golden / "cohort.csv", tmp_path / "answers.parquet")
    answers = model.predict(pl.read_csv(golden / "cohort.csv"))
    assert answers.equals(pl.read_parquet(written.out))


def test_pandas_comes_back_as_pandas_with_its_index(golden, model):
    table = pd.read_csv(golden / "cohort.csv").head(7)
    table.index = pd.Index([f"p{number}" for number in range(7)], name="who")
    answers = model.predict(table)
    assert isinstance(answers, pd.DataFrame)
    if len(model.targets) == 1:
        assert answers.index.equals(table.index)
    plain = model.predict(pl.read_csv(golden / "cohort.csv").head(7))
    assert answers["shift"].tolist() == plain["shift"].to_list()


def test_one_patient_is_one_row(golden, model):
    table = pl.read_csv(golden / "cohort.csv").drop_nulls(model.features).head(1)
    expected = model.predict(table)
    assert model.predict(table.row(0, named=True)).equals(expected)
    answers = model.predict(pd.read_csv(golden / "cohort.csv").dropna(subset=list(model.features)).iloc[0])
    assert isinstance(answers, pd.DataFrame)
    assert answers["shift"].tolist() == expected["shift"].to_list()
    assert model.predict_proba(table.row(0, named=True)).shape == (1, len(model.classes_))
    with pytest.raises(CohortError, match="several lengths"):
        model.predict({"age": [1, 2], "ward": [1]})


def test_a_model_and_a_run_are_short_to_look_at_and_only_public_names_are_offered(golden, model):
    assert len(repr(model)) < 400
    assert len(repr(polyclinic.workflow.done(golden / "run"))) < 400
    offered = [name for name in dir(polyclinic) if not name.startswith("__")]
    assert offered == sorted(polyclinic.__all__)


def test_probabilities_stand_in_the_order_of_the_classes(golden, model):
    table = pl.read_csv(golden / "cohort.csv").head(9)
    chances = model.predict_proba(table)
    assert chances.shape == (9, len(model.classes_))
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    answers = model.predict(table).drop_nulls(f"probability_{model.classes_[0]}")
    for column, name in enumerate(model.classes_):
        assert answers[f"probability_{name}"].to_list()[:9] == chances[:, column].tolist()


def test_it_says_which_columns_it_needs(golden, model):
    table = pl.read_csv(golden / "cohort.csv").head(3)
    assert set(model.features) <= set(table.columns)
    model.predict(table.select(model.features))
    with pytest.raises(CohortError, match=model.features[0]):
        model.predict(table.select(model.features[1:]))


def test_a_target_without_classes(model, golden):
    with pytest.raises(BundleError, match="needs classes"):
        model.predict_proba(pl.read_csv(golden / "cohort.csv"), target="no such target")


def test_the_card_of_a_notebook_cannot_be_broken(model):
    assert model._repr_html_().count("<table>") == 1
    assert model.features[0] in model._repr_html_()


def test_what_stops_nothing_is_a_warning(tmp_path):
    made = polyclinic.example_cohort(
        tmp_path,
        {"labs": "tabular"},
        {"sick": "classify"},
        patients=100,
        settings={
            "cohort": {"exclude": "sex = 'male'"},
            "training": {"epochs": 1},
            "model": {"size": "tiny"},
            "evidence": {"resamples": 0, "baselines": False},
        },
    )
    done = polyclinic.run(made.study, tmp_path / "run")
    with pytest.warns(FindingWarning) as told:  # values outside the range of the training are told too
        polyclinic.load(done.folder).predict(pl.read_csv(tmp_path / "cohort.csv").drop("sex"))
    assert any("criteria of the study" in str(warning.message) for warning in told)
