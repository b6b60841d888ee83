import errno
import os
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from polyclinic.answers.base import Answer, join_answers
from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.labels import LabelsAnswer
from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.errors import BundleError, EvidenceError
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.predictions.table import load, save
from polyclinic.study import catalogue

N = 7


def _samples(patient=None, site=True):
    return Samples(
        row=np.arange(1, N + 1)[::-1].copy(),
        patient=np.array([f"p{k}" for k in range(N)], dtype=object) if patient is None else patient,
        part=np.array(["tune", "test", "test", "test", "test", "train", "test"], dtype=object),
        repeat=np.array([0, 0, 0, 0, 1, 1, 1]),
        fold=np.array([0, 1, 2, 0, 1, 2, 0]),
        site=np.array(["n", "s", None, "n", "s", "n", "s"], dtype=object) if site else None,
        strata={"sex": np.array(["f", "m"] * 3 + ["f"], dtype=object), "stage": np.array([1.0, 2, np.nan, 1, 2, 1, 2])},
    )


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(3), N)
    labels = np.array([[0, 1], [np.nan, 1], [1, np.nan], [0, 0], [1, 1], [0, 1], [np.nan, 0]])
    return {
        "grade": ClassAnswer(("b", "a", "c"), chances, chances[:, ::-1].copy(), np.array([0, 1, 2, np.nan, 0, 1, 2.0])),
        "other grade": ClassAnswer(("a", "b"), chances[:, :2], chances[:, 1:], np.array([0, 1, 1, np.nan, 0, 1, 0.0])),
        "findings": LabelsAnswer(("mass", "nodule"), rng.random((N, 2)), rng.random((N, 2)), labels),
        "weight": ValueAnswer("kg", 70 + rng.normal(size=N), np.append(np.nan, 70 + rng.normal(size=N - 1))),
        "death": SurvivalAnswer(
            "days",
            rng.normal(size=N),
            np.tile(np.linspace(1, 99, 5), (N, 1)),
            np.sort(rng.random((N, 5)), axis=1)[:, ::-1].copy(),
            np.array([0, 1, 1, 0, np.nan, 1, 0]),
            np.append(np.nan, rng.exponential(size=N - 1)),
        ),
    }


def _same(one, two):
    assert type(one) is type(two)
    for field in fields(one):
        ours, theirs = getattr(one, field.name), getattr(two, field.name)
        if isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs, err_msg=field.name)
            assert ours.dtype == theirs.dtype, field.name
        elif isinstance(ours, dict):
            assert list(ours) == list(theirs)
            for name, values in ours.items():
                np.testing.assert_array_equal(values, theirs[name])
        else:
            assert ours == theirs, field.name


def _round_trip(predictions, path):
    save(predictions, path)
    loaded = load(path)
    assert len(loaded) == len(predictions)
    for one, two in zip(predictions, loaded, strict=True):
        assert one.model == two.model
        _same(one.samples, two.samples)
        np.testing.assert_array_equal(one.shift, two.shift)
        assert list(one.answers) == list(two.answers)
        for name, answer in one.answers.items():
            _same(answer, two.answers[name])


def test_all_forms_and_models_come_back_exactly(tmp_path, answers):
    shift = np.append(np.nan, np.arange(N - 1.0))
    one = Predictions("polyclinic", _samples(), answers, shift)
    two = Predictions("ridge", _samples(), {"weight": answers["weight"]}, shift)
    three = Predictions("logistic", _samples(), {"grade": answers["grade"]}, shift)
    _round_trip([one, two, three], tmp_path / "predictions.parquet")


@pytest.mark.parametrize("target", ["grade", "findings", "weight", "death"])
def test_one_form_alone_comes_back_exactly(tmp_path, answers, target):
    samples = _samples(patient=np.arange(N) // 2, site=False)
    _round_trip([Predictions("m", samples, {target: answers[target]}, np.zeros(N))], tmp_path / "p.parquet")


def test_the_columns_are_those_of_the_contract(tmp_path, answers):
    save([Predictions("polyclinic", _samples(), answers, np.zeros(N))], tmp_path / "p.parquet")
    table = pl.read_parquet(tmp_path / "p.parquet")
    assert len(table) == N * len(answers)
    expected = {
        *("row", "patient", "part", "repeat", "fold", "target", "model", "truth", "value", "event", "time", "risk"),
        *("survival", "survival_times", "shift", "site", "strata_sex", "strata_stage", "truth_mass", "truth_nodule"),
        *(f"{raw}probability_{name}" for raw in ("", "raw_") for name in ("a", "b", "c", "mass", "nodule")),
    }
    assert set(table.columns) == expected
    grades = table.filter(pl.col("target") == "grade")
    assert grades["truth"].to_list() == ["b", "a", "c", None, "b", "a", "c"]
    assert table.filter(pl.col("target") == "death")["survival"].dtype == pl.List(pl.Float64)


def test_a_number_stays_a_number_where_no_class_is_beside_it(tmp_path, answers):
    save([Predictions("m", _samples(), {"weight": answers["weight"]}, np.zeros(N))], tmp_path / "p.parquet")
    assert pl.read_parquet(tmp_path / "p.parquet")["truth"].dtype == pl.Float64


def test_the_same_predictions_make_the_same_bytes(tmp_path, answers):
    predictions = [Predictions("m", _samples(), answers, np.zeros(N))]
    for name in ("a.parquet", "b.parquet"):
        save(predictions, tmp_path / name)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path, answers, monkeypatch):
    predictions = [Predictions("m", _samples(), answers, np.zeros(N))]
    save(predictions, tmp_path / "p.parquet")
    before = (tmp_path / "p.parquet").read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match="the disk is full"):
        save([replace(predictions[0], model="other")], tmp_path / "p.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]
    assert (tmp_path / "p.parquet").read_bytes() == before


def test_what_is_no_saved_file_is_refused(tmp_path, answers):
    path = tmp_path / "p.parquet"
    with pytest.raises(EvidenceError, match="missing or damaged"):
        load(path)
    path.write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(EvidenceError, match="missing or damaged"):
        load(path)
    pl.DataFrame({"truth": [1]}).write_parquet(path)
    with pytest.raises(EvidenceError, match="another program wrote it"):
        load(path)
    save([Predictions("m", _samples(), answers, np.zeros(N))], path)
    note = pl.read_parquet_metadata(path)["polyclinic"]
    pl.read_parquet(path).drop("risk").write_parquet(path, metadata={"polyclinic": note})
    with pytest.raises(EvidenceError, match="lacks columns"):
        load(path)
    pl.DataFrame({"truth": [1]}).write_parquet(path, metadata={"polyclinic": '{"format": 2}'})
    with pytest.raises(EvidenceError, match="another format"):
        load(path)


def test_a_truncated_file_is_refused(tmp_path, answers):
    path = tmp_path / "p.parquet"
    save([Predictions("m", _samples(), answers, np.zeros(N))], path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(EvidenceError, match="missing or damaged"):
        load(path)


@dataclass(frozen=True)
class _Levels(Answer):
    """An answer with constants of every sort."""

    form: ClassVar[str] = "levels_of_test"
    levels: tuple[object, ...]
    widen: object
    value: np.ndarray

    @staticmethod
    def average(answers):
        return answers[0]

    @classmethod
    def example(cls, rng, samples, flawed=False):
        return cls((0.1, 2, "a", True), 1.5, rng.normal(size=samples))


@pytest.fixture
def levels(monkeypatch):
    names, find = catalogue.names, catalogue.find
    monkeypatch.setattr(catalogue, "names", lambda axis: (*names(axis), _Levels.form))
    monkeypatch.setattr(catalogue, "find", lambda axis, name: _Levels if name == _Levels.form else find(axis, name))
    return _Levels.example(np.random.default_rng(0), N)


def test_numbers_and_tuples_of_them_may_be_constants(levels, tmp_path):
    save([Predictions("a", _samples(), {"it": levels}, np.zeros(N))], tmp_path / "p.parquet")
    read = load(tmp_path / "p.parquet")[0].answers["it"]
    assert (read.levels, read.widen) == (levels.levels, levels.widen)
    assert [type(one) for one in read.levels] == [float, int, str, bool]


@pytest.mark.parametrize("odd", [{"a": 1}, float("nan"), ((1, 2), 3), None])
def test_other_constants_are_refused_by_the_name_of_the_class(levels, odd, tmp_path):
    answer = replace(levels, widen=odd)
    with pytest.raises(EvidenceError, match=r"_Levels\.widen: what is no array must be"):
        save([Predictions("a", _samples(), {"it": answer}, np.zeros(N))], tmp_path / "p.parquet")


def test_a_form_that_is_not_installed_is_named(levels, tmp_path, monkeypatch):
    save([Predictions("a", _samples(), {"it": levels}, np.zeros(N))], tmp_path / "p.parquet")
    monkeypatch.undo()
    with pytest.raises(EvidenceError, match=r'target "it".* the form "levels_of_test" is not\. Install the package'):
        load(tmp_path / "p.parquet")


def test_answers_with_other_constants_are_not_joined(levels):
    assert len(join_answers([levels, levels])) == 2 * N
    with pytest.raises(EvidenceError, match=r"_Levels\.widen: answers that are joined must have the same constants"):
        join_answers([levels, replace(levels, widen=2.5)])
